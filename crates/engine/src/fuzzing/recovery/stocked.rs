//! Something of everything that an engine keeps.

use std::time::Duration;

use super::{HOUR, bytes};
use crate::{
    Actor, Engine, Key, Name, Namespace,
    kv::{Delete, Encoding, Expires, Increment, Put, Value, When},
    queue::{Dequeue, Enqueue, Nack, NackTo, Named, QueueName, Settings},
    recache::{self, BotHit, DimensionId, HostId, PageKey, Priority, Pull, Record},
    series::{Points, SeriesKey},
    stream::{Append, GroupRead, NewRecord, StreamRetention, StreamStart},
    types::{FieldWhen, MemberWhen, Moves, PushTo, ScoreAdd, Scored, Side},
};

pub(super) fn namespace() -> Namespace {
    Namespace::new("team/app").expect("a name")
}

pub(super) fn key(name: &'static str) -> Key {
    Key::new(name).expect("a name")
}

pub(super) fn name(name: &'static str) -> Name {
    Name::new(name).expect("a name")
}

pub(super) fn queue() -> QueueName {
    QueueName::new("jobs").expect("a name")
}

pub(super) const ANN: Actor = Actor::fixed("ann");

pub(super) fn value(text: &'static str) -> Value {
    Value { encoding: Encoding::Json, bytes: bytes(text) }
}

pub(super) async fn fill(engine: &Engine) {
    values(engine).await;
    collections(engine).await;
    messages(engine).await;
    records(engine).await;
    points(engine).await;
    pages(engine).await;
}

pub(super) fn put(name: &'static str, text: &'static str, expires: Expires) -> Put {
    Put { key: key(name), value: value(text), expires, when: When::Always, actor: ANN }
}

async fn values(engine: &Engine) {
    let space = namespace();
    for (name, text, expires) in [
        ("plain", r#"{"a":1}"#, Expires::Never),
        ("brief", "2", Expires::In(Duration::from_secs(1))),
        ("plain", r#"{"a":2}"#, Expires::Never),
        ("long", "3", Expires::In(HOUR)),
        ("gone", "4", Expires::Never),
    ] {
        engine.put(&space, put(name, text, expires)).await.expect("put");
    }
    engine.delete(&space, Delete { key: key("gone"), when: When::Always, actor: ANN }).await.expect("delete");
    engine.increment(&space, Increment { key: key("count"), by: 7, actor: ANN }).await.expect("increment");
}

async fn collections(engine: &Engine) {
    let space = namespace();
    let texts = [bytes("\"one\""), bytes("\"two\""), bytes("3")];
    let fields = texts.iter().map(|text| (text.clone(), text.clone())).collect();
    engine.hash_set(&space, &key("hash"), fields, FieldWhen::Always).await.expect("hash");
    engine.list_push(&space, &key("list"), Side::Right, &texts, PushTo::Any).await.expect("list");
    engine.set_add(&space, &key("set"), &texts).await.expect("set");
    let members = texts.iter().zip([1.5, -2.0, 1e300]).map(|(member, score)| Scored { member: member.clone(), score });
    let add = ScoreAdd { members: members.collect(), when: MemberWhen::Always, moves: Moves::Any };
    engine.zset_add(&space, &key("zset"), add).await.expect("sorted set");
}

async fn messages(engine: &Engine) {
    let (space, queue) = (namespace(), queue());
    let settings = Settings::default();
    engine.queue_create(&space, &queue, settings, Named::default()).await.expect("a queue");
    for number in 0..24_u64 {
        let enqueue = Enqueue {
            payload: value(r#"{"job":1}"#),
            headers: bytes("{\"a\":\"b\"}"),
            priority: Some(number as i64 % 3),
            delay: if number % 5 == 4 { HOUR } else { Duration::ZERO },
            dedup_key: (number.is_multiple_of(7)).then(|| format!("k{number}").into()),
            max_attempts: (number.is_multiple_of(4)).then_some(1),
            settings,
        };
        engine.queue_enqueue(&space, &queue, enqueue).await.expect("enqueued");
    }
    let dequeue = Dequeue { count: 6, max_bytes: 1 << 20, lease: Some(HOUR), wait: Duration::ZERO, consumer: None };
    let taken = engine.queue_dequeue(&space, &queue, dequeue).await.expect("taken");
    let held = |at: usize| crate::queue::Held { sequence: taken[at].message.sequence, lease: Some(taken[at].lease) };
    engine.queue_ack(&space, &queue, vec![held(0)]).await.expect("acked");
    let dead = Nack { messages: vec![held(1), held(2)], to: NackTo::Dead };
    engine.queue_nack(&space, &queue, dead).await.expect("given up");
    let back = Nack { messages: vec![held(3)], to: NackTo::Ready(HOUR) };
    engine.queue_nack(&space, &queue, back).await.expect("given back");
}

async fn records(engine: &Engine) {
    let (space, stream) = (namespace(), name("events"));
    for round in 0..6 {
        let record =
            |_| NewRecord { kind: bytes("kind"), headers: vec![("a".into(), "b".into())], payload: bytes("payload") };
        let keep = StreamRetention { age: Some(24 * HOUR), records: Some(1000), bytes: Some(1 << 20) };
        let append = Append { stream: stream.clone(), records: (0..=round).map(record).collect(), create: keep };
        engine.append(&space, append).await.expect("appended");
    }
    let read = GroupRead {
        group: name("group"),
        consumer: name("consumer"),
        start: StreamStart::First,
        limit: 5,
        max_bytes: 1 << 20,
        ack_timeout: HOUR,
        wait: None,
    };
    let join = engine.join_group(&space, &stream, &read.group, &read.consumer, StreamStart::First);
    join.await.expect("joined");
    engine.read_group(&space, &stream, read.clone()).await.expect("read");
    engine.ack_records(&space, &stream, &read.group, &[0, 1]).await.expect("acked");
    engine.nack_records(&space, &stream, &read.group, &[2]).await.expect("given back");
}

async fn points(engine: &Engine) {
    let space = namespace();
    for time in 0..20 {
        let mut points = Points::new(engine.series_epoch(&space).expect("an epoch"));
        let [float, int, flag, text] = ["float", "int", "flag", "text"].map(|field| points.new_field(field));
        points.float(float, time as f64 / 3.0);
        points.int(int, time);
        points.bool(flag, time % 2 == 0);
        points.text(text, |text| text.extend_from_slice(b"text"));
        let host = if time % 2 == 0 { "web" } else { "db" };
        points.end_new(SeriesKey::new("cpu", &[("host", host)]).expect("a key"), time * 1_000_000_000);
        engine.write_points(&space, points, false).await.expect("written");
    }
    // Buffers that are full are sealed by a worker.
    for _ in 0..1000 {
        if engine.series_stats().blocks > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("nothing was sealed");
}

pub(super) const HOST: HostId = HostId(3);
/// Seconds.
pub(super) const DUE: u64 = super::START.0 / 1000;

async fn pages(engine: &Engine) {
    let entry = |number: u64| recache::Entry {
        url: format!("https://a.example/{number}").into(),
        dimension: DimensionId(number % 2),
    };
    for priority in Priority::ALL {
        let entries = (0..6).map(entry).collect();
        let enqueue = recache::Enqueue { host: HOST, priority, entries, due: DUE, most: 0 };
        engine.recache_enqueue(enqueue).await.expect("queued");
    }
    let pull = Pull { host: HOST, priority: Priority::High, most: 4 };
    let mut pulled = engine.recache_pull(&[pull], DUE).await.expect("pulled");
    let leases = pulled.pop().expect("one answer").leases;
    engine.recache_wait_for_retry(&leases[0], 2, DUE + 60).await.expect("noted");
    let letter = recache::DeadLetter {
        entry: leases[1].entry.clone(),
        priority: Priority::High,
        attempts: 3,
        reason: "it failed".into(),
        failed_at: DUE,
    };
    engine.recache_bury(&leases[1], letter, 100).await.expect("buried");
    for hash in 0..3 {
        let record = Record {
            url: format!("https://a.example/{hash}"),
            file_path: format!("3/0/{hash}"),
            dimension: "desktop".into(),
            created_at: Some(DUE as i64),
            expires_at: Some(DUE as i64 + 60),
            size: Some(100),
            status_code: Some(200),
            headers: vec![("content-type".into(), vec!["text/html".into()])],
            ..Record::default()
        };
        let page = PageKey { host: HOST, dimension: DimensionId(0), hash };
        engine.recache_store_record(page, &record, DUE + 3600).await.expect("stored");
    }
    let forgotten = PageKey { host: HOST, dimension: DimensionId(0), hash: 2 };
    engine.recache_forget(&[forgotten], DUE + 10).await.expect("forgotten");
    let key = PageKey { host: HOST, dimension: DimensionId(0), hash: 1 };
    let hit = BotHit { key, entry: entry(1), at: DUE, due: DUE + 5, most: 0 };
    engine.recache_bot_hit(&hit).await.expect("noted");
}
