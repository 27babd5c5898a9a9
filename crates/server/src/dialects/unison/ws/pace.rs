//! `maxRate`: between two notifications of a key only its newest change is kept.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use manifold_engine::{Key, Namespace, feed::Change};
use tokio::time::Instant;

/// Keys that can be paced at a time; what comes beyond is told of at once.
const MAX_KEYS: usize = 10_000;
/// Bytes of values that may be held back.
const MAX_HELD_BYTES: usize = 8 << 20;

type Target = (Namespace, Key);

/// What is held back for one socket.
#[derive(Debug, Default)]
pub(super) struct Pace {
    keys: HashMap<Target, Paced>,
    /// When each paced key may be told of again: once per key, numbered because two may be due at one instant.
    due: BTreeMap<(Instant, u64), Target>,
    next_number: u64,
    held_bytes: usize,
}

#[derive(Debug)]
struct Paced {
    interval: Duration,
    held: Option<Arc<Change>>,
}

impl Pace {
    /// Whether to tell of the change now; if not, it is held until its key may be told of again, unless a newer one
    /// comes first.
    pub(super) fn admit(&mut self, change: &Arc<Change>, per_second: u32, now: Instant) -> bool {
        let target = (change.namespace.clone(), change.key.clone());
        let interval = Duration::from_secs(1) / per_second.max(1);
        let Some(paced) = self.keys.get_mut(&target) else {
            if self.keys.len() < MAX_KEYS {
                self.keys.insert(target.clone(), Paced { interval, held: None });
                self.schedule(target, now + interval);
            }
            return true;
        };
        paced.interval = interval;
        self.held_bytes -= paced.held.take().map_or(0, |held| size(&held));
        if self.held_bytes + size(change) > MAX_HELD_BYTES {
            return true;
        }
        self.held_bytes += size(change);
        paced.held = Some(change.clone());
        false
    }

    /// Forgets what is held of the key, because something newer was told.
    pub(super) fn overtaken(&mut self, change: &Change) {
        if self.keys.is_empty() {
            return;
        }
        if let Some(paced) = self.keys.get_mut(&(change.namespace.clone(), change.key.clone())) {
            self.held_bytes -= paced.held.take().map_or(0, |held| size(&held));
        }
    }

    /// When something may be due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// What may be told of now.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Arc<Change>> {
        let mut released = Vec::new();
        while self.next_due().is_some_and(|at| at <= now) {
            let Some((_, target)) = self.due.pop_first() else { break };
            let Some(paced) = self.keys.get_mut(&target) else { continue };
            let Some(change) = paced.held.take() else {
                // A whole interval without news: the key is no longer paced.
                self.keys.remove(&target);
                continue;
            };
            let again = now + paced.interval;
            self.held_bytes -= size(&change);
            released.push(change);
            self.schedule(target, again);
        }
        released
    }

    fn schedule(&mut self, target: Target, at: Instant) {
        self.next_number += 1;
        self.due.insert((at, self.next_number), target);
    }
}

fn size(change: &Change) -> usize {
    change.value.as_ref().map_or(0, |value| value.bytes.len())
}

#[cfg(test)]
mod tests;
