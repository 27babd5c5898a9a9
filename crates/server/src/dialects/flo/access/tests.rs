use hyper::header::{AUTHORIZATION, HeaderValue};

use super::*;
use crate::http::jwt::signed as jwt;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn access() -> Access {
    Access { enabled: true, tokens: vec![Secret::from("one"), Secret::from("two")], jwt_secret: Secret::from("s3cret") }
}

fn with(name: HeaderName, value: &str) -> HeaderMap {
    [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
}

fn admits(token: &str) -> bool {
    access().check(&with(AUTHORIZATION, &format!("Bearer {token}")), NOW).is_ok()
}

#[test]
fn a_configured_token_comes_in_by_either_header() {
    assert!(admits("one") && admits("two"));
    assert!(access().check(&with(API_KEY, "two"), NOW).is_ok());
    for wrong in ["", "on", "onetwo", "three"] {
        assert!(!admits(wrong), "{wrong}");
        assert!(access().check(&with(API_KEY, wrong), NOW).is_err(), "{wrong}");
    }
    assert_eq!(access().check(&HeaderMap::new(), NOW), Err(Error::Unauthorized));
    assert!(Access::default().check(&HeaderMap::new(), NOW).is_ok(), "off");
}

#[test]
fn a_signed_token_comes_in_while_it_is_valid() {
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    assert!(admits(&jwt(header, r#"{"sub":"x"}"#, "s3cret")));
    assert!(admits(&jwt(header, r#"{"exp":1700000001,"nbf":1700000000}"#, "s3cret")));
    assert!(!admits(&jwt(header, r#"{"exp":1700000000}"#, "s3cret")), "expired");
    assert!(!admits(&jwt(header, r#"{"nbf":1700000000.5}"#, "s3cret")), "not valid yet");
    assert!(!admits(&jwt(header, r#"{"exp":"soon"}"#, "s3cret")));
    assert!(!admits(&jwt(header, "{}", "other")));
    let off = Access { jwt_secret: Secret::default(), ..access() };
    assert!(off.check(&with(AUTHORIZATION, &format!("Bearer {}", jwt(header, "{}", ""))), NOW).is_err());
}

#[test]
fn other_algorithms_and_damaged_tokens_are_refused() {
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS512"}"#, r#"{"alg":"RS256"}"#, r#"{"alg":"hs256"}"#, "{}"] {
        assert!(!admits(&jwt(header, "{}", "s3cret")), "{header}");
    }
    let token = jwt(r#"{"alg":"HS256"}"#, "{}", "s3cret");
    assert!(admits(&token));
    let unsigned = token.rsplit_once('.').unwrap().0;
    for damaged in
        [format!("{unsigned}."), unsigned.to_owned(), format!("{token}A"), format!("x{token}"), "..".to_owned()]
    {
        assert!(!admits(&damaged), "{damaged}");
    }
}

#[test]
fn clients_of_influxdb_say_a_token_in_their_own_ways() {
    let check = |headers: &HeaderMap, query| access().check_influx(headers, query, NOW).is_ok();
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for value in ["Bearer one", "Token one", "token two", "Token name:one", &basic("name:one"), &basic(":two")] {
        assert!(check(&with(AUTHORIZATION, value), None), "{value}");
    }
    let wrong =
        ["Token", "Token on", "Token one:on", "Basic one", "Digest one", "name:one", &basic("one"), &basic("one:x")];
    for value in wrong {
        assert!(!check(&with(AUTHORIZATION, value), None), "{value}");
    }
    assert!(check(&with(API_KEY, "two"), None));
    for (query, admitted) in
        [("u=name&p=one", true), ("p=t%77o", true), ("p=", false), ("p=three", false), ("u=one", false)]
    {
        assert_eq!(check(&HeaderMap::new(), Some(query)), admitted, "{query}");
    }
    assert!(!check(&HeaderMap::new(), None) && !check(&HeaderMap::new(), Some("p=%zz")));
    // Elsewhere, only `Bearer` and `X-Api-Key` count.
    assert!(access().check(&with(AUTHORIZATION, "Token one"), NOW).is_err());
}
