//! Measures Manifold against the plain thing next to it: the store against a `HashMap`, a dialect against a bare hyper
//! server, queues and streams against those of Redis, time series against InfluxDB and VictoriaMetrics. The two sides of a
//! comparison take turns within one run, so that a machine that is busy with something else slows both; what counts is the
//! ratio.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

mod dunena;
mod edgecomet;
mod flo;
mod http;
mod measure;
mod restart;
mod series;
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
    /// Seconds per GB of log until the engine is ready.
    Restart(restart::Args),
    /// Load of all kinds for an hour, with kills in between.
    Soak(soak::Args),
    /// The bare server itself: answers everything with the same body until its standard input ends.
    #[command(hide = true)]
    Bare(http::bare::Args),
}

fn main() -> ExitCode {
    let Cli { what, scratch } = Cli::parse();
    let done = match what {
        Some(What::Bare(args)) => http::bare::run(&args),
        Some(What::Store(args)) => store::run(&args, &scratch),
        Some(What::Http(args)) => http::run(&args, &scratch),
        Some(What::Flo(args)) => flo::run(&args, &scratch),
        Some(What::Series(args)) => series::run(&args, &scratch),
        Some(What::Synap(args)) => synap::run(&args, &scratch),
        Some(What::Dunena(args)) => dunena::run(&args, &scratch),
        Some(What::Edgecomet(args)) => edgecomet::run(&args, &scratch),
        Some(What::Soak(args)) => soak::run(&args, &scratch),
        Some(What::Restart(args)) => restart::run(&args, &scratch),
        None => all(&scratch),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manifold-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn all(scratch: &std::path::Path) -> Result<()> {
    store::run(&store::Args::default(), scratch)?;
    http::run(&http::Args::default(), scratch)?;
    flo::run(&flo::Args::default(), scratch)?;
    series::run(&series::Args::default(), scratch)?;
    synap::run(&synap::Args::default(), scratch)?;
    dunena::run(&dunena::Args::default(), scratch)?;
    edgecomet::run(&edgecomet::Args::default(), scratch)?;
    restart::run(&restart::Args::default(), scratch)
}
