//! Writing a load: so many requests in a row over one connection, then as many over two, and so on.

use std::{cell::Cell, time::Duration};

use futures_util::future::try_join_all;

use super::{
    client::Client,
    load::Batch,
    side::{Door, Side},
};
use crate::{
    Result,
    measure::{cpu, median, now},
};

/// The connections of neighbouring turns.
pub const CONNECTIONS: [usize; 2] = [1, 2];

/// What writing a load took.
pub struct Ingested {
    /// Points a second, over one connection and over two.
    pub rates: [f64; 2],
    /// Nanoseconds of processor time for a point, the work behind it included.
    pub cpu_ns: f64,
    /// The bench's own.
    pub own_ns: f64,
    /// Bytes on disk for a point, once nothing more is merged.
    pub disk: f64,
    /// The most memory the server had.
    pub peak_bytes: u64,
    /// From the last answer until the server rested.
    pub settled: Duration,
}

/// Writes all batches and waits until the server rests.
pub async fn ingest(side: &Side, batches: &[Batch], turns: usize, door: Door) -> Result<Ingested> {
    let (empty, own_before, cpu_before) = (side.server.disk_bytes(), cpu(std::process::id()), side.server.cpu());
    let mut clients = side.clients(2);
    let mut rates = [Vec::new(), Vec::new()];
    for (turn, batches) in batches.chunks(batches.len().div_ceil(turns).max(1)).enumerate() {
        let kind = turn % CONNECTIONS.len();
        let start = now();
        write(&mut clients[..CONNECTIONS[kind]], batches, side.target(door)).await?;
        rates[kind].push(points(batches) as f64 / start.elapsed().as_secs_f64());
    }
    let (own, all) = (cpu(std::process::id()).saturating_sub(own_before), points(batches) as f64);
    let settled = settle(side).await;
    Ok(Ingested {
        rates: rates.map(median),
        cpu_ns: side.server.cpu().saturating_sub(cpu_before).as_nanos() as f64 / all,
        own_ns: own.as_nanos() as f64 / all,
        disk: side.server.disk_bytes().saturating_sub(empty) as f64 / all,
        peak_bytes: side.peak_bytes(),
        settled,
    })
}

/// Each client takes the next batch once its last one is answered.
async fn write(clients: &mut [Client], batches: &[Batch], target: &str) -> Result<()> {
    let next = Cell::new(0);
    let writers = clients.iter_mut().map(|client| {
        let next = &next;
        async move {
            while let Some(batch) = batches.get(next.replace(next.get() + 1)) {
                client.exchange("POST", target, batch.body.clone()).await?;
            }
            Result::Ok(())
        }
    });
    try_join_all(writers).await?;
    Ok(())
}

fn points(batches: &[Batch]) -> usize {
    batches.iter().map(|batch| batch.points).sum()
}

/// Waits until the server has rested for a while, and long enough for those that first wait themselves; how long that took.
async fn settle(side: &Side) -> Duration {
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    const LEAST: Duration = Duration::from_secs(15);
    const MOST: Duration = Duration::from_secs(45);
    /// Processor time in a second that is rest.
    const REST: Duration = Duration::from_millis(40);
    const RESTED: u32 = 3;
    let (start, mut rested, mut before) = (now(), 0, side.server.cpu());
    while start.elapsed() < MOST && (rested < RESTED || start.elapsed() < LEAST) {
        tokio::time::sleep(LOOK_EVERY).await;
        let cpu = side.server.cpu();
        rested = if cpu.saturating_sub(before) <= REST { rested + 1 } else { 0 };
        before = cpu;
    }
    start.elapsed()
}
