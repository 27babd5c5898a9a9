use std::time::Duration;

use super::*;

/// Chunks 1 to 6 of 100 bytes and 2 points each, one second and one frame after the other.
fn six() -> Backlog {
    let mut backlog = Backlog::default();
    for number in 1..=6 {
        backlog.add(number, 10 * number, Timestamp(1000 * number), 2, 100);
    }
    backlog.applied(6);
    backlog
}

fn tuning(backlog_bytes: usize) -> Tuning {
    Tuning { backlog_bytes, backlog_age: Duration::from_secs(100), ..Tuning::default() }
}

#[test]
fn readers_see_chunks_that_are_durable_and_in_buffers() {
    let mut backlog = Backlog::default();
    assert_eq!(backlog.cut(0), 0);
    backlog.add(1, 10, Timestamp(0), 1, 1);
    assert_eq!(backlog.cut(99), 0, "durable before it is in buffers");
    backlog.applied(1);
    backlog.add(2, 20, Timestamp(0), 1, 1);
    backlog.applied(2);
    assert_eq!([9, 10, 19, 20].map(|durable| backlog.cut(durable)), [0, 1, 1, 2]);
    backlog.release(&[(1, 1), (2, 1)]);
    backlog.removed(&[1, 2]);
    assert_eq!(backlog.cut(20), 2, "what is gone was durable");
}

#[test]
fn a_chunk_goes_when_its_last_point_has_left_the_buffers() {
    let mut backlog = six();
    assert!(!backlog.release(&[(2, 1), (3, 1)]));
    assert!(backlog.release(&[(3, 1), (4, 1)]));
    assert_eq!((backlog.done(9), backlog.bytes()), (vec![3], 600));
    backlog.removed(&[3]);
    assert_eq!((backlog.done(9), backlog.bytes()), (vec![], 500));
    assert!(backlog.release(&[(1, 2), (2, 1)]));
    assert_eq!(backlog.done(1), [1]);
}

#[test]
fn half_of_too_many_bytes_is_overdue_once() {
    let mut backlog = six();
    let now = Timestamp(6000);
    assert_eq!(backlog.overdue(now, false, &tuning(600)), None);
    assert_eq!(backlog.overdue(now, false, &tuning(599)), Some(3));
    assert_eq!(backlog.overdue(now, false, &tuning(599)), None);
    backlog.add(7, 70, Timestamp(7000), 2, 200);
    backlog.applied(7);
    assert_eq!(backlog.overdue(now, false, &tuning(599)), Some(4));
    assert_eq!(backlog.overdue(now, true, &tuning(599)), Some(7), "memory wants all");
}

#[test]
fn chunks_half_as_old_as_the_oldest_may_be_are_overdue_with_it() {
    let mut backlog = six();
    assert_eq!(backlog.overdue(Timestamp(100_999), false, &tuning(9999)), None);
    backlog.add(7, 70, Timestamp(60_000), 2, 100);
    backlog.applied(7);
    assert_eq!(backlog.overdue(Timestamp(101_000), false, &tuning(9999)), Some(6));
}
