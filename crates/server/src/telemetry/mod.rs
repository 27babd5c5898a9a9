//! Logs and metrics. Every metric name of the process is in `names.rs`.

mod count;
mod dunena;
mod edgecomet;
pub mod exposition;
mod flo;
mod flo_ts;
mod gauges;
mod labelled;
pub mod log;
pub mod names;
mod pace;
mod requests;
pub mod rotating;
mod striped;
mod synap;
mod unison;
mod write;

pub use count::{Counter, Gauge, Histogram};
pub use dunena::{CacheGauges, CacheMetric, CacheValue, DunenaMetrics, cache_metrics};
pub use edgecomet::{EdgeCometMetrics, HomeCalls, HostStanding, JobEnd, Standing};
pub use flo::{BlockedReader, FloMetrics, QueueCounters, StreamCounters, share};
pub use flo_ts::TsCounters;
pub use gauges::{EngineGauges, ListenerGauges, ProcessGauges, TlsGauges, resident_bytes};
pub use requests::Requests;
pub use striped::Striped;
pub use synap::{Memory as SynapMemory, SynapMetrics};
pub use unison::{AuthFailure, StreamGuard, StreamKind, UnisonMetrics};
