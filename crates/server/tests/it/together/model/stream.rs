//! Streams: records by offset, and the groups that share them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Span, Value};

/// Deliveries after which a record is dead to its group.
const MAX_DELIVERIES: u32 = 10;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stream {
    /// Offset of the first record kept.
    pub first: u64,
    pub records: Vec<Record>,
    pub groups: BTreeMap<String, Group>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub payload: Value,
    /// What Synap calls the type of an event; none of a record of Flo.
    pub kind: Option<String>,
    pub headers: Vec<(String, String)>,
    pub at: Span,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    pub position: u64,
    /// Delivered and not acknowledged: how often, and whether it is to be delivered again.
    pub pending: BTreeMap<u64, (u32, bool)>,
    pub consumers: BTreeSet<String>,
    pub dead: u64,
}

impl Stream {
    /// The offset that comes next.
    pub fn end(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    pub fn record(&self, offset: u64) -> &Record {
        &self.records[(offset - self.first) as usize]
    }

    /// Drops what lies before `first`; how many.
    pub fn trim(&mut self, first: u64) -> u64 {
        let first = first.clamp(self.first, self.end());
        let gone = first - self.first;
        self.records.drain(..gone as usize);
        self.first = first;
        for group in self.groups.values_mut() {
            group.pending.retain(|offset, _| *offset >= first);
        }
        gone
    }

    /// Delivers to a group, which is made at the oldest record: each offset with how often by now.
    pub fn read_group(&mut self, group: &str, consumer: &str, count: usize) -> Vec<(u64, u32)> {
        let (first, end) = (self.first, self.end());
        let new = Group { position: first, ..Group::default() };
        let group = self.groups.entry(group.to_owned()).or_insert(new);
        group.consumers.insert(consumer.to_owned());
        let again: Vec<u64> =
            group.pending.iter().filter(|(_, (_, back))| *back).map(|(offset, _)| *offset).take(count).collect();
        let fresh = group.position.max(first);
        let fresh: Vec<u64> = (fresh..end).take(count - again.len()).collect();
        if let Some(last) = fresh.last() {
            group.position = last + 1;
        }
        let mut delivered = Vec::new();
        for offset in again.into_iter().chain(fresh) {
            let pending = group.pending.entry(offset).or_default();
            *pending = (pending.0 + 1, false);
            delivered.push((offset, pending.0));
        }
        delivered
    }
}

impl Group {
    /// Which of these were pending.
    pub fn settle(&mut self, offsets: &[u64], again: bool) -> (u64, Vec<u64>) {
        let offsets: BTreeSet<u64> = offsets.iter().copied().collect();
        let (known, unknown): (Vec<u64>, Vec<u64>) =
            offsets.into_iter().partition(|offset| self.pending.contains_key(offset));
        for offset in &known {
            let (deliveries, back) = self.pending.get_mut(offset).expect("it was just found");
            if again && *deliveries < MAX_DELIVERIES {
                *back = true;
            } else {
                self.dead += u64::from(again);
                self.pending.remove(offset);
            }
        }
        (known.len() as u64, unknown)
    }
}
