//! How many bytes the messages take that wait for anybody, each counted once.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::pubsub::Message;

/// The bytes of all messages that wait.
#[derive(Debug, Default)]
pub(super) struct AllHeld(Arc<AtomicUsize>);

impl AllHeld {
    /// For a message of so many bytes that waits nowhere yet.
    pub(super) fn weigh(&self, bytes: usize) -> Held {
        Held { bytes, queues: AtomicUsize::new(0), all: self.0.clone() }
    }

    /// Their sum now.
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The bytes of one message, counted while it waits in any queue.
#[derive(Debug)]
pub(super) struct Held {
    bytes: usize,
    queues: AtomicUsize,
    all: Arc<AtomicUsize>,
}

impl Held {
    /// The size of the message.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A message in a queue.
#[derive(Debug)]
pub(super) struct Queued(Arc<Message>);

impl Queued {
    /// Only the one who publishes a message queues it, so it is counted before anybody takes it out.
    pub(super) fn new(message: Arc<Message>) -> Self {
        let held = &message.held;
        if held.queues.fetch_add(1, Ordering::AcqRel) == 0 {
            held.all.fetch_add(held.bytes, Ordering::Relaxed);
        }
        Queued(message)
    }

    /// Out of the queue.
    pub(super) fn take(self) -> Arc<Message> {
        self.0.clone()
    }
}

impl Deref for Queued {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let held = &self.0.held;
        if held.queues.fetch_sub(1, Ordering::AcqRel) == 1 {
            held.all.fetch_sub(held.bytes, Ordering::Relaxed);
        }
    }
}
