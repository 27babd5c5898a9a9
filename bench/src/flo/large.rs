//! What a deep queue and a long stream cost: memory of an element, how little a cycle depends on the depth, time of a
//! restart and of the first touch behind it. In process, at level `os`, so that they are measured and not the disk.

use std::{path::Path, time::Duration};

use manifold_engine::{Engine, Level, Name, Namespace, Options, queue::QueueName};

use super::{
    PAYLOAD,
    process::{append, cycle, message},
};
use crate::{
    Result,
    measure::{now, resident, section},
};

const SHALLOW: u64 = 100;
/// Messages in a turn of one depth.
const CYCLES: usize = 20_000;
/// Turns of each depth; the best counts, as what else the machine does hits neither then.
const TURNS: u32 = 10;
/// Sealing follows the appends by a moment.
const SEALED_AFTER: Duration = Duration::from_secs(8);

/// Prints both; none of them has no block.
pub async fn run(depth: u64, records: u64, scratch: &Path) -> Result<()> {
    let namespace = Namespace::new("bench")?;
    if depth > 0 {
        deep(&namespace, depth, scratch).await?;
    }
    if records > 0 {
        long(&namespace, records, scratch).await?;
    }
    Ok(())
}

async fn deep(namespace: &Namespace, depth: u64, scratch: &Path) -> Result<()> {
    section(&format!("flo: a queue of {depth} messages of {PAYLOAD} bytes, level os"));
    let dir = tempfile::tempdir_in(scratch)?;
    let engine = open(dir.path()).await?;
    let (deep, shallow) = (QueueName::new("deep")?, QueueName::new("shallow")?);
    fill(&engine, namespace, &shallow, SHALLOW).await?;
    let (index, before, start) = (index_bytes(&engine), resident(std::process::id()), now());
    fill(&engine, namespace, &deep, depth).await?;
    println!("enqueue, one after the other: {:.2} us each", micros(start.elapsed()) / depth as f64);
    let each = |now: u64, before: u64| now.saturating_sub(before) as f64 / depth as f64;
    println!(
        "memory of a message, payload included where it is kept: {:.0} bytes in the index, {:.0} of the process",
        each(index_bytes(&engine), index),
        each(resident(std::process::id()), before),
    );
    for batch in [1, 100] {
        let (mut at_shallow, mut at_deep) = (f64::MAX, f64::MAX);
        for _ in 0..TURNS {
            at_shallow = at_shallow.min(cycles(&engine, namespace, &shallow, batch).await?);
            at_deep = at_deep.min(cycles(&engine, namespace, &deep, batch).await?);
        }
        println!(
            "cycle in batches of {batch}: {at_shallow:.2} us a message at depth {SHALLOW}, {at_deep:.2} us at depth {depth}: {:.2}x",
            at_deep / at_shallow
        );
    }
    engine.close().await?;
    let start = now();
    let engine = open(dir.path()).await?;
    let (replay, start) = (start.elapsed(), now());
    let ready = engine.queue_stats(namespace, &deep).await?.ready;
    let touch = start.elapsed();
    println!("restart: {:.2} s, first touch of {ready} messages {:.2} s", replay.as_secs_f64(), touch.as_secs_f64());
    Ok(engine.close().await?)
}

async fn long(namespace: &Namespace, records: u64, scratch: &Path) -> Result<()> {
    const BATCH: usize = 1000;
    section(&format!("flo: a stream of {records} records of {PAYLOAD} bytes, level os"));
    let dir = tempfile::tempdir_in(scratch)?;
    let engine = open(dir.path()).await?;
    let stream = Name::new("long")?;
    let (index, start) = (index_bytes(&engine), now());
    for _ in 0..records / BATCH as u64 {
        append(&engine, namespace, &stream, BATCH).await?;
    }
    println!("append in batches of {BATCH}: {:.2} us a record", micros(start.elapsed()) / records as f64);
    tokio::time::sleep(SEALED_AFTER).await;
    let index = index_bytes(&engine).saturating_sub(index);
    println!("memory of a record in the index: {:.2} bytes", index as f64 / records as f64);
    engine.close().await?;
    let start = now();
    let engine = open(dir.path()).await?;
    let (replay, start) = (start.elapsed(), now());
    let end = engine.stream_info(namespace, &stream).await?.end;
    println!("restart: {:.2} s, first touch of {end} records {:.0} us", replay.as_secs_f64(), micros(start.elapsed()));
    Ok(engine.close().await?)
}

async fn open(dir: &Path) -> Result<Engine> {
    let engine = Engine::open(Options { level: Level::Os, ..Options::new(dir) });
    engine.recovered().await?;
    Ok(engine)
}

async fn fill(engine: &Engine, namespace: &Namespace, queue: &QueueName, depth: u64) -> Result<()> {
    for _ in 0..depth {
        engine.queue_enqueue(namespace, queue, message()).await?;
    }
    Ok(())
}

/// Microseconds a message.
async fn cycles(engine: &Engine, namespace: &Namespace, queue: &QueueName, batch: usize) -> Result<f64> {
    let start = now();
    for _ in 0..CYCLES / batch {
        cycle(engine, namespace, queue, batch).await?;
    }
    Ok(micros(start.elapsed()) / CYCLES as f64)
}

fn index_bytes(engine: &Engine) -> u64 {
    engine.stats().store.memory_bytes
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
