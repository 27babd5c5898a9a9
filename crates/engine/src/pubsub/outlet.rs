//! What waits for one subscriber: a bounded queue between those who publish and the one who reads.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::pubsub::{MAX_WAITING_BYTES, Message, Step, held::Queued};

/// The queue of a subscriber.
#[derive(Debug)]
pub(crate) struct Outlet {
    capacity: usize,
    waiting: Mutex<Waiting>,
    /// Wakes the one reader.
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Queued>,
    bytes: usize,
    /// It did not keep up: what waited is thrown away, and nothing more comes in.
    slow: bool,
}

/// What happened to a message that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handed {
    /// It waits for the reader.
    Over,
    /// There was no room, so the subscriber is one that does not keep up, from now on.
    TooMany,
    /// It was found too slow before.
    Slow,
}

impl Outlet {
    /// Room for `capacity` messages.
    pub(crate) fn new(capacity: usize) -> Self {
        Outlet { capacity: capacity.max(1), waiting: Mutex::default(), arrived: Notify::new() }
    }

    /// Hands a message over.
    pub(crate) fn hand(&self, message: &Arc<Message>) -> Handed {
        let handed = {
            let mut waiting = self.waiting.lock();
            if waiting.slow {
                return Handed::Slow;
            }
            let bytes = waiting.bytes.saturating_add(message.held.bytes());
            let fits = waiting.messages.is_empty() || bytes <= MAX_WAITING_BYTES;
            if waiting.messages.len() < self.capacity && fits {
                waiting.bytes = bytes;
                waiting.messages.push_back(Queued::new(message.clone()));
                Handed::Over
            } else {
                *waiting = Waiting { slow: true, ..Waiting::default() };
                Handed::TooMany
            }
        };
        self.arrived.notify_one();
        handed
    }

    /// What comes next, without waiting.
    pub(crate) fn try_next(&self) -> Option<Step> {
        let mut waiting = self.waiting.lock();
        if waiting.slow {
            return Some(Step::Slow);
        }
        let message = waiting.messages.pop_front()?;
        waiting.bytes -= message.held.bytes();
        Some(Step::Message(message.take()))
    }

    /// The bytes that wait, and the number of the message that has waited longest; none if nothing waits.
    pub(crate) fn backlog(&self) -> Option<(usize, u64)> {
        let waiting = self.waiting.lock();
        waiting.messages.front().map(|oldest| (waiting.bytes, oldest.id))
    }

    /// Finds the subscriber too slow; whether it was not found so before.
    pub(crate) fn give_up(&self) -> bool {
        let before = std::mem::replace(&mut *self.waiting.lock(), Waiting { slow: true, ..Waiting::default() });
        self.arrived.notify_one();
        !before.slow
    }

    /// Whether it did not keep up.
    pub(crate) fn is_slow(&self) -> bool {
        self.waiting.lock().slow
    }

    /// Completes when something was handed over since the last look.
    pub(crate) async fn arrival(&self) {
        self.arrived.notified().await;
    }
}
