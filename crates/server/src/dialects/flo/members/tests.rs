use super::*;

#[test]
fn integers_have_no_fraction_and_no_exponent() {
    for (text, found) in [
        ("0", Some(0)),
        ("-5", Some(-5)),
        ("-0", Some(0)),
        ("1.0", None),
        ("1e3", None),
        ("\"1\"", None),
        ("+1", None),
        ("", None),
        ("-", None),
    ] {
        assert_eq!(decimal(text), found, "{text}");
    }
    assert_eq!(decimal(&"9".repeat(60)), Some(i128::MAX));
    assert_eq!(decimal(&format!("-{}", "9".repeat(60))), Some(i128::MIN));
}

#[test]
fn above_the_largest_a_count_acts_as_the_largest_and_a_delay_is_refused() {
    assert_eq!(COUNT.read("1"), Some(1));
    assert_eq!(COUNT.read(&"9".repeat(60)), Some(1000));
    assert_eq!(COUNT.read("0"), None);
    let delay = Integers::within(0, 10, "");
    assert_eq!(delay.read("10"), Some(10));
    assert_eq!(delay.read("11"), None);
}
