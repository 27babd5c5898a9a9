use super::*;

#[test]
fn a_fresh_id_is_a_uuid_of_version_4_and_another_one_each_time() {
    let (one, two) = (Id::fresh(), Id::fresh());
    assert_ne!(one, two);
    let text = one.as_str();
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(text.as_bytes()[14], b'4');
    assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
}

#[test]
fn the_id_of_a_request_is_kept_whatever_else_is_wrong_and_one_that_cannot_be_read_is_not_made_up() {
    for body in [
        r#"{"request_id":"me"}"#,
        r#"{"request_id":"me","type":5}"#,
        r#"{"request_id":"me","type":"x"}"#,
        r#"{"request_id":"me","type":"batch","commands":5}"#,
    ] {
        let (id, request) = read(body.as_bytes());
        assert_eq!(id.unwrap().as_str(), "me", "{body}");
        assert!(request.is_err(), "{body}");
    }
    for body in
        ["", "[", "5", r#"{"request_id":"\ud800","command":"kv.get"}"#, r#"{"request_id":5,"command":"kv.get"}"#]
    {
        let (id, request) = read(body.as_bytes());
        assert_eq!(id, None, "{body}");
        assert!(request.is_err(), "{body}");
    }
    assert_eq!(read(br#"{"command":"kv.get"}"#).0.unwrap().as_str().len(), 36);
}

#[test]
fn a_body_that_is_no_text_is_malformed() {
    assert_eq!(read(b"\xff").1.unwrap_err(), Error::Malformed("the text is not UTF-8".to_owned()));
    assert!(matches!(read(br#"{"\ud800":1}"#).1.unwrap_err(), Error::Malformed(_)));
}

#[test]
fn a_command_of_a_batch_is_no_batch() {
    let judge = |text: &str| batch_item(&serde_json::from_str::<Box<RawValue>>(text).unwrap()).map(|_| ());
    assert_eq!(judge(r#"{"type":"batch","commands":[]}"#), Err(Error::NestedBatch));
    assert_eq!(judge(r#"{"command":"batch"}"#), Err(Error::NestedBatch));
    assert_eq!(judge(r#"{"command":"kv.get"}"#), Ok(()));
    assert!(matches!(judge("[]"), Err(Error::Request(_))));
}
