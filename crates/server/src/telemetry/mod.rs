//! Logs and metrics. Every metric name of the process is in `names.rs`.

mod count;
pub mod exposition;
mod gauges;
pub mod log;
pub mod names;
mod requests;
mod unison;
mod write;

pub use count::{Counter, Gauge, Histogram};
pub use gauges::{EngineGauges, ListenerGauges, ProcessGauges};
pub use requests::Requests;
pub use unison::{AuthFailure, StreamGuard, StreamKind, UnisonMetrics};
