//! The parts of the `manifold` binary: ports, dialects, configuration. The engine knows none of them.

pub mod config;
pub mod control;
pub mod dialects;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod http;
pub mod net;
pub mod outbound;
pub mod period;
pub mod telemetry;
