//! Which streams go together: those of one field that have the same values of the tags grouped by.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::{
    Result,
    series::{
        UNTAGGED,
        query::{
            budget::{Budget, Memory},
            streams::{Streams, Tag},
        },
    },
};

/// Values of the tags grouped by.
type TagValues<'t> = SmallVec<[&'t str; 4]>;

/// Groups, by key.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    pub(super) keys: Vec<String>,
    /// The group of each member; empty = there is but one.
    of: Vec<u32>,
    _memory: Memory<'a>,
}

impl<'a> Groups<'a> {
    /// Groups the members of streams by tags.
    pub(super) fn new(
        streams: &impl Streams,
        measurement: &str,
        by: &[String],
        budget: &'a Budget<'a>,
    ) -> Result<Self> {
        let mut memory = Memory::new(budget);
        if by.is_empty() {
            return Ok(Groups { keys: vec![measurement.to_owned()], of: Vec::new(), _memory: memory });
        }
        let mut found: HashMap<TagValues<'_>, u32, RandomState> = HashMap::default();
        let mut of = Vec::new();
        for member in 0..streams.members() {
            memory.grow(size_of::<u32>())?;
            let tags = streams.tags(member);
            let values: TagValues<'_> = by.iter().map(|tag| value(tags, tag)).collect();
            let next = found.len() as u32;
            of.push(match found.get(&values) {
                Some(group) => *group,
                None => {
                    let key_bytes: usize = by.iter().zip(&values).map(|(tag, value)| tag.len() + value.len() + 2).sum();
                    memory.grow(measurement.len() + key_bytes + 2 * size_of::<(String, TagValues<'_>, u32)>())?;
                    found.insert(values, next);
                    next
                }
            });
        }
        let (keys, places) = by_key(found, measurement, by);
        of.iter_mut().for_each(|group| *group = places[*group as usize]);
        Ok(Groups { keys, of, _memory: memory })
    }

    /// The group of a member.
    pub(super) fn of(&self, member: usize) -> usize {
        self.of.get(member).map_or(0, |group| *group as usize)
    }
}

/// The keys of groups in their order, and the place of each group.
fn by_key(
    groups: HashMap<TagValues<'_>, u32, RandomState>,
    measurement: &str,
    by: &[String],
) -> (Vec<String>, Vec<u32>) {
    let named = groups.into_iter().map(|(values, group)| {
        let tags = by.iter().map(String::as_str).zip(values.iter().copied());
        (key(measurement, tags), values, group)
    });
    let mut sorted: Vec<_> = named.collect();
    // Keys are not escaped: those of two groups may read the same.
    sorted.sort_unstable();
    let mut places = vec![0; sorted.len()];
    for (place, (_, _, group)) in (0..).zip(&sorted) {
        places[*group as usize] = place;
    }
    (sorted.into_iter().map(|(key, _, _)| key).collect(), places)
}

/// What a group is called.
fn key<'a>(measurement: &str, tags: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut key = measurement.to_owned();
    tags.for_each(|(tag, value)| key.extend([",", tag, "=", value]));
    key
}

fn value<'a>(tags: &'a [Tag], tag: &str) -> &'a str {
    match tags.binary_search_by(|(other, _)| (**other).cmp(tag)) {
        Ok(at) => &tags[at].1,
        Err(_) => UNTAGGED,
    }
}
