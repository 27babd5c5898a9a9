//! GET `/api/v1/ws`: a connection that stays, on which commands are asked and events and messages come.
//!
//! `session` is one connection, `calls` the requests on it that are not answered yet, `connection` what it is subscribed
//! to, and `rooms` the part of that which is read from the log.

use std::{sync::Arc, time::Duration};

use axum::extract::{FromRequestParts, ws::WebSocketUpgrade};
use hyper::http::request::Parts;

use super::{Synap, access::Caller, answer::Answer, config::Compat, error::Error};
use crate::http::ws::{Patience, Silence, Socket, bounded};

mod calls;
mod connection;
mod push;
mod rooms;
mod session;

pub(super) use connection::Connection;

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
    let limit = synap.max_body_bytes;
    let connection = Connection::new(synap).map_err(|error| error.settle(&synap.state()))?;
    let synap = synap.clone();
    let response = bounded(upgrade, limit).on_upgrade(move |socket| async move {
        session::run(Socket::new(socket, limit, PATIENCE), &synap, &connection, caller, shape).await;
    });
    Ok(Answer::switching(response))
}
