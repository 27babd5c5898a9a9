use super::*;
use crate::tests::ns;

const NOW: i64 = 1_710_700_000_000_000_000;

fn rule(namespace: Option<&str>, measurement: Option<&str>, keep_nanos: u64) -> SeriesRetention {
    SeriesRetention {
        namespace: namespace.map(ns),
        measurement: measurement.map(str::to_owned),
        keep: Duration::from_nanos(keep_nanos),
    }
}

fn kept(rules: &[SeriesRetention], namespace: &str, measurement: &str) -> Option<i64> {
    let oldest = Rules::new(rules.to_vec()).oldest_visible(&ns(namespace), measurement, NOW);
    (oldest > i64::MIN).then(|| NOW - oldest)
}

#[test]
fn without_a_rule_points_are_kept_for_ever() {
    assert_eq!(kept(&[], "n", "m"), None);
    assert_eq!(kept(&[rule(Some("other"), None, 5)], "n", "m"), None);
    assert_eq!(kept(&[rule(None, None, 0)], "n", "m"), None);
}

#[test]
fn the_rule_that_names_most_wins() {
    let mut rules =
        [rule(None, None, 1), rule(Some("n"), None, 2), rule(Some("n"), Some("m"), 3), rule(None, Some("x"), 4)];
    for _ in 0..4 {
        rules.rotate_left(1);
        assert_eq!(kept(&rules, "n", "m"), Some(3));
        assert_eq!(kept(&rules, "n", "other"), Some(2));
        assert_eq!(kept(&rules, "other", "x"), Some(4));
        assert_eq!(kept(&rules, "other", "m"), Some(1));
    }
}

#[test]
fn of_rules_that_name_as_much_the_first_wins() {
    let (of_namespace, of_measurement) = (rule(Some("n"), None, 2), rule(None, Some("m"), 3));
    assert_eq!(kept(&[of_namespace.clone(), of_measurement.clone()], "n", "m"), Some(2));
    assert_eq!(kept(&[of_measurement, of_namespace], "n", "m"), Some(3));
}

#[test]
fn what_is_kept_for_ages_is_kept_for_ever() {
    let rules = Rules::new(vec![SeriesRetention { keep: Duration::MAX, ..rule(None, None, 1) }]);
    assert!(rules.oldest_visible(&ns("n"), "m", NOW) < i64::MIN / 2);
    assert_eq!(rules.oldest_visible(&ns("n"), "m", i64::MIN), i64::MIN);
}
