use super::*;
use crate::http::json;

fn raw(text: &str) -> Box<RawValue> {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_string_and_a_number_of_the_same_digits_are_two_members() {
    let member = |text| set_member(&raw(text), "m").unwrap();
    assert_ne!(member("1"), member("\"1\""));
    assert_ne!(member("null"), member("\"null\""));
    assert_eq!(member("\"\\u0061\\/\""), member("\"a/\""));
    assert_eq!(member("{ \"a\": [1, 2] }"), member("{\"a\":[1,2]}"));
    assert_ne!(member("1.0"), member("1"));
}

#[test]
fn what_a_member_says_is_what_serde_reads() {
    for text in [r#""\u0000\u001f\u007f\"\\\b\f\n\r\t\u00e9\ud83d\ude00""#, r#"" \/ é ""#] {
        let member = set_member(&raw(text), "m").unwrap();
        let read = |text: &[u8]| serde_json::from_slice::<String>(text).unwrap();
        assert_eq!(read(&member), read(text.as_bytes()));
        assert_eq!(member, serde_json::to_vec(&read(text.as_bytes())).unwrap());
        assert_eq!(member, json::text(&member).unwrap().as_bytes());
    }
}

#[test]
fn names_are_bounded_by_what_a_row_can_be_called() {
    assert_eq!(name_from(&"x".repeat(NAME_MAX), "f").unwrap().len(), NAME_MAX);
    let refused = name_from(&"x".repeat(NAME_MAX + 1), "f").unwrap_err();
    assert_eq!(refused.message(), "Invalid field 'f': must be at most 32768 bytes");
    // The marks around it are part of a member's text.
    assert!(set_member(&raw(&format!("\"{}\"", "x".repeat(NAME_MAX - 2))), "m").is_ok());
    assert!(set_member(&raw(&format!("\"{}\"", "x".repeat(NAME_MAX - 1))), "m").is_err());
}

#[test]
fn a_float_is_a_finite_json_number() {
    for (text, number) in [("5", 5.0), ("-0.5", -0.5), ("1e3", 1000.0), ("1e-400", 0.0)] {
        assert_eq!(float_of(&raw(text), "f").unwrap(), number, "{text}");
    }
    for text in ["1e400", "-1e400", "\"5\"", "true", "[1]"] {
        let refused = float_of(&raw(text), "f").unwrap_err();
        assert_eq!(refused.message(), "Invalid field 'f': must be a finite number", "{text}");
    }
}
