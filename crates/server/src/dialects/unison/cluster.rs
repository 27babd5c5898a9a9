//! Health, readiness and the routes that clients of the older clustered generation still call.

use axum::body::Body;
use hyper::{Response, StatusCode};
use manifold_engine::{Engine, State};

use super::{
    error::Error,
    reply::{self, Reply},
};

/// GET /health: the process runs.
pub(super) fn health() -> Response<Body> {
    reply::json("{\"ok\":true}")
}

/// GET /ready: the engine has recovered and accepts writes.
pub(super) fn ready(engine: &Engine) -> Response<Body> {
    if accepts_writes(engine) {
        return reply::json("{\"ok\":true}");
    }
    let mut response = reply::json("{\"ok\":false}");
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

/// GET /cluster/status. `mode` is what clients compare with; `engine` is what it is.
pub(super) fn status(engine: &Engine) -> Reply {
    Ok(reply::json(if accepts_writes(engine) {
        r#"{"ok":true,"mode":"valkey","engine":"manifold"}"#
    } else {
        r#"{"ok":false,"mode":"valkey","engine":"manifold"}"#
    }))
}

/// GET /cluster/leader: there is none.
pub(super) fn leader() -> Reply {
    Ok(reply::json(r#"{"leader":null,"address":null,"mode":"valkey","engine":"manifold"}"#))
}

/// POST /cluster/join and /cluster/remove.
pub(super) fn membership() -> Reply {
    Err(Error::Membership)
}

fn accepts_writes(engine: &Engine) -> bool {
    match engine.state() {
        State::Ready => true,
        State::Starting | State::DiskFull | State::Failed(_) | State::Stopping => false,
    }
}
