//! The endpoint `status`: what the daemon has to do, and what it has to do it with.

use hyper::header::{HeaderName, HeaderValue};
use jiff::Timestamp as Instant;
use manifold_engine::{
    Timestamp,
    recache::{Depth, HostId},
};
use serde::{Serialize, Serializer};

use super::{
    asked::{Answer, Asked},
    error::Error,
    scheduler::View,
    targets::reserved,
};
use crate::http::reply;

#[cfg(test)]
mod tests;

/// Says that numbers are 0 because the home cannot be read.
static DEGRADED: HeaderName = HeaderName::from_static("x-manifold-degraded");

#[derive(Serialize)]
struct Status<'a> {
    daemon: Daemon<'a>,
    internal_queue: InternalQueue,
    rs_capacity: Capacity,
    queues: Queues,
}

#[derive(Serialize)]
struct Daemon<'a> {
    daemon_id: &'a str,
    uptime_seconds: u64,
    last_tick: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct InternalQueue {
    size: usize,
    max_size: usize,
    capacity_used_percent: f64,
}

#[derive(Debug, PartialEq, Serialize)]
struct Capacity {
    total_free_tabs: u64,
    reserved_for_online: u64,
    available_for_recache: u64,
    reservation_percent: f64,
}

/// By host, in the order of their ids.
struct Queues(Vec<(HostId, Queue)>);

#[derive(Serialize)]
struct Queue {
    high: Level,
    normal: Level,
    autorecache: Level,
}

#[derive(Serialize)]
struct Level {
    total: u64,
    due_now: u64,
}

pub(super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let config = &dialect.config;
    let hosts: Vec<HostId> = dialect.hosts.get().iter().map(|host| host.id).collect();
    // No entry is seen in two places or in none.
    let at_rest = dialect.scheduler.at_rest().await;
    let View { last_tick, waiting, free, .. } = dialect.scheduler.view();
    let depths = dialect.home.depths(&hosts, dialect.now()).await;
    drop(at_rest);
    let degraded = depths.is_err();
    let depths = depths.unwrap_or_else(|_| vec![Default::default(); hosts.len()]);

    let status = Status {
        daemon: Daemon {
            daemon_id: &config.daemon_id,
            uptime_seconds: dialect.began.elapsed().as_secs(),
            last_tick: rfc3339(last_tick),
        },
        internal_queue: InternalQueue::new(waiting, config.internal_queue.max_size),
        rs_capacity: Capacity::new(free, config.recache.rs_capacity_reserved),
        queues: Queues(hosts.into_iter().zip(depths.into_iter().map(Queue::from)).collect()),
    };
    let body = serde_json::to_vec(&status).map_err(|_| Error::DEFECT)?;
    let mut response = reply::json(body);
    if degraded {
        response.headers_mut().insert(&DEGRADED, HeaderValue::from_static("store"));
    }
    Ok(response)
}

/// In whole seconds.
fn rfc3339(Timestamp(ms): Timestamp) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    Instant::from_second(seconds).unwrap_or(Instant::MAX).to_string()
}

impl InternalQueue {
    fn new(size: usize, max_size: usize) -> Self {
        InternalQueue { size, max_size, capacity_used_percent: size as f64 * 100.0 / max_size.max(1) as f64 }
    }
}

impl Capacity {
    fn new(free: u64, share_reserved: f64) -> Self {
        let reserved = reserved(free, share_reserved);
        Capacity {
            total_free_tabs: free,
            reserved_for_online: reserved,
            available_for_recache: free.saturating_sub(reserved),
            reservation_percent: (share_reserved * 100.0 * 1e6).round() / 1e6,
        }
    }
}

impl From<[Depth; 3]> for Queue {
    fn from(depths: [Depth; 3]) -> Self {
        let [high, normal, autorecache] = depths.map(|Depth { total, due }| Level { total, due_now: due });
        Queue { high, normal, autorecache }
    }
}

impl Serialize for Queues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(host, queue)| (host.to_string(), queue)))
    }
}
