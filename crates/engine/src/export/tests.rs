//! What goes out comes back: every type, in whole and in part, with crashes and with others in the way.

use std::time::Duration;

use bytes::Bytes;
use manifold_store::disk::{Reboot, SimDisk};

use super::*;
use crate::{
    Actor, Engine, Key, Name, Options,
    kv::{Encoding, Expires, Put, Value, When},
    queue::{self, Dequeue, Enqueue, Nack, NackTo, QueueName, Settings},
    recache, series,
    stream::{Append, GroupRead, NewRecord, StreamRetention, StreamStart, StreamTrim},
    tests::{ANN, House, START, delete, json, k, ns, put},
    types::{FieldWhen, MemberWhen, Moves, PushTo, ScoreAdd, Scored, Side},
};

mod conflicts;
mod documents;
mod faults;
mod model;

const LONGEST: usize = 1 << 20;

/// The whole file.
async fn file_of(engine: &Engine, selection: Selection) -> Vec<u8> {
    let mut export = engine.export(selection).expect("an export");
    let mut file = Vec::new();
    while let Some(piece) = export.next().await.expect("a piece") {
        file.extend_from_slice(&piece);
    }
    file
}

/// The records of a file, as they stand there.
fn records(file: &[u8]) -> Vec<String> {
    let mut reader = FileReader::open(file, LONGEST).expect("a first line");
    let mut lines = Vec::new();
    while let Some(piece) = reader.next_piece().unwrap_or_else(|error| panic!("{error}")) {
        let text = String::from_utf8(piece.bytes).expect("text");
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

async fn records_of(engine: &Engine) -> Vec<String> {
    records(&file_of(engine, Selection::default()).await)
}

/// Imports a file up to so many lines.
async fn import_some(
    engine: &Engine,
    file: &[u8],
    on_conflict: OnConflict,
    most: usize,
) -> Result<Imported, ImportError> {
    let mut reader = FileReader::open(file, LONGEST).expect("a first line");
    let mut import = engine.import(&reader.header().id.clone(), on_conflict).expect("an import");
    let mut all = Vec::new();
    while let Some(piece) = reader.next_piece().expect("a sound file") {
        all.extend(piece.records);
    }
    let whole = all.len() <= most;
    let imported = import.apply(&all[..most.min(all.len())]).await?;
    if whole {
        import.finish().await.expect("finishes");
    }
    Ok(imported)
}

async fn import_all(engine: &Engine, file: &[u8], on_conflict: OnConflict) -> Result<Imported, ImportError> {
    import_some(engine, file, on_conflict, usize::MAX).await
}

/// An empty engine whose clock stands where that of another does.
async fn beside(house: &House) -> House {
    let options = Options { clock: crate::Clock::manual(house.now()), ..Options::new("/data") };
    House::on(SimDisk::new(), options).await
}

fn assert_same(left: &[String], right: &[String]) {
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left, right);
    }
    assert_eq!(left.len(), right.len());
}

fn name(name: &str) -> Name {
    Name::new(name.to_owned()).expect("a name")
}

fn q(name: &str) -> QueueName {
    QueueName::new(name.to_owned()).expect("a name")
}

fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn say(what: &str) -> Enqueue {
    Enqueue {
        payload: Value { encoding: Encoding::Binary, bytes: text(what) },
        headers: Bytes::new(),
        priority: None,
        delay: Duration::ZERO,
        dedup_key: None,
        max_attempts: None,
        settings: Settings::default(),
    }
}

const HOUR: Duration = Duration::from_secs(3600);

const TAKE: Dequeue =
    Dequeue { count: 1, max_bytes: usize::MAX, lease: Some(HOUR), wait: Duration::ZERO, consumer: None };

fn record(payload: &str) -> NewRecord {
    NewRecord { kind: text("k"), headers: vec![("h".into(), "v".into())], payload: text(payload) }
}

fn append(stream: &str, payloads: &[&str]) -> Append {
    let records = payloads.iter().map(|payload| record(payload)).collect();
    Append { stream: name(stream), records, create: StreamRetention::default() }
}

/// Some of everything, with odd names and values.
async fn furnish(house: &House) {
    let n = ns("n");
    house.set("plain", "{\"a\" : [1, 2.50]}").await;
    house.set("plain", "null").await;
    house.set("gone", "1").await;
    house.remove("gone").await;
    let odd = Namespace::new(&b"\xff/odd"[..]).expect("a name");
    let value = Value { encoding: Encoding::Binary, bytes: Bytes::from_static(b"\x00\xff") };
    let actor = Actor::new(&b"\xfe"[..]).expect("an actor");
    let expires = Expires::In(HOUR);
    let key = Key::new(&b"\x80"[..]).expect("a name");
    house.put(&odd, Put { key, value, expires, when: When::Always, actor }).await.expect("put");
    house.put(&n, put("lines", "[1,\n 2]")).await.expect("put");

    let many: Vec<Bytes> = (0..600).map(|i| text(&format!("{i:05}"))).collect();
    let fields = many.iter().map(|field| (field.clone(), Bytes::from_static(b"v\xff"))).collect();
    house.hash_set(&n, &k("hash"), fields, FieldWhen::Always).await.expect("hash");
    house.list_push(&n, &k("list"), Side::Left, &many, PushTo::Any).await.expect("list");
    house.set_add(&n, &k("set"), &many).await.expect("set");
    house.set_remove(&n, &k("set"), &many[7..9]).await.expect("set");
    let scores = [0.1, 1e300, -3.0];
    let members =
        many.iter().zip(scores.iter().cycle()).map(|(member, score)| Scored { member: member.clone(), score: *score });
    let add = ScoreAdd { members: members.collect(), when: MemberWhen::Always, moves: Moves::Any };
    house.zset_add(&n, &k("zset"), add).await.expect("zset");
    house.key_expire(&n, &k("zset"), Expires::In(HOUR), &ANN).await.expect("expire");

    for i in 0..30 {
        let keyed =
            Enqueue { dedup_key: Some(text(&format!("key{i}"))), priority: Some(i % 3), ..say(&format!("m{i}")) };
        house.queue_enqueue(&n, &q("work"), keyed).await.expect("enqueue");
    }
    let late = Enqueue { delay: HOUR, headers: text("{}"), payload: json("[1]"), ..say("") };
    house.queue_enqueue(&n, &q("work"), late).await.expect("enqueue");
    let taken = house.queue_dequeue(&n, &q("work"), Dequeue { count: 6, ..TAKE }).await.expect("dequeue");
    let held: Vec<_> =
        taken.iter().map(|it| queue::Held { sequence: it.message.sequence, lease: Some(it.lease) }).collect();
    house.queue_ack(&n, &q("work"), held[..1].to_vec()).await.expect("ack");
    let nack = |to, held: &[queue::Held]| Nack { messages: held.to_vec(), to };
    house.queue_nack(&n, &q("work"), nack(NackTo::Dead, &held[1..3])).await.expect("nack");
    house.queue_nack(&n, &q("work"), nack(NackTo::Ready(HOUR), &held[3..4])).await.expect("nack");
    house.queue_nack(&n, &q("work"), nack(NackTo::Undelivered, &held[4..5])).await.expect("nack");
    house.queue_take_letters(&n, &q("work"), TAKE).await.expect("letters");
    house.queue_enqueue(&n, &q("ended"), say("x")).await.expect("enqueue");
    house.queue_delete(&n, &q("ended")).await.expect("delete");

    for i in 0..5 {
        house.append(&n, append("log", &[&format!("a{i}"), "b"])).await.expect("append");
        house.advance(3);
    }
    house.trim_stream(&n, &name("log"), StreamTrim::BeforeOffset(3)).await.expect("trim");
    let read = GroupRead {
        group: name("g"),
        consumer: name("c"),
        start: StreamStart::First,
        limit: 4,
        max_bytes: usize::MAX,
        ack_timeout: HOUR,
        wait: None,
    };
    house.read_group(&n, &name("log"), read).await.expect("read");
    house.ack_records(&n, &name("log"), &name("g"), &[4]).await.expect("ack");
    house.nack_records(&n, &name("log"), &name("g"), &[5]).await.expect("nack");
    let keep = StreamRetention { records: Some(1), ..StreamRetention::default() };
    house.create_stream(&n, &name("empty"), keep).await.expect("create");

    for (time, value) in [(1, 0.1), (3, 1e300), (2, -0.0), (3, 5.5)] {
        let mut points = series::Points::new(0);
        let field = points.new_field("load");
        points.float(field, value);
        let on = points.new_field("on");
        points.bool(on, time == 2);
        let key = series::SeriesKey::new("cpu", &[("host", "a b"), ("core", "0")]).expect("tags");
        points.end_new(key, time);
        house.write_points(&n, points, true).await.expect("points");
    }

    let entry = |url: &str| recache::Entry { url: url.into(), dimension: recache::DimensionId(2) };
    let enqueue = recache::Enqueue {
        host: recache::HostId(1),
        priority: recache::Priority::High,
        entries: vec![entry("https://a.b/1"), entry("https://a.b/2"), entry("https://a.b/3")],
        due: START.0 / 1000,
        most: 0,
    };
    house.recache_enqueue(enqueue).await.expect("enqueue");
    let pull = recache::Pull { host: recache::HostId(1), priority: recache::Priority::High, most: 1 };
    let mut pulled = house.recache_pull(&[pull], START.0 / 1000).await.expect("pull");
    let lease = pulled.remove(0).leases.remove(0);
    let letter = recache::DeadLetter {
        entry: lease.entry.clone(),
        priority: lease.priority,
        attempts: 3,
        reason: "no".into(),
        failed_at: START.0 / 1000,
    };
    house.recache_bury(&lease, letter, 10).await.expect("bury");
    let page =
        recache::Record { url: "https://a.b/1".into(), file_path: "a/b".into(), size: Some(7), ..Default::default() };
    let key = recache::PageKey { host: recache::HostId(1), dimension: recache::DimensionId(2), hash: u64::MAX };
    house.recache_store_record(key, &page, START.0 / 1000 + 3600).await.expect("store");
}

#[tokio::test]
async fn everything_comes_back() {
    let house = House::new().await;
    furnish(&house).await;
    let file = file_of(&house, Selection::default()).await;
    let before = records(&file);
    let mut other = beside(&house).await;
    let imported = import_all(&other, &file, OnConflict::Fail).await.expect("imports");
    // The default namespace was there already, and is older.
    assert_eq!(imported.written + imported.same, before.len() as u64);
    assert_same(&records_of(&other).await, &before);
    other.restart().await;
    other.queue_stats(&ns("n"), &q("work")).await.expect("the queue adds up");
    assert_same(&records_of(&other).await, &before);
    // What is in the feed of another engine says how it came to be here.
    assert_eq!(other.read("plain").expect("there").version, 2);
    assert_eq!(other.set("gone", "1").await.version, 3, "the versions of removed keys go on");
    let message = other.queue_enqueue(&ns("n"), &q("work"), say("next")).await.expect("enqueue");
    assert_eq!(message.sequence, 32);
    let again = Enqueue { dedup_key: Some(text("key3")), ..say("again") };
    assert!(other.queue_enqueue(&ns("n"), &q("work"), again).await.expect("enqueue").deduplicated);
    let appended = other.append(&ns("n"), append("log", &["c"])).await.expect("append");
    assert_eq!(appended.first, 10);
}

#[tokio::test]
async fn a_part_can_be_chosen() {
    let house = House::new().await;
    furnish(&house).await;
    let types = |lines: &[String]| {
        let name = |line: &String| line.split('"').nth(3).expect("a type").to_owned();
        lines.iter().map(name).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let only = Selection { only: Some(vec![Section::Queue, Section::Set]), ..Selection::default() };
    let lines = records(&file_of(&house, only).await);
    assert_eq!(types(&lines), ["dedup", "message", "namespace", "queue", "set"]);
    let odd = Namespace::new(&b"\xff/odd"[..]).expect("a name");
    let only = Selection { namespace: Some(odd), ..Selection::default() };
    let lines = records(&file_of(&house, only).await);
    assert_eq!(types(&lines), ["kv", "namespace"]);
    for section in Section::ALL {
        assert_eq!(Section::named(section.as_str()), Some(section));
    }
}

#[tokio::test]
async fn what_expires_meanwhile_does_not_come_back() {
    let house = House::new().await;
    let n = ns("n");
    house.put(&n, crate::tests::brief("soon", "1", 1000)).await.expect("put");
    let many: Vec<Bytes> = (0..600).map(|i| text(&i.to_string())).collect();
    house.set_add(&n, &k("set"), &many).await.expect("set");
    house.key_expire(&n, &k("set"), Expires::In(Duration::from_secs(1)), &ANN).await.expect("expire");
    let file = file_of(&house, Selection::default()).await;
    let other = beside(&house).await;
    other.advance(1000);
    let imported = import_all(&other, &file, OnConflict::Fail).await.expect("imports");
    assert_eq!(imported.expired + imported.skipped, 4, "a key, and three lines of a set");
    assert!(other.read("soon").is_none());
    assert_eq!(other.set_len(&n, &k("set")).expect("a look"), None);
    // And with a deadline ahead it ends when it would have.
    let other = beside(&house).await;
    import_all(&other, &file, OnConflict::Fail).await.expect("imports");
    assert_eq!(other.read("soon").expect("there").expires_at, Some(START.plus(Duration::from_secs(1))));
    other.advance(1000);
    assert!(other.read("soon").is_none());
    other.until("the expiry", |engine| engine.stats().expired_total == 2).await;
}

#[tokio::test]
async fn an_export_is_of_one_instant_and_lets_go_when_nobody_takes_it() {
    let house = House::new().await;
    for i in 0..600 {
        house.set(&format!("k{i:05}"), &format!("\"{}\"", "x".repeat(4000))).await;
    }
    let mut export = house.export(Selection::default()).expect("an export");
    let mut file = export.next().await.expect("a piece").expect("a piece").to_vec();
    for i in 0..600 {
        house.remove(&format!("k{i:05}")).await;
    }
    while let Some(piece) = export.next().await.expect("a piece") {
        file.extend_from_slice(&piece);
    }
    let lines = records(&file);
    assert_eq!(lines.iter().filter(|line| line.starts_with("{\"type\":\"kv\"")).count(), 600);
    drop(house.export(Selection::default()).expect("an export"));
    house.close().await.expect("nothing holds the engine");
}
