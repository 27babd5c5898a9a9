//! The Synap dialect: its commands over HTTP against a bare hyper server, what an element costs in a collection of ten
//! and of a million, and how fast a published message reaches WebSockets.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

pub mod commands;
pub mod elements;
mod fan_out;
mod growth;
pub mod request;
mod subscribers;

use crate::{
    Result,
    load::{
        compare::Turns,
        ready,
        server::{self, Dialect, Server},
    },
    sheet::Sheet,
};

/// What to measure of the Synap dialect.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Only one of the three.
    #[arg(long, value_enum)]
    pub only: Option<Part>,
    /// Only commands with this in their title.
    #[arg(long, default_value = "")]
    pub command: String,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 50)]
    pub connections: usize,
    /// Turns of each side.
    #[arg(long, default_value_t = 8)]
    pub turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 400)]
    pub turn_ms: u64,
    /// Durability levels of the commands.
    #[arg(long, value_delimiter = ',', default_values_t = ["interval", "always"].map(str::to_owned))]
    pub levels: Vec<String>,
    /// Elements of a large collection.
    #[arg(long, default_value_t = 1_000_000)]
    pub elements: u64,
    /// WebSockets that are subscribed.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100, 1000])]
    pub subscribers: Vec<usize>,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    pub manifold: Option<PathBuf>,
}

/// One of the three things that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Commands over HTTP.
    Commands,
    /// Collections that grow.
    Growth,
    /// Publishing to WebSockets.
    FanOut,
}

impl Default for Args {
    fn default() -> Self {
        Args {
            only: None,
            command: String::new(),
            connections: 50,
            turns: 8,
            turn_ms: 400,
            levels: ["interval", "always"].map(str::to_owned).to_vec(),
            elements: 1_000_000,
            subscribers: vec![1, 100, 1000],
            manifold: None,
        }
    }
}

impl Args {
    fn turns(&self) -> Turns {
        Turns { count: self.turns, length: Duration::from_millis(self.turn_ms) }
    }

    fn wants(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}

/// Measures a block for each durability level, two about growth, and one about publishing.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let client = Builder::new_current_thread().enable_all().build()?;
    if args.wants(Part::Commands) {
        for (n, level) in args.levels.iter().enumerate() {
            let manifold = start(&client, &binary, level, scratch)?;
            client.block_on(commands::run(args, level, n == 0, &manifold, sheet))?;
        }
    }
    if args.wants(Part::Growth) {
        let engine = Builder::new_multi_thread().enable_all().build()?;
        engine.block_on(growth::in_process(args.elements, scratch, sheet))?;
        let manifold = start(&client, &binary, "interval", scratch)?;
        client.block_on(growth::over_http(args, &manifold, sheet))?;
    }
    if args.wants(Part::FanOut) {
        let manifold = start(&client, &binary, "interval", scratch)?;
        client.block_on(fan_out::run(args, &manifold, scratch, sheet))?;
    }
    Ok(())
}

/// A server that answers.
fn start(client: &Runtime, binary: &Path, level: &str, scratch: &Path) -> Result<Server> {
    let manifold = Server::manifold(binary, Dialect::Synap, level, scratch)?;
    client.block_on(ready(&manifold, "/health"))?;
    Ok(manifold)
}
