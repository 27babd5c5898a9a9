//! What waits in one queue, by due time and then by the bytes of members. Only the order is kept here: the rest of an
//! entry is its row.

use std::{cmp::Ordering, collections::BTreeSet, ops::Bound};

use super::{Depth, DimensionId, Entry};

/// An entry where it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) due: u64,
    pub(super) entry: Entry,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.due.cmp(&other.due).then_with(|| self.entry.cmp_member(&other.entry))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of one queue.
#[derive(Debug, Default)]
pub(super) struct Order {
    places: BTreeSet<Place>,
    /// How many places are due at `counted_at`: who asks again later counts only what fell due since.
    due: u64,
    counted_at: u64,
}

impl Order {
    /// All at once.
    pub(super) fn new(places: Vec<Place>) -> Self {
        Order {
            due: places.iter().filter(|place| place.due == 0).count() as u64,
            places: places.into_iter().collect(),
            counted_at: 0,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.places.len() as u64
    }

    pub(super) fn insert(&mut self, place: Place) {
        let due = place.due <= self.counted_at;
        if self.places.insert(place) && due {
            self.due += 1;
        }
    }

    pub(super) fn remove(&mut self, place: &Place) {
        if self.places.remove(place) && place.due <= self.counted_at {
            self.due -= 1;
        }
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.places.iter()
    }

    /// Those that are due, in order.
    pub(super) fn due_at(&self, now: u64) -> impl Iterator<Item = &Place> {
        self.places.iter().take_while(move |place| place.due <= now)
    }

    /// How full the queue is.
    pub(super) fn depth(&mut self, now: u64) -> Depth {
        if now > self.counted_at {
            self.due += self.between(self.counted_at, now);
        } else {
            self.due -= self.between(now, self.counted_at);
        }
        self.counted_at = now;
        Depth { total: self.len(), due: self.due }
    }

    /// Places that are due after `after` and not after `until`.
    fn between(&self, after: u64, until: u64) -> u64 {
        let Some(first) = after.checked_add(1) else { return 0 };
        // No address in normal form is empty, so nothing comes before this.
        let from = Place { due: first, entry: Entry { url: "".into(), dimension: DimensionId(0) } };
        let rest = self.places.range((Bound::Included(from), Bound::Unbounded));
        rest.take_while(|place| place.due <= until).count() as u64
    }
}
