use hyper::header::SEC_WEBSOCKET_PROTOCOL;

use super::*;

fn selected(offered: &'static str) -> Option<String> {
    let headers = [(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offered))].into_iter().collect();
    select_protocol(&headers).map(|protocol| String::from_utf8(protocol.to_vec()).unwrap())
}

#[test]
fn our_own_protocol_is_preferred_over_the_one_with_the_key() {
    assert_eq!(selected("bearer.dev, unison.v1").as_deref(), Some("unison.v1"));
    assert_eq!(selected("soap,bearer.dev").as_deref(), Some("bearer.dev"));
    assert_eq!(selected("soap"), None);
}
