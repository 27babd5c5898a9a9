//! What the groups of an open stream hold in memory, read from their rows when somebody asks for the first time.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use manifold_store::{Range, Row, Seq, Table, View};
use parking_lot::MutexGuard;

use crate::{
    Error, Kind, Name, Result, Timestamp, keys,
    live::Live,
    stream::{
        GroupInfo, MAX_DELIVERIES,
        group::effect::Effect,
        row::{GroupHead, Pending},
        state::{Bounds, Stream},
    },
};

/// Rows read in one piece.
const PIECE: usize = 1024;

/// The groups of a stream.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    loaded: bool,
    pub(crate) by_name: BTreeMap<Name, Group>,
    /// The newest frame that changed any of them.
    pub(crate) frame: Seq,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) head: GroupHead,
    pub(crate) pending: BTreeMap<u64, Pending>,
    /// Pending records by the end of their delivery: a consumer may have them still.
    leased: BTreeSet<(Timestamp, u64)>,
    /// Pending records that nobody has.
    returned: BTreeSet<u64>,
    pub(crate) consumers: BTreeSet<Name>,
}

impl Groups {
    /// The groups of a stream.
    pub(crate) fn of<'a>(live: &Live, stream: &'a Stream) -> Result<MutexGuard<'a, Groups>> {
        let mut groups = stream.groups.lock();
        if !groups.loaded {
            groups.by_name = load(live, stream)?;
            groups.loaded = true;
        }
        Ok(groups)
    }

    pub(crate) fn names(&self) -> Vec<Name> {
        self.by_name.keys().cloned().collect()
    }
}

impl Group {
    pub(crate) fn new(head: GroupHead) -> Self {
        Group {
            head,
            pending: BTreeMap::new(),
            leased: BTreeSet::new(),
            returned: BTreeSet::new(),
            consumers: BTreeSet::new(),
        }
    }

    /// Takes back what was not acknowledged in time. What follows from it for the rows is returned: records delivered too
    /// often are dead, and what was trimmed is nobody's business any more.
    pub(crate) fn overdue(&mut self, now: Timestamp, bounds: Bounds) -> Vec<Effect> {
        let mut effects: Vec<Effect> =
            self.pending.range(..bounds.first).map(|(offset, _)| Effect::Done(*offset)).collect();
        let late: Vec<(Timestamp, u64)> = self.leased.range(..=(now, u64::MAX)).copied().collect();
        for (deadline, offset) in late {
            if offset < bounds.first {
                continue;
            }
            if self.pending[&offset].deliveries >= MAX_DELIVERIES {
                effects.push(Effect::Dead(offset));
            } else {
                self.leased.remove(&(deadline, offset));
                self.returned.insert(offset);
            }
        }
        effects
    }

    /// Records that may be delivered again, lowest offset first.
    pub(crate) fn returned(&self, from: u64) -> impl Iterator<Item = u64> {
        self.returned.range(from..).copied()
    }

    /// When the next delivery ends.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.leased.first().map(|(deadline, _)| *deadline)
    }

    pub(crate) fn set(&mut self, offset: u64, pending: Pending) {
        self.take(offset);
        match pending.deadline {
            Some(deadline) => self.leased.insert((deadline, offset)),
            None => self.returned.insert(offset),
        };
        self.pending.insert(offset, pending);
    }

    pub(crate) fn take(&mut self, offset: u64) {
        if let Some(pending) = self.pending.remove(&offset) {
            self.returned.remove(&offset);
            pending.deadline.into_iter().for_each(|deadline| {
                self.leased.remove(&(deadline, offset));
            });
        }
    }

    pub(crate) fn info(&mut self, name: Name, now: Timestamp, bounds: Bounds) -> GroupInfo {
        // What has fallen due counts although no commit has said so yet.
        let overdue = self.overdue(now, bounds);
        let dead = overdue.iter().filter(|effect| matches!(effect, Effect::Dead(_))).count() as u64;
        let position = self.head.position.max(bounds.first);
        GroupInfo {
            name,
            position,
            pending: (self.pending.len() - overdue.len()) as u64,
            dead: self.head.dead + dead,
            lag: bounds.end.saturating_sub(position),
            consumers: self.consumers.iter().cloned().collect(),
        }
    }
}

pub(crate) fn not_found(name: &Name) -> Error {
    Error::new(Kind::NotFound, format!("there is no group {name}"))
}

fn load(live: &Live, stream: &Stream) -> Result<BTreeMap<Name, Group>> {
    let mut groups = BTreeMap::new();
    each(live, keys::STREAM_GROUP, &keys::number(stream.id), |name, row| {
        groups.insert(read_name(name)?, Group::new(GroupHead::read(row)?));
        Ok(())
    })?;
    for group in groups.values_mut() {
        let rows = keys::stream_group_rows(stream.id, group.head.number);
        each(live, keys::STREAM_PENDING, &rows, |offset, row| {
            let offset = keys::read_number(offset).ok_or_else(|| Error::unreadable("a pending record"))?;
            group.set(offset, Pending::read(row)?);
            Ok(())
        })?;
        each(live, keys::STREAM_CONSUMER, &rows, |name, _| {
            group.consumers.insert(read_name(name)?);
            Ok(())
        })?;
    }
    Ok(groups)
}

/// Calls `read` with the rest of the key and the row, for all rows whose keys start with `prefix`.
fn each(live: &Live, table: Table, prefix: &[u8], mut read: impl FnMut(&[u8], &Row) -> Result<()>) -> Result<()> {
    let mut range = Range { from: prefix.to_vec(), to: keys::prefix_end(prefix), limit: PIECE, reverse: false };
    loop {
        let chunk = live.store.range(View::Latest, table, &range);
        for (key, row) in &chunk.rows {
            read(&key[prefix.len()..], row)?;
        }
        match chunk.resume {
            Some(resume) => range.from = resume,
            None => return Ok(()),
        }
    }
}

fn read_name(bytes: &[u8]) -> Result<Name> {
    Name::new(Bytes::copy_from_slice(bytes)).map_err(|_| Error::unreadable("a group of consumers"))
}
