//! What aggregates keep, by window.

use std::collections::{HashMap, hash_map::Entry};

use foldhash::fast::RandomState;

use crate::{
    Result,
    series::query::{
        budget::{Budget, Memory},
        fold::Fold,
        windows::Windows,
    },
};

/// A table has a place for each window of its range if all tables of an aggregate then take no more than this.
const DENSE_BYTES: usize = 128 << 20;
/// Nor more than this part of what the query may use: most places may stay empty.
const DENSE_SHARE: usize = 16;

/// Which windows tables are for, and how they keep them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    first: i64,
    /// Windows, if each has a place.
    dense: Option<usize>,
}

impl Shape {
    /// For so many tables over the windows of a range.
    pub(super) fn new<F>(windows: Windows, range: (i64, i64), tables: usize, budget: &Budget<'_>) -> Self {
        let count = usize::try_from(windows.count(range)).unwrap_or(usize::MAX);
        let bytes = count.saturating_mul(tables).saturating_mul(size_of::<Option<F>>());
        let is_dense = bytes <= DENSE_BYTES.min(budget.memory_bytes() / DENSE_SHARE);
        Shape { first: windows.at(range.0).number, dense: is_dense.then_some(count) }
    }
}

/// By window, what an aggregate keeps of its points.
#[derive(Debug)]
pub(super) struct Table<'a, F> {
    places: Places<F>,
    memory: Memory<'a>,
}

#[derive(Debug)]
enum Places<F> {
    Dense { first: i64, folds: Vec<Option<F>> },
    Sparse(HashMap<i64, F, RandomState>),
}

impl<'a, F: Fold> Table<'a, F> {
    pub(super) fn new(shape: Shape, budget: &'a Budget<'a>) -> Result<Self> {
        let mut memory = Memory::new(budget);
        let places = match shape.dense {
            Some(windows) => {
                memory.grow(windows * size_of::<Option<F>>())?;
                Places::Dense { first: shape.first, folds: std::iter::repeat_with(|| None).take(windows).collect() }
            }
            None => Places::Sparse(HashMap::default()),
        };
        Ok(Table { places, memory })
    }

    /// Changes what is kept of a window within the range; `change` tells how many bytes more it holds.
    #[inline]
    pub(super) fn change(&mut self, window: i64, change: impl FnOnce(&mut F) -> usize) -> Result<()> {
        let bytes = match &mut self.places {
            Places::Dense { first, folds } => change(folds[(window - *first) as usize].get_or_insert_default()),
            Places::Sparse(folds) => match folds.entry(window) {
                Entry::Occupied(mut fold) => change(fold.get_mut()),
                // A map has about as much room again.
                Entry::Vacant(none) => change(none.insert(F::default())) + 2 * size_of::<(i64, F)>(),
            },
        };
        if bytes > 0 { self.memory.grow(bytes) } else { Ok(()) }
    }

    /// Adds what another table of the same shape keeps.
    pub(super) fn merge(&mut self, other: Self) -> Result<()> {
        // Both are counted until both are one.
        let Table { places, memory } = other;
        match (&mut self.places, places) {
            (Places::Dense { folds, .. }, Places::Dense { folds: others, .. }) => {
                for (fold, other) in folds.iter_mut().zip(others) {
                    match (fold, other) {
                        (_, None) => {}
                        (Some(fold), Some(other)) => fold.merge(other),
                        (fold, other) => *fold = other,
                    }
                }
            }
            (_, places) => {
                for (window, other) in in_order(places) {
                    self.change(window, |fold| {
                        fold.merge(other);
                        0
                    })?;
                }
            }
        }
        self.memory.absorb(memory);
        Ok(())
    }

    /// What is kept, by window.
    pub(super) fn into_sorted(self) -> Vec<(i64, F)> {
        in_order(self.places)
    }
}

fn in_order<F>(places: Places<F>) -> Vec<(i64, F)> {
    match places {
        Places::Dense { first, folds } => {
            (first..).zip(folds).filter_map(|(window, fold)| Some((window, fold?))).collect()
        }
        Places::Sparse(folds) => {
            let mut sorted: Vec<(i64, F)> = folds.into_iter().collect();
            sorted.sort_unstable_by_key(|(window, _)| *window);
            sorted
        }
    }
}
