//! Logs and metrics. Every metric name of the process is in `names.rs`.

/// Unison's own counters, fed by its handlers.
#[derive(Debug, Default)]
pub struct UnisonMetrics {}
