//! Who is subscribed to what: subscribers that are there, and registrations of those who only say that they are.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use foldhash::{fast, quality};

use crate::{
    Error, Kind, Result, Timestamp,
    pubsub::{
        MAX_PATTERN_BYTES, MAX_PATTERNS, MAX_REGISTRATIONS, PATTERN_BYTES, Pattern, REGISTRATION, Topic,
        outlet::Outlet,
        tree::{Id, Tree},
    },
};

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    last_id: Id,
    tree: Tree,
    by_id: HashMap<Id, Entry, fast::RandomState>,
    /// Registrations by their names, which clients choose.
    registered: HashMap<Bytes, Id, quality::RandomState>,
    /// When registrations lapse.
    lapses: BTreeSet<(Timestamp, Id)>,
    /// Subscribers with a pattern.
    active: usize,
    /// Patterns with a wildcard.
    wildcards: usize,
    /// Bytes of all patterns.
    pattern_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    patterns: HashSet<Pattern, quality::RandomState>,
    party: Party,
}

/// Who it is.
#[derive(Debug)]
pub(crate) enum Party {
    /// Somebody who is there.
    Present(Arc<Outlet>),
    /// A registration.
    Registered { name: Bytes, until: Timestamp },
}

/// Topics whose exact subscriptions have begun or ended.
pub(crate) type Topics = Vec<Topic>;

impl Subscribers {
    /// Adds somebody who is there, without a pattern yet.
    pub(crate) fn join(&mut self, outlet: Arc<Outlet>) -> Id {
        self.insert(Party::Present(outlet))
    }

    /// The registration of this name, made when there is none, and good for its full time from `now`.
    pub(crate) fn register(&mut self, name: &Bytes, now: Timestamp) -> Result<Id> {
        let renewed = now.plus(REGISTRATION);
        if let Some(id) = self.registered.get(name).copied() {
            if let Some(Entry { party: Party::Registered { until, .. }, .. }) = self.by_id.get_mut(&id) {
                self.lapses.remove(&(*until, id));
                *until = renewed;
                self.lapses.insert((renewed, id));
            }
            return Ok(id);
        }
        if self.registered.len() >= MAX_REGISTRATIONS {
            return Err(Error::new(Kind::Busy, format!("there are {MAX_REGISTRATIONS} registrations")));
        }
        let id = self.insert(Party::Registered { name: name.clone(), until: renewed });
        self.registered.insert(name.clone(), id);
        self.lapses.insert((renewed, id));
        Ok(id)
    }

    /// Whose registration this is.
    pub(crate) fn registration(&self, name: &[u8]) -> Option<Id> {
        self.registered.get(name).copied()
    }

    /// Whether so many patterns can be added; those that are there already count once.
    pub(crate) fn check_room(&self, id: Option<Id>, patterns: &[Pattern]) -> Result<()> {
        let known = id.and_then(|id| self.by_id.get(&id)).map(|entry| &entry.patterns);
        let new: HashSet<&Pattern, quality::RandomState> =
            patterns.iter().filter(|pattern| known.is_none_or(|known| !known.contains(*pattern))).collect();
        if known.map_or(0, HashSet::len) + new.len() > MAX_PATTERNS {
            return Err(Error::new(Kind::Busy, format!("a subscriber has at most {MAX_PATTERNS} patterns")));
        }
        let bytes: usize = new.into_iter().map(size).sum();
        if self.pattern_bytes + bytes > MAX_PATTERN_BYTES {
            return Err(Error::new(Kind::Busy, format!("all patterns have at most {MAX_PATTERN_BYTES} bytes")));
        }
        Ok(())
    }

    /// Adds patterns; how many there are now, and the topics that some of them mean.
    pub(crate) fn add(&mut self, id: Id, patterns: &[Pattern]) -> (usize, Topics) {
        let mut topics = Topics::new();
        // One that was dropped for being slow is told so by its own queue.
        let Some(entry) = self.by_id.get_mut(&id) else { return (0, topics) };
        let before = entry.patterns.len();
        for pattern in patterns {
            if !entry.patterns.insert(pattern.clone()) {
                continue;
            }
            self.pattern_bytes += size(pattern);
            self.tree.insert(pattern, id);
            match pattern.exact() {
                Some(topic) => topics.push(topic),
                None => self.wildcards += 1,
            }
        }
        let count = entry.patterns.len();
        if before == 0 && count > 0 && matches!(entry.party, Party::Present(_)) {
            self.active += 1;
        }
        (count, topics)
    }

    /// Takes patterns away, or all; how many there were of them, and the topics that some of them meant. A registration
    /// without a pattern is gone.
    pub(crate) fn remove(&mut self, id: Id, patterns: Option<&[Pattern]>) -> (usize, Topics) {
        let mut topics = Topics::new();
        let Some(entry) = self.by_id.get_mut(&id) else { return (0, topics) };
        let before = entry.patterns.len();
        let gone: Vec<Pattern> = match patterns {
            None => entry.patterns.drain().collect(),
            Some(patterns) => patterns.iter().filter_map(|pattern| entry.patterns.take(pattern)).collect(),
        };
        for pattern in &gone {
            self.pattern_bytes -= size(pattern);
            self.tree.remove(pattern, id);
            match pattern.exact() {
                Some(topic) => topics.push(topic),
                None => self.wildcards -= 1,
            }
        }
        if entry.patterns.is_empty() {
            match &entry.party {
                Party::Present(_) => self.active -= usize::from(before > 0),
                Party::Registered { name, until } => {
                    self.lapses.remove(&(*until, id));
                    self.registered.remove(name);
                    self.by_id.remove(&id);
                }
            }
        }
        (gone.len(), topics)
    }

    /// Takes somebody out altogether.
    pub(crate) fn leave(&mut self, id: Id) -> Topics {
        let (_, topics) = self.remove(id, None);
        self.by_id.remove(&id);
        topics
    }

    /// Forgets the registrations that have lapsed.
    pub(crate) fn lapse(&mut self, now: Timestamp) -> Topics {
        let mut topics = Topics::new();
        while let Some((until, id)) = self.lapses.first().copied().filter(|(until, _)| *until <= now) {
            topics.extend(self.leave(id));
            self.lapses.remove(&(until, id));
        }
        topics
    }

    /// When the first registration lapses.
    pub(crate) fn next_lapse(&self) -> Option<Timestamp> {
        self.lapses.first().map(|(until, _)| *until)
    }

    /// Everybody who is subscribed to a topic, each once; how many nodes of the tree were looked at.
    pub(crate) fn matching(&self, topic: &Topic) -> (Vec<Id>, usize) {
        let mut found = Vec::new();
        let looked_at = self.tree.matching(topic, &mut found);
        found.sort_unstable();
        found.dedup();
        (found, looked_at)
    }

    /// Where the messages of somebody who is there go.
    pub(crate) fn outlet(&self, id: Id) -> Option<&Outlet> {
        match &self.by_id.get(&id)?.party {
            Party::Present(outlet) => Some(outlet),
            Party::Registered { .. } => None,
        }
    }

    /// The queues of all who are there.
    pub(crate) fn outlets(&self) -> impl Iterator<Item = (Id, &Outlet)> {
        self.by_id.iter().filter_map(|(id, entry)| match &entry.party {
            Party::Present(outlet) => Some((*id, &**outlet)),
            Party::Registered { .. } => None,
        })
    }

    /// Subscribers with a pattern.
    pub(crate) fn active(&self) -> usize {
        self.active
    }

    /// Patterns with a wildcard.
    pub(crate) fn wildcards(&self) -> usize {
        self.wildcards
    }

    fn insert(&mut self, party: Party) -> Id {
        self.last_id += 1;
        self.by_id.insert(self.last_id, Entry { patterns: HashSet::default(), party });
        self.last_id
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let lists = self.by_id.is_empty() && self.registered.is_empty() && self.lapses.is_empty();
        lists && self.tree.is_empty() && self.pattern_bytes == 0
    }
}

fn size(pattern: &Pattern) -> usize {
    pattern.as_bytes().len() + PATTERN_BYTES
}
