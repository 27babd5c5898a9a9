//! What a scenario file cannot say about Synap.

mod crash;
mod feed;
mod process;
mod queue;
mod rest;
mod restart;
mod rooms;
mod sdk;
mod soak;
mod sockets;

use serde_json::Value;

use crate::harness::{Connection, Request, Server};

/// A request with an envelope: one command, or a batch.
fn command(text: impl Into<String>) -> Request {
    Request::post("/api/v1/command", text.into()).key(None)
}

/// The answer to it, on a connection of its own.
fn send(server: &Server, text: impl Into<String>) -> Value {
    Connection::open(server.synap()).send(&command(text)).expect("an answer").json()
}
