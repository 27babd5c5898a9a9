//! The streams with the greatest or the least sums.

use crate::{
    Result,
    series::{
        column::Summary,
        query::{
            budget::{Budget, Memory},
            fold::{Fold, Total},
            slice::Slice,
            streams::Streams,
            threads::spread,
            walk::Visit,
        },
    },
};

/// Which streams are chosen by their sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Greatest(usize),
    Least(usize),
}

/// The numbers of the streams chosen, ascending. Of equal sums, the smaller key is first. Streams without points have no
/// sum.
pub(super) fn choose(streams: &impl Streams, choice: Choice, budget: &Budget<'_>) -> Result<Vec<usize>> {
    let worker = || (Vec::new(), Memory::new(budget));
    let of_threads = spread(streams.len(), worker, |(sums, memory), stream| {
        let mut summing = Summing::default();
        streams.walk(stream, budget, &mut summing)?;
        if summing.has_points {
            memory.grow(size_of::<(usize, f64)>())?;
            // The two zeros are equal.
            sums.push((stream, summing.total.float() + 0.0));
        }
        Ok(())
    })?;
    let (sums, _memory): (Vec<_>, Vec<_>) = of_threads.into_iter().unzip();
    let mut sums: Vec<(usize, f64)> = sums.into_iter().flatten().collect();
    sums.sort_unstable_by(|(one, sum), (other, other_sum)| {
        let by_sum = match choice {
            Choice::Greatest(_) => other_sum.total_cmp(sum),
            Choice::Least(_) => sum.total_cmp(other_sum),
        };
        by_sum.then_with(|| streams.compare_keys(*one, *other)).then(one.cmp(other))
    });
    let (Choice::Greatest(count) | Choice::Least(count)) = choice;
    let mut chosen: Vec<usize> = sums.into_iter().take(count).map(|(stream, _)| stream).collect();
    chosen.sort_unstable();
    Ok(chosen)
}

#[derive(Debug, Default)]
struct Summing {
    total: Total,
    has_points: bool,
}

impl Visit for Summing {
    fn block(&mut self, summary: &Summary) -> Result<bool> {
        let takes = Total::takes(summary);
        if takes {
            self.has_points = true;
            self.total.add_block(0, summary);
        }
        Ok(takes)
    }
    fn points(&mut self, points: Slice<'_>) -> Result<()> {
        self.has_points = true;
        self.total.add(0, points);
        Ok(())
    }
}
