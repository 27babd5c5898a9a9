//! The `manifold` binary: what it can be asked to do on the command line.

mod verbs;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use manifold_server::config;
use verbs::{Exit, Failure};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One durable engine behind several HTTP APIs.
#[derive(Parser)]
#[command(name = "manifold", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve the configured APIs until SIGTERM or SIGINT.
    Serve(Flags),
    /// Print the effective configuration, secrets masked, or what is wrong with it.
    Check(Flags),
    /// Serve EdgeComet alone, by the configuration file of its original daemon.
    Edgecomet {
        /// The original's file.
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
        /// Check the configuration and do nothing else.
        #[arg(short)]
        test: bool,
        /// Data directory, created if absent.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Check a data directory that no process has open.
    Verify {
        /// The data directory.
        dir: PathBuf,
    },
}

#[derive(Args)]
struct Flags {
    /// Configuration file; without it ./manifold.toml if there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory, created if absent.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Configuration file of the original Flo server; without it ./flo.toml if there is one.
    #[arg(long, value_name = "FILE")]
    flo_config: Option<PathBuf>,
}

fn main() -> ExitCode {
    let ended = match Cli::parse().verb {
        Verb::Serve(flags) => verbs::serve(flags.into()),
        Verb::Check(flags) => verbs::check(flags.into()),
        Verb::Edgecomet { config, test, data_dir } => {
            let flags = config::Flags { edgecomet_alone: Some(config), data_dir, ..config::Flags::default() };
            let ended = if test { verbs::test_edgecomet(&flags) } else { verbs::serve(flags) };
            // Whoever starts the original knows no other status.
            ended.map_err(|failure| Failure { exit: Exit::Any, ..failure })
        }
        Verb::Verify { dir } => verbs::verify(&dir),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("manifold: {}", failure.sentence);
            ExitCode::from(failure.exit as u8)
        }
    }
}

impl From<Flags> for config::Flags {
    fn from(Flags { config, data_dir, flo_config }: Flags) -> Self {
        config::Flags { config, data_dir, flo_config, edgecomet_alone: None }
    }
}
