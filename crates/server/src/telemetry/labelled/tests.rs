use super::*;
use crate::telemetry::Counter;

#[test]
fn a_name_is_counted_apart_up_to_the_bound() {
    let counters = Labelled::<Counter>::default();
    for number in 0..MAX_NAMES + 50 {
        counters.at(b"n", number.to_string().as_bytes()).inc();
    }
    counters.at(b"n", b"0").inc();
    let all = counters.all();
    assert_eq!(all.len(), MAX_NAMES + 1);
    assert_eq!((all[0].1.as_str(), all[0].2.get()), ("0", 2));
    let (namespace, name, other) = all.last().unwrap();
    assert_eq!((namespace.as_str(), name.as_str(), other.get()), (OTHER, OTHER, 50));
}
