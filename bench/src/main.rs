//! Measures Manifold against the plain thing next to it: the store against a `HashMap`, a dialect against a bare hyper
//! server, what people do with Redis against Redis, time series against InfluxDB and VictoriaMetrics. The sides of a
//! comparison take turns within one run, so that a machine that is busy with something else slows all; what counts is the
//! ratio.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

mod dunena;
mod edgecomet;
mod flo;
mod http;
mod load;
mod measure;
mod memory;
mod redis;
mod report;
mod restart;
mod series;
mod sheet;
mod soak;
mod store;
mod synap;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a measurement gives when it cannot be made.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Without a command: everything, with the defaults of each.
#[derive(Parser)]
#[command(name = "manifold-bench", version)]
struct Cli {
    #[command(subcommand)]
    what: Option<What>,
    /// Where data directories are made; they are removed afterwards.
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    scratch: PathBuf,
}

#[derive(Subcommand)]
enum What {
    /// Commit and get of the store against insert and get of a `HashMap`.
    Store(store::Args),
    /// GET and PUT through Unison against a bare hyper server.
    Http(http::Args),
    /// Queues and streams in process and through Flo, against Redis if it is installed.
    Flo(flo::Args),
    /// Time series: ingest, disk and queries through Flo, against InfluxDB and VictoriaMetrics if they are installed.
    Series(series::Args),
    /// Commands over HTTP against a bare hyper server, growing collections, and publishing to WebSockets.
    Synap(synap::Args),
    /// The cache, documents and proxied queries of Dunena over HTTP against a bare hyper server.
    Dunena(dunena::Args),
    /// EdgeComet: enqueuing, draining through a gateway that answers at once, and hosts that have nothing to do.
    Edgecomet(edgecomet::Args),
    /// What people do with Redis: over its own protocol, through Webdis, and through each dialect.
    Redis(redis::Args),
    /// Bytes of memory and on disk for a key, a queued message, a stream record and a point.
    Memory(memory::Args),
    /// Seconds per GB of log until the engine is ready.
    Restart(restart::Args),
    /// Load of all kinds for an hour, with kills in between.
    Soak(soak::Args),
    /// Writes the document of all figures, but for those of `series`.
    Report(report::Args),
    /// The bare server itself: answers everything with the same body until its standard input ends.
    #[command(hide = true)]
    Bare(load::bare::Args),
}

fn main() -> ExitCode {
    let Cli { what, scratch } = Cli::parse();
    match run(what, &scratch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manifold-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: Option<What>, scratch: &Path) -> Result<()> {
    let sheet = &mut sheet::Sheet::default();
    match what {
        Some(What::Bare(args)) => load::bare::run(&args),
        Some(What::Report(args)) => report::run(&args, scratch),
        Some(What::Store(args)) => store::run(&args, scratch, sheet),
        Some(What::Http(args)) => http::run(&args, scratch, sheet),
        Some(What::Flo(args)) => flo::run(&args, scratch, sheet),
        Some(What::Series(args)) => series::run(&args, scratch),
        Some(What::Synap(args)) => synap::run(&args, scratch, sheet),
        Some(What::Dunena(args)) => dunena::run(&args, scratch, sheet),
        Some(What::Edgecomet(args)) => edgecomet::run(&args, scratch, sheet),
        Some(What::Redis(args)) => redis::run(&args, scratch, sheet),
        Some(What::Memory(args)) => memory::run(&args, scratch, sheet),
        Some(What::Restart(args)) => restart::run(&args, scratch, sheet),
        Some(What::Soak(args)) => soak::run(&args, scratch),
        None => all(scratch, sheet),
    }
}

fn all(scratch: &Path, sheet: &mut sheet::Sheet) -> Result<()> {
    store::run(&store::Args::default(), scratch, sheet)?;
    http::run(&http::Args::default(), scratch, sheet)?;
    redis::run(&redis::Args::default(), scratch, sheet)?;
    flo::run(&flo::Args::default(), scratch, sheet)?;
    series::run(&series::Args::default(), scratch)?;
    synap::run(&synap::Args::default(), scratch, sheet)?;
    dunena::run(&dunena::Args::default(), scratch, sheet)?;
    edgecomet::run(&edgecomet::Args::default(), scratch, sheet)?;
    memory::run(&memory::Args::default(), scratch, sheet)?;
    restart::run(&restart::Args::default(), scratch, sheet)
}
