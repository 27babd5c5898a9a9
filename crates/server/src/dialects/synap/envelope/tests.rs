use super::*;

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
