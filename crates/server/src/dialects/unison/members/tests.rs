use super::*;

const NOW: Timestamp = Timestamp(1_000_000);

fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

fn expiry(body: &str, place: Place) -> Result<Expires, String> {
    let found = json::members(body, &["expiresAt", "ttlMs", "keepTtl"]).unwrap();
    expires(found, NOW, place).map_err(|error| error.text().to_owned())
}

#[test]
fn one_deadline_may_be_given_in_three_ways() {
    for (body, expected) in [
        ("{}", Expires::Never),
        (r#"{"expiresAt":null,"ttlMs":null,"keepTtl":null}"#, Expires::Never),
        (r#"{"keepTtl":false}"#, Expires::Never),
        (r#"{"expiresAt":1000001}"#, Expires::At(Timestamp(1_000_001))),
        (r#"{"expiresAt":1000001,"keepTtl":false,"ttlMs":null}"#, Expires::At(Timestamp(1_000_001))),
        (r#"{"expiresAt":9007199254740991}"#, Expires::At(Timestamp(9_007_199_254_740_991))),
        (r#"{"ttlMs":1}"#, Expires::In(Duration::from_millis(1))),
        (r#"{"ttlMs":2e3}"#, Expires::In(Duration::from_secs(2))),
        (r#"{"keepTtl":true}"#, Expires::Keep),
    ] {
        assert_eq!(expiry(body, Place::Request), Ok(expected), "{body}");
    }
}

#[test]
fn a_deadline_is_refused_with_the_text_of_its_member() {
    for (body, text) in [
        (r#"{"expiresAt":"x"}"#, "expiresAt must be an integer or null"),
        (r#"{"expiresAt":9007199254740992}"#, "expiresAt must be an integer or null"),
        (r#"{"expiresAt":1000000}"#, "expiresAt must be in the future"),
        (r#"{"expiresAt":-5}"#, "expiresAt must be in the future"),
        (r#"{"ttlMs":0}"#, "ttlMs must be a positive integer"),
        (r#"{"ttlMs":1.5}"#, "ttlMs must be a positive integer"),
        (r#"{"ttlMs":9007199254740991}"#, "ttlMs must be a positive integer"),
        (r#"{"keepTtl":1}"#, "keepTtl must be a boolean"),
        (r#"{"ttlMs":5,"keepTtl":true}"#, "Use only one of expiresAt, ttlMs, keepTtl"),
        (r#"{"ttlMs":5,"expiresAt":1000001}"#, "Use only one of expiresAt, ttlMs, keepTtl"),
        (r#"{"ttlMs":0,"expiresAt":1000001}"#, "ttlMs must be a positive integer"),
    ] {
        assert_eq!(expiry(body, Place::Request), Err(text.to_owned()), "{body}");
    }
    let in_batch = expiry(r#"{"ttlMs":0}"#, Place::Operation(3));
    assert_eq!(in_batch, Err("operations[3].ttlMs must be a positive integer".to_owned()));
}

#[test]
fn cas_is_a_version_or_absent() {
    let parse = |text: &str| cas(Some(raw(text)), Place::Operation(1)).map_err(|error| error.text().to_owned());
    assert_eq!(parse("0"), Ok(Some(When::Absent)));
    assert_eq!(parse("7.0"), Ok(Some(When::Version(7))));
    assert_eq!(parse("null"), Ok(None));
    assert_eq!(cas(None, Place::Request), Ok(None));
    for bad in ["-1", "1.5", "\"1\"", "true", "[]"] {
        assert_eq!(parse(bad), Err("operations[1].cas must be a non-negative integer".to_owned()), "{bad}");
    }
}

#[test]
fn values_share_their_body_only_when_they_are_most_of_it() {
    let text = format!("{{\"value\":\"{}\"}}", "x".repeat(SHARE_FROM_BYTES));
    let body = Bytes::from(text.clone());
    let [found] = json::members(std::str::from_utf8(&body).unwrap(), &["value"]).unwrap();
    let shared = value(found.unwrap(), Some(&body));
    assert_eq!(shared.bytes.as_ptr(), body[9..].as_ptr());

    let small = Bytes::from_static(b"{\"value\": [1, 2] }");
    let [found] = json::members(std::str::from_utf8(&small).unwrap(), &["value"]).unwrap();
    let copied = value(found.unwrap(), Some(&small));
    assert_eq!(copied, Value { encoding: Encoding::Json, bytes: Bytes::from_static(b"[1, 2]") });
    assert_ne!(copied.bytes.as_ptr(), small[10..].as_ptr());
}

#[test]
fn a_value_may_be_128_deep_wherever_it_stands() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(check_depth(&format!("{{\"value\":{}}}", nested(128)), 1), Ok(()));
    let deep = check_depth(&format!("{{\"value\":{}}}", nested(129)), 1).unwrap_err();
    assert_eq!(deep.text(), "JSON nesting too deep");
}
