//! What reads, and then changes, everything that [`super::stocked`] put there. Errors are answers too.

use std::time::Duration;

use bytes::Bytes;

use super::{
    HOUR, bytes,
    stocked::{ANN, DUE, HOST, key, name, namespace, put, queue},
};
use crate::{
    Engine, Timestamp,
    feed::{Changes, Filter},
    kv::{Expires, Increment, List},
    queue::{Dequeue, Held, ListDead, Shelf},
    recache::{DimensionId, PageKey, Priority, Pull, Selection},
    series::{Aggregate, DeletePoints, Query, Stage},
    stream::{Append, GroupRead, NewRecord, StreamRead, StreamRetention, StreamStart, StreamTrim},
    types::{
        Direction, FieldPage, FieldWhen, Insert, KeyPage, MemberWhen, Moves, PushTo, ScoreAdd, ScoreRange, Scored,
        Side, Sought,
    },
};

pub(super) async fn everything(engine: &Engine, now: Timestamp) {
    keys(engine).await;
    collections(engine).await;
    messages(engine).await;
    records(engine).await;
    points(engine).await;
    pages(engine, now).await;
    // Workers have their turn.
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Whatever it came to.
fn any<T, E>(result: Result<T, E>) -> Option<T> {
    result.ok()
}

const BYTES: usize = 1 << 20;

async fn keys(engine: &Engine) {
    let space = namespace();
    let names = ["plain", "brief", "long", "gone", "count", "hash", "list", "set", "zset"];
    any(engine.namespaces().await);
    let filter = Filter { tenant: None, tree: None, prefix: None, not_actor: None };
    any(engine.changes(Changes { after: 0, limit: 100, max_bytes: BYTES, filter, wait: None }).await);
    any(engine.list(&space, List { limit: 100, max_bytes: BYTES, ..List::default() }));
    if let Ok(mut scan) = engine.scan_tree(b"", b"", false) {
        while let Ok(Some(_)) = scan.next_chunk() {}
    }
    any(engine.key_page(&space, &KeyPage { limit: 100, ..KeyPage::default() }));
    any(engine.key_counts(&space).await);
    any(engine.key_random(&space));
    any(engine.key_info(&space, &names.map(key)));
    for name in names {
        any(engine.get(&space, &key(name)));
        any(engine.history(&space, &key(name), 10, BYTES));
    }
    any(engine.increment(&space, Increment { key: key("count"), by: 1, actor: ANN }).await);
    for name in ["plain", "gone", "brief"] {
        any(engine.put(&space, put(name, "1", Expires::In(HOUR))).await);
    }
}

async fn collections(engine: &Engine) {
    let space = namespace();
    let [hash, list, set, zset] = ["hash", "list", "set", "zset"].map(key);
    let one = bytes("\"one\"");
    any(engine.hash_all(&space, &hash).await);
    any(engine.hash_page(&space, &hash, FieldPage { after: None, limit: 10, max_bytes: BYTES }));
    any(engine.hash_add(&space, &hash, bytes("3"), 1).await);
    any(engine.hash_set(&space, &hash, vec![(one.clone(), one.clone())], FieldWhen::Always).await);
    any(engine.hash_delete(&space, &hash, &[one.clone(), bytes("\"two\""), bytes("3")]).await);

    any(engine.list_range(&space, &list, 0, -1).await);
    any(engine.list_index(&space, &list, 1).await);
    any(engine.list_find(&space, &list, &Sought::Json(bytes("3")), 1, Side::Left).await);
    let insert = Insert { side: Side::Left, pivot: Sought::Bytes(bytes("3")), value: bytes("4") };
    any(engine.list_insert(&space, &list, &insert).await);
    any(engine.list_push(&space, &list, Side::Left, std::slice::from_ref(&one), PushTo::Any).await);
    any(engine.list_trim(&space, &list, 1, -2).await);
    any(engine.list_pop(&space, &list, Side::Right, 10).await);

    any(engine.set_members(&space, &set).await);
    any(engine.set_draw(&space, &set, 2).await);
    any(engine.set_add(&space, &set, &[bytes("4")]).await);
    any(engine.set_remove(&space, &set, std::slice::from_ref(&one)).await);
    any(engine.set_pop(&space, &set, 10).await);

    any(engine.zset_part(&space, &zset, 0, -1, Direction::Descending).await);
    any(engine.zset_rank(&space, &zset, one.clone(), Direction::Ascending).await);
    any(engine.zset_count(&space, &zset, ScoreRange::ALL).await);
    any(engine.zset_range(&space, &zset, ScoreRange::ALL, Direction::Ascending, 1, 10).await);
    any(engine.zset_increment(&space, &zset, one.clone(), 1.0).await);
    let members = vec![Scored { member: one, score: 4.0 }];
    any(engine.zset_add(&space, &zset, ScoreAdd { members, when: MemberWhen::Always, moves: Moves::Up }).await);
    any(engine.zset_pop(&space, &zset, Direction::Ascending, 10).await);
    any(engine.key_clear(&space, &ANN).await);
}

async fn messages(engine: &Engine) {
    let (space, queue) = (namespace(), queue());
    any(engine.queue_list_with_letters(&space).await);
    any(engine.queue_stats(&space, &queue).await);
    any(engine.queue_letter_stats(&space, &queue).await);
    any(engine.queue_dead(&space, &queue, ListDead { after: None, limit: 10, max_bytes: BYTES }).await);
    let dequeue = Dequeue { count: 40, max_bytes: BYTES, lease: None, wait: Duration::ZERO, consumer: None };
    let taken = any(engine.queue_dequeue(&space, &queue, dequeue).await).unwrap_or_default();
    let held =
        |delivery: &crate::queue::Delivery| Held { sequence: delivery.message.sequence, lease: Some(delivery.lease) };
    let held: Vec<_> = taken.iter().map(held).collect();
    if let [first, rest @ ..] = held.as_slice() {
        any(engine.queue_hand_back(&space, &queue, Shelf::Messages, &[*first]));
        any(engine.queue_ack(&space, &queue, rest.to_vec()).await);
    }
    any(engine.queue_take_letters(&space, &queue, dequeue).await);
    any(engine.queue_requeue(&space, &queue, (1..24).collect()).await);
    any(engine.queue_purge(&space, &queue).await);
    any(engine.queue_purge_dead(&space, &queue).await);
    any(engine.queue_delete(&space, &queue).await);
}

async fn records(engine: &Engine) {
    let (space, stream, group) = (namespace(), name("events"), name("group"));
    any(engine.streams(&space, None, 10).await);
    any(engine.stream_info(&space, &stream).await);
    any(engine.groups(&space, &stream).await);
    for start in [StreamStart::First, StreamStart::Offset(7), StreamStart::Last(3), StreamStart::Since(Timestamp(1))] {
        let read = StreamRead { start, limit: 100, max_bytes: BYTES, wait: None };
        any(engine.read_stream(&space, &stream, read).await);
    }
    let read = GroupRead {
        group: group.clone(),
        consumer: name("consumer"),
        start: StreamStart::First,
        limit: 100,
        max_bytes: BYTES,
        ack_timeout: HOUR,
        wait: None,
    };
    let delivered = any(engine.read_group(&space, &stream, read).await).unwrap_or_default();
    let offsets: Vec<u64> = delivered.iter().map(|delivery| delivery.record.offset).collect();
    any(engine.ack_records(&space, &stream, &group, &offsets).await);
    let records = vec![NewRecord { kind: Bytes::new(), headers: Vec::new(), payload: bytes("more") }];
    let create = StreamRetention::default();
    any(engine.append(&space, Append { stream: stream.clone(), records, create }).await);
    any(engine.trim_stream(&space, &stream, StreamTrim::MaxLen(2)).await);
    any(engine.delete_group(&space, &stream, &group).await);
    any(engine.delete_stream(&space, &stream).await);
}

async fn points(engine: &Engine) {
    let space = namespace();
    any(engine.measurements(&space, None, 10).await);
    let average = Stage::Aggregate { what: Aggregate::Avg, window: Some(3_000_000_000), by: vec!["host".into()] };
    let middle = Stage::Aggregate { what: Aggregate::Percentile(50.0), window: None, by: Vec::new() };
    for stages in [Vec::new(), vec![average], vec![middle], vec![Stage::Rate, Stage::Abs]] {
        let query = Query {
            measurement: "cpu".into(),
            filters: Vec::new(),
            range: (0, 60_000_000_000),
            fields: None,
            stages,
            limit: None,
        };
        any(engine.query_points(&space, query).await);
    }
    for range in [Some((3_000_000_000, 5_000_000_000)), None] {
        let delete = DeletePoints { measurement: "cpu".into(), filters: Vec::new(), range };
        any(engine.delete_points(&space, delete).await);
    }
}

async fn pages(engine: &Engine, now: Timestamp) {
    let now = now.0 / 1000;
    any(engine.recache_depths(&[HOST], now).await);
    any(engine.recache_queued(HOST, &Priority::ALL, 0, 100).await);
    any(engine.recache_failed(HOST, 0, 100).await);
    any(engine.recache_records(HOST, None, 100).await);
    for hash in 0..3 {
        any(engine.recache_record(PageKey { host: HOST, dimension: DimensionId(0), hash }).await);
    }
    any(engine.recache_recover().await);
    let pulls = Priority::ALL.map(|priority| Pull { host: HOST, priority, most: 100 });
    let pulled = any(engine.recache_pull(&pulls, now).await).unwrap_or_default();
    let leases: Vec<_> = pulled.into_iter().flat_map(|pulled| pulled.leases).collect();
    any(engine.recache_give_back(&leases).await);
    any(engine.recache_retry_failed(HOST, now, 0).await);
    any(engine.recache_forget_selected(HOST, &Selection::default(), now).await);
    let files = any(engine.recache_removable_files(DUE + 1000, 10).await).unwrap_or_default();
    any(engine.recache_files_removed(&files).await);
    any(engine.recache_purge(HOST, &Priority::ALL).await);
}
