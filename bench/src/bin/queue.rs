//! What a queue costs: memory of a message, time of its first touch, and how little a cycle of enqueue, dequeue and ack
//! depends on the depth. In process, at level `os`, so that the queue is measured and not the disk.

use std::{error::Error, path::Path, time::Duration};

use manifold_engine::{
    Engine, Level, Namespace, Options,
    kv::{Encoding, Value},
    queue::{Dequeue, Enqueue, Held, QueueName, Settings},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Done<T> = Result<T, Box<dyn Error>>;

const DEEP: u64 = 1_000_000;
const SHALLOW: u64 = 100;
const PAYLOAD: usize = 64;
const CYCLES: u32 = 20_000;
/// Both depths in turn, the best of each: what else the machine does then hits neither.
const ROUNDS: u32 = 10;

struct Bench {
    engine: Engine,
    namespace: Namespace,
}

#[tokio::main]
async fn main() -> Done<()> {
    let dir = tempfile::tempdir()?;
    let bench = Bench::open(dir.path()).await?;
    let (deep, shallow) = (QueueName::new("deep")?, QueueName::new("shallow")?);
    bench.fill(&shallow, SHALLOW).await?;
    let before = bench.memory();
    let (_, fill) = timed(bench.fill(&deep, DEEP)).await?;
    let (index, resident) = (bench.memory().0 - before.0, bench.memory().1.saturating_sub(before.1));
    println!("enqueue of {DEEP} messages: {:.2} us each", micros(fill) / DEEP as f64);
    println!(
        "memory a message beside its {PAYLOAD} bytes of payload: {:.0} in the index, {:.0} of the process",
        index as f64 / DEEP as f64 - PAYLOAD as f64,
        resident as f64 / DEEP as f64 - PAYLOAD as f64
    );
    for count in [1, 100] {
        let (mut at_shallow, mut at_deep) = (f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            at_shallow = at_shallow.min(bench.cycles(&shallow, count).await?);
            at_deep = at_deep.min(bench.cycles(&deep, count).await?);
        }
        println!(
            "cycle of {count}: {at_shallow:.2} us a message at depth {SHALLOW}, {at_deep:.2} us at depth {DEEP}: {:.2}x",
            at_deep / at_shallow
        );
    }
    bench.engine.close().await?;
    drop(bench);

    let (bench, replay) = timed(Bench::open(dir.path())).await?;
    let (stats, touch) = timed(async { Ok(bench.engine.queue_stats(&bench.namespace, &deep).await?) }).await?;
    println!(
        "open: {:.2} s for the log, {:.2} s for the first touch of {} messages",
        replay.as_secs_f64(),
        touch.as_secs_f64(),
        stats.ready
    );
    bench.engine.close().await?;
    Ok(())
}

impl Bench {
    async fn open(dir: &Path) -> Done<Bench> {
        let engine = Engine::open(Options { level: Level::Os, ..Options::new(dir) });
        engine.recovered().await?;
        Ok(Bench { engine, namespace: Namespace::new("bench")? })
    }

    async fn fill(&self, queue: &QueueName, depth: u64) -> Done<()> {
        for _ in 0..depth {
            self.engine.queue_enqueue(&self.namespace, queue, message()).await?;
        }
        Ok(())
    }

    /// Microseconds a message from enqueue to ack, `count` of them in one dequeue and one ack.
    async fn cycles(&self, queue: &QueueName, count: u32) -> Done<f64> {
        let dequeue = Dequeue { count: count as usize, max_bytes: usize::MAX, lease: None, wait: Duration::ZERO };
        let rounds = CYCLES / count;
        let (_, time) = timed(async {
            for _ in 0..rounds {
                for _ in 0..count {
                    self.engine.queue_enqueue(&self.namespace, queue, message()).await?;
                }
                let taken = self.engine.queue_dequeue(&self.namespace, queue, dequeue).await?;
                let held =
                    taken.iter().map(|taken| Held { sequence: taken.message.sequence, lease: Some(taken.lease) });
                let acked = self.engine.queue_ack(&self.namespace, queue, held.collect()).await?;
                assert_eq!(acked.done, u64::from(count), "every message leased is acknowledged");
            }
            Ok(())
        })
        .await?;
        Ok(micros(time) / f64::from(rounds * count))
    }

    /// Bytes of the index, and of the process.
    fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        (self.engine.stats().store.memory_bytes, resident.unwrap_or(0) * 1024)
    }
}

fn message() -> Enqueue {
    Enqueue {
        payload: Value { encoding: Encoding::Binary, bytes: vec![b'x'; PAYLOAD].into() },
        headers: bytes::Bytes::new(),
        priority: None,
        delay: Duration::ZERO,
        dedup_key: None,
        max_attempts: None,
        settings: Settings::default(),
    }
}

async fn timed<T>(work: impl Future<Output = Done<T>>) -> Done<(T, Duration)> {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    let start = std::time::Instant::now();
    let done = work.await?;
    Ok((done, start.elapsed()))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
