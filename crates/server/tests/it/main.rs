//! The one integration binary: every test here talks to the real `manifold` process over real sockets, or reads the
//! sources to check a house rule the compiler cannot see.
//!
//! - `harness`: starts, stops and kills the process; HTTP, SSE and WebSocket clients that do not tidy up what they send.
//! - `exchange`: replays the request/response scenarios of `tests/exchanges` (their format: `docs/testing.md`).
//! - `unison`, `flo`, `synap`, `dunena`, `edgecomet`: what a scenario file cannot say: crashes under load, races, long streams.
//! - `limits`: what one client may cost, and that everybody else goes on.
//! - `together`: all dialects that share data against one model, with kills and races.
//! - `hostile`: clients that mean harm. `process`: start rules, configuration, signals, full disk. `tls`: all of it encrypted.
//! - `export`: exports and imports of all dialects.
//! - `security`: who may do what, and what is never told. `house`: rules about the sources. `reference`: that of the
//!   configuration is what the code says.

#![allow(clippy::unwrap_used, reason = "a broken expectation must stop the test at the place where it broke")]
#![allow(clippy::disallowed_methods, reason = "the tests look at the process from outside, with the real clock")]

mod dunena;
mod edgecomet;
mod exchange;
mod export;
mod flo;
mod harness;
mod hostile;
mod house;
mod limits;
mod process;
mod reference;
mod security;
mod synap;
mod tls;
mod together;
mod unison;
