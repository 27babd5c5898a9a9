//! One file for each thing the command line can be asked to do, and what they share.

mod backup;
mod check;
mod data;
mod export;
mod failure;
mod import;
mod meter;
mod ports;
mod progress;
mod reload;
mod restore;
mod serve;
mod settings;
mod tls;
mod verify;

pub use self::{
    backup::backup,
    check::{check, test_edgecomet},
    export::{ExportTo, export},
    failure::{Exit, Failure},
    import::{ImportFrom, import},
    restore::restore,
    serve::serve,
    verify::verify,
};

/// Runs what needs the engine or a socket.
fn on_runtime(verb: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::System, format!("no runtime: {error}")))?;
    runtime.block_on(verb)
}
