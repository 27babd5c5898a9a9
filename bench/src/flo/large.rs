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
    measure::now,
    sheet::{Sheet, Wanted, number},
};

const SHALLOW: u64 = 100;
/// Messages in a turn of one depth.
const CYCLES: usize = 20_000;
/// Turns of each depth; the best counts, as what else the machine does hits neither then.
const TURNS: u32 = 10;
/// Sealing follows the appends by a moment.
const SEALED_AFTER: Duration = Duration::from_secs(8);

/// Measures both; none of them has no block.
pub async fn run(depth: u64, records: u64, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let namespace = Namespace::new("bench")?;
    if depth > 0 {
        deep(&namespace, depth, scratch, sheet).await?;
    }
    if records > 0 {
        long(&namespace, records, scratch, sheet).await?;
    }
    Ok(())
}

async fn deep(namespace: &Namespace, depth: u64, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let messages = number(depth as f64, 0);
    sheet.section(&format!("A queue of {messages} messages of {PAYLOAD} bytes, in process, level os"));
    sheet.head(&["", ""]);
    let dir = tempfile::tempdir_in(scratch)?;
    let engine = open(dir.path()).await?;
    let (deep, shallow) = (QueueName::new("deep")?, QueueName::new("shallow")?);
    fill(&engine, namespace, &shallow, SHALLOW).await?;
    let (index, start) = (index_bytes(&engine), now());
    fill(&engine, namespace, &deep, depth).await?;
    line(sheet, "enqueue, one after the other, µs each", micros(start.elapsed()) / depth as f64);
    let each = index_bytes(&engine).saturating_sub(index) as f64 / depth as f64;
    line(sheet, "memory of a message in the index, payload included where it is kept, bytes", each);
    for batch in [1, 100] {
        let (mut at_shallow, mut at_deep) = (f64::MAX, f64::MAX);
        for _ in 0..TURNS {
            at_shallow = at_shallow.min(cycles(&engine, namespace, &shallow, batch).await?);
            at_deep = at_deep.min(cycles(&engine, namespace, &deep, batch).await?);
        }
        for (depth, time) in [(SHALLOW, at_shallow), (depth, at_deep)] {
            line(
                sheet,
                &format!("cycle in batches of {batch} at depth {}, µs a message", number(depth as f64, 0)),
                time,
            );
        }
        let what = format!("Queue, cycle in batches of {batch} at depth {messages}, of one at {SHALLOW}");
        sheet.goal(what, Wanted::AtMost(1.5), at_deep / at_shallow);
    }
    engine.close().await?;
    let start = now();
    let engine = open(dir.path()).await?;
    let (replay, start) = (start.elapsed(), now());
    let ready = engine.queue_stats(namespace, &deep).await?.ready;
    let touch = start.elapsed();
    line(sheet, "restart, seconds", replay.as_secs_f64());
    line(sheet, &format!("first touch of {} messages, seconds", number(ready as f64, 0)), touch.as_secs_f64());
    Ok(engine.close().await?)
}

async fn long(namespace: &Namespace, records: u64, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    const BATCH: usize = 1000;
    let count = number(records as f64, 0);
    sheet.section(&format!("A stream of {count} records of {PAYLOAD} bytes, in process, level os"));
    sheet.head(&["", ""]);
    let dir = tempfile::tempdir_in(scratch)?;
    let engine = open(dir.path()).await?;
    let stream = Name::new("long")?;
    let (index, start) = (index_bytes(&engine), now());
    for _ in 0..records / BATCH as u64 {
        append(&engine, namespace, &stream, BATCH).await?;
    }
    line(sheet, &format!("append in batches of {BATCH}, µs a record"), micros(start.elapsed()) / records as f64);
    tokio::time::sleep(SEALED_AFTER).await;
    let index = index_bytes(&engine).saturating_sub(index);
    line(sheet, "memory of a record in the index, bytes", index as f64 / records as f64);
    engine.close().await?;
    let start = now();
    let engine = open(dir.path()).await?;
    let (replay, start) = (start.elapsed(), now());
    let end = engine.stream_info(namespace, &stream).await?.end;
    let touch = micros(start.elapsed());
    line(sheet, "restart, seconds", replay.as_secs_f64());
    line(sheet, &format!("first touch of {} records, µs", number(end as f64, 0)), touch);
    Ok(engine.close().await?)
}

fn line(sheet: &mut Sheet, what: &str, figure: f64) {
    sheet.row([what.to_owned(), number(figure, 2)]);
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
