use super::*;

#[test]
fn an_instant_is_a_number_of_the_precision_or_a_date_and_beyond_64_bits_their_end() {
    for (text, nanos) in [
        ("5", Some(5_000_000)),
        ("-5", Some(-5_000_000)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("1970-01-01T00:00:01Z", Some(1_000_000_000)),
        ("9000-12-31T00:00:00Z", Some(i64::MAX)),
        ("9999-12-31T23:59:59Z", Some(i64::MAX)),
        ("9999-12-31T23:59:59.999999999-12:00", Some(i64::MAX)),
        ("9999-12-32T00:00:00Z", None),
        ("+5", None),
        ("1.5", None),
        ("", None),
    ] {
        assert_eq!(instant(text, Precision::Millis), nanos, "{text}");
    }
}
