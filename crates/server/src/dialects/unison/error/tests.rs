use axum::body::to_bytes;
use hyper::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use manifold_engine::types::KeyType;

use super::*;

async fn shown(error: Error) -> (u16, String) {
    let response = error.into_response();
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn engine_error(kind: Kind) -> Error {
    engine::Error::new(kind, "queue \"mail\" has no message 42").into()
}

#[tokio::test]
async fn every_error_is_an_object_with_its_text() {
    for (error, status, body) in [
        (Error::invalid("Invalid JSON body"), 400, r#"{"error":"Invalid JSON body"}"#),
        (Error::Unauthorized, 401, r#"{"error":"Unauthorized"}"#),
        (Error::ReadOnly, 403, r#"{"error":"Read-only API key"}"#),
        (Error::NoRoute, 404, r#"{"error":"Not found"}"#),
        (Error::NoEntry { head: 7 }, 404, r#"{"error":"Not found"}"#),
        (Error::Conflict { current: 3, operation: None }, 409, r#"{"error":"CAS conflict","currentVersion":3}"#),
        (
            Error::Conflict { current: 0, operation: Some(2) },
            409,
            r#"{"error":"CAS conflict","currentVersion":0,"index":2}"#,
        ),
        (Error::WrongType, 409, r#"{"error":"Key holds another type"}"#),
        (Error::Membership, 410, r#"{"error":"Cluster membership is managed by Valkey, not Unison"}"#),
        (Error::Compacted { oldest_seq: 5, last_seq: 9 }, 410, r#"{"error":"Compacted","oldestSeq":5,"lastSeq":9}"#),
        (Error::TooLarge, 413, r#"{"error":"Payload too large"}"#),
        (Error::TargetTooLong, 414, r#"{"error":"URI too long"}"#),
        (Error::UpgradeFailed, 500, r#"{"error":"WebSocket upgrade failed"}"#),
        (Error::Internal, 500, r#"{"error":"Internal server error"}"#),
        (Error::Unavailable, 503, r#"{"error":"Store unavailable"}"#),
        (Error::NotReached, 503, r#"{"error":"Sequence not reached"}"#),
        (Error::Overloaded, 503, r#"{"error":"Overloaded"}"#),
    ] {
        assert_eq!(shown(error).await, (status, body.to_owned()));
    }
}

#[test]
fn some_errors_say_more_in_their_head() {
    assert_eq!(Error::Unauthorized.into_response().headers()[WWW_AUTHENTICATE], "Bearer");
    assert_eq!(Error::Overloaded.into_response().headers()[RETRY_AFTER], "1");
    assert_eq!(Error::NoEntry { head: 7 }.into_response().headers()[SEQ], "7");
    assert_eq!(Error::Compacted { oldest_seq: 5, last_seq: 9 }.into_response().headers()[SEQ], "9");
    let not_allowed = Error::MethodNotAllowed { allow: "GET, HEAD".to_owned() };
    assert_eq!(not_allowed.into_response().headers()[ALLOW], "GET, HEAD");
}

#[test]
fn the_engines_kinds_say_what_the_client_can_do() {
    for (kind, status) in [
        (Kind::Conflict { current: 4 }, 409),
        (Kind::WrongType { actual: KeyType::Hash, expected: KeyType::String }, 409),
        (Kind::Invalid, 400),
        (Kind::TooLarge, 413),
        (Kind::Full, 503),
        (Kind::Busy, 503),
        (Kind::Closed, 503),
        (Kind::Storage, 503),
        (Kind::Bug, 500),
    ] {
        assert_eq!(engine_error(kind.clone()).status().as_u16(), status, "{kind:?}");
    }
    let in_batch = Error::from(engine::Error::new(Kind::Conflict { current: 4 }, "x").at(1));
    assert_eq!(in_batch, Error::Conflict { current: 4, operation: Some(1) });
}

#[test]
fn a_defect_keeps_its_sentence_to_the_log() {
    assert_eq!(engine_error(Kind::Bug).text(), "Internal server error");
}
