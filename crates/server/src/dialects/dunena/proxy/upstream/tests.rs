use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect("an address")
}

#[test]
fn a_question_is_json() {
    for (kind, params, expected) in [
        (None, None, r#"{"query":"SELECT \"a\""}"#),
        (None, Some("[1, \"b\"]"), r#"{"query":"SELECT \"a\"","params":[1, "b"]}"#),
        (Some(Kind::MySql), Some("[]"), r#"{"type":"mysql","query":"SELECT \"a\"","params":[]}"#),
    ] {
        assert_eq!(String::from_utf8(question(kind, "SELECT \"a\"", params)).unwrap(), expected);
    }
}

#[test]
fn a_path_goes_below_the_base() {
    for (base, query, expected) in [
        ("http://h:9200", "/_cat/indices", "http://h:9200/_cat/indices"),
        ("http://h:9200/", "_cat/indices", "http://h:9200/_cat/indices"),
        ("http://h/es/", "/users/_doc/1?pretty", "http://h/es/users/_doc/1?pretty"),
        ("http://h/es", "users/_search?q=a:b&size=1", "http://h/es/users/_search?q=a:b&size=1"),
        ("http://h/?key=1", "/a?b=2", "http://h/a?key=1&b=2"),
        ("http://h/?key=1", "/a", "http://h/a?key=1"),
        ("http://h", "/a b?q=c d#e", "http://h/a%20b?q=c%20d%23e"),
        ("http://h", "/a#b", "http://h/a%23b"),
        // None of these leads to another host.
        ("http://h", "//evil.com/x", "http://h//evil.com/x"),
        ("http://h", "@evil.com", "http://h/@evil.com"),
        ("http://h", "http://evil.com/", "http://h/http://evil.com/"),
        ("http://h", "\\\\evil.com", "http://h/%5C%5Cevil.com"),
        // What is in it stays in it.
        ("http://h/es", "a\\b", "http://h/es/a%5Cb"),
        ("http://h/es", "/a\r\n\tb\u{7f}?q=c\r\nd\t", "http://h/es/a%0D%0A%09b%7F?q=c%0D%0Ad%09"),
        ("http://h/es", "a%20b%2Fé?q=é", "http://h/es/a%20b%2F%C3%A9?q=%C3%A9"),
        ("http://h/es", ".a/..b/c../...", "http://h/es/.a/..b/c../..."),
        ("http://h/es", "a//b/", "http://h/es/a//b/"),
        ("http://h/es", "%252e%252e/a", "http://h/es/%252e%252e/a"),
        ("http://h/es", "a?q=../b/./c", "http://h/es/a?q=../b/./c"),
    ] {
        let found = below(&url(base), query).map(String::from);
        assert_eq!(found, Ok(expected.to_owned()), "{base} {query}");
    }
}

#[test]
fn a_path_does_not_leave_the_base() {
    for query in [
        "../../admin",
        "/..",
        "a/../b",
        "a/..?x=1",
        "./a",
        "a/.",
        "%2e%2e/admin",
        "a/.%2E/b",
        "%2e/a",
        "..%2fadmin",
        "a%2F..%2Fb",
        "..\\admin",
        "a%5c..%5Cb",
    ] {
        assert_eq!(below(&url("http://h/es"), query), Err(Failure::NotAllowed), "{query}");
    }
}

#[test]
fn an_object_is_told_from_a_path() {
    for (query, object) in [
        (r#"{"query":{"match_all":{}}}"#, true),
        (" {} \n", true),
        ("{", false),
        ("{} x", false),
        ("[]", false),
        ("/_search", false),
        ("\"{}\"", false),
    ] {
        assert_eq!(is_object(query), object, "{query}");
    }
}

#[test]
fn only_json_in_utf8_is_passed_on() {
    for (body, text) in [
        (&b" [1, 2 ] \n"[..], Some("[1, 2 ]")),
        (b"null", Some("null")),
        (b"\xEF\xBB\xBF{}", Some("{}")),
        (b"{\"a\":\"\\ud800\"}", Some("{\"a\":\"\\ud800\"}")),
        (b"", None),
        (b"[1,]", None),
        (b"{} {}", None),
        (b"NaN", None),
        (b"\"\xff\"", None),
        (b"<html>", None),
        (b"\"a\nb\"", None),
    ] {
        assert_eq!(json_text(&Bytes::copy_from_slice(body)).as_deref(), text.map(str::as_bytes), "{body:?}");
    }
    let deep = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    assert!(json_text(&Bytes::from(deep)).is_some(), "depth costs no stack");
}
