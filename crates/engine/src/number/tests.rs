use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_is_written_reads_back(whole: i64, number in proptest::num::f64::NORMAL) {
        prop_assert_eq!(integer(&of_integer(whole)), Some(whole));
        prop_assert_eq!(float(&of_float(number)), Some(number));
    }

    #[test]
    fn nothing_panics(value: Vec<u8>) {
        integer(&value);
        float(&value);
    }
}

#[test]
fn only_plain_decimals_are_integers() {
    for value in ["5", "\"5\"", "-12", "0", "-0", r#""5\u0030""#, "9223372036854775807", "-9223372036854775808"] {
        assert!(integer(value.as_bytes()).is_some(), "{value}");
    }
    assert_eq!(integer(br#""\u002d5\u0030""#), Some(-50));
    let escaped: String = i64::MIN.to_string().chars().map(|digit| format!("\\u{:04x}", digit as u32)).collect();
    assert_eq!(integer(format!("\"{escaped}\"").as_bytes()), Some(i64::MIN));
    assert_eq!(escaped.len() + 2, LONGEST_INTEGER);
    for value in [
        "",
        "\"\"",
        "\"",
        "05",
        "\"-0\"",
        r#""5\n""#,
        r#""\u005""#,
        "+5",
        "5.0",
        "5e3",
        " 5",
        "9223372036854775808",
        "true",
        "\"5",
    ] {
        assert_eq!(integer(value.as_bytes()), None, "{value}");
    }
}

#[test]
fn only_finite_numbers_are_floats() {
    assert_eq!(float(b"\"1.5\""), Some(1.5));
    assert_eq!(float(b"-2e3"), Some(-2000.0));
    assert_eq!(float(br#""1\u002e5""#), Some(1.5));
    for value in ["inf", "-inf", "NaN", "1e999", "", "abc", "infinity", "--1"] {
        assert_eq!(float(value.as_bytes()), None, "{value}");
    }
    assert_eq!(&of_float(3.0)[..], b"3");
    assert_eq!(&of_float(-0.0)[..], b"0");
    assert_eq!(&of_float(0.1 + 0.2)[..], b"0.30000000000000004");
}
