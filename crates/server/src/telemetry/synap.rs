//! What the Synap dialect counts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{Method, StatusCode};
use manifold_engine::{Engine, Name, Namespace, stream::StreamInfo};
use parking_lot::{Mutex, RwLock};
use prometheus_client::{collector::Collector, encoding::DescriptorEncoder, registry::Registry};

use super::{
    Counter, Requests, exposition,
    labelled::{MAX_NAMES, OTHER},
    names,
    pace::Pace,
    write::{self, Series, one},
};

#[cfg(test)]
mod tests;

/// Synap's own counters, fed by its handlers.
#[derive(Debug)]
pub struct SynapMetrics {
    commands: Box<[CommandCounter]>,
    requests: Requests,
    kv: Pace,
    /// What commands did to values.
    pub values: ValueCounters,
    consumed: Consumed,
    standing: Mutex<Standing>,
}

/// What commands did to values.
#[derive(Debug, Default)]
pub struct ValueCounters {
    /// Values that were looked for and found.
    pub hits: Counter,
    /// Values that were looked for and not there.
    pub misses: Counter,
    /// Values written.
    pub sets: Counter,
    /// Keys deleted.
    pub dels: Counter,
}

impl ValueCounters {
    /// Somebody looked for a value.
    pub fn looked(&self, found: bool) {
        if found { &self.hits } else { &self.misses }.inc();
    }
}

/// Most rooms whose readers are counted. Of more, the oldest ones are no longer counted.
const MOST_ROOMS_COUNTED: usize = 10_000;

/// Events given to readers, by the generation of their room: a room that is made anew is another one.
#[derive(Debug, Default)]
struct Consumed(RwLock<BTreeMap<u64, AtomicU64>>);

impl Consumed {
    fn add(&self, generation: u64, events: u64) {
        if let Some(counted) = self.0.read().get(&generation) {
            counted.fetch_add(events, Ordering::Relaxed);
            return;
        }
        let mut rooms = self.0.write();
        rooms.entry(generation).or_default().fetch_add(events, Ordering::Relaxed);
        if rooms.len() > MOST_ROOMS_COUNTED {
            rooms.pop_first();
        }
    }

    fn of(&self, generation: u64) -> u64 {
        self.0.read().get(&generation).map_or(0, |counted| counted.load(Ordering::Relaxed))
    }
}

#[derive(Debug)]
struct CommandCounter {
    name: &'static str,
    done: Counter,
    refused: Counter,
}

/// What queues and rooms held when somebody looked last; the value of `_other_` is the sum of the rest.
#[derive(Debug, Default)]
struct Standing {
    queues: Vec<(String, u64, u64)>,
    rooms: Vec<(String, u64, u64, u64)>,
}

impl SynapMetrics {
    /// For these commands, spelled component, dot, operation.
    pub fn new(commands: Vec<&'static str>) -> Self {
        let counter = |name| CommandCounter { name, done: Counter::default(), refused: Counter::default() };
        SynapMetrics {
            commands: commands.into_iter().map(counter).collect(),
            requests: Requests::default(),
            kv: Pace::default(),
            values: ValueCounters::default(),
            consumed: Consumed::default(),
            standing: Mutex::default(),
        }
    }
    /// Counts an executed command by its place among all.
    pub fn command(&self, at: usize, done: bool) {
        let Some(counter) = self.commands.get(at) else { return };
        if done {
            counter.done.inc()
        } else {
            counter.refused.inc()
        }
        if counter.name.starts_with("kv.") {
            self.kv.inc();
        }
    }
    /// Commands of a component that were executed since the start.
    pub fn commands_of(&self, component: &str) -> u64 {
        let of_it = |counter: &&CommandCounter| counter.name.split_once('.').is_some_and(|(of, _)| of == component);
        self.commands.iter().filter(of_it).map(|counter| counter.done.get() + counter.refused.get()).sum()
    }
    /// Counts an answer; `route` is the template, never a real path.
    pub fn request(&self, route: &'static str, method: &Method, status: StatusCode, elapsed: Duration) {
        self.requests.record(route, method, status, elapsed);
    }
    /// Counts events that a reader was given of the room of this [generation](StreamInfo::generation).
    pub fn consumed(&self, generation: u64, events: u64) {
        self.consumed.add(generation, events);
    }
    /// Events that readers were given of a room since the start.
    pub fn consumed_of(&self, generation: u64) -> u64 {
        self.consumed.of(generation)
    }
    /// Commands on keys per second lately.
    pub fn kv_per_second(&self) -> u64 {
        self.kv.read().1
    }
    /// Seconds since the dialect was started.
    pub fn uptime_seconds(&self) -> u64 {
        self.kv.elapsed().as_secs()
    }

    /// Asks the engine what the queues and rooms of a namespace hold.
    pub async fn look(&self, engine: &Engine, namespace: &Namespace) {
        let mut standing = Standing::default();
        let living = engine.queue_list(namespace).await.unwrap_or_default();
        for queue in &living {
            // One that was deleted since it was listed holds nothing.
            if let Ok(stats) = engine.queue_stats(namespace, queue).await {
                standing.add_queue(queue.as_bytes(), stats.ready, stats.dead);
            }
        }
        // A queue that is deleted leaves its dead letters. The list of the living is sorted.
        for queue in engine.queue_list_with_letters(namespace).await.unwrap_or_default() {
            if living.binary_search(&queue).is_err()
                && let Ok(letters) = engine.queue_letter_stats(namespace, &queue).await
                && letters.ready + letters.leased > 0
            {
                standing.add_queue(queue.as_bytes(), 0, letters.ready + letters.leased);
            }
        }
        let mut after: Option<Name> = None;
        while let Ok(page) = engine.streams(namespace, after.as_ref(), MAX_NAMES).await {
            page.iter().for_each(|room| standing.add_room(room));
            match page.last() {
                Some(last) if page.len() == MAX_NAMES => after = Some(last.name.clone()),
                _ => break,
            }
        }
        *self.standing.lock() = standing;
    }

    /// All samples of this dialect in the text format.
    pub fn page(self: &Arc<Self>, engine: &Engine) -> Option<String> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        registry.register_collector(Box::new(Memory(engine.clone())));
        exposition::page(&registry)
    }

    fn encode_commands(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let each = || self.commands.iter().filter_map(|command| Some((command.name.split_once('.')?, command)));
        let executed = each().map(|((component, operation), command)| {
            let labels = vec![("component", component.to_owned()), ("operation", operation.to_owned())];
            (labels, command.done.get() + command.refused.get())
        });
        let executed: Series = executed.filter(|(_, count)| *count > 0).collect();
        write::counter_series(encoder, names::SYNAP_OPERATIONS, "Total operations by type", &executed)?;

        let on_keys = each().filter(|((component, _), _)| *component == "kv");
        let by_status = on_keys.flat_map(|((_, operation), command)| {
            [("success", command.done.get()), ("error", command.refused.get())].map(|(status, count)| {
                (vec![("operation", operation.to_owned()), ("status", status.to_owned())], count)
            })
        });
        let by_status: Series = by_status.filter(|(_, count)| *count > 0).collect();
        write::counter_series(encoder, names::SYNAP_KV_OPERATIONS, "Commands on keys", &by_status)
    }

    fn encode_standing(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Standing { queues, rooms } = &*self.standing.lock();
        let labels = |label, name: &String| vec![(label, name.clone())];
        let depth = queues.iter().map(|(name, depth, _)| (labels("queue", name), *depth)).collect();
        write::gauge_series(encoder, names::SYNAP_QUEUE_DEPTH, "Messages that wait", &depth)?;
        let dead = queues.iter().map(|(name, _, dead)| (labels("queue", name), *dead)).collect();
        write::gauge_series(encoder, names::SYNAP_QUEUE_DLQ, "Dead letters", &dead)?;
        let last = rooms.iter().map(|(name, last, ..)| (labels("room", name), *last)).collect();
        write::gauge_series(encoder, names::SYNAP_STREAM_LAST, "Offset of the newest event", &last)?;
        let kept = rooms.iter().map(|(name, _, kept, _)| (labels("room", name), *kept)).collect();
        write::gauge_series(encoder, names::SYNAP_STREAM_BUFFER, "Events kept", &kept)?;
        let subscribers = rooms.iter().map(|(name, .., subscribers)| (labels("room", name), *subscribers)).collect();
        write::gauge_series(encoder, names::SYNAP_STREAM_SUBSCRIBERS, "Subscribers", &subscribers)
    }
}

impl Standing {
    fn add_queue(&mut self, name: &[u8], ready: u64, letters: u64) {
        if self.queues.len() < MAX_NAMES {
            return self.queues.push((String::from_utf8_lossy(name).into_owned(), ready, letters));
        }
        if self.queues.len() == MAX_NAMES {
            self.queues.push((OTHER.to_owned(), 0, 0));
        }
        if let Some((_, depth, dead)) = self.queues.last_mut() {
            *depth += ready;
            *dead += letters;
        }
    }

    fn add_room(&mut self, room: &StreamInfo) {
        let (last, kept, subscribers) = (room.end, room.end - room.first, room.followers as u64);
        if self.rooms.len() < MAX_NAMES {
            let name = String::from_utf8_lossy(room.name.as_bytes()).into_owned();
            return self.rooms.push((name, last, kept, subscribers));
        }
        if self.rooms.len() == MAX_NAMES {
            self.rooms.push((OTHER.to_owned(), 0, 0, 0));
        }
        if let Some((_, all_last, all_kept, all_subscribers)) = self.rooms.last_mut() {
            *all_last = last.max(*all_last);
            *all_kept += kept;
            *all_subscribers += subscribers;
        }
    }
}

impl Collector for SynapMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.encode_commands(encoder)?;
        self.encode_standing(encoder)?;
        self.requests.encode_answered(encoder, names::SYNAP_HTTP_REQUESTS)?;
        // There are no replicas, so there is no sample either.
        write::gauge_series(encoder, names::SYNAP_REPLICATION_LAG, "Replication lag in milliseconds", &Series::new())
    }
}

/// The memory that the limit is about.
#[derive(Debug)]
pub struct Memory(pub Engine);

impl Collector for Memory {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let bytes = self.0.stats().accounted_bytes;
        write::gauge(&mut encoder, names::SYNAP_MEMORY, "Memory usage in bytes", one(bytes))
    }
}
