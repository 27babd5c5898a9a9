//! Connections that stay. On GET `/api/v1/ws` commands are asked, and what they subscribe to comes: `session` is one such
//! connection, `calls` its requests that are not answered yet, `connection` what it is subscribed to, and `rooms` the part
//! of that which is read from the log. The others only tell what they were opened for: `watch` is one of them, `topics`
//! and `keys` are what there is to tell.

use std::{sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, ws::WebSocketUpgrade};
use hyper::http::request::Parts;

use super::{Synap, access::Caller, answer::Answer, config::Compat, error::Error};
use crate::http::{
    query::Query,
    ws::{Patience, Silence, Socket, bounded},
};

mod calls;
mod connection;
mod keys;
mod outgoing;
mod push;
mod rooms;
mod session;
mod topics;
mod watch;

pub(super) use connection::Connection;

use keys::Keys;
use topics::Topics;

const PATIENCE: Patience = Patience {
    ping_every: Duration::from_secs(30),
    silence: Silence::AfterWord(Duration::from_secs(90)),
    stall: Duration::from_secs(90),
};

/// What a connection is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Commands, and what they subscribe to.
    Commands,
    /// Messages of topics.
    Topics,
    /// Changes of keys.
    Keys,
}

/// Turns the request into a connection that stays.
pub(super) async fn upgrade(
    synap: &Arc<Synap>,
    parts: &mut Parts,
    kind: Kind,
    caller: Caller,
    shape: Compat,
) -> Result<Answer, Error> {
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
    let upgrade = upgrade.map_err(|_| Error::Request("WebSocket upgrade required".into()))?;
    let upgrade = bounded(upgrade, synap.max_body_bytes);
    let settled = |error: Error| error.settle(&synap.state());
    let query = Query::parse(parts.uri.query()).map_err(|_| Error::BAD_ENCODING)?;
    let (synap, account) = (synap.clone(), parts.extensions.remove());
    let response = match kind {
        Kind::Commands => {
            let connection = Connection::new(&synap).map_err(settled)?;
            upgrade.on_upgrade(move |socket| async move {
                let socket = Socket::new(socket, PATIENCE, account);
                session::run(socket, &synap, &connection, caller, shape).await;
            })
        }
        Kind::Topics => {
            let topics = Topics::open(&synap, &query).map_err(settled)?;
            upgrade.on_upgrade(move |socket| async move {
                watch::run(Socket::new(socket, PATIENCE, account), &synap, caller, topics).await;
            })
        }
        Kind::Keys => {
            let keys = Keys::open(&synap, &query).map_err(settled)?;
            upgrade.on_upgrade(move |socket| async move {
                watch::run(Socket::new(socket, PATIENCE, account), &synap, caller, keys).await;
            })
        }
    };
    Ok(Answer::switching(response))
}
