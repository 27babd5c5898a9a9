use std::time::Duration;

use manifold_engine::recache::DimensionId;

use super::*;

const HIGH: Priority = Priority::High;
const NORMAL: Priority = Priority::Normal;
const AUTO: Priority = Priority::Autorecache;

fn lease(id: u64, priority: Priority, host: u64, page: &str) -> Lease {
    let entry = Entry { url: page.into(), dimension: DimensionId(1) };
    Lease { id, host: HostId(host), priority, entry, due: 100 + id, attempts: 0 }
}

fn anybody(_: HostId) -> bool {
    true
}

fn endless(_: HostId) -> usize {
    usize::MAX
}

/// The numbers of the leases in the order in which they are taken; each is in flight afterwards.
fn order(waiting: &mut Waiting) -> Vec<u64> {
    std::iter::from_fn(|| waiting.take(anybody)).map(|lease| lease.id).collect()
}

fn later(ms: u64) -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(Instant::now) + Duration::from_millis(ms)
}

#[test]
fn urgent_queues_go_first_and_inside_the_order_of_arrival_counts() {
    let mut waiting = Waiting::default();
    for (id, priority) in [(1, AUTO), (2, NORMAL), (3, HIGH), (4, NORMAL), (5, HIGH), (6, AUTO)] {
        assert_eq!(waiting.push(lease(id, priority, 1, &id.to_string())), None);
    }
    assert_eq!((waiting.len(), waiting.ready(endless)), (6, 6));
    assert_eq!(order(&mut waiting), [3, 5, 2, 4, 1, 6]);
    assert_eq!((waiting.len(), waiting.ready(endless)), (0, 0));
}

#[test]
fn identical_entries_become_one_with_the_better_priority() {
    let mut waiting = Waiting::default();
    waiting.push(lease(1, NORMAL, 1, "a"));
    waiting.push(lease(2, NORMAL, 1, "b"));
    // Worse or equal: the first stays where it is.
    let merged = waiting.push(lease(3, AUTO, 1, "a")).expect("merged");
    assert_eq!((merged.spare.id, merged.waits), (3, None));
    assert_eq!(waiting.push(lease(4, NORMAL, 1, "a")).expect("merged").spare.id, 4);
    // Better: the new one stays, behind those of its queue.
    waiting.push(lease(5, HIGH, 1, "c"));
    assert_eq!(waiting.push(lease(6, HIGH, 1, "a")).expect("merged").spare.id, 1);
    assert_eq!((waiting.len(), waiting.of(HostId(1)), waiting.ready(endless)), (3, 3, 3));
    assert_eq!(order(&mut waiting), [5, 6, 2]);
}

#[test]
fn other_hosts_and_other_dimensions_are_other_pages() {
    let mut waiting = Waiting::default();
    let mut other = lease(3, HIGH, 1, "a");
    other.entry.dimension = DimensionId(2);
    let merged = [lease(1, HIGH, 1, "a"), lease(2, HIGH, 2, "a"), other].map(|lease| waiting.push(lease));
    assert_eq!(merged, [None, None, None]);
    assert_eq!(order(&mut waiting), [1, 2, 3]);
}

#[test]
fn a_page_in_flight_is_not_begun_again_before_it_ended() {
    let mut waiting = Waiting::default();
    waiting.push(lease(1, NORMAL, 1, "a"));
    let first = waiting.take(anybody).expect("the first");
    assert_eq!(waiting.push(lease(2, HIGH, 1, "a")), None, "it waits and is not merged");
    waiting.push(lease(3, NORMAL, 1, "b"));
    assert_eq!((waiting.len(), waiting.ready(endless), waiting.of(HostId(1))), (2, 1, 2));
    assert_eq!(order(&mut waiting), [3]);
    waiting.ended(&first);
    assert_eq!((waiting.len(), waiting.ready(endless)), (1, 1));
    assert_eq!(order(&mut waiting), [2]);
}

#[test]
fn what_failed_is_skipped_until_it_is_ready() {
    let mut waiting = Waiting::default();
    waiting.push(lease(1, HIGH, 1, "a"));
    let mut failed = waiting.take(anybody).expect("the first");
    waiting.ended(&failed);
    (failed.attempts, failed.due) = (1, 200);
    assert_eq!(waiting.put_back(failed.clone(), later(100)), None);
    waiting.push(lease(2, NORMAL, 1, "b"));
    assert_eq!((waiting.len(), waiting.ready(endless), waiting.next_ready()), (2, 1, Some(later(100))));
    waiting.wake(later(99));
    assert_eq!(order(&mut waiting), [2]);
    waiting.wake(later(100));
    assert_eq!((waiting.ready(endless), waiting.next_ready()), (1, None));
    assert_eq!(waiting.take(anybody), Some(failed));
}

#[test]
fn what_waits_for_a_retry_keeps_its_distance_when_it_is_pulled_again() {
    let mut waiting = Waiting::default();
    let mut failed = lease(1, NORMAL, 1, "a");
    (failed.attempts, failed.due) = (2, 500);
    waiting.put_back(failed, later(100));
    // The same queue again: nothing changes.
    let merged = waiting.push(lease(2, NORMAL, 1, "a")).expect("merged");
    assert_eq!((merged.spare.id, merged.waits), (2, None));
    // A better one: its home has to learn what it does not know.
    let merged = waiting.push(lease(3, HIGH, 1, "a")).expect("merged");
    let stays = Lease { attempts: 2, due: 500, ..lease(3, HIGH, 1, "a") };
    assert_eq!((merged.spare.id, merged.waits), (1, Some(stays.clone())));
    assert_eq!(waiting.take(anybody), None);
    waiting.wake(later(100));
    assert_eq!(waiting.take(anybody), Some(stays));
    assert_eq!(waiting.len(), 0);
}

#[test]
fn what_fails_while_its_page_waits_again_is_merged_with_it() {
    let mut waiting = Waiting::default();
    waiting.push(lease(1, HIGH, 1, "a"));
    let mut failed = waiting.take(anybody).expect("the first");
    waiting.push(lease(2, NORMAL, 1, "a"));
    waiting.ended(&failed);
    (failed.attempts, failed.due) = (1, 300);
    let merged = waiting.put_back(failed.clone(), later(50)).expect("merged");
    assert_eq!((merged.spare.id, merged.waits), (2, None));
    assert_eq!((waiting.len(), waiting.ready(endless)), (1, 0));
    waiting.wake(later(50));
    assert_eq!(waiting.take(anybody), Some(failed));
}

#[test]
fn hosts_that_may_not_begin_are_passed_over() {
    let mut waiting = Waiting::default();
    for (id, host) in [(1, 1), (2, 1), (3, 2), (4, 1)] {
        waiting.push(lease(id, HIGH, host, &id.to_string()));
    }
    assert_eq!(waiting.ready(|host| if host == HostId(1) { 1 } else { 9 }), 2);
    assert_eq!((waiting.ready_of(HostId(1)), waiting.ready_of(HostId(7))), (3, 0));
    assert_eq!(waiting.take(|host| host != HostId(1)).map(|lease| lease.id), Some(3));
    assert_eq!(waiting.take(|host| host != HostId(1)), None);
    assert_eq!(order(&mut waiting), [1, 2, 4]);
}

#[test]
fn hosts_that_were_removed_are_forgotten() {
    let mut waiting = Waiting::default();
    waiting.push(lease(1, HIGH, 1, "a"));
    waiting.push(lease(2, HIGH, 2, "b"));
    waiting.put_back(lease(3, HIGH, 2, "c"), later(10));
    let mut gone: Vec<u64> = waiting.forget_hosts(|host| host == HostId(1)).iter().map(|lease| lease.id).collect();
    gone.sort_unstable();
    assert_eq!((gone, waiting.len(), waiting.next_ready()), (vec![2, 3], 1, None));
    assert_eq!(waiting.drain().len(), 1);
    assert_eq!((waiting.len(), waiting.ready(endless), waiting.of(HostId(1))), (0, 0, 0));
}

#[test]
fn counts_are_those_of_a_plain_list_whatever_happens() {
    use proptest::prelude::*;
    // Push, take, end or fail one of six pages of two hosts.
    let steps = prop::collection::vec((0..4u8, 0..6u64, 0..3usize), 0..200);
    proptest!(|(steps in steps)| {
        let (mut waiting, mut flying, mut now) = (Waiting::default(), Vec::<Lease>::new(), 0);
        for (id, (step, page, priority)) in steps.into_iter().enumerate() {
            now += 1;
            match step {
                0 => drop(waiting.push(lease(id as u64, Priority::ALL[priority], page % 2, &page.to_string()))),
                1 => if let Some(taken) = waiting.take(anybody) {
                    prop_assert!(flying.iter().all(|other| other.entry != taken.entry), "two jobs for one page");
                    flying.push(taken);
                },
                _ if flying.is_empty() => waiting.wake(later(now)),
                _ => {
                    let ended = flying.remove(page as usize % flying.len());
                    waiting.ended(&ended);
                    if step == 3 {
                        waiting.put_back(ended, later(now + page));
                    }
                }
            }
            let all = waiting.items.len();
            let ready = waiting.ready.values().filter(|page| !waiting.in_flight.contains(page)).count();
            prop_assert_eq!(waiting.ready.len() + waiting.later.len(), all);
            prop_assert_eq!(waiting.ready(endless), ready);
            prop_assert_eq!((0..2).map(|host| waiting.of(HostId(host))).sum::<usize>(), all);
        }
    });
}
