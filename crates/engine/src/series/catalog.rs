//! The names of a namespace's time series: which measurements, fields and series there are, and their numbers. Lives
//! under the lock of its space. A write drafts the names it adds, commits them together with its points, and only then
//! adds them here: a commit that is refused has changed nothing.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::BuildHasher,
    sync::Arc,
};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use manifold_store::Seq;
use parking_lot::Mutex;

use crate::series::{FieldType, SeriesKey, TagFilter, columns::Columns};

mod draft;
mod index;
mod load;
mod remove;
mod row;

#[cfg(test)]
mod tests;

pub(crate) use draft::{Draft, Ids};
pub(crate) use load::{Loaded, count_measurements, load};
pub(crate) use row::space_head;

use index::Index;

/// Tags with their values, by tag.
pub(crate) type Tags = Box<[(Arc<str>, Arc<str>)]>;

/// The names of a namespace.
#[derive(Default)]
pub(crate) struct Catalog {
    /// What slots mean; changes when a series is removed.
    epoch: Epoch,
    /// Series by slot.
    slots: Vec<Option<Arc<Series>>>,
    /// Slots that are empty, to be given again from the end.
    free: Vec<u32>,
    /// Slots by the hash of measurement and tags.
    by_key: HashTable<u32>,
    hasher: RandomState,
    by_name: BTreeMap<Arc<str>, u64>,
    measured: HashMap<u64, Measured, RandomState>,
    /// The newest frame that removed a series; 0 when that is durable for long.
    removed: Seq,
    /// All tags and values, each once.
    names: HashSet<Arc<str>, RandomState>,
    /// What all of this takes, about.
    memory_bytes: u64,
    /// So often unused names are still looked for, since a series was removed.
    looks: u8,
}

/// The first is 1: 0 stands for a namespace without series.
#[derive(Debug, Clone, Copy)]
struct Epoch(u64);

impl Default for Epoch {
    fn default() -> Self {
        Epoch(1)
    }
}

/// What there is of a measurement.
struct Measured {
    measurement: Arc<Measurement>,
    /// By number.
    fields: Vec<Field>,
    by_name: HashMap<Arc<str>, u32, RandomState>,
    index: Index,
    /// The newest frame that added a series.
    newest: Seq,
}

/// A measurement.
#[derive(Debug)]
pub(crate) struct Measurement {
    /// Never given again.
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    /// The frame that added it; 0 when that is durable for long.
    pub(crate) born: Seq,
}

/// A field of a measurement.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: Arc<str>,
    /// The type of its first value: text or not stays.
    pub(crate) kind: FieldType,
    /// The frame that added it; 0 when that is durable for long.
    pub(crate) born: Seq,
}

/// A series.
pub(crate) struct Series {
    /// Never given again.
    pub(crate) id: u64,
    /// Where the catalog has it, in this epoch.
    pub(crate) slot: u32,
    pub(crate) measurement: Arc<Measurement>,
    pub(crate) tags: Tags,
    /// The frame that added it; 0 when that is durable for long.
    pub(crate) born: Seq,
    pub(crate) columns: Mutex<Columns>,
}

impl Catalog {
    /// What slots mean now.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.0
    }

    /// The slot of a series.
    pub(crate) fn find(&self, key: &SeriesKey) -> Option<u32> {
        let same = |slot: &u32| {
            self.series(*slot)
                .is_some_and(|series| series.measurement.name == key.measurement && series.tags == key.tags)
        };
        self.by_key.find(self.hash(&key.measurement, &key.tags), same).copied()
    }

    /// The series in a slot.
    pub(crate) fn series(&self, slot: u32) -> Option<&Arc<Series>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    /// Slots are below this.
    pub(crate) fn slots(&self) -> u32 {
        self.slots.len() as u32
    }

    /// All series.
    pub(crate) fn all_series(&self) -> impl Iterator<Item = &Arc<Series>> {
        self.slots.iter().flatten()
    }

    /// Memory that it takes, about.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The newest frame that removed a series.
    pub(crate) fn removed(&self) -> Seq {
        self.removed
    }

    /// How many series there are.
    pub(crate) fn count(&self) -> usize {
        self.by_key.len()
    }

    /// The fields of a measurement, by number.
    pub(crate) fn fields(&self, measurement: &Measurement) -> &[Field] {
        self.measured.get(&measurement.id).map_or(&[], |measured| &measured.fields)
    }

    /// The number of a field, and what it is.
    pub(crate) fn find_field(&self, measurement: &Measurement, name: &str) -> Option<(u32, &Field)> {
        let measured = self.measured.get(&measurement.id)?;
        let number = *measured.by_name.get(name)?;
        Some((number, measured.fields.get(number as usize)?))
    }

    /// A measurement by its name.
    pub(crate) fn measurement(&self, name: &str) -> Option<&Arc<Measurement>> {
        self.by_name.get(name).and_then(|id| self.measured.get(id)).map(|measured| &measured.measurement)
    }

    /// The measurements by name, after the one named.
    pub(crate) fn measurements(&self, after: Option<&str>) -> impl Iterator<Item = &Arc<Measurement>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let names = self.by_name.range::<str, _>((after.map_or(Unbounded, Excluded), Unbounded));
        names.filter_map(|(_, id)| self.measured.get(id)).map(|measured| &measured.measurement)
    }

    /// How many series a measurement has whose frames are durable.
    pub(crate) fn count_of(&self, measurement: &Measurement, durable: Seq) -> usize {
        let Some(measured) = self.measured.get(&measurement.id) else { return 0 };
        if measured.newest <= durable {
            return measured.index.len();
        }
        measured.index.slots().filter_map(|slot| self.series(slot)).filter(|series| series.born <= durable).count()
    }

    /// The series of a measurement that pass all filters, by the text of their keys.
    pub(crate) fn matching(&self, measurement: &str, filters: &[TagFilter]) -> Vec<Arc<Series>> {
        let Some(measured) = self.by_name.get(measurement).and_then(|id| self.measured.get(id)) else {
            return Vec::new();
        };
        let tags_of = |slot: u32| self.series(slot).map(|series| &*series.tags);
        let slots = measured.index.matching(filters, tags_of);
        let mut found: Vec<_> = slots.into_iter().filter_map(|slot| self.series(slot)).cloned().collect();
        found.sort_unstable_by(|a, b| key_text_order(&a.tags, &b.tags));
        found
    }

    fn hash(&self, measurement: &str, tags: &[(Arc<str>, Arc<str>)]) -> u64 {
        hash_of(&self.hasher, measurement, tags)
    }
}

/// Memory that a series takes with its place in the index, about, besides the texts of its tags.
fn series_bytes(tags: &[(Arc<str>, Arc<str>)]) -> u64 {
    200 + 64 * tags.len() as u64
}

/// Memory that a name takes, about.
fn name_bytes(name: &str) -> u64 {
    64 + name.len() as u64
}

fn hash_of(hasher: &RandomState, measurement: &str, tags: &[(Arc<str>, Arc<str>)]) -> u64 {
    hasher.hash_one((measurement, tags))
}

/// What a series is called in answers: the measurement, and `,tag=value` for each tag. Nothing is escaped.
pub(crate) fn key_text(measurement: &str, tags: &[(Arc<str>, Arc<str>)]) -> String {
    let bytes: usize = tags.iter().map(|(tag, value)| tag.len() + value.len() + 2).sum();
    let mut text = String::with_capacity(measurement.len() + bytes);
    text.push_str(measurement);
    tags.iter().for_each(|(tag, value)| text.extend([",", tag, "=", value]));
    text
}

/// How the texts of the keys of two series of a measurement compare, without making them.
fn key_text_order(a: &[(Arc<str>, Arc<str>)], b: &[(Arc<str>, Arc<str>)]) -> std::cmp::Ordering {
    fn bytes(tags: &[(Arc<str>, Arc<str>)]) -> impl Iterator<Item = u8> {
        tags.iter().flat_map(|(tag, value)| [b",", tag.as_bytes(), b"=", value.as_bytes()]).flatten().copied()
    }
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    // Nearly always a byte of one value decides.
    if let (Some((tag, one)), Some((same_tag, other))) = (a.first(), b.first())
        && tag == same_tag
        && let Some((one, other)) = one.bytes().zip(other.bytes()).find(|(one, other)| one != other)
    {
        return one.cmp(&other);
    }
    // Two series may read alike, for nothing is escaped: their tags tell them apart.
    bytes(a).cmp(bytes(b)).then_with(|| a.cmp(b))
}
