//! Where the feed stands when the store has replayed its log.

use manifold_store::{Store, View};

use crate::{
    Error, Result, Timestamp, codec,
    feed::{
        gaps::{Gap, Gaps},
        record,
    },
    keys,
};

const ENCODING: u8 = 1;

/// What was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The newest change.
    pub(crate) head: u64,
    /// The number of the next one.
    pub(crate) next: u64,
    /// The lowest number that was not trimmed.
    pub(crate) floor: u64,
    /// The time of the newest change ever made, trimmed or not.
    pub(crate) last_at: Timestamp,
    /// Ranges skipped by this and earlier recoveries.
    pub(crate) gaps: Gaps,
}

/// What must outlive the records themselves; written by each trimming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trimmed {
    /// The lowest number that was not trimmed.
    pub(crate) floor: u64,
    /// The time of the newest record trimmed.
    pub(crate) last_at: Timestamp,
}

impl Trimmed {
    /// The row's key and head.
    pub(crate) fn row(self) -> (&'static [u8], Vec<u8>) {
        let mut head = vec![ENCODING];
        codec::put_varint(&mut head, self.floor);
        codec::put_varint(&mut head, self.last_at.0);
        (keys::META_FEED, head)
    }

    pub(crate) fn load(store: &Store) -> Result<Self> {
        let Some(row) = store.get(View::Latest, keys::META, keys::META_FEED) else {
            return Ok(Trimmed { floor: 1, last_at: Timestamp(0) });
        };
        Self::decode(row.head()).ok_or_else(|| Error::unreadable("the feed's bounds"))
    }

    fn decode(head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        if reader.byte()? != ENCODING {
            return None;
        }
        let (floor, last_at) = (reader.varint()?, Timestamp(reader.varint()?));
        (floor > 0).then_some(Trimmed { floor, last_at })
    }
}

/// Finds the newest record. Numbers are dense from the floor on, except for the skipped ranges, so a search for the
/// last one that exists needs no order.
pub(crate) fn recover(store: &Store) -> Result<Recovered> {
    let Trimmed { floor, last_at } = Trimmed::load(store)?;
    let gaps = Gaps::load(store)?;
    let exists = |number: u64| store.get(View::Latest, keys::FEED, &keys::number(number)).is_some();

    let last_gap = gaps.last().filter(|gap| gap.to >= floor);
    let first = last_gap.map_or(floor, |gap| gap.to + 1);
    let head = match last_dense(first, exists) {
        Some(head) => head,
        None => last_gap.map_or(floor, |gap| gap.from) - 1,
    };
    let next = last_gap.map_or(head, |gap| gap.to.max(head)) + 1;
    let last_at = match store.get(View::Latest, keys::FEED, &keys::number(head)) {
        Some(row) => record::read(head, &row)?.at.max(last_at),
        None => last_at,
    };
    Ok(Recovered { head, next, floor, last_at, gaps })
}

impl Recovered {
    /// Skips the numbers that a lost tail may have used.
    pub(crate) fn skip(&mut self) -> Gap {
        let gap = Gap::after(self.head, self.next - 1);
        self.gaps.push(gap);
        self.next = gap.to + 1;
        gap
    }
}

/// The last of the numbers `first..` that exist, when they exist without a hole; none when `first` does not.
fn last_dense(first: u64, exists: impl Fn(u64) -> bool) -> Option<u64> {
    if !exists(first) {
        return None;
    }
    let (mut low, mut step) = (first, 1);
    while exists(low + step) {
        low += step;
        step *= 2;
    }
    let mut high = low + step;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if exists(middle) { low = middle } else { high = middle }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_of_a_dense_range_is_found(first in 1u64..1000, count in 0u64..5000) {
            let found = last_dense(first, |number| (first..first + count).contains(&number));
            prop_assert_eq!(found, (first + count - 1).checked_sub(0).filter(|_| count > 0));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(head: Vec<u8>) {
            Trimmed::decode(&head);
        }
    }
}
