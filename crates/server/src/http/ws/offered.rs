//! What a client offers in `Sec-WebSocket-Protocol`. Browsers cannot set other headers, so a key comes there too.

use hyper::header::{HeaderMap, SEC_WEBSOCKET_PROTOCOL};

/// What a subprotocol that carries a key begins with. Whoever takes it must select it: browsers close otherwise.
pub const BEARER_PROTOCOL: &[u8] = b"bearer.";

/// The subprotocols, in the client's order.
pub fn offered(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    values.flat_map(|value| value.as_bytes().split(|b| *b == b',')).map(<[u8]>::trim_ascii)
}

/// The first of them that carries a key.
pub fn offered_bearer(headers: &HeaderMap) -> Option<&[u8]> {
    offered(headers).find(|protocol| protocol.starts_with(BEARER_PROTOCOL))
}

/// The key that is in it.
pub fn offered_key(headers: &HeaderMap) -> Option<&[u8]> {
    offered_bearer(headers)?.strip_prefix(BEARER_PROTOCOL)
}
