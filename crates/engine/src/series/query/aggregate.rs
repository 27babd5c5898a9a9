//! Aggregates: one value for each window of all streams that go together.

use crate::{
    Result,
    series::{
        Aggregate,
        column::Summary,
        query::{
            budget::Budget,
            fold::{Count, Edge, Extreme, Fold, Sample, Total},
            group::Groups,
            pools::Pools,
            slice::Slice,
            streams::{Held, Streams},
            table::Shape,
            threads::spread,
            walk::Visit,
            windows::{Window, Windows},
        },
    },
};

/// What to compute over which windows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) what: Aggregate,
    pub(super) windows: Windows,
    pub(super) range: (i64, i64),
}

/// Pools streams by field and group.
pub(super) fn aggregate<'a>(
    streams: &impl Streams,
    groups: &Groups<'_>,
    plan: Plan,
    budget: &'a Budget<'a>,
) -> Result<Vec<Held<'a>>> {
    match plan.what {
        Aggregate::Avg | Aggregate::Sum => fold::<Total>(streams, groups, plan, budget),
        Aggregate::Min => fold::<Extreme<false>>(streams, groups, plan, budget),
        Aggregate::Max => fold::<Extreme<true>>(streams, groups, plan, budget),
        Aggregate::Count => fold::<Count>(streams, groups, plan, budget),
        Aggregate::First => fold::<Edge<false>>(streams, groups, plan, budget),
        Aggregate::Last => fold::<Edge<true>>(streams, groups, plan, budget),
        Aggregate::Percentile(_) => fold::<Sample>(streams, groups, plan, budget),
    }
}

fn fold<'a, F: Fold>(
    streams: &impl Streams,
    groups: &Groups<'_>,
    plan: Plan,
    budget: &'a Budget<'a>,
) -> Result<Vec<Held<'a>>> {
    let width = groups.keys.len();
    let fields = streams.len().checked_sub(1).map_or(0, |last| streams.field(last) + 1);
    let shape = Shape::new::<F>(plan.windows, plan.range, fields.saturating_mul(width), budget);
    let of_threads = spread(
        streams.len(),
        || Pools::<F>::new(shape, budget),
        |pools, stream| {
            let member = streams.member(stream);
            let pool = streams.field(stream) * width + groups.of(member);
            let mut folding = Folding { pools, pool, rank: member as u32, windows: plan.windows, window: None };
            streams.walk(stream, budget, &mut folding)?;
            if folding.window.is_some() { pools.saw(pool, streams.tags(member)) } else { Ok(()) }
        },
    )?;
    let mut of_threads = of_threads.into_iter();
    let Some(mut pools) = of_threads.next() else { return Ok(Vec::new()) };
    of_threads.try_for_each(|others| pools.merge(others))?;
    pools
        .into_pools()
        .map(|(number, pool)| pool.finish(number / width, &groups.keys[number % width], plan, budget))
        .collect()
}

/// Adds the points of a stream to those of its pool.
struct Folding<'p, 'a, F> {
    pools: &'p mut Pools<'a, F>,
    pool: usize,
    rank: u32,
    windows: Windows,
    /// That of the latest point.
    window: Option<Window>,
}

impl<F> Folding<'_, '_, F> {
    /// The window of a point that is not earlier than those before it.
    fn window_of(&self, time: i64) -> Window {
        self.window.map_or_else(|| self.windows.at(time), |window| self.windows.from(window, time))
    }
}

impl<F: Fold> Visit for Folding<'_, '_, F> {
    fn block(&mut self, summary: &Summary) -> Result<bool> {
        if !F::takes(summary) || self.windows.at(summary.first).last < summary.last {
            return Ok(false);
        }
        let window = self.window_of(summary.first);
        self.window = Some(window);
        self.pools.pool(self.pool)?.table.change(window.number, |fold| {
            fold.add_block(self.rank, summary);
            0
        })?;
        Ok(true)
    }

    fn points(&mut self, points: Slice<'_>) -> Result<()> {
        let Some(&first) = points.times().first() else { return Ok(()) };
        let mut window = self.window_of(first);
        let table = &mut self.pools.pool(self.pool)?.table;
        let mut rest = points;
        loop {
            let (inside, after) = rest.split_after(window.last);
            table.change(window.number, |fold| fold.add(self.rank, inside))?;
            let Some(&next) = after.times().first() else { break };
            window = self.windows.from(window, next);
            rest = after;
        }
        self.window = Some(window);
        Ok(())
    }
}
