//! What an aggregate keeps of all streams, by field and group.

use crate::{
    Result,
    series::query::{
        aggregate::Plan,
        budget::{Budget, Memory},
        fold::Fold,
        gather::{none, point_bytes},
        streams::{Held, Tag, agree},
        table::{Shape, Table},
    },
};

/// Pools by their numbers.
pub(super) struct Pools<'a, F> {
    pools: Vec<Option<Box<Pool<'a, F>>>>,
    shape: Shape,
    budget: &'a Budget<'a>,
    memory: Memory<'a>,
}

/// The streams of one field and group.
pub(super) struct Pool<'a, F> {
    pub(super) table: Table<'a, F>,
    /// Those of all streams that had points so far.
    tags: Option<Vec<Tag>>,
}

impl<'a, F: Fold> Pools<'a, F> {
    /// None yet.
    pub(super) fn new(shape: Shape, budget: &'a Budget<'a>) -> Self {
        Pools { pools: Vec::new(), shape, budget, memory: Memory::new(budget) }
    }

    /// The pool of a number.
    #[inline]
    pub(super) fn pool(&mut self, number: usize) -> Result<&mut Pool<'a, F>> {
        if self.pools.len() <= number {
            self.memory.grow((number + 1 - self.pools.len()) * size_of::<Option<Box<Pool<'a, F>>>>())?;
            self.pools.resize_with(number + 1, || None);
        }
        let pool = &mut self.pools[number];
        Ok(match pool {
            Some(pool) => pool,
            None => {
                self.memory.grow(size_of::<Pool<'a, F>>())?;
                pool.insert(Box::new(Pool { table: Table::new(self.shape, self.budget)?, tags: None }))
            }
        })
    }

    /// Adds the pools of another thread.
    pub(super) fn merge(&mut self, others: Self) -> Result<()> {
        for (number, other) in others.pools.into_iter().enumerate() {
            let Some(other) = other else { continue };
            let pool = self.pool(number)?;
            pool.table.merge(other.table)?;
            if let Some(tags) = &other.tags {
                self.saw(number, tags)?;
            }
        }
        Ok(())
    }

    /// A stream of these tags had points for the pool of a number.
    pub(super) fn saw(&mut self, number: usize, tags: &[Tag]) -> Result<()> {
        match &mut self.pool(number)?.tags {
            Some(agreed) => agree(agreed, tags),
            none => {
                *none = Some(tags.to_vec());
                self.memory.grow(size_of_val(tags))?;
            }
        }
        Ok(())
    }

    /// The pools that there are, with their numbers.
    pub(super) fn into_pools(self) -> impl Iterator<Item = (usize, Box<Pool<'a, F>>)> {
        self.pools.into_iter().enumerate().filter_map(|(number, pool)| Some((number, pool?)))
    }
}

impl<'a, F: Fold> Pool<'a, F> {
    /// The values of its windows as a stream.
    pub(super) fn finish(self, field: usize, key: &str, plan: Plan, budget: &'a Budget<'a>) -> Result<Held<'a>> {
        let tags = self.tags.unwrap_or_default();
        let mut memory = Memory::new(budget);
        memory.grow(key.len() + size_of_val(tags.as_slice()))?;
        let mut points = none();
        for (window, fold) in self.table.into_sorted() {
            let time = fold.time().filter(|_| plan.windows.is_whole()).unwrap_or_else(|| plan.windows.start(window));
            if let Some(value) = fold.value(plan.what) {
                memory.grow(point_bytes(&value))?;
                points.push(time, value);
            }
        }
        Ok(Held { field, key: key.to_owned(), tags, points, memory })
    }
}
