use super::*;

fn looked_at(tick_ms: u64, check_ms: u64, ticks: usize) -> Vec<usize> {
    let mut counter = Ticks::new(Duration::from_millis(tick_ms), Duration::from_millis(check_ms));
    (0..ticks).map(|_| counter.tick().len()).collect()
}

#[test]
fn every_nth_tick_looks_at_all_queues_the_first_time_at_the_nth() {
    assert_eq!(looked_at(100, 300, 7), [1, 1, 3, 1, 1, 3, 1]);
    assert_eq!(looked_at(1000, 60_000, 60).iter().position(|queues| *queues == 3), Some(59));
}

#[test]
fn all_queues_are_looked_at_at_every_tick_when_nothing_lies_between_looks() {
    for check_ms in [0, 50, 100] {
        assert_eq!(looked_at(100, check_ms, 3), [3, 3, 3], "{check_ms}");
    }
}

#[test]
fn the_most_urgent_queue_comes_first() {
    let mut counter = Ticks::new(Duration::from_secs(1), Duration::ZERO);
    assert_eq!(counter.tick(), [Priority::High, Priority::Normal, Priority::Autorecache]);
    assert_eq!(counter.count(), 1);
}
