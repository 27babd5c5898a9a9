//! GET `/ws`: a connection that stays. `session` is one such connection, `frame` what its client may ask on it, `event`
//! what it is told of the cache, and `write` the form that everything has.

use std::{borrow::Cow, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequestParts, ws::WebSocketUpgrade},
    response::IntoResponse,
};
use hyper::{Response, header::HeaderValue, http::request::Parts};

use super::{
    asked::{Asked, BODY_BYTES, parameter},
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::{
    route::{Route, Verb},
    ws::{Patience, Silence, Socket, bounded, offered_bearer, offered_key},
};

mod event;
mod following;
mod frame;
mod session;
mod write;

/// As long as a body.
const FRAME_BYTES: usize = BODY_BYTES;
const PATIENCE: Patience = Patience {
    ping_every: Duration::from_secs(30),
    silence: Silence::AfterWord(Duration::from_secs(90)),
    stall: Duration::from_secs(90),
};

pub(super) static ROUTES: &[Route<Endpoint>] = &[route("/ws", &[(Verb::Get, Endpoint::Socket)])];

/// What may be the token, of what a browser can send: a parameter of the address, and a subprotocol.
pub(super) fn tokens(parts: &Parts) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let in_address = parameter(parts, "token").map(|token| Cow::Owned(token.into_owned().into_bytes()));
    let offered = offered_key(&parts.headers).map(Cow::Borrowed);
    in_address.into_iter().chain(offered)
}

/// Turns the request into a connection that stays.
pub(super) async fn upgrade(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let dunena = asked.dunena.clone();
    if !dunena.ws {
        return Err(Error::NoRoute);
    }
    let upgrade = WebSocketUpgrade::from_request_parts(asked.parts, &()).await.map_err(|_| Error::NoRoute)?;
    let headers = &asked.parts.headers;
    if !dunena.cors.admits(headers) {
        return Err(Error::ForeignOrigin);
    }
    let mut upgrade = bounded(upgrade, FRAME_BYTES);
    if let Some(Ok(protocol)) = offered_bearer(headers).map(HeaderValue::from_bytes) {
        upgrade.set_selected_protocol(protocol);
    }
    let (client, open) = (asked.client(), dunena.metrics.sockets.open());
    let account = asked.parts.extensions.remove();
    let response = upgrade.on_upgrade(move |socket| async move {
        let _open = open;
        session::run(Socket::new(socket, PATIENCE, account), &dunena, client).await;
    });
    Ok(response.into_response())
}
