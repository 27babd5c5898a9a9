use super::*;

fn said(status: u16, message: &str) -> Outcome {
    of(status, serde_json::json!({"success": false, "message": message}).to_string().as_bytes())
}

#[test]
fn only_200_is_success() {
    assert_eq!(of(200, b"whatever"), Outcome::Done);
    for status in [201, 204, 301, 404, 429, 500, 502, 503] {
        let reason = format!("the gateway answered {status}");
        assert_eq!(of(status, b""), Outcome::Temporary(reason), "{status}");
    }
}

#[test]
fn some_messages_say_that_it_would_fail_again() {
    for message in [
        "host not found",
        "host not found: 7",
        "dimension 9 not found for host 1",
        "SSRF protection: 10.0.0.1",
        "failed to parse recache URL: x",
        "URL hostname \"a.b\" does not match any configured domain for host 1",
        "page returned non-200 status: 301",
        "page returned non-200 status: 404",
        "page returned non-200 status: 499",
    ] {
        assert_eq!(said(500, message), Outcome::Permanent(message.to_owned()));
        // The same words with another status are no such verdict.
        assert_eq!(said(502, message), Outcome::Temporary(message.to_owned()));
        assert_eq!(said(400, message), Outcome::Temporary(message.to_owned()));
    }
    for message in ["invalid request body", "missing required fields: url"] {
        assert_eq!(said(400, message), Outcome::Permanent(message.to_owned()));
        assert_eq!(said(500, message), Outcome::Temporary(message.to_owned()));
    }
}

#[test]
fn others_may_work_later() {
    for message in [
        "render timed out",
        "the host not found",
        "Dimension 9",
        "page returned non-200 status: 200",
        "page returned non-200 status: 408",
        "page returned non-200 status: 425",
        "page returned non-200 status: 429",
        "page returned non-200 status: 500",
        "page returned non-200 status: 503",
        "page returned non-200 status: many",
        "page returned non-200 status: 4040000",
    ] {
        assert_eq!(said(500, message), Outcome::Temporary(message.to_owned()), "{message}");
    }
}

#[test]
fn nothing_to_store_is_no_failure() {
    for message in ["bypass cache disabled for host 1", "bypass cache TTL is 0", "bypass cache save skipped: 404"] {
        for status in [500, 400, 409] {
            assert_eq!(said(status, message), Outcome::Skipped(message.to_owned()), "{status}");
        }
    }
}

#[test]
fn what_is_no_such_object_says_nothing() {
    for body in ["", "[]", "null", "{}", "host not found", r#"{"message":7}"#, r#"{"message":"#] {
        assert_eq!(of(500, body.as_bytes()), Outcome::Temporary("the gateway answered 500".to_owned()), "{body}");
    }
}
