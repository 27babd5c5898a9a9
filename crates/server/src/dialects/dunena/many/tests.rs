use super::*;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

#[test]
fn keys_are_an_array_of_strings_each_once_in_the_order_asked() {
    for (text, expected) in [
        (r#"["b","a","b","10","9","__proto__",""]"#, Ok(vec!["b", "a", "10", "9", "__proto__", ""])),
        ("[]", Ok(vec![])),
        (r#"["a",1]"#, Err("keys must be an array of strings")),
        (r#"["a",null]"#, Err("keys must be an array of strings")),
        (r#"{"0":"a"}"#, Err(NO_ACTION)),
        (r#""a""#, Err(NO_ACTION)),
        ("null", Err(NO_ACTION)),
    ] {
        let expected = expected.map(|keys| keys.into_iter().map(str::to_owned).collect()).map_err(Cow::Borrowed);
        assert_eq!(keys(Some(&raw(text))), expected, "{text}");
    }
    assert_eq!(keys(None), Err(Cow::Borrowed(NO_ACTION)));
}

#[test]
fn the_first_bad_entry_is_named() {
    for (text, expected) in [
        (r#"[{"key":"g","value":"v"},{"key":"","value":"v"}]"#, "mset key error: Key must not be empty"),
        (r#"[{"key":"g","value":5,"ttl":-1},{"key":""}]"#, r#"mset value error for "g": Value must be a string"#),
        (r#"[{"key":"g","value":"","ttl":-1}]"#, r#"mset ttl error for "g": TTL must be a non-negative integer (ms)"#),
        (r#"[{"key":5}]"#, "mset key error: Key must be a string"),
        ("[null]", "mset key error: Key must be a string"),
        ("[[]]", "mset key error: Key must be a string"),
        ("[5]", "mset key error: Key must be a string"),
        ("{}", NO_ACTION),
    ] {
        assert_eq!(entries("mset", Some(&raw(text))).unwrap_err(), expected, "{text}");
    }
    assert_eq!(entries("mset", None).unwrap_err(), NO_ACTION);
}

#[test]
fn entries_keep_their_order_and_their_times() {
    let text = raw(r#"[{"key":"a","value":"1"},{"key":"a","value":"2","ttl":0},{"key":"b","value":"","ttl":5.0}]"#);
    let mut entries = entries("mset", Some(&text)).unwrap();
    let sets: Vec<_> = entries.iter_mut().map(|entry| entry.within("n")).collect();
    let found: Vec<_> = sets.iter().map(|set| (set.key, &set.value[..], set.ttl)).collect();
    let expected: [(&[u8], &[u8], Ttl); 3] =
        [(b"a", b"1", Ttl::Default), (b"a", b"2", Ttl::Never), (b"b", b"", Ttl::Millis(5))];
    assert_eq!(found, expected);
}

#[test]
fn values_are_written_under_their_keys_in_the_order_asked() {
    let mut out = Vec::new();
    write_values(&mut out, &["b\"".to_owned(), "a".to_owned()], &[Some("x\u{0}".into()), None]);
    assert_eq!(String::from_utf8(out).unwrap(), r#"{"b\"":"x\u0000","a":null}"#);
}
