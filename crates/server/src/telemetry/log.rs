//! Log lines to standard error.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

/// Starts logging, and makes a panic a log line instead of a bare message. `RUST_LOG`-style directives are accepted as
/// the level (`info,manifold::access=debug`).
pub fn init(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(&log.level)
        .map_err(|error| format!("log.level {:?} is no level: {error}", log.level))?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    }
    .map_err(|error| format!("logging could not be started: {error}"))?;

    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!(place, %backtrace, "panic: {}", panic.payload_as_str().unwrap_or("without a message"));
    }));
    Ok(())
}
