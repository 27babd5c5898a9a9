//! Ranges of numbers that a recovery skipped. After an unclean stop at a level weaker than `always` the tail may be
//! lost, and its numbers were already told to readers: they must never name other changes, and a reader that stands on
//! one of them has seen changes that no longer exist.

use manifold_store::{Batch, Range, Store, View};

use crate::{Error, Result, codec, keys};

const ENCODING: u8 = 1;

/// How many numbers an unclean stop skips: more than any run can have handed out without one of them becoming durable.
const SKIP: u64 = 1_000_000;

/// The skipped ranges, ascending.
#[derive(Debug, Default)]
pub(crate) struct Gaps(Vec<Gap>);

/// One skipped range, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Gap {
    /// The range to skip when the last number known is `head`, and every number up to `spent` may have been given out.
    pub(crate) fn after(head: u64, spent: u64) -> Self {
        Gap { from: head + 1, to: spent.saturating_add(SKIP) }
    }

    pub(crate) fn write(self, batch: &mut Batch) {
        let mut head = vec![ENCODING];
        codec::put_varint(&mut head, self.to);
        batch.put(keys::GAP, &keys::number(self.from), &head, &[]);
    }

    fn read(key: &[u8], head: &[u8]) -> Option<Self> {
        let mut reader = codec::Reader::new(head);
        let from = keys::read_number(key)?;
        let to = (reader.byte()? == ENCODING).then(|| reader.varint()).flatten()?;
        (from <= to).then_some(Gap { from, to })
    }
}

impl Gaps {
    pub(crate) fn load(store: &Store) -> Result<Self> {
        let mut gaps = Gaps::default();
        let mut from = Some(Vec::new());
        while let Some(start) = from {
            let chunk =
                store.range(View::Latest, keys::GAP, &Range { from: start, to: None, limit: 256, reverse: false });
            for (key, row) in &chunk.rows {
                let gap = Gap::read(key, row.head()).ok_or_else(|| Error::unreadable("a skipped range of the feed"))?;
                gaps.push(gap);
            }
            from = chunk.resume;
        }
        Ok(gaps)
    }

    /// Adds the newest range; one that starts where the last does replaces it.
    pub(crate) fn push(&mut self, gap: Gap) {
        self.0.retain(|known| known.from != gap.from);
        self.0.push(gap);
    }

    pub(crate) fn last(&self) -> Option<Gap> {
        self.0.last().copied()
    }

    /// The range that holds `number`.
    pub(crate) fn around(&self, number: u64) -> Option<Gap> {
        let after = self.0.partition_point(|gap| gap.from <= number);
        let gap = *self.0.get(after.checked_sub(1)?)?;
        (number <= gap.to).then_some(gap)
    }

    /// The least number from `number` on that was not skipped.
    pub(crate) fn next_used(&self, number: u64) -> u64 {
        self.around(number).map_or(number, |gap| gap.to + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_inside_a_range_are_skipped_and_its_neighbours_are_not() {
        let mut gaps = Gaps::default();
        gaps.push(Gap { from: 11, to: 20 });
        gaps.push(Gap { from: 31, to: 40 });
        gaps.push(Gap { from: 31, to: 50 });
        let next: Vec<u64> = [10, 11, 20, 21, 30, 31, 45, 50, 51].map(|n| gaps.next_used(n)).into();
        assert_eq!(next, [10, 21, 21, 21, 30, 51, 51, 51, 51]);
        assert_eq!(gaps.around(12), Some(Gap { from: 11, to: 20 }));
        assert_eq!(gaps.around(10), None);
    }
}
