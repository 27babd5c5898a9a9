use super::*;

fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

#[test]
fn keys_are_strings_of_up_to_2048_bytes() {
    let key = |text: &str| key_member(Some(raw(text))).map(String::from);
    let quoted = |text: &str, times| format!("\"{}\"", text.repeat(times));
    for text in ["null", "5", "true", "[]", "{}", r#""""#] {
        assert_eq!(key(text), Err("key is required".into()), "{text}");
    }
    assert_eq!(key_member(None), Err("key is required".into()));
    assert_eq!(key(r#""\u0000 é""#), Ok("\0 é".to_owned()));
    for (text, times) in [("k", 2048), ("é", 1024)] {
        assert_eq!(key(&quoted(text, times)), Ok(text.repeat(times)));
        assert_eq!(key(&quoted(text, times + 1)), Err("key exceeds max length (2048)".into()));
    }
}

#[test]
fn an_invalidation_says_what_it_is_about() {
    const NEITHER: &str = "Provide either tags (array) or key (string)";
    const TAGS: &str = "tags must be an array of strings";
    for (tags, key, expected) in [
        (None, None, Err(NEITHER)),
        (Some("null"), Some("null"), Err(NEITHER)),
        (Some("[]"), None, Err(NEITHER)),
        (Some("[]"), Some(r#""""#), Err(NEITHER)),
        (None, Some("5"), Err(NEITHER)),
        (Some(r#"["t"]"#), Some("5"), Err(NEITHER)),
        (Some("[1]"), Some("5"), Err(NEITHER)),
        (Some(r#""t""#), None, Err(NEITHER)),
        (Some("{}"), Some(r#""k""#), Err(NEITHER)),
        (Some("[1]"), None, Err(TAGS)),
        (Some(r#"["t",null]"#), Some(r#""k""#), Err(TAGS)),
        (Some(r#"["t","u","t",""]"#), None, Ok((vec!["t", "u", ""], None))),
        (Some(r#"["t"]"#), Some(r#""""#), Ok((vec!["t"], None))),
        (Some("[]"), Some(r#""k""#), Ok((vec![], Some("k")))),
        (None, Some(r#""k""#), Ok((vec![], Some("k")))),
        (Some(r#"["t"]"#), Some(r#""k""#), Ok((vec!["t"], Some("k")))),
    ] {
        let expected = expected
            .map_err(Broken::from)
            .map(|(tags, key)| (tags.into_iter().map(str::to_owned).collect(), key.map(str::to_owned)));
        assert_eq!(doomed(tags.map(raw), key.map(raw)), expected, "{tags:?} {key:?}");
    }
}
