//! What a stream costs: memory of a record in the index, append and read rates, time of the first touch. In process, at
//! level `os`, so that the stream is measured and not the disk.

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use manifold_engine::{
    Engine, Level, Name, Namespace, Options,
    stream::{Append, NewRecord, StreamRead, StreamRetention, StreamStart},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Done<T> = Result<T, Box<dyn Error>>;

const PAYLOAD: usize = 100;
const SINGLE: u64 = 1_000_000;
const BATCHED: u64 = 9_000_000;

struct Bench {
    engine: Engine,
    namespace: Namespace,
    stream: Name,
}

#[tokio::main]
async fn main() -> Done<()> {
    let dir = tempfile::tempdir()?;
    let bench = Bench::open(dir.path()).await?;
    let before = bench.engine.stats().store.memory_bytes;

    let single = bench.append(SINGLE, 1).await?;
    println!("append of 1: {:.2} us a record", micros(single) / SINGLE as f64);
    let batched = bench.append(BATCHED, 100).await?;
    println!("append of 100: {:.2} us a record", micros(batched) / BATCHED as f64);
    // Sealing follows the appends by a moment.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let all = SINGLE + BATCHED;
    let index = bench.engine.stats().store.memory_bytes - before;
    println!("memory of {all} records of {PAYLOAD} bytes in the index: {:.2} bytes each", index as f64 / all as f64);

    for count in [1, 100, 1000] {
        let (records, time) = bench.read(count, Duration::from_secs(2)).await?;
        let seconds = time.as_secs_f64();
        println!(
            "read of {count}: {:.2} us a record, {:.0} MB/s of payload",
            micros(time) / records as f64,
            (records * PAYLOAD) as f64 / seconds / 1e6
        );
    }

    bench.engine.close().await?;
    let start = now();
    let bench = Bench::open(dir.path()).await?;
    println!("restart: {:.2} s", start.elapsed().as_secs_f64());
    let start = now();
    let info = bench.engine.stream_info(&bench.namespace, &bench.stream).await?;
    println!("first touch of a stream of {} records: {:.0} us", info.end, micros(start.elapsed()));
    bench.engine.close().await?;
    Ok(())
}

impl Bench {
    async fn open(dir: &Path) -> Done<Self> {
        let engine = Engine::open(Options { level: Level::Os, ..Options::new(dir) });
        engine.recovered().await?;
        Ok(Bench { engine, namespace: Namespace::new("bench")?, stream: Name::new("s")? })
    }

    /// Appends so many records, `count` at a time.
    async fn append(&self, records: u64, count: usize) -> Done<Duration> {
        let record = NewRecord { payload: vec![7; PAYLOAD].into(), ..NewRecord::default() };
        let start = now();
        for _ in 0..records / count as u64 {
            let records = vec![record.clone(); count];
            let append = Append { stream: self.stream.clone(), records, create: StreamRetention::default() };
            self.engine.append(&self.namespace, append).await?;
        }
        Ok(start.elapsed())
    }

    /// Reads on from the start, `count` at a time, for a while.
    async fn read(&self, count: usize, time: Duration) -> Done<(usize, Duration)> {
        let start = now();
        let (mut next, mut records) = (0, 0);
        while start.elapsed() < time {
            let read = StreamRead { start: StreamStart::Offset(next), limit: count, max_bytes: 32 << 20, wait: None };
            let page = self.engine.read_stream(&self.namespace, &self.stream, read).await?;
            if page.records.is_empty() {
                break;
            }
            records += page.records.len();
            next = page.next;
        }
        Ok((records, start.elapsed()))
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}
