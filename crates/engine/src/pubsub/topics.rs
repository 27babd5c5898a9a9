//! The topics that are listed: those with an exact subscription, and the newest of those that were published to lately.

use std::collections::{BTreeMap, HashMap};

use foldhash::quality::RandomState;

use crate::{
    Timestamp,
    pubsub::{TOPIC_MEMORY, TOPICS_REMEMBERED, Topic},
};

/// All listed topics.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    cards: HashMap<Topic, Card, RandomState>,
    /// Topics with a remembered message, by the turn of their last one.
    by_turn: BTreeMap<u64, Topic>,
    next_turn: u64,
}

/// A listed topic.
#[derive(Debug)]
struct Card {
    created_at: Timestamp,
    messages: u64,
    /// Patterns that mean exactly this topic.
    subscriptions: usize,
    /// The turn and the time of the last message, while it is remembered.
    last: Option<(u64, Timestamp)>,
}

impl Card {
    fn new(created_at: Timestamp) -> Self {
        Card { created_at, messages: 0, subscriptions: 0, last: None }
    }
}

impl Topics {
    /// A message was published.
    pub(crate) fn published(&mut self, topic: &Topic, now: Timestamp) {
        self.forget(now);
        let turn = self.next_turn;
        self.next_turn += 1;
        let card = match self.cards.get_mut(topic) {
            Some(card) => card,
            None => self.cards.entry(topic.clone()).or_insert_with(|| Card::new(now)),
        };
        card.messages += 1;
        let known = match card.last.replace((turn, now)) {
            Some((before, _)) => self.by_turn.remove(&before),
            None => None,
        };
        self.by_turn.insert(turn, known.unwrap_or_else(|| topic.clone()));
        if self.by_turn.len() > TOPICS_REMEMBERED {
            self.forget_oldest();
        }
    }

    /// Somebody has subscribed to exactly this topic.
    pub(crate) fn subscribed(&mut self, topic: Topic, now: Timestamp) {
        self.cards.entry(topic).or_insert_with(|| Card::new(now)).subscriptions += 1;
    }

    /// Such a subscription has ended.
    pub(crate) fn unsubscribed(&mut self, topic: &Topic) {
        let Some(card) = self.cards.get_mut(topic) else { return };
        card.subscriptions -= 1;
        if card.subscriptions == 0 && card.last.is_none() {
            self.cards.remove(topic);
        }
    }

    /// Those for which `wanted` holds, in byte order.
    pub(crate) fn list(&mut self, now: Timestamp, wanted: impl Fn(&Topic) -> bool) -> Vec<Topic> {
        self.forget(now);
        let mut listed: Vec<Topic> = self.cards.keys().filter(|topic| wanted(topic)).cloned().collect();
        listed.sort_unstable();
        listed
    }

    /// Messages of a topic, and since when it is known; none when it is not listed.
    pub(crate) fn get(&mut self, topic: &Topic, now: Timestamp) -> Option<(u64, Timestamp)> {
        self.forget(now);
        self.cards.get(topic).map(|card| (card.messages, card.created_at))
    }

    /// How many there are.
    pub(crate) fn len(&mut self, now: Timestamp) -> usize {
        self.forget(now);
        self.cards.len()
    }

    /// Forgets messages that are too old. Each was remembered once, so this is never much.
    fn forget(&mut self, now: Timestamp) {
        let newest = now.minus(TOPIC_MEMORY);
        while let Some((_, topic)) = self.by_turn.first_key_value() {
            let last = self.cards.get(topic).and_then(|card| card.last);
            // A clock that was set back makes a later turn look older: it waits for those before it.
            if last.is_some_and(|(_, at)| at > newest) {
                return;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, topic)) = self.by_turn.pop_first() else { return };
        if let Some(card) = self.cards.get_mut(&topic) {
            card.last = None;
            if card.subscriptions == 0 {
                self.cards.remove(&topic);
            }
        }
    }
}
