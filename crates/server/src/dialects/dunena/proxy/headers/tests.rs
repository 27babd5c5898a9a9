use super::*;

fn read_json(json: &str) -> Result<Vec<(String, String)>, Broken> {
    read(Some(serde_json::from_str(json).expect("JSON")))
}

#[test]
fn headers_are_names_and_texts() {
    assert_eq!(read(None), Ok(Vec::new()));
    assert_eq!(read_json("null"), Ok(Vec::new()));
    assert_eq!(read_json("{}"), Ok(Vec::new()));
    let read = read_json(r#"{"X-Key":"a","apikey":"b","x-key":"c"}"#).expect("are fine");
    let map = to_map(&read);
    let value = |name: &str| map[name].to_str().expect("ASCII");
    assert_eq!((map.len(), value("x-key"), value("apikey")), (2, "c", "b"));
    assert!(map.values().all(HeaderValue::is_sensitive), "shown by Debug");
}

#[test]
fn others_are_refused() {
    for json in ["[]", "\"a\"", "1", r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":["b"]}"#] {
        assert_eq!(read_json(json), Err("headers must be an object of strings".into()), "{json}");
    }
    for name in ["Host", "connection", "Keep-Alive", "Transfer-Encoding", "content-length", "TE", "upgrade", "", "a b"]
    {
        let json = format!(r#"{{"ok":"1","{name}":"x"}}"#);
        assert_eq!(read_json(&json), Err(format!("Header \"{name}\" is not allowed").into()));
    }
    for value in ["a\\r\\nb: c", "\\u0000"] {
        assert_eq!(read_json(&format!(r#"{{"a":"{value}"}}"#)), Err("Header \"a\" is not allowed".into()));
    }
}

#[test]
fn there_are_no_more_than_a_request_can_carry() {
    let many = |count: usize| {
        let members: Vec<_> = (0..count).map(|n| format!(r#""x-{n}":"v""#)).collect();
        read_json(&format!("{{{}}}", members.join(",")))
    };
    assert_eq!(many(MOST).map(|headers| to_map(&headers).len()), Ok(MOST));
    assert_eq!(many(MOST + 1), Err("Too many headers".into()));
    assert_eq!(many(30_000), Err("Too many headers".into()));
}
