//! How long a restart takes: a data directory is filled through the engine with single puts of new keys, closed, and
//! opened again until the engine has recovered. The kernel still has the files in memory.

use std::path::Path;

use bytes::Bytes;
use manifold_engine::{
    Actor, Engine, Key, Level, Namespace, Options,
    kv::{Encoding, Expires, Put, Value, When},
};

use crate::{
    Result,
    measure::{cpu, median, now, scramble},
    sheet::{Sheet, Wanted, number},
};

/// What to measure of a restart.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// MiB of log to build.
    #[arg(long, default_value_t = 1024)]
    pub mib: u64,
    /// Bytes of each value, one directory for each.
    #[arg(long, value_delimiter = ',', default_values_t = [128, 1024])]
    pub value_bytes: Vec<usize>,
    /// Restarts of each directory.
    #[arg(long, default_value_t = 3)]
    pub repetitions: usize,
}

impl Default for Args {
    fn default() -> Self {
        Args { mib: 1024, value_bytes: vec![128, 1024], repetitions: 3 }
    }
}

/// Measures a line per size of value.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    sheet.section(&format!("Restart with a log of {} MiB, median of {} restarts", args.mib, args.repetitions));
    sheet.head(&["bytes of a value", "keys", "GB of log", "seconds", "seconds per GB", "CPU seconds per GB"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for &value_bytes in &args.value_bytes {
        runtime.block_on(measure(args, value_bytes, scratch, sheet))?;
    }
    Ok(())
}

async fn measure(args: &Args, value_bytes: usize, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let dir = tempfile::tempdir_in(scratch)?;
    let keys = fill(dir.path(), args.mib << 20, value_bytes).await?;
    let (mut seconds, mut busy, mut bytes) = (Vec::new(), Vec::new(), 0);
    let own_cpu = || cpu(std::process::id());
    for _ in 0..args.repetitions {
        let (start, cpu_before) = (now(), own_cpu());
        let engine = open(dir.path()).await?;
        seconds.push(start.elapsed().as_secs_f64());
        busy.push((own_cpu() - cpu_before).as_secs_f64());
        let stats = engine.stats();
        if stats.kv_entries != keys {
            return Err(format!("{keys} keys were written, {} came back", stats.kv_entries).into());
        }
        bytes = stats.store.replayed_bytes;
        engine.close().await?;
    }
    let (seconds, busy, gb) = (median(seconds), median(busy), bytes as f64 / 1e9);
    let figures = [gb, seconds, seconds / gb, busy / gb].map(|figure| number(figure, 2));
    sheet.row([number(value_bytes as f64, 0), number(keys as f64, 0)].into_iter().chain(figures));
    let what = format!("Restart with values of {value_bytes} bytes, seconds per GB of log");
    sheet.goal(what, Wanted::AtMost(5.0), seconds / gb);
    Ok(())
}

async fn open(dir: &Path) -> Result<Engine> {
    let engine = Engine::open(Options { level: Level::Os, ..Options::new(dir) });
    engine.recovered().await?;
    Ok(engine)
}

/// Writes new keys until the log has `bytes`; how many.
async fn fill(dir: &Path, bytes: u64, value_bytes: usize) -> Result<u64> {
    const LOOK_EVERY: u64 = 1000;
    let engine = open(dir).await?;
    let namespace = Namespace::new("tenant:bench/restart")?;
    let value = Value { encoding: Encoding::Json, bytes: format!("{:?}", "x".repeat(value_bytes - 2)).into() };
    let mut keys = 0;
    while engine.stats().store.log_bytes < bytes {
        for n in keys..keys + LOOK_EVERY {
            let key = Key::new(Bytes::from(format!("key-{:016x}", scramble(n))))?;
            let (expires, actor) = (Expires::Never, Actor::fixed("api"));
            engine.put(&namespace, Put { key, value: value.clone(), expires, when: When::Always, actor }).await?;
        }
        keys += LOOK_EVERY;
    }
    engine.close().await?;
    Ok(keys)
}
