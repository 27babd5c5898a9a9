//! Everything of publish and subscribe in one place. Its locks are taken in this order, and no other lock under them:
//! subscribers, topics, one queue.

use std::{
    cmp::Reverse,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::{
    Result, Timestamp, chance,
    pubsub::{
        MAX_WAITING_BYTES_OF_ALL, Message, Pattern, Publish, Published, Stats, Topic, TopicInfo,
        held::AllHeld,
        outlet::{Handed, Outlet},
        subscribers::{self, Subscribers},
        topics::Topics,
        tree::Id,
    },
};

/// The subscribers and the topics of the engine.
#[derive(Debug)]
pub(crate) struct PubSub {
    subscribers: RwLock<Subscribers>,
    topics: Mutex<Topics>,
    /// When the first registration lapses, so that nobody has to lock for it in vain.
    next_lapse: AtomicU64,
    /// The numbers of messages go on from here.
    first_id: u64,
    held: AllHeld,
    published: AtomicU64,
    delivered: AtomicU64,
    slow: AtomicU64,
}

impl PubSub {
    /// Nobody and nothing.
    pub(crate) fn new() -> Self {
        PubSub {
            subscribers: RwLock::default(),
            topics: Mutex::default(),
            next_lapse: AtomicU64::new(u64::MAX),
            first_id: u64::from(chance::number()) << 32,
            held: AllHeld::default(),
            published: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            slow: AtomicU64::new(0),
        }
    }

    /// Hands a message to everybody who is subscribed to its topic now.
    pub(crate) fn publish(&self, publish: Publish, now: Timestamp) -> Published {
        self.lapse(now);
        let Publish { topic, payload, headers } = publish;
        let id = self.first_id.wrapping_add(1 + self.published.fetch_add(1, Ordering::Relaxed));
        let held = self.held.weigh(topic.as_bytes().len() + payload.len() + headers.len());
        let message = Arc::new(Message { id, topic, payload, headers, at: now, held });
        let (mut notified, mut too_slow) = (0, Vec::new());
        let matched = {
            let subscribers = self.subscribers.read();
            let (matching, _) = subscribers.matching(&message.topic);
            for id in &matching {
                match subscribers.outlet(*id).map(|outlet| outlet.hand(&message)) {
                    Some(Handed::Over) => notified += 1,
                    Some(Handed::TooMany) => too_slow.push(*id),
                    Some(Handed::Slow) | None => {}
                }
            }
            if notified > 0 {
                too_slow.extend(self.make_room(&subscribers));
            }
            matching.len()
        };
        self.delivered.fetch_add(notified as u64, Ordering::Relaxed);
        self.drop_slow(&too_slow);
        self.topics.lock().published(&message.topic, now);
        Published { id, notified, matched }
    }

    /// Gives up subscribers until what waits for all is within its bound: first those for whom most waits, and of those for
    /// whom about as much does (to a power of two) the one whose first message has waited longest.
    fn make_room(&self, subscribers: &Subscribers) -> Vec<Id> {
        let is_over = || self.held.bytes() > MAX_WAITING_BYTES_OF_ALL;
        if !is_over() {
            return Vec::new();
        }
        let backlog = |(id, outlet): (Id, _)| Outlet::backlog(outlet).map(|backlog| (backlog, id, outlet));
        let mut waiting: Vec<_> = subscribers.outlets().filter_map(backlog).collect();
        waiting.sort_unstable_by_key(|((bytes, oldest), ..)| (Reverse(bytes.checked_ilog2()), *oldest));
        let most = waiting.into_iter().take_while(|_| is_over());
        most.filter(|(.., outlet)| outlet.give_up()).map(|(_, id, _)| id).collect()
    }

    /// Lets somebody in, subscribed to nothing yet.
    pub(crate) fn join(&self, outlet: Arc<Outlet>) -> Id {
        self.subscribers.write().join(outlet)
    }

    /// Adds patterns of a subscriber.
    pub(crate) fn add(&self, id: Id, patterns: &[Pattern], now: Timestamp) -> Result<usize> {
        let mut subscribers = self.subscribers.write();
        subscribers.check_room(Some(id), patterns)?;
        Ok(self.add_to(&mut subscribers, id, patterns, now))
    }

    /// Takes patterns of a subscriber away, or all.
    pub(crate) fn remove(&self, id: Id, patterns: Option<&[Pattern]>) -> usize {
        let mut subscribers = self.subscribers.write();
        let (removed, topics) = subscribers.remove(id, patterns);
        self.unlist(topics);
        removed
    }

    /// A subscriber goes.
    pub(crate) fn leave(&self, id: Id) {
        let mut subscribers = self.subscribers.write();
        let topics = subscribers.leave(id);
        self.unlist(topics);
    }

    /// Adds patterns of a registration and renews it; how many it has.
    pub(crate) fn register(&self, name: &Bytes, patterns: &[Pattern], now: Timestamp) -> Result<usize> {
        self.lapse(now);
        let mut subscribers = self.subscribers.write();
        subscribers.check_room(subscribers.registration(name), patterns)?;
        let id = subscribers.register(name, now)?;
        let count = self.add_to(&mut subscribers, id, patterns, now);
        self.remember_lapse(&subscribers);
        Ok(count)
    }

    /// Takes patterns of a registration away, or all; how many there were of them.
    pub(crate) fn unregister(&self, name: &[u8], patterns: Option<&[Pattern]>, now: Timestamp) -> usize {
        self.lapse(now);
        let mut subscribers = self.subscribers.write();
        let Some(id) = subscribers.registration(name) else { return 0 };
        let (removed, topics) = subscribers.remove(id, patterns);
        self.unlist(topics);
        self.remember_lapse(&subscribers);
        removed
    }

    /// The listed topics that `pattern` means, in byte order.
    pub(crate) fn topics(&self, pattern: Option<&Pattern>, now: Timestamp) -> Vec<Topic> {
        self.lapse(now);
        self.topics.lock().list(now, |topic| pattern.is_none_or(|pattern| pattern.matches(topic)))
    }

    /// What is known of a topic; none when it is not listed.
    pub(crate) fn topic(&self, topic: &Topic, now: Timestamp) -> Option<TopicInfo> {
        self.lapse(now);
        let (messages, created_at) = self.topics.lock().get(topic, now)?;
        let subscribers = self.subscribers.read().matching(topic).0.len();
        Some(TopicInfo { subscribers, messages, created_at })
    }

    /// Numbers.
    pub(crate) fn stats(&self, now: Timestamp) -> Stats {
        self.lapse(now);
        let topics = self.topics.lock().len(now);
        let subscribers = self.subscribers.read();
        Stats {
            topics,
            subscribers: subscribers.active(),
            wildcards: subscribers.wildcards(),
            published_total: self.published.load(Ordering::Relaxed),
            delivered_total: self.delivered.load(Ordering::Relaxed),
            slow_total: self.slow.load(Ordering::Relaxed),
        }
    }

    fn add_to(&self, subscribers: &mut Subscribers, id: Id, patterns: &[Pattern], now: Timestamp) -> usize {
        let (count, exact) = subscribers.add(id, patterns);
        if !exact.is_empty() {
            let mut topics = self.topics.lock();
            exact.into_iter().for_each(|topic| topics.subscribed(topic, now));
        }
        count
    }

    /// Must be called with the subscribers locked: a topic's subscriptions are counted in the order they change.
    fn unlist(&self, ended: subscribers::Topics) {
        if !ended.is_empty() {
            let mut topics = self.topics.lock();
            ended.iter().for_each(|topic| topics.unsubscribed(topic));
        }
    }

    /// Takes out those who did not keep up. Their handles stay, and say so.
    fn drop_slow(&self, too_slow: &[Id]) {
        if too_slow.is_empty() {
            return;
        }
        self.slow.fetch_add(too_slow.len() as u64, Ordering::Relaxed);
        let mut subscribers = self.subscribers.write();
        for id in too_slow {
            let topics = subscribers.leave(*id);
            self.unlist(topics);
        }
    }

    /// Forgets the registrations that have lapsed, as soon as anybody would notice them.
    fn lapse(&self, now: Timestamp) {
        if now.0 < self.next_lapse.load(Ordering::Relaxed) {
            return;
        }
        let mut subscribers = self.subscribers.write();
        let topics = subscribers.lapse(now);
        self.unlist(topics);
        self.remember_lapse(&subscribers);
    }

    fn remember_lapse(&self, subscribers: &Subscribers) {
        self.next_lapse.store(subscribers.next_lapse().map_or(u64::MAX, |at| at.0), Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn looked_at(&self, topic: &Topic) -> usize {
        self.subscribers.read().matching(topic).1
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held.bytes()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.subscribers.read().is_empty()
    }
}
