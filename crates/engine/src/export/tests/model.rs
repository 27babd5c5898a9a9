//! Random deeds on every type, then out and in again: the other engine is the same.

use proptest::prelude::*;

use super::*;
use crate::tests::cases;

/// Something a client does.
#[derive(Debug, Clone)]
enum Deed {
    Put(u8, u8, bool),
    Remove(u8),
    Hash(u8, u8),
    List(u8, u8, bool),
    Set(u8, u8),
    Unset(u8, u8),
    Score(u8, u8, i8),
    Enqueue(u8, i8, bool, Option<u8>),
    Take(u8, u8),
    Settle(u8, u8),
    Drop(u8),
    Append(u8, u8),
    Read(u8, u8),
    Ack(u8, u8),
    Trim(u8, u8),
    Points(u8, u8, u8),
    Later(u8),
}

fn deed() -> impl Strategy<Value = Deed> {
    use Deed::*;
    let (few, byte) = (0u8..3, any::<u8>());
    prop_oneof![
        (few.clone(), byte, any::<bool>()).prop_map(|(key, value, brief)| Put(key, value, brief)),
        few.clone().prop_map(Remove),
        (few.clone(), byte).prop_map(|(key, field)| Hash(key, field)),
        (few.clone(), byte, any::<bool>()).prop_map(|(key, element, left)| List(key, element, left)),
        (few.clone(), byte).prop_map(|(key, member)| Set(key, member)),
        (few.clone(), byte).prop_map(|(key, member)| Unset(key, member)),
        (few.clone(), byte, any::<i8>()).prop_map(|(key, member, score)| Score(key, member, score)),
        (few.clone(), -2i8..3, any::<bool>(), proptest::option::of(0u8..4))
            .prop_map(|(queue, priority, late, dedup)| Enqueue(queue, priority, late, dedup)),
        (few.clone(), 1u8..4).prop_map(|(queue, count)| Take(queue, count)),
        (few.clone(), byte).prop_map(|(queue, how)| Settle(queue, how)),
        few.clone().prop_map(Drop),
        (few.clone(), 1u8..6).prop_map(|(stream, count)| Append(stream, count)),
        (few.clone(), 1u8..4).prop_map(|(stream, count)| Read(stream, count)),
        (few.clone(), byte).prop_map(|(stream, offset)| Ack(stream, offset)),
        (few.clone(), byte).prop_map(|(stream, keep)| Trim(stream, keep)),
        (few.clone(), byte, byte).prop_map(|(series, time, kind)| Points(series, time, kind)),
        byte.prop_map(Later),
    ]
}

/// Does it; what cannot be done is left.
async fn act(house: &House, deed: &Deed) {
    let n = ns("n");
    let key = |kind: &str, key: &u8| k(&format!("{kind}{key}"));
    let (queue, stream) = (|queue: &u8| q(&format!("q{queue}")), |stream: &u8| name(&format!("s{stream}")));
    match deed {
        Deed::Put(at, value, brief) => {
            let expires = if *brief { Expires::In(HOUR) } else { Expires::Never };
            let put = Put { key: key("v", at), expires, ..put("x", &value.to_string()) };
            house.put(&n, put).await.expect("put");
        }
        Deed::Remove(at) => {
            house.delete(&n, crate::kv::Delete { key: key("v", at), ..delete("x") }).await.expect("delete");
        }
        Deed::Hash(at, field) => {
            let fields = vec![(Bytes::copy_from_slice(&[*field]), text("value"))];
            house.hash_set(&n, &key("h", at), fields, FieldWhen::Always).await.expect("hash");
        }
        Deed::List(at, element, left) => {
            let side = if *left { Side::Left } else { Side::Right };
            let elements = [Bytes::copy_from_slice(&[*element])];
            house.list_push(&n, &key("l", at), side, &elements, PushTo::Any).await.expect("list");
        }
        Deed::Set(at, member) => {
            house.set_add(&n, &key("s", at), &[Bytes::copy_from_slice(&[*member])]).await.expect("set");
        }
        Deed::Unset(at, member) => {
            house.set_remove(&n, &key("s", at), &[Bytes::copy_from_slice(&[*member])]).await.expect("set");
        }
        Deed::Score(at, member, score) => {
            let members = vec![Scored { member: Bytes::copy_from_slice(&[*member]), score: f64::from(*score) / 3.0 }];
            let add = ScoreAdd { members, when: MemberWhen::Always, moves: Moves::Any };
            house.zset_add(&n, &key("z", at), add).await.expect("zset");
        }
        Deed::Enqueue(at, priority, late, dedup) => {
            let enqueue = Enqueue {
                priority: Some(i64::from(*priority)),
                delay: if *late { HOUR } else { Duration::ZERO },
                dedup_key: dedup.map(|key| text(&format!("key{key}"))),
                ..say("message")
            };
            house.queue_enqueue(&n, &queue(at), enqueue).await.expect("enqueue");
        }
        Deed::Take(at, count) => {
            let take = Dequeue { count: usize::from(*count), ..TAKE };
            house.queue_dequeue(&n, &queue(at), take).await.expect("dequeue");
        }
        Deed::Settle(at, how) => {
            let held = (1..40).map(|sequence| queue::Held { sequence, lease: None });
            let held: Vec<_> = held.skip(usize::from(how / 8)).take(3).collect();
            let to = match how % 4 {
                0 => return drop(house.queue_ack(&n, &queue(at), held).await),
                1 => NackTo::Dead,
                2 => NackTo::Undelivered,
                _ => NackTo::Ready(HOUR),
            };
            drop(house.queue_nack(&n, &queue(at), Nack { messages: held, to }).await);
        }
        Deed::Drop(at) => {
            house.queue_delete(&n, &queue(at)).await.expect("delete");
        }
        Deed::Append(at, count) => {
            let records = vec![record("payload"); usize::from(*count)];
            let append = Append { stream: stream(at), records, create: StreamRetention::default() };
            house.append(&n, append).await.expect("append");
        }
        Deed::Read(at, count) => {
            let read = GroupRead {
                group: name("g"),
                consumer: name("c"),
                start: StreamStart::First,
                limit: usize::from(*count),
                max_bytes: usize::MAX,
                ack_timeout: HOUR,
                wait: None,
            };
            drop(house.read_group(&n, &stream(at), read).await);
        }
        Deed::Ack(at, offset) => {
            drop(house.ack_records(&n, &stream(at), &name("g"), &[u64::from(offset % 16)]).await);
        }
        Deed::Trim(at, keep) => {
            drop(house.trim_stream(&n, &stream(at), StreamTrim::MaxLen(u64::from(keep % 8))).await);
        }
        Deed::Points(at, time, kind) => {
            let mut points = series::Points::new(0);
            let field = points.new_field("f");
            match kind % 3 {
                0 => points.float(field, f64::from(*kind) / 7.0),
                1 => points.int(field, i64::from(*kind)),
                _ => points.uint(field, u64::from(*kind)),
            }
            let tag = at.to_string();
            points.end_new(series::SeriesKey::new("m", &[("t", &tag)]).expect("tags"), i64::from(*time));
            house.write_points(&n, points, true).await.expect("points");
        }
        Deed::Later(ms) => house.advance(u64::from(*ms)),
    }
}

fn check(deeds: Vec<Deed>, cut: prop::sample::Index) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let tuning = series::Tuning::default();
        let options = Options { clock: crate::Clock::manual(START), ..Options::new("/data") };
        let house = House::tuned(SimDisk::new(), options, tuning).await;
        for deed in &deeds {
            act(&house, deed).await;
        }
        let file = file_of(&house, Selection::default()).await;
        let before = records(&file);
        let mut other = beside(&house).await;
        import_some(&other, &file, OnConflict::Fail, cut.index(before.len())).await.expect("a part");
        other.crash(Reboot::Lost).await;
        import_all(&other, &file, OnConflict::Fail).await.expect("the rest");
        assert_same(&records_of(&other).await, &before);
        other.restart().await;
        for queue in ["q0", "q1", "q2"] {
            // Reading it checks that it adds up.
            if let Err(error) = other.queue_stats(&ns("n"), &q(queue)).await {
                assert_eq!(*error.kind(), Kind::NotFound);
            }
        }
        assert_same(&records_of(&other).await, &before);
        other.close().await.expect("closes");
        house.close().await.expect("closes");
    });
}

proptest! {
    #![proptest_config(cases(12, 100))]
    #[test]
    fn out_and_in_again_is_the_same(deeds in proptest::collection::vec(deed(), 1..80), cut in any::<prop::sample::Index>()) {
        check(deeds, cut);
    }
}
