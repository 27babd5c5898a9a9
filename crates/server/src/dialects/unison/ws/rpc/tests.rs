use super::*;

fn answered(id: &str, result: Result<&[u8], &Failure>) -> String {
    let mut out = Vec::new();
    write_answer(&mut out, id, result);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_message_is_one_request_or_many() {
    assert!(matches!(Message::parse(" {} "), Message::One(_)));
    assert!(matches!(Message::parse("5"), Message::One(_)));
    assert!(matches!(Message::parse("[1, {}]"), Message::Many(requests) if requests.len() == 2));
    assert!(matches!(Message::parse("[]"), Message::Refused(failure) if failure == Failure::INVALID_REQUEST));
    for bad in ["", "{", "[1,", "nonsense", "{} x"] {
        assert!(matches!(Message::parse(bad), Message::Refused(failure) if failure == Failure::PARSE_ERROR), "{bad}");
    }
    let many = format!("[{}1]", "1,".repeat(MAX_REQUESTS));
    assert!(matches!(Message::parse(&many), Message::Refused(failure) if failure == Failure::INVALID_REQUEST));
}

#[test]
fn a_request_keeps_the_text_of_its_id() {
    for id in ["7", "\"a\\u0062\"", "null", "1.50", "-3"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"kv\/get"}}"#);
        let request = Request::parse(&text).unwrap();
        assert_eq!((request.id, &*request.method, request.params), (Some(id), "kv/get", Ok("{}")));
    }
    assert_eq!(Request::parse(r#"{"jsonrpc":"2.0","method":"x"}"#).unwrap().id, None);
}

#[test]
fn what_is_no_request_is_answered_under_the_id_it_has() {
    for (text, id) in [
        ("5", "null"),
        ("{}", "null"),
        (r#"{"id":1,"method":"x"}"#, "1"),
        (r#"{"jsonrpc":"1.0","id":"a","method":"x"}"#, "\"a\""),
        (r#"{"jsonrpc":"2.0","id":2}"#, "2"),
        (r#"{"jsonrpc":"2.0","id":3,"method":5}"#, "3"),
        (r#"{"jsonrpc":"2.0","id":{},"method":"x"}"#, "null"),
        (r#"{"jsonrpc":"2.0","id":true,"method":"x"}"#, "null"),
    ] {
        assert_eq!(Request::parse(text).unwrap_err().0, id, "{text}");
    }
}

#[test]
fn params_are_an_object() {
    let request = Request::parse(r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}"#).unwrap();
    assert_eq!(request.params, Err(Failure::invalid("params must be an object")));
}

#[test]
fn answers_carry_a_result_or_an_error() {
    assert_eq!(answered("7", Ok(b"{\"ok\":true}")), r#"{"jsonrpc":"2.0","id":7,"result":{"ok":true}}"#);
    for (error, text) in [
        (Error::NoEntry { head: 1 }, r#"{"code":-32004,"message":"Not found"}"#),
        (Error::ReadOnly, r#"{"code":-32005,"message":"Read Only"}"#),
        (Error::invalid("cas"), r#"{"code":-32602,"message":"cas"}"#),
        (Error::Unavailable, r#"{"code":-32603,"message":"Store unavailable"}"#),
        (Error::Internal, r#"{"code":-32603,"message":"Internal error"}"#),
        (Error::WrongType, r#"{"code":-32002,"message":"Key holds another type"}"#),
        (
            Error::Conflict { current: 3, operation: Some(1) },
            r#"{"code":-32002,"message":"CAS conflict","data":{"currentVersion":3,"index":1}}"#,
        ),
    ] {
        let expected = format!(r#"{{"jsonrpc":"2.0","id":null,"error":{text}}}"#);
        assert_eq!(answered("null", Err(&Failure::from(error))), expected);
    }
}
