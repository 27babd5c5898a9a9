//! Calls that leave the process because a client asked for them. What may be reached, for how long and how much may come
//! back is decided here, once, for every dialect that calls somebody; none of them is known here.

use std::time::Duration;

pub mod chromium;
mod client;
mod fetch;
mod guard;
mod public;
mod tls;

pub use client::{Client, Error, Reply, Request, explain, io_reason, take_credentials};
pub use fetch::{Fetcher, collect};
pub use guard::{AllowList, Denied, Guard};
pub use public::{BadNetwork, PublicOnly};
pub use tls::tls_config;

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time until a connection stands, from the look-up of its name to the end of the TLS handshake.
    pub connect: Duration,
    /// Time for all of the call.
    pub whole: Duration,
    /// Longest answer, in bytes that came over the wire.
    pub response_bytes: usize,
}
