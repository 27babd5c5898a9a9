//! Numbers that are read when somebody asks: the engine's, the listeners', the process's.

use std::{fmt, sync::Arc};

use manifold_engine::{Engine, FSYNC_BOUNDS_MICROS, State, StoreStats};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};
use tokio::time::Instant;

use super::{
    names,
    write::{self, Labels, Observed, one},
};
use crate::net::{Budget, Connections, Handshake, Tls};

/// The engine's numbers, of one moment.
#[derive(Debug)]
pub struct EngineGauges(pub Engine);

impl Collector for EngineGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        let ready = u64::from(self.0.state() == State::Ready);
        let store = &stats.store;
        let encoder = &mut encoder;
        for (name, help, value) in [
            (names::ENGINE_READY, "1 when writes are accepted, else 0", ready),
            (names::UNISON_KV_ENTRIES, "Live keys, whatever they hold", stats.kv_entries),
            (names::UNISON_KV_TOMBSTONES, "Remembered versions of removed keys", stats.kv_tombstones),
            (names::UNISON_CHANGES_HEAD_SEQ, "Newest number of the change feed", stats.feed_head),
            (names::UNISON_CHANGES_OLDEST_SEQ, "Oldest number kept in the change feed", stats.feed_oldest),
            (names::UNISON_CHANGES_BYTES, "Bytes of the change feed", stats.feed_bytes),
            (names::INDEX_MEMORY, "Memory of the index", store.memory_bytes),
            (names::LOG_BYTES, "Bytes of all log segments", store.log_bytes),
            (names::LOG_DEAD_BYTES, "Bytes of the log that no live row needs", store.dead_bytes),
            (names::LOG_SEGMENTS, "Log segments", store.segments),
            (names::LOG_REPLAYED, "Bytes replayed at the start", store.replayed_bytes),
            (names::LOG_TORN, "Bytes cut off the end of the log at the start", store.torn_bytes),
        ] {
            write::gauge(encoder, name, help, one(value))?;
        }
        for (name, help, value) in [
            (names::UNISON_EXPIRED, "Keys that expired", stats.expired_total),
            (names::UNISON_CAS_CONFLICTS, "Writes refused by their condition", stats.conflicts_total),
            (names::LOG_COMMITS, "Batches committed", store.commits),
            (names::LOG_FSYNCS, "fsyncs of the log", store.fsyncs),
        ] {
            write::counter(encoder, name, help, one(value))?;
        }
        let seconds = store.fsync_micros as f64 / 1e6;
        write::counter(encoder, names::LOG_FSYNC_SECONDS, "Seconds spent in fsyncs of the log", one(seconds))?;
        write::histogram(encoder, names::FLO_WAL_FSYNC_DURATION, "Seconds an fsync of the log took", one(fsyncs(store)))
    }
}

fn fsyncs(store: &StoreStats) -> Observed {
    let bounds = FSYNC_BOUNDS_MICROS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
    (store.fsync_micros as f64 / 1e6, store.fsyncs, bounds.zip(store.fsync_buckets).collect())
}

/// Connections of every listener, by its name, and what all of them hold together.
#[derive(Debug)]
pub struct ListenerGauges(pub Vec<(&'static str, Arc<Connections>)>, pub Arc<Budget>);

impl ListenerGauges {
    fn each(&self, read: impl Fn(&Connections) -> u64) -> Vec<([(&'static str, &'static str); 1], u64)> {
        self.0.iter().map(|(name, connections)| ([("listener", *name)], read(connections))).collect()
    }
}

impl Collector for ListenerGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        write::gauge(encoder, names::BODIES, "Bytes of request bodies that are held", one(self.1.bodies_bytes()))?;
        let help = "Request bodies refused because all together were too large";
        write::counter(encoder, names::BODIES_REFUSED, help, one(self.1.bodies_refused()))?;
        let open = self.each(Connections::open);
        write::gauge(encoder, names::CONNECTIONS_OPEN, "Open connections", samples(&open))?;
        let accepted = self.each(Connections::accepted);
        write::counter(encoder, names::CONNECTIONS_ACCEPTED, "Connections accepted", samples(&accepted))?;
        let refused = self.each(Connections::refused);
        write::counter(encoder, names::CONNECTIONS_REFUSED, "Connections turned away at the cap", samples(&refused))?;
        let panics = self.each(Connections::panics);
        write::counter(encoder, names::PANICS, "Handlers that panicked", samples(&panics))
    }
}

fn samples<'a>(series: &'a [([(&'static str, &'static str); 1], u64)]) -> impl Iterator<Item = (Labels<'a>, u64)> {
    series.iter().map(|(labels, value)| (&labels[..], *value))
}

/// TLS of the listeners that speak it, by their names.
#[derive(Debug)]
pub struct TlsGauges(pub Vec<(&'static str, Arc<Tls>)>);

impl Collector for TlsGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        let encoder = &mut encoder;
        let handshakes = self.0.iter().flat_map(|(name, tls)| {
            Handshake::ALL.map(|result| ([("listener", *name), ("result", result.name())], tls.handshakes(result)))
        });
        let handshakes: Vec<_> = handshakes.collect();
        let samples = handshakes.iter().map(|(labels, value)| (&labels[..], *value));
        write::counter(encoder, names::TLS_HANDSHAKES, "Handshakes of TLS", samples)?;
        let ends = self.0.iter().filter_map(|(name, tls)| Some((*name, tls.identity().expires?.0 / 1000)));
        let ends: Vec<_> = ends.map(|(name, seconds)| ([("listener", name)], seconds)).collect();
        let help = "When the certificate ends, in seconds since 1970";
        let samples = ends.iter().map(|(labels, value)| (&labels[..], *value));
        write::gauge(encoder, names::TLS_CERTIFICATE_EXPIRES, help, samples)
    }
}

/// The process as the system sees it.
#[derive(Debug)]
pub struct ProcessGauges {
    started: Instant,
}

impl Default for ProcessGauges {
    fn default() -> Self {
        ProcessGauges { started: Instant::now() }
    }
}

impl Collector for ProcessGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let version: Labels<'_> = &[("version", env!("CARGO_PKG_VERSION"))];
        write::gauge(encoder, names::BUILD, "1, with the version as label", [(version, 1u64)])?;
        let uptime = self.started.elapsed().as_secs_f64();
        write::gauge(encoder, names::UPTIME, "Seconds since the process started", one(uptime))?;
        if let Some(bytes) = resident_bytes() {
            write::gauge(encoder, names::RESIDENT, "Resident memory of the process", one(bytes))?;
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            write::gauge(encoder, names::OPEN_FILES, "Open file descriptors", one(files.count() as u64))?;
        }
        Ok(())
    }
}

/// The second number of `/proc/self/statm`, in pages. Absent where there is no such file.
pub fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
