use super::*;

#[test]
fn any_score_is_a_time_that_fits_a_signed_number() {
    for (score, expected) in [
        ("1737196200", 1_737_196_200),
        ("1.9", 1),
        ("-5", 0),
        ("-inf", 0),
        ("nan", 0),
        ("", 0),
        ("inf", i64::MAX.cast_unsigned()),
        ("1.0000000000000001e+300", i64::MAX.cast_unsigned()),
        ("9223372036854775808", i64::MAX.cast_unsigned()),
    ] {
        assert_eq!(seconds(score), expected, "{score}");
    }
}
