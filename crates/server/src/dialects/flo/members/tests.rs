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

#[test]
fn a_number_that_no_message_has_is_not_taken_for_another() {
    let read = |text: &str| numbers(Some(serde_json::from_str(text).unwrap()), "sequences", 1, SEQUENCES);
    assert_eq!(read("[1,18446744073709551615]"), Ok(vec![1, u64::MAX]));
    let refused = Err(Error::Field { field: "sequences", rule: SEQUENCES });
    let beyond = format!("[{}]", "9".repeat(60));
    for text in ["[18446744073709551616]", beyond.as_str(), "[0]", "[-1]", "[1.0]", "[null]", "{}"] {
        assert_eq!(read(text), refused, "{text}");
    }
}
