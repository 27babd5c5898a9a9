use hyper::header::{AUTHORIZATION, HeaderValue};

use super::*;
use crate::http::jwt::signed;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn access() -> Access {
    let key = |key: &str, role| ApiKey { key: key.into(), name: String::new(), role, rate_limit: None };
    let user = User { username: "root".to_owned(), password: "p:w".into() };
    let mut auth = Auth { api_keys: vec![key("one", Role::Admin), key("two", Role::ReadOnly)], ..Auth::default() };
    auth.users = vec![user];
    auth.jwt.secret = "s3cret".into();
    Access::new(&auth)
}

fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn judged(lines: &[(HeaderName, &str)]) -> Result<(Role, Option<usize>), Error> {
    let ip = IpAddr::from([10, 0, 0, 1]);
    access().identify(&headers(lines), None, ip, || NOW).map(|caller| (caller.role, caller.key))
}

fn token(claims: &str) -> Result<Role, Error> {
    let bearer = format!("Bearer {}", signed(HEADER, claims, "s3cret"));
    judged(&[(AUTHORIZATION, &bearer)]).map(|(role, _)| role)
}

fn refused(text: &'static str) -> Error {
    Error::Unauthorized(text)
}

#[test]
fn a_key_comes_in_by_either_header_and_has_its_role() {
    assert_eq!(judged(&[(API_KEY, "one")]), Ok((Role::Admin, Some(0))));
    assert_eq!(judged(&[(AUTHORIZATION, "Bearer two")]), Ok((Role::ReadOnly, Some(1))));
    assert_eq!(judged(&[]), Err(refused("Missing API key")));
    for wrong in ["", "on", "onetwo"] {
        assert_eq!(judged(&[(API_KEY, wrong)]), Err(refused("Invalid API key")));
    }
    assert_eq!(judged(&[(API_KEY, "x"), (AUTHORIZATION, "Bearer one")]), Err(refused("Invalid API key")), "the first");
}

#[test]
fn a_key_in_the_address_counts_where_no_header_has_a_credential() {
    let ip = IpAddr::from([10, 0, 0, 1]);
    let judged = |lines: &[(HeaderName, &str)], key| {
        access().identify(&headers(lines), Some(key), ip, || NOW).map(|caller| (caller.role, caller.key))
    };
    assert_eq!(judged(&[], "two"), Ok((Role::ReadOnly, Some(1))));
    assert_eq!(judged(&[], "three"), Err(refused("Invalid API key")));
    assert_eq!(judged(&[(AUTHORIZATION, "Bearer one")], "two"), Ok((Role::Admin, Some(0))));
    assert_eq!(judged(&[(API_KEY, "x")], "two"), Err(refused("Invalid API key")));
}

#[test]
fn a_user_is_an_admin() {
    let basic = |text: &str| format!("basic {}", STANDARD.encode(text));
    assert_eq!(judged(&[(AUTHORIZATION, &basic("root:p:w"))]), Ok((Role::Admin, None)));
    for wrong in [basic("root:p"), basic("root"), "Basic ***".to_owned()] {
        assert_eq!(judged(&[(AUTHORIZATION, &wrong)]), Err(refused("Invalid credentials")), "{wrong}");
    }
    assert_eq!(judged(&[(AUTHORIZATION, "Digest x")]), Err(refused("Invalid credentials")));
}

#[test]
fn a_token_has_an_end_and_says_its_role() {
    assert_eq!(token(r#"{"exp":1700000001}"#), Ok(Role::ReadWrite));
    assert_eq!(token(r#"{"exp":1700000001,"role":"admin","nbf":1700000000}"#), Ok(Role::Admin));
    assert_eq!(token(r#"{"exp":1700000000}"#), Err(refused("Token expired")));
    for claims in ["{}", r#"{"exp":1700000001,"role":"god"}"#, r#"{"exp":1700000001,"nbf":1700000000.5}"#, "[]"] {
        assert_eq!(token(claims), Err(refused("Invalid token")), "{claims}");
    }
    let other = format!("Bearer {}", signed(HEADER, r#"{"exp":1700000001}"#, "other"));
    assert_eq!(judged(&[(AUTHORIZATION, &other)]), Err(refused("Invalid token")));
}

#[test]
fn without_credentials_everybody_is_an_admin() {
    let open = Access::new(&Auth::default());
    let caller = open.identify(&headers(&[(API_KEY, "x")]), None, IpAddr::from([10, 0, 0, 1]), || NOW).unwrap();
    assert_eq!((caller.role, caller.key), (Role::Admin, None));
}

#[test]
fn each_role_may_what_those_before_it_may() {
    assert!(Role::ReadOnly < Role::ReadWrite && Role::ReadWrite < Role::Admin);
}

#[test]
fn who_came_with_a_token_is_known_until_it_ends() {
    let ip = IpAddr::from([10, 0, 0, 1]);
    let until = |claims: &str| {
        let bearer = format!("Bearer {}", signed(HEADER, claims, "s3cret"));
        access().identify(&headers(&[(AUTHORIZATION, &bearer)]), None, ip, || NOW)
    };
    let caller = until(r#"{"exp":1700000001.5}"#).expect("a caller");
    assert_eq!(caller.until, Some(Timestamp(1_700_000_001_500)));
    assert!(!caller.has_expired(Timestamp(1_700_000_001_499)) && caller.has_expired(Timestamp(1_700_000_001_500)));
    assert_eq!(until(r#"{"exp":1e300}"#).expect("a caller").until, Some(Timestamp(u64::MAX)));
    assert_eq!(until(r#"{"exp":-1}"#), Err(refused("Token expired")));
    for lasting in [(API_KEY, "one"), (AUTHORIZATION, "Bearer two"), (AUTHORIZATION, "Basic cm9vdDpwOnc=")] {
        let caller = access().identify(&headers(&[lasting]), None, ip, || NOW).expect("a caller");
        assert!(!caller.has_expired(Timestamp(u64::MAX)));
    }
}
