//! Which queues to pull from, and how much: first one entry of each queue that a tick looks at, then, while there is
//! capacity for more, the same number of each host that has more, the most urgent queues first.
//!
//! Several rounds of one entry per host make one call: a host that has fewer leaves its part to the next call.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use manifold_engine::recache::{HostId, Priority, Pull, Pulled};

#[cfg(test)]
mod tests;

/// What is to be pulled.
#[derive(Debug)]
pub(super) struct Rounds {
    /// What is left of the first round.
    first: VecDeque<Pull>,
    /// Hosts with more that is due, by queue.
    more: BTreeMap<Priority, BTreeSet<HostId>>,
    /// The host whose turn it is in further rounds, or the next one after it.
    turn: HostId,
}

/// How much may be pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Entries that find a place.
    pub(super) space: usize,
    /// Entries that could begin at once, beyond those that wait already.
    pub(super) wanted: usize,
}

impl Default for Rounds {
    fn default() -> Self {
        Rounds { first: VecDeque::new(), more: BTreeMap::new(), turn: HostId(0) }
    }
}

impl Rounds {
    /// Begins the first round of a tick over the queues it looks at; hosts come by ascending id.
    pub(super) fn begin(&mut self, tick: u64, hosts: &[HostId], queues: &[Priority]) {
        // What found no space is not forgotten until somebody looks again.
        for Pull { host, priority, .. } in self.first.drain(..) {
            self.more.entry(priority).or_default().insert(host);
        }
        if hosts.is_empty() {
            self.more.clear();
            return;
        }
        self.more.values_mut().for_each(|more| more.retain(|host| hosts.binary_search(host).is_ok()));
        let start = usize::try_from(tick % hosts.len() as u64).unwrap_or(0);
        let turns = || hosts[start..].iter().chain(&hosts[..start]);
        let pulls = queues.iter().flat_map(|queue| turns().map(|host| Pull { host: *host, priority: *queue, most: 1 }));
        self.first = pulls.collect();
        self.turn = hosts[start];
    }

    /// What to pull now; nothing when there is no space, no need, or nothing that is known to be due. At most as many
    /// entries of a host as `of_host` has room for in further rounds.
    pub(super) fn next(&mut self, room: Room, of_host: impl Fn(HostId) -> usize) -> Vec<Pull> {
        if !self.first.is_empty() {
            let most = room.space.min(self.first.len());
            return self.first.drain(..most).collect();
        }
        let wanted = room.space.min(room.wanted);
        if wanted == 0 {
            return Vec::new();
        }
        let queues = Priority::ALL.into_iter();
        queues.map(|queue| self.further(queue, wanted, &of_host)).find(|pulls| !pulls.is_empty()).unwrap_or_default()
    }

    /// Notes what a call found.
    pub(super) fn pulled(&mut self, pulled: &[Pulled]) {
        for Pulled { pull, due_left, .. } in pulled {
            let more = self.more.entry(pull.priority).or_default();
            if *due_left {
                more.insert(pull.host);
            } else {
                more.remove(&pull.host);
            }
        }
    }

    /// Goes back to pulls that could not be made.
    pub(super) fn failed(&mut self, pulls: &[Pull]) {
        pulls.iter().for_each(|pull| {
            self.more.entry(pull.priority).or_default().insert(pull.host);
        });
    }

    /// Rounds over the hosts with more in one queue, until `wanted` entries are asked for.
    fn further(&mut self, queue: Priority, wanted: usize, of_host: &impl Fn(HostId) -> usize) -> Vec<Pull> {
        let Some(more) = self.more.get(&queue) else { return Vec::new() };
        let turns = more.range(self.turn..).chain(more.range(..self.turn));
        let open: Vec<(HostId, usize)> =
            turns.map(|host| (*host, of_host(*host))).filter(|(_, room)| *room > 0).take(wanted).collect();
        if open.is_empty() {
            return Vec::new();
        }
        let (each, rest) = (wanted / open.len(), wanted % open.len());
        let part = |at: usize| each + usize::from(at < rest);
        let last = if rest > 0 { rest - 1 } else { open.len() - 1 };
        self.turn = HostId(open[last].0.0.saturating_add(1));
        let pulls = open.iter().enumerate();
        pulls.map(|(at, (host, room))| Pull { host: *host, priority: queue, most: part(at).min(*room) }).collect()
    }
}
