use super::*;

fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

#[test]
fn keys_are_printable_ascii_of_1_to_512() {
    for (text, expected) in [
        ("", Err("Key must not be empty")),
        ("k", Ok(())),
        (" ~", Ok(())),
        ("k\u{7f}", Err("Key contains invalid characters")),
        ("k\t", Err("Key contains invalid characters")),
        ("é", Err("Key contains invalid characters")),
        (&"k".repeat(512), Ok(())),
        (&"k".repeat(513), Err("Key exceeds max length (512)")),
        (&"é".repeat(512), Err("Key contains invalid characters")),
        (&"é".repeat(513), Err("Key exceeds max length (512)")),
    ] {
        assert_eq!(key(text), expected.map_err(Broken::from), "{text}");
    }
    assert_eq!(key_member(Some(raw("5"))), Err("Key must be a string".into()));
    assert_eq!(key_member(None), Err("Key must be a string".into()));
}

#[test]
fn values_are_strings_of_up_to_4_mib() {
    let text = |bytes: usize| format!("\"{}\"", "v".repeat(bytes));
    assert!(value(Some(raw(r#""""#))).is_ok() && value(Some(raw(&text(4_194_304)))).is_ok());
    assert_eq!(value(Some(raw(&text(4_194_305)))), Err("Value exceeds max size (4194304 bytes)".into()));
    assert_eq!(value(Some(raw(&format!("\"{}\"", "é".repeat(2_097_153))))).map(drop).unwrap_err().len(), 38);
    for other in ["null", "5", "[]", "{}", "true"] {
        assert_eq!(value(Some(raw(other))), Err("Value must be a string".into()), "{other}");
    }
    assert_eq!(value(Some(raw(r#""a\u0000b""#))).unwrap(), "a\0b");
}

#[test]
fn times_to_live_are_numbers_without_a_fraction() {
    for (text, expected) in [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("-0.0", Some(0)),
        ("60000", Some(60_000)),
        ("1e3", Some(1000)),
        ("5.0", Some(5)),
        ("9007199254740991", Some(9_007_199_254_740_991)),
        ("1e300", Some(9_007_199_254_740_991)),
        ("99999999999999999999", Some(9_007_199_254_740_991)),
        ("1e400", None),
        ("-1", None),
        ("1.5", None),
        ("\"5\"", None),
        ("true", None),
        ("[]", None),
    ] {
        assert_eq!(ttl(Some(raw(text))).ok(), expected.map(Some), "{text}");
    }
    assert_eq!((ttl(None), ttl(Some(raw("null")))), (Ok(None), Ok(None)));
}

#[test]
fn tags_are_strings_each_of_which_counts_once() {
    let of = |text| tags(Some(raw(text)));
    assert_eq!(of(r#"["b","a","","b"]"#), Ok(Some(vec!["b".to_owned(), "a".to_owned(), String::new()])));
    assert_eq!((of("null"), tags(None)), (Ok(None), Ok(None)));
    for other in ["5", r#""a""#, "{}", r#"["a",5]"#, r#"["a",null]"#] {
        assert_eq!(of(other), Err("tags must be an array of strings".into()), "{other}");
    }
}

#[test]
fn namespaces_are_text_without_control_characters() {
    let of = |text| namespace_member(Some(raw(text)));
    assert_eq!((of("null"), namespace_member(None), of(r#""""#)), (Ok("".into()), Ok("".into()), Ok("".into())));
    assert_eq!(of(r#""é b""#), Ok("é b".into()));
    assert_eq!(of("5"), Err("Namespace must be a string".into()));
    assert_eq!(of(r#""a\nb""#), Err("Namespace contains invalid characters".into()));
    assert_eq!(of(r#""a\u007f""#), Err("Namespace contains invalid characters".into()));
    assert!(namespace(&"é".repeat(256)).is_ok());
    assert_eq!(namespace(&"é".repeat(257)), Err("Namespace exceeds max length (512)".into()));
}
