//! What the EdgeComet dialect counts. Names here have no prefix: whoever registers the collector says what they begin
//! with.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use manifold_engine::recache::{Depth, Priority};
use parking_lot::Mutex;
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::{
    Counter, Histogram,
    labelled::Labelled,
    names,
    write::{self, Labels, Observed, Series, one},
};

#[cfg(test)]
mod tests;

/// The smallest bound of the buckets of durations, in seconds: nothing on a network is worth telling apart below.
const SMALLEST: f64 = 0.005;
/// What the entries that were pulled are called among the queues.
const INTERNAL: &str = "internal";

/// EdgeComet's own counters, fed by its scheduler.
#[derive(Debug, Default)]
pub struct EdgeCometMetrics {
    ended: [[Counter; Priority::ALL.len()]; JobEnd::ALL.len()],
    /// By primary domain.
    hosts: Labelled<HostCounters>,
    /// By name, then `success` or `error`.
    gateways: Labelled<Counter>,
    calls: Arc<HomeCalls>,
    standing: Mutex<Standing>,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// It is stored.
    Success,
    /// It failed, and is tried again.
    Retry,
    /// It failed for good.
    Failed,
    /// There was nothing to store.
    Skipped,
}

#[derive(Debug, Default)]
struct HostCounters {
    ended: [Counter; JobEnd::ALL.len()],
    took: Histogram,
}

/// Calls of a home that is not in this process.
#[derive(Debug, Default)]
pub struct HomeCalls(Labelled<Counter>);

/// How things were when somebody looked last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// One for each host.
    pub hosts: Vec<HostStanding>,
    /// Entries that were pulled and wait.
    pub internal: u64,
    /// Jobs in flight.
    pub in_flight: u64,
    /// Members of queues that could not be read, since the start.
    pub malformed: u64,
}

/// How things were with a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostStanding {
    /// Its primary domain.
    pub host: String,
    /// Its queues, in the order of [`Priority::ALL`].
    pub queues: [Depth; Priority::ALL.len()],
    /// Dead letters that are kept.
    pub dead_letters: u64,
}

impl JobEnd {
    const ALL: [JobEnd; 4] = [JobEnd::Success, JobEnd::Retry, JobEnd::Failed, JobEnd::Skipped];

    fn as_str(self) -> &'static str {
        match self {
            JobEnd::Success => "success",
            JobEnd::Retry => "retry",
            JobEnd::Failed => "failed",
            JobEnd::Skipped => "skipped",
        }
    }
}

impl EdgeCometMetrics {
    /// Counts an attempt for a host, known by its primary domain.
    pub fn ended(&self, host: &str, queue: Priority, end: JobEnd, took: Duration) {
        self.ended[end as usize][queue as usize].inc();
        let host = self.hosts.at(host.as_bytes(), b"");
        host.ended[end as usize].inc();
        host.took.record(took);
    }

    /// Counts a job that a gateway was given.
    pub fn gateway(&self, id: &str, done: bool) {
        self.gateways.at(id.as_bytes(), outcome(done).as_bytes()).inc();
    }

    /// Where calls of a home are counted.
    pub fn calls(&self) -> Arc<HomeCalls> {
        self.calls.clone()
    }

    /// Takes over how things are.
    pub fn stand(&self, standing: Standing) {
        *self.standing.lock() = standing;
    }
}

impl HomeCalls {
    /// Counts a call by what becomes of it.
    pub async fn count<T, E>(&self, operation: &'static str, call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let done = call.await;
        self.0.at(operation.as_bytes(), outcome(done.is_ok()).as_bytes()).inc();
        done
    }
}

fn outcome(done: bool) -> &'static str {
    if done { "success" } else { "error" }
}

impl Collector for EdgeCometMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.encode_attempts(encoder)?;
        let calls = pairs(&self.calls.0, "operation");
        write::counter_series(encoder, names::EDGECOMET_REDIS_OPERATIONS, "Calls of Redis", &calls)?;
        let jobs = pairs(&self.gateways, "eg_id");
        write::counter_series(encoder, names::EDGECOMET_GATEWAY_REQUESTS, "Jobs given to gateways", &jobs)?;
        self.standing.lock().encode(encoder)
    }
}

impl EdgeCometMetrics {
    fn encode_attempts(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = JobEnd::ALL.into_iter().flat_map(|end| Priority::ALL.map(|queue| (end, queue)));
        let all: Vec<_> = all
            .map(|(end, queue)| {
                let labels = [("status", end.as_str()), ("queue_type", queue.as_str())];
                (labels, self.ended[end as usize][queue as usize].get())
            })
            .collect();
        let samples = all.iter().map(|(labels, count)| (&labels[..] as Labels<'_>, *count));
        write::counter(encoder, names::EDGECOMET_REQUESTS, "Attempts of entries", samples)?;

        let hosts = self.hosts.all();
        let of_host = |(host, _, counters): &(String, String, Arc<HostCounters>)| {
            let count = |end: JobEnd| {
                let labels = vec![("host", host.clone()), ("status", end.as_str().to_owned())];
                (labels, counters.ended[end as usize].get())
            };
            JobEnd::ALL.map(count)
        };
        let series: Series = hosts.iter().flat_map(of_host).filter(|(_, count)| *count > 0).collect();
        write::counter_series(encoder, names::EDGECOMET_RECACHED, "Attempts of entries, by host", &series)?;

        let labels: Vec<_> = hosts.iter().map(|(host, _, _)| [("host", host.as_str())]).collect();
        let series = hosts.iter().zip(&labels);
        let series = series.map(|((_, _, counters), labels)| (&labels[..] as Labels<'_>, coarse(counters.took.read())));
        write::histogram(encoder, names::EDGECOMET_DURATION, "Seconds an attempt took", series)
    }
}

impl Standing {
    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = |queue: Priority| self.hosts.iter().map(|host| host.queues[queue as usize].total).sum();
        let depths = Priority::ALL.map(|queue| ([("queue_type", queue.as_str())], all(queue)));
        let depths: Vec<_> = depths.into_iter().chain([([("queue_type", INTERNAL)], self.internal)]).collect();
        let samples = depths.iter().map(|(labels, count)| (&labels[..] as Labels<'_>, *count));
        write::gauge(encoder, names::EDGECOMET_QUEUE_DEPTH, "Entries that wait", samples)?;

        let by_host = |read: fn(&Depth) -> u64| -> Series {
            let queues = self.hosts.iter().flat_map(|host| Priority::ALL.map(|queue| (host, queue)));
            let labels = |host: &HostStanding, queue: Priority| {
                vec![("host", host.host.clone()), ("priority", queue.as_str().to_owned())]
            };
            queues.map(|(host, queue)| (labels(host, queue), read(&host.queues[queue as usize]))).collect()
        };
        let (total, due) = (by_host(|depth| depth.total), by_host(|depth| depth.due));
        write::gauge_series(encoder, names::EDGECOMET_QUEUE_SIZE, "Entries that wait, by host", &total)?;
        write::gauge_series(encoder, names::EDGECOMET_QUEUE_DUE, "Entries that are due, by host", &due)?;
        let letters = self.hosts.iter().map(|host| (vec![("host", host.host.clone())], host.dead_letters)).collect();
        write::gauge_series(encoder, names::EDGECOMET_DEAD_LETTERS, "Dead letters that are kept", &letters)?;
        write::gauge(encoder, names::EDGECOMET_JOBS_IN_FLIGHT, "Jobs in flight", one(self.in_flight))?;
        let help = "Members of queues that could not be read and were removed";
        write::counter(encoder, names::EDGECOMET_MALFORMED_MEMBERS, help, one(self.malformed))
    }
}

/// Counters by a first name and an outcome.
fn pairs(counters: &Labelled<Counter>, first: &'static str) -> Series {
    let all = counters.all().into_iter().filter(|(_, _, counter)| counter.get() > 0);
    all.map(|(name, status, counter)| (vec![(first, name), ("status", status)], counter.get())).collect()
}

/// A histogram whose smallest buckets are one.
fn coarse((sum, count, buckets): Observed) -> Observed {
    let below: u64 = buckets.iter().filter(|(bound, _)| *bound < SMALLEST).map(|(_, count)| count).sum();
    let above = buckets.into_iter().filter(|(bound, _)| *bound >= SMALLEST);
    let buckets = above.enumerate().map(|(at, (bound, count))| (bound, if at == 0 { count + below } else { count }));
    (sum, count, buckets.collect())
}
