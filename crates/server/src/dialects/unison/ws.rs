//! GET /stream: the WebSocket. JSON-RPC 2.0 requests, and watches of the change feed.
//!
//! `session` is one connection, `rpc` the envelope, `methods` what can be asked, `subscriptions` what is watched, and
//! `pace` how often a key may be told of.

use std::{sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, ws::WebSocketUpgrade};
use hyper::http::{HeaderMap, HeaderValue, request::Parts};

use super::{Unison, access::Role, error::Error, reply::Reply};
use crate::http::ws::{Patience, Silence, Socket, bounded, offered, offered_bearer};

mod methods;
mod options;
mod pace;
mod rpc;
mod session;
mod subscriptions;

const PROTOCOL: &[u8] = b"unison.v1";
const PATIENCE: Patience = Patience {
    ping_every: Duration::from_secs(20),
    silence: Silence::AfterPing(Duration::from_secs(40)),
    stall: Duration::from_secs(600),
};

/// Turns the request into a WebSocket.
pub(super) async fn upgrade(unison: &Arc<Unison>, parts: &mut Parts, role: Role) -> Reply {
    let selected = select_protocol(&parts.headers).map(HeaderValue::from_bytes);
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|_| Error::UpgradeFailed)?;
    // While the log is replayed a socket could do nothing: the client had better come again than wait on it.
    unison.engine.head()?;
    let mut upgrade = bounded(upgrade, unison.max_body_bytes);
    if let Some(Ok(protocol)) = selected {
        upgrade.set_selected_protocol(protocol);
    }
    let (unison, open) = (unison.clone(), unison.sockets.open());
    let account = parts.extensions.remove();
    Ok(upgrade.on_upgrade(move |socket| async move {
        let _open = open;
        session::run(Socket::new(socket, PATIENCE, account), &unison, role).await;
    }))
}

/// Our own protocol when it is offered, else the one that carried the key.
fn select_protocol(headers: &HeaderMap) -> Option<&[u8]> {
    offered(headers).find(|protocol| *protocol == PROTOCOL).or_else(|| offered_bearer(headers))
}

#[cfg(test)]
mod tests;
