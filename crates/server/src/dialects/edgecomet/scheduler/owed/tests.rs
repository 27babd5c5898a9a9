use manifold_engine::recache::{DimensionId, Entry, HostId, Priority};

use super::*;

fn lease(id: u64, attempts: u32) -> Lease {
    let entry = Entry { url: "https://a.b/".into(), dimension: DimensionId(1) };
    Lease { id, host: HostId(1), priority: Priority::High, entry, due: 1, attempts }
}

#[test]
fn of_one_lease_the_last_counts() {
    let mut owed = Owed::default();
    owed.add(lease(1, 1), End::Wait);
    assert_eq!((owed.len(), owed.ending()), (1, 0), "it goes on, and takes its space elsewhere");
    owed.add(lease(1, 1), End::Finish);
    owed.add(lease(2, 0), End::Finish);
    assert_eq!((owed.len(), owed.ending()), (2, 2));
    let mut batch = owed.take();
    batch.sort_by_key(|(lease, _)| lease.id);
    assert_eq!(batch, [(lease(1, 1), End::Finish), (lease(2, 0), End::Finish)]);
    assert_eq!((owed.is_empty(), owed.ending()), (true, 2), "not told yet");
    owed.told(Vec::new());
    assert_eq!(owed.ending(), 0);
}

#[test]
fn what_was_not_taken_is_told_again_unless_more_is_known() {
    let mut owed = Owed::default();
    owed.add(lease(1, 1), End::Wait);
    owed.add(lease(2, 0), End::Finish);
    let batch = owed.take();
    // Meanwhile the retry succeeded.
    owed.add(lease(1, 1), End::Finish);
    owed.told(batch);
    assert_eq!((owed.len(), owed.ending()), (2, 2));
    assert!(owed.take().iter().all(|(_, end)| *end == End::Finish));
}

#[test]
fn much_is_told_in_parts() {
    let mut owed = Owed::default();
    (0..2500).for_each(|id| owed.add(lease(id, 0), End::GiveBack));
    let parts: Vec<usize> = std::iter::from_fn(|| Some(owed.take().len()).filter(|count| *count > 0)).collect();
    assert_eq!(parts, [1000, 1000, 500]);
}
