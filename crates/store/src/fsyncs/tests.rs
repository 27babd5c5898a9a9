use super::*;

#[test]
fn a_bound_is_part_of_its_bucket_and_the_last_one_takes_the_rest() {
    let fsyncs = Fsyncs::default();
    for micros in [0, 100, 101, 250, 10_000_000, 10_000_001] {
        fsyncs.record(micros);
    }
    let buckets = fsyncs.buckets();
    assert_eq!(buckets[..3], [2, 2, 0]);
    assert_eq!(buckets[FSYNC_BOUNDS_MICROS.len() - 1..], [1, 1]);
    assert_eq!((buckets.iter().sum::<u64>(), fsyncs.micros()), (6, 20_000_452));
}
