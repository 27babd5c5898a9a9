//! Queues and streams: in process, through the Flo dialect, and those of Redis if `redis-server` is installed. One client,
//! the same payload, the sides taking turns at each durability level. Before that, what a deep queue and a long stream cost.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

mod http;
mod large;
mod process;
mod redis;

use crate::{
    Result,
    http::server,
    measure::{median, now, section},
};

/// What to measure of queues and streams.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Turns of each side.
    #[arg(long, default_value_t = 5)]
    turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 200)]
    turn_ms: u64,
    /// Messages or records that go together, one comparison for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100])]
    batch: Vec<usize>,
    /// Durability levels.
    #[arg(long, value_delimiter = ',', default_values_t = ["os", "interval", "always"].map(str::to_owned))]
    levels: Vec<String>,
    /// Messages of the deep queue; none leaves it out.
    #[arg(long, default_value_t = 1_000_000)]
    depth: u64,
    /// Records of the long stream; none leaves it out.
    #[arg(long, default_value_t = 10_000_000)]
    records: u64,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    manifold: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        Args {
            turns: 5,
            turn_ms: 200,
            batch: vec![1, 100],
            levels: ["os", "interval", "always"].map(str::to_owned).to_vec(),
            depth: 1_000_000,
            records: 10_000_000,
            manifold: None,
        }
    }
}

/// Bytes of a message or a record; a multiple of three, so that its base64 needs no padding.
const PAYLOAD: usize = 120;

/// Prints the large ones, then a block per level.
pub fn run(args: &Args, scratch: &Path) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let runtimes = Runtimes {
        engine: Builder::new_multi_thread().enable_all().build()?,
        client: Builder::new_current_thread().enable_all().build()?,
    };
    // First, because memory that other work has freed would hide what a message takes.
    runtimes.engine.block_on(large::run(args.depth, args.records, scratch))?;
    for level in &args.levels {
        let mut sides = vec![
            Side::Process(runtimes.engine.block_on(process::Process::open(level, scratch))?),
            Side::Http(runtimes.client.block_on(http::Http::open(&binary, level, scratch))?),
        ];
        if let Some(redis) = runtimes.client.block_on(redis::Redis::open(level, scratch))? {
            sides.push(Side::Redis(redis));
        }
        compare(args, level, &runtimes, &mut sides)?;
        for side in sides {
            if let Side::Process(process) = side {
                runtimes.engine.block_on(process.close())?;
            }
        }
    }
    Ok(())
}

/// The engine's own threads, and the one thread of a client that talks to a socket.
struct Runtimes {
    engine: Runtime,
    client: Runtime,
}

/// What is done over and over, so many messages or records at a time.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Enqueue, dequeue, acknowledge.
    Cycle,
    /// Append to a stream.
    Append,
    /// Read on in the stream, and from its start again behind its end.
    Read,
}

enum Side {
    Process(process::Process),
    Http(http::Http),
    Redis(redis::Redis),
}

impl Side {
    fn name(&self) -> &'static str {
        match self {
            Side::Process(_) => "in process",
            Side::Http(_) => "Flo HTTP",
            Side::Redis(_) => "Redis",
        }
    }

    /// How many messages or records one step moved.
    async fn step(&mut self, step: Step, batch: usize) -> Result<usize> {
        match self {
            Side::Process(process) => process.step(step, batch).await,
            Side::Http(http) => http.step(step, batch).await,
            Side::Redis(redis) => redis.step(step, batch).await,
        }
    }

    /// Messages or records a second.
    fn turn(&mut self, runtimes: &Runtimes, step: Step, batch: usize, length: Duration) -> Result<f64> {
        let runtime = if matches!(self, Side::Process(_)) { &runtimes.engine } else { &runtimes.client };
        runtime.block_on(async {
            let (start, mut moved) = (now(), 0);
            while start.elapsed() < length {
                moved += self.step(step, batch).await?;
            }
            Ok(moved as f64 / start.elapsed().as_secs_f64())
        })
    }
}

fn compare(args: &Args, level: &str, runtimes: &Runtimes, sides: &mut [Side]) -> Result<()> {
    let Args { turns, turn_ms, .. } = args;
    section(&format!("flo: level {level}, one client, {PAYLOAD} bytes each, {turns} turns of {turn_ms} ms"));
    print!("{:>8}  {:12}{:>12}{:>10}", "batch", "", "cycles/s", "of Redis");
    println!("{:>14}{:>10}{:>12}{:>10}", "append MB/s", "of Redis", "read MB/s", "of Redis");
    let length = Duration::from_millis(args.turn_ms);
    for &batch in &args.batch {
        let mut lines: Vec<String> = sides.iter().map(|side| format!("{batch:>8}  {:12}", side.name())).collect();
        for (step, width, unit) in
            [(Step::Cycle, 12, 1.0), (Step::Append, 14, PAYLOAD as f64 / 1e6), (Step::Read, 12, PAYLOAD as f64 / 1e6)]
        {
            let mut rates = vec![Vec::with_capacity(args.turns); sides.len()];
            for side in sides.iter_mut() {
                side.turn(runtimes, step, batch, length / 4)?;
            }
            for _ in 0..args.turns {
                for (side, rates) in sides.iter_mut().zip(&mut rates) {
                    rates.push(side.turn(runtimes, step, batch, length)? * unit);
                }
            }
            let redis = sides.iter().position(|side| matches!(side, Side::Redis(_))).map(|at| rates[at].clone());
            for (line, rates) in lines.iter_mut().zip(&rates) {
                line.push_str(&cell(rates, redis.as_deref(), width));
            }
        }
        lines.iter().for_each(|line| println!("{line}"));
    }
    Ok(())
}

/// The median, and that of the ratios of neighbouring turns.
fn cell(rates: &[f64], redis: Option<&[f64]>, width: usize) -> String {
    let rate = median(rates.iter().copied());
    let decimals = if rate < 100.0 { 2 } else { 0 };
    match redis {
        Some(redis) => {
            let ratio = median(rates.iter().zip(redis).map(|(ours, theirs)| ours / theirs));
            format!("{rate:>width$.decimals$}{ratio:>10.2}")
        }
        None => format!("{rate:>width$.decimals$}{:>10}", "-"),
    }
}
