use super::*;

fn back<T: Serialize + serde::de::DeserializeOwned>(it: &T) -> (String, T) {
    let text = serde_json::to_string(it).expect("writes");
    let read = serde_json::from_str(&text).expect("reads");
    (text, read)
}

#[test]
fn bytes_come_back_as_they_were() {
    for (bytes, written) in [
        (&b"plain"[..], r#""plain""#),
        ("z\u{e4}hl\n\t\"".as_bytes(), "\"z\u{e4}hl\\n\\t\\\"\""),
        (b"\xff\x00", r#"{"base64":"/wA="}"#),
        (b"\x01", r#"{"base64":"AQ=="}"#),
        (b"", r#""""#),
    ] {
        let text = Text::of(bytes);
        assert_eq!(back(&text), (written.to_owned(), text));
    }
}

#[test]
fn what_is_no_text_is_refused() {
    for text in
        ["1", "null", r#"{"base64":"?"}"#, r#"{"base64":"AQ"}"#, r#"{"hex":"00"}"#, "{}", r#"{"base64":"","a":1}"#]
    {
        assert!(serde_json::from_str::<Text>(text).is_err(), "{text}");
    }
}

#[test]
fn json_texts_come_back_byte_for_byte() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let texts =
        ["{\"a\" : 1.50}", "null", " 1", "1 ", "[1,\n2]", "\"\\ud800\"", "1e400", "0.1000000000000000055", &deep];
    for text in texts {
        let value = Value { encoding: Encoding::Json, bytes: text.to_owned().into() };
        let (line, read) = back(&Stored::from(&value));
        assert!(!line.contains('\n'));
        assert_eq!(Value::try_from(read).expect("a value"), value, "{text}");
    }
    let value = Value { encoding: Encoding::Binary, bytes: "null".into() };
    assert_eq!(serde_json::to_string(&Stored::from(&value)).expect("writes"), r#"{"bytes":"null"}"#);
}

#[test]
fn a_value_is_exactly_one_thing() {
    for text in ["{}", r#"{"json":1,"bytes":"a"}"#, r#"{"json_text":"{"}"#, r#"{"json_text":{"base64":"/w=="}}"#] {
        let stored: Stored = serde_json::from_str(text).expect("reads");
        assert!(Value::try_from(stored).is_err(), "{text}");
    }
}

#[test]
fn numbers_come_back_bit_for_bit() {
    for number in [0.0, -0.0, 0.1, 1e308, 5e-324, 2.225_073_858_507_201e-308, f64::MAX, f64::MIN] {
        assert_eq!(back(&Real(number)).1.0.to_bits(), number.to_bits());
    }
    for text in ["\"1\"", "1e999", "\"inf\"", "null", "[]"] {
        assert!(serde_json::from_str::<Real>(text).is_err(), "{text}");
    }
}
