//! How many bytes the messages take that somebody still has to read.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The bytes of all messages that there are.
#[derive(Debug, Default)]
pub(super) struct AllHeld(Arc<AtomicUsize>);

impl AllHeld {
    /// Counts so many bytes until the guard goes.
    pub(super) fn hold(&self, bytes: usize) -> Held {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Held { bytes, all: self.0.clone() }
    }

    /// Their sum now.
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The bytes of one message, counted for as long as anybody has it.
#[derive(Debug)]
pub(super) struct Held {
    bytes: usize,
    all: Arc<AtomicUsize>,
}

impl Held {
    /// The size of the message.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
