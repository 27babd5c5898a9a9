//! What a connection is subscribed to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use manifold_engine::{
    Name,
    pubsub::{self, Message, Pattern, Subscriber},
    stream::Record,
};

use super::{
    super::{Synap, envelope::Id, error::Error},
    rooms::Rooms,
};

/// Messages that are taken at once.
const STEP_MESSAGES: usize = 64;

/// The subscriptions of one connection. Commands change them, its session reads what comes of them; both in one task.
#[derive(Debug)]
pub(crate) struct Connection {
    id: Id,
    topics: Subscriber,
    rooms: Rooms,
    /// Topics were left: what waits is of the time before that.
    left_topics: AtomicBool,
}

/// Something that a connection is told without having asked.
#[derive(Debug)]
pub(super) enum Push {
    /// Messages of topics.
    Messages(Vec<Arc<Message>>),
    /// Events of a room.
    Events {
        room: Name,
        /// Which life of the name it is, as the engine counts.
        generation: u64,
        records: Vec<Arc<Record>>,
    },
    /// Events of a room are gone that should have come.
    Missed {
        room: Name,
        /// The offset that should have come, as the engine counts.
        expected: u64,
        /// The one that comes instead.
        oldest: u64,
    },
    /// The room is gone.
    RoomGone(Name),
    /// Messages came faster than they were taken: nothing more comes.
    Slow,
    /// The store cannot be read: a gap must not look like silence.
    Failed,
}

impl Connection {
    /// Subscribed to nothing.
    pub(super) fn new(synap: &Synap) -> Result<Self, Error> {
        let topics = synap.engine.subscriber(synap.subscriber_buffer)?;
        Ok(Connection { id: Id::fresh(), topics, rooms: Rooms::default(), left_topics: AtomicBool::new(false) })
    }

    /// What clients call it.
    pub(in super::super) fn id(&self) -> &str {
        self.id.as_str()
    }

    pub(in super::super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// Subscribes to patterns; how many there are now.
    pub(in super::super) fn join_topics(&self, patterns: &[Pattern]) -> Result<usize, Error> {
        Ok(self.topics.add(patterns)?)
    }

    /// Leaves patterns, or all; how many of them there were.
    pub(in super::super) fn leave_topics(&self, patterns: Option<&[Pattern]>) -> usize {
        let left = self.topics.remove(patterns);
        self.left_topics.store(true, Ordering::Relaxed);
        left
    }

    /// Messages that must be told before the next answer, since it says that no more of them come.
    pub(super) fn leftovers(&self) -> Vec<Arc<Message>> {
        if !self.left_topics.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        std::iter::from_fn(|| self.next_message()).collect()
    }

    /// What comes next. May be dropped and called again without loss.
    pub(super) async fn next(&self) -> Push {
        tokio::select! {
            step = self.topics.next() => match step {
                Ok(pubsub::Step::Message(message)) => {
                    let more = std::iter::from_fn(|| self.next_message()).take(STEP_MESSAGES - 1);
                    Push::Messages([message].into_iter().chain(more).collect())
                }
                Ok(pubsub::Step::Slow) => Push::Slow,
                Err(_) => Push::Failed,
            },
            push = self.rooms.next() => push,
        }
    }

    /// Completes when messages came faster than they were taken.
    pub(super) async fn fell_behind(&self) {
        self.topics.fell_behind().await;
    }

    fn next_message(&self) -> Option<Arc<Message>> {
        match self.topics.try_next()? {
            pubsub::Step::Message(message) => Some(message),
            // It is met again.
            pubsub::Step::Slow => None,
        }
    }
}
