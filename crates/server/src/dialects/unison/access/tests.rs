use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL};

use super::*;

fn role(pairs: &[(HeaderName, &'static str)], subprotocol: bool, agent: &str) -> Option<Role> {
    let headers = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
    let keys = Keys { open_to_all: true, full: Secret::from("dev"), agent: Secret::from(agent) };
    keys.role(&headers, subprotocol, &UnisonMetrics::default()).ok()
}

#[test]
fn each_key_has_its_role() {
    assert_eq!(role(&[(AUTHORIZATION, "Bearer dev")], false, "ro"), Some(Role::Full));
    assert_eq!(role(&[(AUTHORIZATION, "bearer  ro ")], false, "ro"), Some(Role::Agent));
    assert_eq!(role(&[(AUTHORIZATION, "Bearer other")], false, "ro"), None);
    assert_eq!(role(&[], false, "ro"), None);
}

#[test]
fn a_key_that_is_not_set_grants_nothing() {
    assert_eq!(role(&[(AUTHORIZATION, "Bearer ro")], false, ""), None);
    assert_eq!(role(&[(AUTHORIZATION, "Bearer ")], false, ""), None);
    assert_eq!(role(&[(SEC_WEBSOCKET_PROTOCOL, "bearer.")], true, ""), None);
}

#[test]
fn a_websocket_may_offer_its_key_as_a_subprotocol() {
    let offered = [(SEC_WEBSOCKET_PROTOCOL, "unison.v1, bearer.dev")];
    assert_eq!(role(&offered, true, "ro"), Some(Role::Full));
    assert_eq!(role(&offered, false, "ro"), None);
    // The header counts when there is one, even if it is wrong.
    let both = [(SEC_WEBSOCKET_PROTOCOL, "bearer.dev"), (AUTHORIZATION, "Bearer nobody")];
    assert_eq!(role(&both, true, "ro"), None);
}

#[test]
fn only_the_full_key_writes() {
    assert!(Role::Full.may(Access::Write));
    assert!(!Role::Agent.may(Access::Write));
    assert!(Role::Agent.may(Access::Read));
}
