//! The internal queue: entries that were pulled and wait for a target. Those from more urgent queues go first, those
//! from equal ones in the order in which they came.
//!
//! A page is here at most once, and goes to one target at a time: what is pulled while its page waits is merged with it,
//! what is pulled while its page is in flight waits until that has ended.

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::quality::RandomState;
use manifold_engine::recache::{Entry, HostId, Lease, Priority};
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// What waits. Its size is bounded by whoever pulls.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    items: HashMap<Page, Item, RandomState>,
    /// Those that need not wait for a retry.
    ready: BTreeMap<Place, Page>,
    /// Those that do, by the time they are ready.
    later: BTreeMap<(Instant, u64), Page>,
    in_flight: HashSet<Page, RandomState>,
    by_host: HashMap<HostId, Counts, RandomState>,
    came: u64,
}

/// What two jobs must not do at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Page {
    host: HostId,
    entry: Entry,
}

/// Where an item stands: by its queue, then in the order of arrival.
type Place = (Priority, u64);

#[derive(Debug)]
struct Item {
    lease: Lease,
    place: Place,
    /// When it is ready; none = now.
    ready_at: Option<Instant>,
}

/// How many items of a host there are.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    all: usize,
    /// Ready, and not in flight.
    ready: usize,
}

/// Two entries for one page became one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merged {
    /// The lease that is not needed any more.
    pub(super) spare: Lease,
    /// The one that stays, when it waits for a retry of which its home does not know.
    pub(super) waits: Option<Lease>,
}

impl Waiting {
    /// Takes in what was pulled.
    pub(super) fn push(&mut self, lease: Lease) -> Option<Merged> {
        self.put(lease, None)
    }

    /// Takes back what failed, to be skipped until `ready_at`. The lease says the same to its home: attempts, and when it
    /// is due.
    pub(super) fn put_back(&mut self, lease: Lease, ready_at: Instant) -> Option<Merged> {
        self.put(lease, Some(ready_at))
    }

    /// What comes next of the hosts that may begin a job; it is in flight until [`Waiting::ended`].
    pub(super) fn take(&mut self, may_begin: impl Fn(HostId) -> bool) -> Option<Lease> {
        let free = |page: &Page| may_begin(page.host) && !self.in_flight.contains(page);
        let place = *self.ready.iter().find(|(_, page)| free(page))?.0;
        let page = self.ready.remove(&place)?;
        let item = self.remove(&page)?;
        self.in_flight.insert(page);
        Some(item.lease)
    }

    /// The job of this lease has ended: its page may go to a target again.
    pub(super) fn ended(&mut self, lease: &Lease) {
        let page = Page::of(lease);
        self.in_flight.remove(&page);
        if self.items.get(&page).is_some_and(|item| item.ready_at.is_none()) {
            self.counts(page.host).ready += 1;
        }
    }

    /// Makes ready what has waited long enough.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(first) = self.later.first_entry().filter(|first| first.key().0 <= now) {
            let page = first.remove();
            let Some(item) = self.items.get_mut(&page) else { continue };
            item.ready_at = None;
            let place = item.place;
            self.stand(place, page);
        }
    }

    /// When the next entry gets ready that waits for a retry.
    pub(super) fn next_ready(&self) -> Option<Instant> {
        self.later.first_key_value().map(|((at, _), _)| *at)
    }

    /// All that waits, for a retry too.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Entries that could begin, at most as many of a host as it has room for.
    pub(super) fn ready(&self, room_of: impl Fn(HostId) -> usize) -> usize {
        self.by_host.iter().map(|(host, counts)| counts.ready.min(room_of(*host))).sum()
    }

    /// Entries of a host that could begin.
    pub(super) fn ready_of(&self, host: HostId) -> usize {
        self.by_host.get(&host).map_or(0, |counts| counts.ready)
    }

    /// All entries of a host.
    pub(super) fn of(&self, host: HostId) -> usize {
        self.by_host.get(&host).map_or(0, |counts| counts.all)
    }

    /// Removes what waits of hosts that are not known any more.
    pub(super) fn forget_hosts(&mut self, known: impl Fn(HostId) -> bool) -> Vec<Lease> {
        if self.by_host.keys().all(|host| known(*host)) {
            return Vec::new();
        }
        let gone: Vec<Page> = self.items.keys().filter(|page| !known(page.host)).cloned().collect();
        gone.iter().filter_map(|page| self.withdraw(page)).map(|item| item.lease).collect()
    }

    /// Removes everything.
    pub(super) fn drain(&mut self) -> Vec<Lease> {
        self.forget_hosts(|_| false)
    }

    fn put(&mut self, mut lease: Lease, mut ready_at: Option<Instant>) -> Option<Merged> {
        let page = Page::of(&lease);
        let mut merged = None;
        self.came += 1;
        let mut place = (lease.priority, self.came);
        if let Some(other) = self.withdraw(&page) {
            // An entry that failed keeps its distance, also when it is asked for once more.
            let waits = ready_at.max(other.ready_at);
            let (attempts, due) = (lease.attempts.max(other.lease.attempts), lease.due.max(other.lease.due));
            let (mut stays, spare, knows) = if other.lease.priority <= lease.priority {
                place = other.place;
                (other.lease, lease, other.ready_at == waits)
            } else {
                (lease, other.lease, ready_at == waits)
            };
            if waits.is_some() {
                (stays.attempts, stays.due) = (attempts, due);
            }
            merged = Some(Merged { spare, waits: (waits.is_some() && !knows).then(|| stays.clone()) });
            (lease, ready_at) = (stays, waits);
        }
        self.counts(page.host).all += 1;
        self.items.insert(page.clone(), Item { lease, place, ready_at });
        match ready_at {
            None => self.stand(place, page),
            Some(at) => drop(self.later.insert((at, place.1), page)),
        }
        merged
    }

    /// Lets an item stand in line.
    fn stand(&mut self, place: Place, page: Page) {
        if !self.in_flight.contains(&page) {
            self.counts(page.host).ready += 1;
        }
        self.ready.insert(place, page);
    }

    /// Takes an item out, wherever it stands.
    fn withdraw(&mut self, page: &Page) -> Option<Item> {
        let item = self.items.get(page)?;
        match item.ready_at {
            None => drop(self.ready.remove(&item.place)),
            Some(at) => drop(self.later.remove(&(at, item.place.1))),
        }
        self.remove(page)
    }

    /// Forgets an item that stands nowhere any more.
    fn remove(&mut self, page: &Page) -> Option<Item> {
        let item = self.items.remove(page)?;
        let was_ready = item.ready_at.is_none() && !self.in_flight.contains(page);
        let counts = self.counts(page.host);
        counts.all -= 1;
        counts.ready -= usize::from(was_ready);
        if counts.all == 0 {
            self.by_host.remove(&page.host);
        }
        Some(item)
    }

    fn counts(&mut self, host: HostId) -> &mut Counts {
        self.by_host.entry(host).or_default()
    }
}

impl Page {
    fn of(lease: &Lease) -> Page {
        Page { host: lease.host, entry: lease.entry.clone() }
    }
}
