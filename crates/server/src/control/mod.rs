//! The control socket: how verbs of the command line ask the process that has the data directory open.
//!
//! HTTP/1 on `control.sock` in the data directory. `service` answers, `client` asks, `refusal` is what both take for an
//! error, `transfer` moves exports and imports. A route is a method of the service and a row of its table; what it does lies with the engine.

mod backup;
mod client;
mod refusal;
mod service;
#[cfg(test)]
mod tests;
mod transfer;

pub use client::{Client, Error};
pub use refusal::Refusal;
pub use service::{Control, serve};
pub use transfer::Progress;

/// The socket's name in the data directory.
pub const SOCKET: &str = "control.sock";
