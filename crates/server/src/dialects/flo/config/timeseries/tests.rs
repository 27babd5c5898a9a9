use std::time::Duration;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn rules(texts: &[&str]) -> Timeseries {
    let retentions = texts.iter().map(|text| text.parse().unwrap()).collect();
    Timeseries { retentions, ..Timeseries::default() }
}

fn kept(namespace: Option<&str>, measurement: Option<&str>, keep: Duration) -> SeriesRetention {
    let namespace = namespace.map(|name| Namespace::new(Bytes::copy_from_slice(name.as_bytes())).unwrap());
    SeriesRetention { namespace, measurement: measurement.map(str::to_owned), keep }
}

#[test]
fn rules_name_a_namespace_a_measurement_or_both() {
    let config = rules(&["metrics=30d", "metrics/cpu=7d", "*/cpu=1d", "tenant:a%2Fb/x/y%3D=12h", "%2A=0s"]);
    assert_eq!(config.validate(), Ok(()));
    assert_eq!(
        config.retention(),
        [
            kept(Some("metrics"), None, 30 * DAY),
            kept(Some("metrics"), Some("cpu"), 7 * DAY),
            kept(None, Some("cpu"), DAY),
            kept(Some("tenant:a/b"), Some("x/y="), DAY / 2),
            kept(Some("*"), None, Duration::ZERO),
            kept(None, None, Duration::ZERO),
        ]
    );
    let all = Timeseries { retention: Keep(Some(DAY)), ..Timeseries::default() };
    assert_eq!(all.retention(), [kept(None, None, DAY)]);
}

#[test]
fn a_bad_rule_says_what_is_wrong_with_it() {
    for (text, what) in [
        ("metrics", "names no length of time"),
        ("", "names no length of time"),
        ("metrics=", "is no length of time"),
        ("metrics=30", "is no length of time"),
        ("metrics=30x", "is no length of time"),
        ("=30d", "names no namespace"),
        ("/cpu=30d", "names no namespace"),
        ("metrics/=30d", "names an empty measurement"),
        ("*=30d", "is what retention says"),
        ("a%zz=30d", "broken % escape"),
        ("a/%F=30d", "broken % escape"),
    ] {
        let refused = text.parse::<Rule>().expect_err(text);
        assert!(refused.contains(what) && refused.contains(&format!("{text:?}")), "{text}: {refused}");
    }
}

#[test]
fn two_rules_for_the_same_points_are_refused() {
    let twice = rules(&["a/cpu=1d", "a=1d", "%61/cpu=2d"]);
    assert_eq!(twice.validate(), Err(Refused::RetentionTwice("%61/cpu=2d".into())));
}

#[test]
fn bounds_reach_the_engine() {
    let config = Timeseries {
        max_series: 5,
        max_fields: 6,
        query_timeout: Period(Duration::from_secs(7)),
        query_max_bytes: 8,
        ..Timeseries::default()
    };
    let mut limits = manifold_engine::Limits::default();
    config.limit(&mut limits);
    assert_eq!((limits.series, limits.series_fields), (5, 6));
    assert_eq!((limits.query.time, limits.query.memory_bytes), (Duration::from_secs(7), 8));
    assert_eq!(limits.query.points, 1_000_000, "the contract's own bound is not for operators");
}
