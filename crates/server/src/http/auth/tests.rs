use hyper::{HeaderMap, header::AUTHORIZATION};

use super::*;

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, value.parse().unwrap());
    }
    headers
}

fn bearer(headers: &HeaderMap) -> Credential<'_> {
    key(headers, "bearer")
}

#[test]
fn another_scheme_is_read_alike() {
    assert_eq!(key(&headers(&["tOKEN a:b "]), "Token"), Credential::Key(b"a:b"));
    assert_eq!(key(&headers(&["Bearer a"]), "token"), Credential::Malformed);
}

#[test]
fn bearer_accepts_any_case_and_spaces() {
    for value in ["Bearer k1", "bearer k1", "BEARER   k1", "bEaReR k1  "] {
        assert_eq!(bearer(&headers(&[value])), Credential::Key(b"k1"), "{value}");
    }
    assert_eq!(bearer(&headers(&["Bearer a b"])), Credential::Key(b"a b"));
}

#[test]
fn bearer_refuses_everything_else() {
    assert_eq!(bearer(&headers(&[])), Credential::Missing);
    for value in ["", "Bearer", "Bearer ", "Bearer   ", "Bearerk1", "Basic azE=", "Bear k1", "Bearer\tk1"] {
        assert_eq!(bearer(&headers(&[value])), Credential::Malformed, "{value:?}");
    }
    assert_eq!(bearer(&headers(&["Bearer k1", "Bearer k1"])), Credential::Malformed);
}

#[test]
fn matching_returns_the_first_equal_key() {
    let keys = [&b"full"[..], b"agent", b""];
    assert_eq!(matching(b"full", &keys), Some(0));
    assert_eq!(matching(b"agent", &keys), Some(1));
    for wrong in [&b""[..], b"ful", b"fulll", b"Full", b"agenT"] {
        assert_eq!(matching(wrong, &keys), None);
    }
    assert_eq!(matching(b"same", &[b"same", b"same"]), Some(0));
    assert_eq!(matching(b"full", &[]), None);
}

#[test]
fn a_secret_never_prints_itself() {
    let secret = Secret::from("hunter2");
    assert_eq!(format!("{secret:?}"), "***");
    assert_eq!(serde_json::to_string(&secret).unwrap(), r#""***""#);
    assert_eq!(serde_json::to_string(&Secret::default()).unwrap(), r#""""#);
    assert_eq!(secret.expose(), "hunter2");
}
