use super::*;

fn text(error: Error) -> String {
    String::from_utf8(error.body(Spelling::Flo)).unwrap()
}

#[test]
fn every_error_has_code_message_and_details() {
    assert_eq!(
        text(Error::Version { key: b"k".to_vec(), current: 2 }),
        r#"{"error":"conflict","message":"Version conflict: current version is 2","details":{"key":"k","current_version":2},"current_version":2}"#
    );
    assert_eq!(
        text(Error::NoKey { key: b"nope".to_vec() }),
        r#"{"error":"not_found","message":"Key not found","details":{"key":"nope"},"key":"nope"}"#
    );
    assert_eq!(
        text(Error::Field { field: "value", rule: "base64" }),
        r#"{"error":"bad_request","message":"Field 'value' must be base64","details":{"field":"value"}}"#
    );
    assert_eq!(
        text(Error::Unavailable(Condition::Starting)),
        r#"{"error":"unavailable","message":"Node not ready or shutting down","details":{"status":"starting"}}"#
    );
    assert_eq!(
        text(Error::Query(Mistake::new(7, "expected a value, found '\"'", "a value"))),
        r#"{"error":"bad_request","message":"FloQL error at byte 7: expected a value, found '\"'","details":{"position":7,"expected":"a value"}}"#
    );
    assert_eq!(
        text(Error::WrongType { key: b"k".to_vec() }),
        r#"{"error":"conflict","message":"Key holds another type","details":{"key":"k","current_version":0},"current_version":0}"#
    );
}

#[test]
fn other_statuses_borrow_the_code_of_their_class() {
    for (error, status, code) in [
        (Error::MethodNotAllowed { allow: "GET".to_owned() }, 405, "bad_request"),
        (Error::BodyTooLarge { limit: 1 }, 413, "bad_request"),
        (Error::UnsupportedCoding, 415, "bad_request"),
        (Error::ForeignHost, 421, "bad_request"),
        (Error::HeadTooLarge, 431, "bad_request"),
        (Error::ForeignOrigin, 403, "unauthorized"),
        (Error::Overloaded, 429, "overloaded"),
        (Error::Internal, 500, "internal"),
    ] {
        assert_eq!((error.status().as_u16(), error.code()), (status, code));
    }
}

#[test]
fn the_state_of_the_engine_decides_what_a_refused_write_means() {
    let failed = State::Failed("fsync".to_owned());
    let degraded = Error::Unavailable(Condition::Degraded);
    assert_eq!(Error::Full.settle(&State::Ready, &State::Ready), Error::Overloaded);
    assert_eq!(Error::Full.settle(&State::Ready, &State::DiskFull), degraded);
    assert_eq!(Error::Storage.settle(&State::Ready, &failed), Error::Internal);
    assert_eq!(Error::Storage.settle(&failed, &failed), degraded);
    let stopping = Error::Unavailable(Condition::Stopping);
    assert_eq!(stopping.clone().settle(&State::Ready, &State::Stopping), stopping);
}

#[test]
fn clients_of_influxdb_find_what_they_look_at() {
    let body = |error: Error, spelling| String::from_utf8(error.body(spelling)).unwrap();
    assert_eq!(
        body(Error::Unauthorized, Spelling::Influx1),
        r#"{"error":"Missing or invalid auth token","message":"Missing or invalid auth token","details":{}}"#
    );
    for (error, code) in [
        (Error::invalid("x"), "invalid"),
        (Error::UnsupportedCoding, "invalid"),
        (Error::Unauthorized, "unauthorized"),
        (Error::BodyTooLarge { limit: 1 }, "request too large"),
        (Error::Overloaded, "too many requests"),
        (Error::Internal, "internal error"),
        (Error::Unavailable(Condition::Starting), "unavailable"),
    ] {
        let body = body(error, Spelling::Influx2);
        assert!(body.starts_with(&format!(r#"{{"code":"{code}","error":""#)), "{body}");
    }
}

#[test]
fn after_a_body_that_was_not_read_to_its_end_the_connection_closes() {
    for (error, status, message) in [
        (BodyError::Aborted, 400, "Request body was cut off or its framing is broken"),
        (BodyError::TooSlow, 408, "Request body came too slowly"),
    ] {
        let error = Error::of_body(error, 1);
        assert_eq!((error.status().as_u16(), error.code(), &*error.message()), (status, "bad_request", message));
        let response = error.into_response(Spelling::Flo);
        assert_eq!(response.headers()[CONNECTION], "close");
    }
}
