use std::thread;

use super::*;

#[test]
fn a_counter_loses_nothing_among_threads() {
    let counter = Counter::default();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| (0..1_000).for_each(|_| counter.inc()));
        }
    });
    assert_eq!(counter.get(), 20_000);
}

#[test]
fn a_gauge_goes_up_and_down() {
    let gauge = Gauge::default();
    gauge.add(3);
    gauge.add(-1);
    assert_eq!(gauge.get(), 2);
}

#[test]
fn an_observation_lands_in_the_first_bucket_that_holds_it() {
    let histogram = Histogram::default();
    for micros in [1, 50, 51, 10_000_000, 10_000_001, 3_600_000_000] {
        histogram.record(Duration::from_micros(micros));
    }
    let (sum, count, buckets) = histogram.read();
    assert_eq!(count, 6);
    assert!((sum - 3_620.000_103).abs() < 1e-6, "{sum}");
    assert_eq!(buckets[0], (0.000_05, 2));
    assert_eq!(buckets[1], (0.000_1, 1));
    assert_eq!(buckets[16], (10.0, 1));
    assert_eq!(buckets[17], (f64::INFINITY, 2));
}

#[test]
fn a_duration_beyond_all_bounds_does_not_overflow() {
    let histogram = Histogram::default();
    histogram.record(Duration::MAX);
    assert_eq!(histogram.read().1, 1);
}
