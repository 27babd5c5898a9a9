//! The index in memory: key → row, in shards.
//!
//! A shard is a hash table for point access plus, for ordered tables, an order of its keys that is brought up to date
//! only when somebody reads a range. Rows keep the versions that a reader may still need: those of the durable cut
//! and of open snapshots.

mod key;
mod shard;

use std::hash::BuildHasher;

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

pub(crate) use key::Key;
pub(crate) use shard::{Found, Horizon, NewRow, Place, Shard};

use crate::{Options, Table};

/// Shards of the index; a power of two, at most 64.
pub(crate) const SHARDS: usize = 16;

/// What the index must know of each table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spec {
    pub ordered: bool,
    pub inline_max: u32,
    /// Whether its rows are counted by the names that their keys begin with.
    pub counted: bool,
    /// Its place in per-table counters.
    pub slot: u8,
}

/// The table list, by number.
#[derive(Debug, Clone)]
pub(crate) struct Specs(Box<[Spec; 256]>);

impl Specs {
    pub fn new(options: &Options) -> Self {
        let mut specs = Box::new([Spec::default(); 256]);
        for (slot, table) in options.tables.iter().enumerate() {
            assert!(table.table.0 < u8::MAX, "the number after a table's marks its end");
            let inline_max = table.inline_max.unwrap_or(options.inline_max);
            specs[usize::from(table.table.0)] = Spec {
                ordered: table.ordered,
                inline_max: u32::try_from(inline_max).unwrap_or(u32::MAX),
                counted: options.counted.contains(&table.table),
                slot: u8::try_from(slot).expect("there are 256 table numbers"),
            };
        }
        Specs(specs)
    }

    pub fn of(&self, table: u8) -> Spec {
        self.0[usize::from(table)]
    }
}

/// How keys are hashed and what their tables want.
#[derive(Debug)]
pub(crate) struct Keyring {
    hasher: foldhash::fast::RandomState,
    specs: Specs,
}

impl Keyring {
    /// Seeded: clients choose keys.
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// What the table of a full key wants.
    pub fn spec(&self, key: &[u8]) -> Spec {
        self.specs.of(key[0])
    }
}

/// All shards.
#[derive(Debug)]
pub(crate) struct Index {
    shards: Box<[Mutex<Shard>]>,
    pub keyring: Keyring,
}

/// Rows of a table, bytes of their heads and bodies, and bytes of their keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub rows: u64,
    pub bytes: u64,
    pub key_bytes: u64,
}

impl std::ops::Add for Totals {
    type Output = Totals;
    fn add(self, other: Totals) -> Totals {
        Totals {
            rows: self.rows + other.rows,
            bytes: self.bytes + other.bytes,
            key_bytes: self.key_bytes + other.key_bytes,
        }
    }
}

impl Index {
    pub fn new(options: &Options) -> Self {
        let tables = options.tables.len();
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::new(tables))).collect();
        let keyring = Keyring { hasher: foldhash::fast::RandomState::default(), specs: Specs::new(options) };
        Index { shards, keyring }
    }

    pub fn hash(&self, key: &[u8]) -> u64 {
        self.keyring.hash(key)
    }

    pub fn shard_of(hash: u64) -> usize {
        // The hash table inside the shard uses the low and the top bits.
        (hash >> 32) as usize & (SHARDS - 1)
    }

    pub fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        self.shards[Self::shard_of(hash)].lock()
    }

    pub fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(Mutex::lock)
    }

    /// Locks the shards of `hashes` in order, so that two batches can never wait for each other.
    pub fn lock(&self, hashes: impl Iterator<Item = u64>) -> Locked<'_> {
        let mut wanted = hashes.fold(0u64, |set, hash| set | 1 << Self::shard_of(hash));
        let mut guards = SmallVec::new();
        while wanted != 0 {
            let shard = wanted.trailing_zeros() as usize;
            guards.push((shard, self.shards[shard].lock()));
            wanted &= wanted - 1;
        }
        Locked { guards }
    }

    /// Ends the replay in every shard, as many at a time as there are processors.
    pub fn replayed(&self) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(SHARDS);
        std::thread::scope(|scope| {
            for some in self.shards.chunks(SHARDS.div_ceil(threads)) {
                scope.spawn(|| some.iter().for_each(|shard| shard.lock().replayed(&self.keyring)));
            }
        });
    }

    pub fn totals(&self, table: Table) -> Totals {
        let slot = usize::from(self.keyring.specs.of(table.0).slot);
        self.shards().fold(Totals::default(), |sum, shard| sum + shard.totals[slot])
    }

    /// The same of all tables but some.
    pub fn totals_without(&self, tables: &[Table]) -> Totals {
        let left_out: SmallVec<[usize; 4]> =
            tables.iter().map(|table| usize::from(self.keyring.specs.of(table.0).slot)).collect();
        self.shards().fold(Totals::default(), |sum, shard| {
            let counted = shard.totals.iter().enumerate().filter(|(slot, _)| !left_out.contains(slot));
            counted.fold(sum, |sum, (_, totals)| sum + *totals)
        })
    }

    /// Rows of a counted table whose keys begin with `name` and a zero byte.
    pub fn rows_of(&self, table: Table, name: &[u8]) -> u64 {
        let group = [&[table.0][..], name, &[0]].concat();
        self.shards().map(|shard| shard.rows_of(&group)).sum()
    }

    pub fn memory_bytes(&self) -> u64 {
        self.shards().map(|shard| shard.memory_bytes()).sum()
    }
}

/// Some shards, locked.
pub(crate) struct Locked<'a> {
    guards: SmallVec<[(usize, MutexGuard<'a, Shard>); 4]>,
}

impl Locked<'_> {
    pub fn shard(&mut self, hash: u64) -> &mut Shard {
        let wanted = Index::shard_of(hash);
        let guard = self.guards.iter_mut().find(|(shard, _)| *shard == wanted);
        &mut guard.expect("lock() was given every hash of the batch").1
    }
}
