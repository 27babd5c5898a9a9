//! Queues and streams: in process, through the Flo dialect, and those of Redis if `redis-server` is installed. One client,
//! the same payload, the sides taking turns at each durability level. Before that, what a deep queue and a long stream cost.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

pub mod http;
mod large;
mod process;
mod redis;

use crate::{
    Result,
    load::server,
    measure::{median, now},
    sheet::{Sheet, number},
};

/// What to measure of queues and streams.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Turns of each side.
    #[arg(long, default_value_t = 5)]
    pub turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 200)]
    pub turn_ms: u64,
    /// Messages or records that go together, one comparison for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 100])]
    pub batch: Vec<usize>,
    /// Durability levels.
    #[arg(long, value_delimiter = ',', default_values_t = ["os", "interval", "always"].map(str::to_owned))]
    pub levels: Vec<String>,
    /// Messages of the deep queue; none leaves it out.
    #[arg(long, default_value_t = 1_000_000)]
    pub depth: u64,
    /// Records of the long stream; none leaves it out.
    #[arg(long, default_value_t = 10_000_000)]
    pub records: u64,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    pub manifold: Option<PathBuf>,
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

/// Measures the large ones, then a block per level.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let runtimes = Runtimes {
        engine: Builder::new_multi_thread().enable_all().build()?,
        client: Builder::new_current_thread().enable_all().build()?,
    };
    runtimes.engine.block_on(large::run(args.depth, args.records, scratch, sheet))?;
    for level in &args.levels {
        let mut sides = vec![
            Side::Process(runtimes.engine.block_on(process::Process::open(level, scratch))?),
            Side::Http(runtimes.client.block_on(http::Http::open(&binary, level, scratch))?),
        ];
        if let Some(redis) = runtimes.client.block_on(redis::Redis::open(level, scratch))? {
            sides.push(Side::Redis(redis));
        }
        compare(args, level, &runtimes, &mut sides, sheet)?;
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
pub enum Step {
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

fn compare(args: &Args, level: &str, runtimes: &Runtimes, sides: &mut [Side], sheet: &mut Sheet) -> Result<()> {
    let Args { turns, turn_ms, .. } = args;
    sheet.section(&format!(
        "Queues and streams at {level}, one client, {PAYLOAD} bytes each, {turns} turns of {turn_ms} ms"
    ));
    sheet.head(&["", "batch", "cycles/s", "of Redis", "append MB/s", "of Redis", "read MB/s", "of Redis"]);
    let length = Duration::from_millis(args.turn_ms);
    for &batch in &args.batch {
        let mut rows: Vec<_> = sides.iter().map(|side| vec![side.name().to_owned(), batch.to_string()]).collect();
        for (step, unit) in
            [(Step::Cycle, 1.0), (Step::Append, PAYLOAD as f64 / 1e6), (Step::Read, PAYLOAD as f64 / 1e6)]
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
            for (row, rates) in rows.iter_mut().zip(&rates) {
                row.extend(cells(rates, redis.as_deref()));
            }
        }
        rows.into_iter().for_each(|row| sheet.row(row));
    }
    Ok(())
}

/// The median, and that of the ratios of neighbouring turns.
fn cells(rates: &[f64], redis: Option<&[f64]>) -> [String; 2] {
    let rate = median(rates.iter().copied());
    let ratio = redis.map(|redis| median(rates.iter().zip(redis).map(|(ours, theirs)| ours / theirs)));
    let decimals = if rate < 100.0 { 2 } else { 0 };
    [number(rate, decimals), ratio.map_or("-".to_owned(), |ratio| number(ratio, 2))]
}
