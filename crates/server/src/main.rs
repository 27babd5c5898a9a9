//! The `manifold` binary: what it can be asked to do on the command line.

mod verbs;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use manifold_engine::export::{OnConflict, Section};
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
    /// Write what clients keep as JSON Lines, while it is served or not.
    Export {
        /// The file; - or none is standard output.
        #[arg(default_value = "-")]
        file: PathBuf,
        #[command(flatten)]
        flags: Flags,
        /// Only these: kv, hash, list, set, sorted_set, queue, stream, series, recache, document, connector.
        #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = section)]
        only: Option<Vec<Section>>,
        /// Only what lies in this namespace.
        #[arg(long, value_name = "NS")]
        namespace: Option<String>,
        /// Registered connections to databases too, with their passwords.
        #[arg(long)]
        secrets: bool,
    },
    /// Read what export wrote, while the directory is served or not.
    Import {
        /// The file; - or none is standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
        #[command(flatten)]
        flags: Flags,
        /// What to do with what is there already: fail, skip or replace.
        #[arg(long, value_name = "RULE", default_value = "fail", value_parser = on_conflict)]
        on_conflict: OnConflict,
        /// Only say whether the file can be used, and what is in it.
        #[arg(long)]
        dry_run: bool,
        /// Begin anew where an import of the same file was interrupted.
        #[arg(long)]
        restart: bool,
    },
    /// Copy everything as it is at one moment, also while it is served.
    Backup {
        /// What the backup will be called: one file if the name ends in .mfb or .tar, else a directory.
        to: PathBuf,
        #[command(flatten)]
        flags: Flags,
    },
    /// Make a data directory of a backup.
    Restore {
        /// The backup.
        from: PathBuf,
        #[command(flatten)]
        flags: Flags,
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
        Verb::Export { file, flags, only, namespace, secrets } => {
            verbs::export(&flags.into(), verbs::ExportTo { file, only, namespace, secrets })
        }
        Verb::Import { file, flags, on_conflict, dry_run, restart } => {
            verbs::import(&flags.into(), verbs::ImportFrom { file, on_conflict, dry_run, restart })
        }
        Verb::Backup { to, flags } => verbs::backup(&flags.into(), &to),
        Verb::Restore { from, flags } => verbs::restore(&flags.into(), &from),
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

fn section(name: &str) -> Result<Section, String> {
    let names = || Section::ALL.map(Section::as_str).join(", ");
    Section::named(name).ok_or_else(|| format!("it is one of {}", names()))
}

fn on_conflict(name: &str) -> Result<OnConflict, String> {
    OnConflict::named(name).ok_or_else(|| "it is one of fail, skip, replace".to_owned())
}

impl From<Flags> for config::Flags {
    fn from(Flags { config, data_dir, flo_config }: Flags) -> Self {
        config::Flags { config, data_dir, flo_config, edgecomet_alone: None }
    }
}
