//! Which series of a measurement have a tag's value, and which of them pass filters.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use foldhash::quality::RandomState;

use super::Tags;
use crate::series::{TagFilter, TagTest};

/// The series of a measurement by their tags.
#[derive(Default)]
pub(super) struct Index {
    all: BTreeSet<u32>,
    tags: HashMap<Arc<str>, Values, RandomState>,
}

/// The series that have a tag, by its value.
type Values = HashMap<Arc<str>, Slots, RandomState>;

/// Slots of series. A value that only one series has is the usual case among tags that name something.
enum Slots {
    One(u32),
    Many(BTreeSet<u32>),
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.all.iter().copied()
    }

    pub(super) fn insert(&mut self, slot: u32, tags: &Tags) {
        self.all.insert(slot);
        for (tag, value) in tags {
            let values = self.tags.entry(tag.clone()).or_default();
            values.entry(value.clone()).and_modify(|slots| slots.insert(slot)).or_insert(Slots::One(slot));
        }
    }

    pub(super) fn remove(&mut self, slot: u32, tags: &Tags) {
        self.all.remove(&slot);
        for (tag, value) in tags {
            let Some(values) = self.tags.get_mut(tag) else { continue };
            if values.get_mut(value).is_some_and(|slots| slots.remove(slot)) {
                values.remove(value);
            }
            if values.is_empty() {
                self.tags.remove(tag);
            }
        }
    }

    /// The series that pass all filters; `tags_of` knows the tags of each.
    pub(super) fn matching<'a>(
        &self,
        filters: &'a [TagFilter],
        tags_of: impl Fn(u32) -> Option<&'a [(Arc<str>, Arc<str>)]>,
    ) -> Vec<u32> {
        // The filter that leaves the fewest is answered from the index, the others by looking at what it leaves.
        let narrow = filters.iter().enumerate().filter_map(|(at, filter)| Some((at, self.having(filter)?)));
        let fewest = narrow.min_by_key(|(_, lists)| lists.iter().map(|slots| slots.len()).sum::<usize>());
        let (by, candidates): (_, Vec<u32>) = match fewest {
            Some((by, lists)) => (Some(by), lists.into_iter().flat_map(Slots::iter).collect()),
            None => (None, self.slots().collect()),
        };
        let rest = filters.iter().enumerate().filter(|(at, _)| Some(*at) != by);
        let mut checks: Vec<Check<'a>> = rest.map(|(_, filter)| Check::new(filter)).collect();
        let passes = |slot: &u32| tags_of(*slot).is_some_and(|tags| checks.iter_mut().all(|check| check.passes(tags)));
        candidates.into_iter().filter(passes).collect()
    }

    /// The series that pass a filter, by value; none for a filter that series without the tag pass.
    fn having(&self, filter: &TagFilter) -> Option<Vec<&Slots>> {
        if passes(&filter.test, "") {
            return None;
        }
        let Some(values) = self.tags.get(&*filter.tag) else { return Some(Vec::new()) };
        Some(match &filter.test {
            TagTest::Is(value) => values.get(&**value).into_iter().collect(),
            test => values.iter().filter(|(value, _)| passes(test, value)).map(|(_, slots)| slots).collect(),
        })
    }
}

/// A filter that is asked about one series after the other.
struct Check<'a> {
    filter: &'a TagFilter,
    /// What a pattern said of the values seen so far.
    said: HashMap<&'a str, bool, RandomState>,
}

impl<'a> Check<'a> {
    fn new(filter: &'a TagFilter) -> Self {
        Check { filter, said: HashMap::default() }
    }

    fn passes(&mut self, tags: &'a [(Arc<str>, Arc<str>)]) -> bool {
        let at = tags.binary_search_by(|(tag, _)| (**tag).cmp(&self.filter.tag));
        let value = at.map_or("", |at| &*tags[at].1);
        match &self.filter.test {
            TagTest::Is(_) | TagTest::IsNot(_) => passes(&self.filter.test, value),
            test => *self.said.entry(value).or_insert_with(|| passes(test, value)),
        }
    }
}

fn passes(test: &TagTest, value: &str) -> bool {
    match test {
        TagTest::Is(is) => value == is,
        TagTest::IsNot(not) => value != not,
        TagTest::Matches(pattern) => pattern.matches(value),
        TagTest::MatchesNot(pattern) => !pattern.matches(value),
    }
}

impl Slots {
    fn len(&self) -> usize {
        match self {
            Slots::One(_) => 1,
            Slots::Many(slots) => slots.len(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        let (one, many) = match self {
            Slots::One(slot) => (Some(*slot), None),
            Slots::Many(slots) => (None, Some(slots)),
        };
        one.into_iter().chain(many.into_iter().flatten().copied())
    }

    fn insert(&mut self, slot: u32) {
        match self {
            Slots::One(one) => *self = Slots::Many([*one, slot].into()),
            Slots::Many(slots) => drop(slots.insert(slot)),
        }
    }

    /// Whether nothing is left.
    fn remove(&mut self, slot: u32) -> bool {
        match self {
            Slots::One(one) => *one == slot,
            Slots::Many(slots) => {
                slots.remove(&slot);
                slots.is_empty()
            }
        }
    }
}
