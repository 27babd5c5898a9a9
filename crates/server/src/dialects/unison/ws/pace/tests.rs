use bytes::Bytes;
use manifold_engine::{
    Actor, Timestamp,
    feed::{ChangeOp, How},
    kv::{Encoding, Value},
};

use super::*;

fn change(key: &str, seq: u64, bytes: usize) -> Arc<Change> {
    Arc::new(Change {
        seq,
        op: ChangeOp::Set(How::Put),
        namespace: Namespace::new("n").unwrap(),
        key: Key::new(key.to_owned()).unwrap(),
        value: Some(Value { encoding: Encoding::Json, bytes: Bytes::from(vec![b'1'; bytes]) }),
        version: 1,
        actor: Actor::fixed("api"),
        at: Timestamp(1),
        expires_at: None,
        commit: (seq, seq),
        previous: None,
    })
}

fn seqs(changes: &[Arc<Change>]) -> Vec<u64> {
    changes.iter().map(|change| change.seq).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn between_two_notifications_only_the_newest_is_kept() {
    let (mut pace, start) = (Pace::default(), Instant::now());
    assert!(pace.admit(&change("a", 1, 1), 1, start));
    assert!(!pace.admit(&change("a", 2, 1), 1, start));
    assert!(!pace.admit(&change("a", 3, 1), 1, start));
    assert!(pace.admit(&change("b", 4, 1), 1, start), "another key has a pace of its own");
    assert!(pace.take_due(start).is_empty());
    assert_eq!(seqs(&pace.take_due(start + SECOND)), [3]);
    assert!(!pace.admit(&change("a", 5, 1), 1, start + SECOND));
    assert_eq!(seqs(&pace.take_due(start + 2 * SECOND)), [5]);
}

#[test]
fn a_key_without_news_is_forgotten() {
    let (mut pace, start) = (Pace::default(), Instant::now());
    assert!(pace.admit(&change("a", 1, 1), 4, start));
    assert_eq!(pace.next_due(), Some(start + SECOND / 4));
    assert!(pace.take_due(start + SECOND).is_empty());
    assert_eq!((pace.next_due(), pace.keys.len()), (None, 0));
}

#[test]
fn what_was_overtaken_is_not_told_later() {
    let (mut pace, start) = (Pace::default(), Instant::now());
    pace.admit(&change("a", 1, 1), 1, start);
    pace.admit(&change("a", 2, 1), 1, start);
    pace.overtaken(&change("a", 3, 1));
    assert!(pace.take_due(start + SECOND).is_empty());
    assert_eq!(pace.held_bytes, 0);
}

#[test]
fn memory_is_bounded_by_telling_at_once() {
    let (mut pace, start) = (Pace::default(), Instant::now());
    for seq in 0..MAX_KEYS as u64 + 10 {
        assert!(pace.admit(&change(&seq.to_string(), seq, 1), 1, start));
    }
    assert_eq!(pace.keys.len(), MAX_KEYS);
    assert!(pace.admit(&change("0", 99_999, MAX_HELD_BYTES + 1), 1, start), "too large to be held");
    assert!(!pace.admit(&change("0", 100_000, MAX_HELD_BYTES), 1, start));
    assert!(pace.admit(&change("1", 100_001, 1), 1, start), "no room for another byte");
    pace.take_due(start + SECOND);
    assert_eq!(pace.held_bytes, 0);
}
