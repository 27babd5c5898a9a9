//! Locks by name: a fixed number of stripes, so that memory does not grow with the number of keys.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

/// Enough that two writers rarely meet on a stripe by chance.
const STRIPES: usize = 1024;

/// The stripes. The hash is seeded, so that a client cannot aim at one of them.
#[derive(Debug)]
pub(crate) struct Locks {
    stripes: Box<[Mutex<()>]>,
    seed: RandomState,
}

/// The locks of some names; dropped, they are free.
pub(crate) struct Held<'a> {
    _guards: SmallVec<[MutexGuard<'a, ()>; 1]>,
}

impl Locks {
    pub(crate) fn new() -> Self {
        Locks { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(), seed: RandomState::default() }
    }

    /// Locks one name.
    pub(crate) fn lock(&self, name: &[u8]) -> Held<'_> {
        Held { _guards: SmallVec::from_buf([self.stripes[self.stripe(name)].lock()]) }
    }

    /// Locks several names, each stripe once and in the order of stripes, so that nobody waits in a circle.
    pub(crate) fn lock_all<'n>(&self, names: impl Iterator<Item = &'n [u8]>) -> Held<'_> {
        let mut wanted: SmallVec<[usize; 16]> = names.map(|name| self.stripe(name)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        Held { _guards: wanted.into_iter().map(|stripe| self.stripes[stripe].lock()).collect() }
    }

    fn stripe(&self, name: &[u8]) -> usize {
        self.seed.hash_one(name) as usize % STRIPES
    }
}
