//! What the Flo dialect counts.

use std::{fmt, sync::Arc, time::Duration};

use hyper::{Method, StatusCode};
use manifold_engine::{
    Engine, Name, Namespace,
    queue::{self, QueueName},
    series::SeriesStats,
};
use parking_lot::Mutex;
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::{
    Counter, Gauge, Requests,
    flo_ts::{self, TsCounters},
    labelled::Labelled,
    names,
    pace::Pace,
    write::{self, Series, one},
};
use crate::net::Connections;

/// Flo's own counters, fed by its handlers.
#[derive(Debug)]
pub struct FloMetrics {
    connections: Arc<Connections>,
    shards: u32,
    partitions: u32,
    requests: Requests,
    commands: Counter,
    operations: Pace,
    received: Counter,
    sent: Counter,
    kv: Labelled<KvCounters>,
    queues: Labelled<QueueCounters>,
    streams: Labelled<StreamCounters>,
    ts: Labelled<TsCounters>,
    /// What queues and streams stood at when somebody last looked.
    standing: Mutex<Standing>,
}

/// What the queues and streams that were used since the start hold.
#[derive(Debug, Default)]
struct Standing {
    queues: Vec<(String, String, queue::Stats)>,
    /// With the number of pending records of all groups, and the offset of the last record.
    streams: Vec<(String, String, u64, u64)>,
    ts: SeriesStats,
}

#[derive(Debug, Default)]
struct KvCounters {
    set: Counter,
    get: Counter,
    delete: Counter,
}

/// What happens to one queue.
#[derive(Debug, Default)]
pub struct QueueCounters {
    enqueue_ops: Counter,
    enqueue_messages: Counter,
    enqueue_bytes: Counter,
    enqueue_delayed: Counter,
    enqueue_dedup: Counter,
    /// Enqueues that were refused.
    pub enqueue_errors: Counter,
    dequeue_ops: Counter,
    dequeue_messages: Counter,
    dequeue_bytes: Counter,
    dequeue_empty: Counter,
    /// Leases that ended with an acknowledgement.
    pub leases_completed: Counter,
    /// Leases that were made longer.
    pub leases_extended: Counter,
    /// Dead letters put back.
    pub dlq_requeue: Counter,
    /// Dead letters thrown away.
    pub dlq_delete: Counter,
}

impl QueueCounters {
    /// An enqueue that was accepted.
    pub fn enqueued(&self, bytes: usize, deduplicated: bool, delayed: bool) {
        self.enqueue_ops.inc();
        if deduplicated {
            self.enqueue_dedup.inc();
            return;
        }
        self.enqueue_messages.inc();
        self.enqueue_bytes.add(bytes as u64);
        if delayed {
            self.enqueue_delayed.inc();
        }
    }

    /// A dequeue, with the sizes of what it gave.
    pub fn dequeued(&self, sizes: impl ExactSizeIterator<Item = usize>) {
        self.dequeue_ops.inc();
        if sizes.len() == 0 {
            self.dequeue_empty.inc();
        }
        self.dequeue_messages.add(sizes.len() as u64);
        self.dequeue_bytes.add(sizes.sum::<usize>() as u64);
    }
}

/// What happens to one stream.
#[derive(Debug, Default)]
pub struct StreamCounters {
    append_ops: Counter,
    append_records: Counter,
    append_bytes: Counter,
    /// Appends that were refused.
    pub append_errors: Counter,
    read_ops: Counter,
    read_records: Counter,
    read_bytes: Counter,
    read_empty: Counter,
    blocking_readers: Gauge,
    /// Reads by consumers of groups.
    pub group_reads: Counter,
    /// Records acknowledged by consumers of groups.
    pub group_acks: Counter,
    trim_ops: Counter,
    trim_records: Counter,
}

impl StreamCounters {
    /// An append that was accepted.
    pub fn appended(&self, records: usize, bytes: usize) {
        self.append_ops.inc();
        self.append_records.add(records as u64);
        self.append_bytes.add(bytes as u64);
    }

    /// A read, with what it gave.
    pub fn read(&self, records: usize, bytes: usize) {
        self.read_ops.inc();
        if records == 0 {
            self.read_empty.inc();
        }
        self.read_records.add(records as u64);
        self.read_bytes.add(bytes as u64);
    }

    /// Counts a reader that waits, until the guard is dropped.
    #[must_use]
    pub fn blocked(self: &Arc<Self>) -> BlockedReader {
        self.blocking_readers.add(1);
        BlockedReader(self.clone())
    }

    /// A trim, with what it dropped.
    pub fn trimmed(&self, records: u64) {
        self.trim_ops.inc();
        self.trim_records.add(records);
    }
}

/// A reader that waits.
#[derive(Debug)]
pub struct BlockedReader(Arc<StreamCounters>);

impl Drop for BlockedReader {
    fn drop(&mut self) {
        self.0.blocking_readers.add(-1);
    }
}

impl FloMetrics {
    /// For a listener with these connections, and a view of so many shards and partitions.
    pub fn new(connections: Arc<Connections>, shards: u32, partitions: u32) -> Self {
        FloMetrics {
            connections,
            shards,
            partitions,
            requests: Requests::default(),
            commands: Counter::default(),
            operations: Pace::default(),
            received: Counter::default(),
            sent: Counter::default(),
            kv: Labelled::default(),
            queues: Labelled::default(),
            streams: Labelled::default(),
            ts: Labelled::default(),
            standing: Mutex::default(),
        }
    }
    /// Counts an answer; `route` is the template, never a real path.
    pub fn request(&self, route: &'static str, status: StatusCode, elapsed: Duration) {
        self.commands.inc();
        // The contract's series have no method.
        self.requests.record(route, &Method::GET, status, elapsed);
    }
    /// Counts an operation on data.
    pub fn operation(&self) {
        self.operations.inc();
    }
    /// Operations since the start, and per second lately.
    pub fn operations(&self) -> (u64, u64) {
        self.operations.read()
    }
    /// Seconds since the dialect was started.
    pub fn uptime_seconds(&self) -> u64 {
        self.operations.elapsed().as_secs()
    }
    /// Open connections of the listener.
    pub fn connections(&self) -> u64 {
        self.connections.open()
    }
    /// Counts bytes of a body that came in.
    pub fn received(&self, bytes: usize) {
        self.received.add(bytes as u64);
    }
    /// Counts bytes of a body that goes out.
    pub fn sent(&self, bytes: u64) {
        self.sent.add(bytes);
    }
    /// Counts a write of a key.
    pub fn kv_set(&self, namespace: &[u8]) {
        self.kv.at(namespace, b"").set.inc();
    }
    /// Counts a read of a key, or of a page of them.
    pub fn kv_get(&self, namespace: &[u8]) {
        self.kv.at(namespace, b"").get.inc();
    }
    /// Counts a removal of a key.
    pub fn kv_delete(&self, namespace: &[u8]) {
        self.kv.at(namespace, b"").delete.inc();
    }
    /// The counters of a queue.
    pub fn queue(&self, namespace: &[u8], queue: &[u8]) -> Arc<QueueCounters> {
        self.queues.at(namespace, queue)
    }
    /// The counters of a stream.
    pub fn stream(&self, namespace: &[u8], stream: &[u8]) -> Arc<StreamCounters> {
        self.streams.at(namespace, stream)
    }

    /// The counters of a namespace's time series.
    pub fn ts(&self, namespace: &[u8]) -> Arc<TsCounters> {
        self.ts.at(namespace, b"")
    }

    /// Asks the engine what queues and streams hold; their names are those that were counted.
    pub async fn look(&self, engine: &Engine) {
        let mut standing = Standing { ts: engine.series_stats(), ..Standing::default() };
        for (namespace, name, _) in self.queues.all() {
            let names = (Namespace::new(namespace.clone()), QueueName::new(name.clone()));
            // `_other_` and queues that are gone hold nothing.
            if let (Ok(of), Ok(queue)) = names
                && let Ok(stats) = engine.queue_stats(&of, &queue).await
            {
                standing.queues.push((namespace, name, stats));
            }
        }
        for (namespace, name, _) in self.streams.all() {
            if let (Ok(of), Ok(stream)) = (Namespace::new(namespace.clone()), Name::new(name.clone()))
                && let Ok(info) = engine.stream_info(&of, &stream).await
                && let Ok(groups) = engine.groups(&of, &stream).await
            {
                let pending = groups.iter().map(|group| group.pending).sum();
                standing.streams.push((namespace, name, pending, info.end.saturating_sub(1)));
            }
        }
        *self.standing.lock() = standing;
    }

    fn encode_standing(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let standing = self.standing.lock();
        type Read = fn(&queue::Stats) -> u64;
        let families: [(&'static str, &str, Read); 5] = [
            (names::FLO_QUEUE_LEASES_ACTIVE, "Messages held by consumers", |queue| queue.leased),
            (names::FLO_QUEUE_DLQ_CURRENT, "Dead letters", |queue| queue.dead),
            (names::FLO_QUEUE_DELAYED_CURRENT, "Messages that are not visible yet", |queue| queue.delayed),
            (names::FLO_QUEUE_AVAILABLE, "Messages that a consumer could get", |queue| queue.ready - queue.delayed),
            (names::FLO_QUEUE_LAST_SEQ, "Sequence of the newest message", |queue| queue.last),
        ];
        for (name, help, read) in families {
            let each = standing.queues.iter();
            let series: Series =
                each.map(|(namespace, queue, stats)| (queue_labels(namespace, queue), read(stats))).collect();
            write::gauge_series(encoder, name, help, &series)?;
        }
        let counted: [(&'static str, &str, Read); 3] = [
            (names::FLO_QUEUE_LEASES_EXPIRED, "Leases that ran out", |queue| queue.by_itself.expired),
            (names::FLO_QUEUE_DELAYED_PROMOTED, "Messages whose delay was over", |queue| queue.by_itself.promoted),
            (names::FLO_QUEUE_DLQ_MESSAGES, "Messages that became dead letters", |queue| queue.dead_total),
        ];
        for (name, help, read) in counted {
            let each = standing.queues.iter();
            let series: Series =
                each.map(|(namespace, queue, stats)| (queue_labels(namespace, queue), read(stats))).collect();
            write::counter_series(encoder, name, help, &series)?;
        }
        let streams = || standing.streams.iter();
        let pending: Series = streams().map(|(of, name, pending, _)| (stream_labels(of, name), *pending)).collect();
        write::gauge_series(encoder, names::FLO_STREAM_PENDING, "Records delivered and not acknowledged", &pending)?;
        let last: Series = streams().map(|(of, name, _, last)| (stream_labels(of, name), *last)).collect();
        write::gauge_series(encoder, names::FLO_STREAM_LAST_SEQ, "Offset of the last record", &last)?;
        flo_ts::encode_standing(&standing.ts, encoder)
    }

    fn encode_node(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, value) in [
            (names::FLO_CONNECTIONS, "Open connections", self.connections.open()),
            (names::FLO_UPTIME, "Seconds since the start", self.uptime_seconds()),
            (names::FLO_SHARDS, "Shards", self.shards.into()),
            (names::FLO_CLUSTER_NODES, "Nodes of the cluster", 1),
            (names::FLO_CLUSTER_PARTITIONS, "Partitions of the cluster", self.partitions.into()),
            (names::FLO_GOSSIP_MEMBERS, "Members that gossip", 1),
        ] {
            write::gauge(encoder, name, help, one(value))?;
        }
        for (name, help, counter) in [
            (names::FLO_COMMANDS, "Requests answered", &self.commands),
            (names::FLO_BYTES_RECEIVED, "Bytes of request bodies", &self.received),
            (names::FLO_BYTES_SENT, "Bytes of answers", &self.sent),
        ] {
            write::counter(encoder, name, help, one(counter.get()))?;
        }
        let part = |whole: u64| self.shares(whole);
        write::gauge_series(
            encoder,
            names::FLO_SHARD_CONNECTIONS,
            "Open connections, by shard",
            &part(self.connections()),
        )?;
        write::gauge_series(
            encoder,
            names::FLO_SHARD_PARTITIONS,
            "Partitions, by shard",
            &part(self.partitions.into()),
        )?;
        let commands = part(self.commands.get());
        write::counter_series(encoder, names::FLO_SHARD_COMMANDS, "Requests answered, by shard", &commands)?;
        let received = part(self.received.get());
        write::counter_series(
            encoder,
            names::FLO_SHARD_BYTES_RECEIVED,
            "Bytes of request bodies, by shard",
            &received,
        )?;
        let sent = part(self.sent.get());
        write::counter_series(encoder, names::FLO_SHARD_BYTES_SENT, "Bytes of answers, by shard", &sent)
    }

    fn shares(&self, whole: u64) -> Series {
        let part = |id: u32| (vec![("shard_id", id.to_string())], share(whole, id, self.shards));
        (0..self.shards).map(part).collect()
    }

    fn encode_kv(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.kv.all();
        type Read = fn(&KvCounters) -> &Counter;
        let families: [(&'static str, &str, Read); 3] = [
            (names::FLO_KV_SET, "Keys written", |kv| &kv.set),
            (names::FLO_KV_GET, "Keys read", |kv| &kv.get),
            (names::FLO_KV_DELETE, "Keys removed", |kv| &kv.delete),
        ];
        for (name, help, read) in families {
            let series: Series =
                all.iter().map(|(namespace, _, kv)| (vec![("namespace", namespace.clone())], read(kv).get())).collect();
            write::counter_series(encoder, name, help, &series)?;
        }
        Ok(())
    }

    fn encode_queues(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.queues.all();
        type Read = fn(&QueueCounters) -> &Counter;
        let families: [(&'static str, &str, Read); 15] = [
            (names::FLO_QUEUE_ENQUEUE_OPS, "Enqueues", |queue| &queue.enqueue_ops),
            (names::FLO_QUEUE_ENQUEUE_MESSAGES, "Messages accepted", |queue| &queue.enqueue_messages),
            (names::FLO_QUEUE_ENQUEUE_BYTES, "Bytes of payloads accepted", |queue| &queue.enqueue_bytes),
            (names::FLO_QUEUE_ENQUEUE_DELAYED, "Messages accepted with a delay", |queue| &queue.enqueue_delayed),
            (names::FLO_QUEUE_ENQUEUE_ERRORS, "Enqueues refused", |queue| &queue.enqueue_errors),
            (names::FLO_QUEUE_ENQUEUE_DEDUP, "Enqueues of a known key", |queue| &queue.enqueue_dedup),
            (names::FLO_QUEUE_DEQUEUE_OPS, "Dequeues", |queue| &queue.dequeue_ops),
            (names::FLO_QUEUE_DEQUEUE_MESSAGES, "Messages delivered", |queue| &queue.dequeue_messages),
            (names::FLO_QUEUE_DEQUEUE_BYTES, "Bytes of payloads delivered", |queue| &queue.dequeue_bytes),
            (names::FLO_QUEUE_DEQUEUE_EMPTY, "Dequeues without a message", |queue| &queue.dequeue_empty),
            (names::FLO_QUEUE_LEASES_CREATED, "Leases given", |queue| &queue.dequeue_messages),
            (names::FLO_QUEUE_LEASES_COMPLETED, "Leases ended by an ack", |queue| &queue.leases_completed),
            (names::FLO_QUEUE_LEASES_EXTENDED, "Leases made longer", |queue| &queue.leases_extended),
            (names::FLO_QUEUE_DLQ_REQUEUE, "Dead letters put back", |queue| &queue.dlq_requeue),
            (names::FLO_QUEUE_DLQ_DELETE, "Dead letters thrown away", |queue| &queue.dlq_delete),
        ];
        for (name, help, read) in families {
            let series: Series = all
                .iter()
                .map(|(namespace, queue, counters)| (queue_labels(namespace, queue), read(counters).get()))
                .collect();
            write::counter_series(encoder, name, help, &series)?;
        }
        Ok(())
    }

    fn encode_streams(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.streams.all();
        type Read = fn(&StreamCounters) -> &Counter;
        let families: [(&'static str, &str, Read); 12] = [
            (names::FLO_STREAM_APPEND_OPS, "Appends", |stream| &stream.append_ops),
            (names::FLO_STREAM_APPEND_RECORDS, "Records appended", |stream| &stream.append_records),
            (names::FLO_STREAM_APPEND_BYTES, "Bytes of payloads appended", |stream| &stream.append_bytes),
            (names::FLO_STREAM_APPEND_ERRORS, "Appends refused", |stream| &stream.append_errors),
            (names::FLO_STREAM_READ_OPS, "Reads", |stream| &stream.read_ops),
            (names::FLO_STREAM_READ_RECORDS, "Records read", |stream| &stream.read_records),
            (names::FLO_STREAM_READ_BYTES, "Bytes of payloads read", |stream| &stream.read_bytes),
            (names::FLO_STREAM_READ_EMPTY, "Reads without a record", |stream| &stream.read_empty),
            (names::FLO_STREAM_GROUP_READS, "Reads by consumers of groups", |stream| &stream.group_reads),
            (names::FLO_STREAM_GROUP_ACKS, "Records acknowledged", |stream| &stream.group_acks),
            (names::FLO_STREAM_TRIM_OPS, "Trims", |stream| &stream.trim_ops),
            (names::FLO_STREAM_TRIM_RECORDS, "Records trimmed", |stream| &stream.trim_records),
        ];
        for (name, help, read) in families {
            let series: Series = all
                .iter()
                .map(|(namespace, stream, counters)| (stream_labels(namespace, stream), read(counters).get()))
                .collect();
            write::counter_series(encoder, name, help, &series)?;
        }
        let readers: Series = all
            .iter()
            .map(|(namespace, stream, counters)| {
                (stream_labels(namespace, stream), counters.blocking_readers.get().unsigned_abs())
            })
            .collect();
        write::gauge_series(encoder, names::FLO_STREAM_BLOCKING_READERS, "Readers that wait", &readers)
    }
}

impl Collector for FloMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.requests.encode_by_route(encoder, names::FLO_HTTP_REQUESTS, names::FLO_HTTP_REQUEST_DURATION)?;
        self.encode_node(encoder)?;
        self.encode_kv(encoder)?;
        self.encode_queues(encoder)?;
        self.encode_streams(encoder)?;
        flo_ts::encode(&self.ts, encoder)?;
        self.encode_standing(encoder)
    }
}

/// The part of a whole that shard `id` of `shards` has when they are dealt out one by one.
pub fn share(whole: u64, id: u32, shards: u32) -> u64 {
    let (id, shards) = (u64::from(id), u64::from(shards));
    whole / shards + u64::from(id < whole % shards)
}

fn queue_labels(namespace: &str, queue: &str) -> Vec<(&'static str, String)> {
    vec![("namespace", namespace.to_owned()), ("queue", queue.to_owned())]
}

/// A stream is one partition of itself.
fn stream_labels(namespace: &str, stream: &str) -> Vec<(&'static str, String)> {
    vec![("namespace", namespace.to_owned()), ("topic", stream.to_owned()), ("partition", "0".to_owned())]
}
