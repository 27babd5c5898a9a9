//! Streams brought into memory as they are, each by itself or pooled.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{
    Result,
    series::{
        column::{Run, Summary},
        query::{
            budget::{Budget, Memory},
            gather::{append, keep_latest, none},
            group::Groups,
            slice::Slice,
            streams::{Held, Streams, agree},
            threads::spread,
            walk::Visit,
        },
    },
};

/// What streams are collected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// Further stages.
    Stages,
    /// The answer: all points of each stream.
    Answer,
    /// The answer: the latest so many points of each.
    Latest(usize),
}

/// Brings streams into memory; those without points are left out.
pub(super) fn collect<'a>(
    streams: &impl Streams,
    measurement: &str,
    purpose: For,
    budget: &'a Budget<'a>,
) -> Result<Vec<Held<'a>>> {
    let numbered = numbered(streams, measurement, purpose, budget)?;
    Ok(numbered.into_iter().map(|(_, held)| held).collect())
}

/// The same, each with its number.
fn numbered<'a>(
    streams: &impl Streams,
    measurement: &str,
    purpose: For,
    budget: &'a Budget<'a>,
) -> Result<Vec<(usize, Held<'a>)>> {
    let shown = AtomicUsize::new(0);
    let of_threads = spread(streams.len(), Vec::new, |mine: &mut Vec<(usize, Held<'a>)>, stream| {
        let mut collecting = Collecting { points: none(), memory: Memory::new(budget), purpose, shown: &shown, budget };
        streams.walk(stream, budget, &mut collecting)?;
        let Collecting { points, mut memory, .. } = collecting;
        if !points.times.is_empty() {
            let (tags, key) = (streams.tags(streams.member(stream)).to_vec(), streams.key(stream, measurement));
            memory.grow(key.len() + size_of_val(tags.as_slice()) + size_of::<Held<'_>>())?;
            mine.push((stream, Held { field: streams.field(stream), key, tags, points, memory }));
        }
        Ok(())
    })?;
    let mut held: Vec<_> = of_threads.into_iter().flatten().collect();
    held.sort_unstable_by_key(|(stream, _)| *stream);
    Ok(held)
}

struct Collecting<'c, 'a> {
    points: Run,
    memory: Memory<'a>,
    purpose: For,
    /// Points of the answer so far, of all streams.
    shown: &'c AtomicUsize,
    budget: &'a Budget<'a>,
}

impl Visit for Collecting<'_, '_> {
    fn block(&mut self, _: &Summary) -> Result<bool> {
        Ok(false)
    }
    fn points(&mut self, points: Slice<'_>) -> Result<()> {
        self.memory.grow(points.size_bytes())?;
        if self.purpose == For::Answer {
            let shown = self.shown.fetch_add(points.len(), Ordering::Relaxed).saturating_add(points.len());
            self.budget.check_points(shown)?;
        }
        append(&mut self.points, points);
        if let For::Latest(limit) = self.purpose
            && self.points.times.len() / 2 > limit
        {
            let before = Slice::of(&self.points).size_bytes();
            keep_latest(&mut self.points, limit);
            self.memory.shrink(before - Slice::of(&self.points).size_bytes());
        }
        Ok(())
    }
}

/// Brings the points of all streams of a field and group together, by time; at one instant, by the streams' keys.
pub(super) fn pool<'a>(
    streams: &impl Streams,
    groups: &Groups<'_>,
    measurement: &str,
    purpose: For,
    budget: &'a Budget<'a>,
) -> Result<Vec<Held<'a>>> {
    let mut members = numbered(streams, measurement, purpose, budget)?;
    let group = |stream| groups.of(streams.member(stream));
    // Stable: within a group they stay in the order of their keys.
    members.sort_by_key(|(stream, held)| (held.field, group(*stream)));
    let mut pooled: Vec<Held<'a>> = Vec::new();
    let mut members = members.into_iter().peekable();
    while let Some((stream, first)) = members.next() {
        let (field, group_number) = (first.field, group(stream));
        let mut pool = vec![first];
        while let Some((_, next)) =
            members.next_if(|(stream, next)| next.field == field && group(*stream) == group_number)
        {
            pool.push(next);
        }
        pooled.push(merged(pool, &groups.keys[group_number], budget)?);
    }
    Ok(pooled)
}

/// One stream out of several of one field, in the order of their keys.
fn merged<'a>(streams: Vec<Held<'a>>, key: &str, budget: &'a Budget<'a>) -> Result<Held<'a>> {
    let mut merged = Held {
        field: streams.first().map_or(0, |first| first.field),
        key: key.to_owned(),
        tags: streams.first().map(|first| first.tags.clone()).unwrap_or_default(),
        points: none(),
        memory: Memory::new(budget),
    };
    merged.memory.grow(key.len() + size_of_val(merged.tags.as_slice()))?;
    for stream in &streams {
        agree(&mut merged.tags, &stream.tags);
        let points = Slice::of(&stream.points);
        merged.memory.grow(points.size_bytes())?;
        append(&mut merged.points, points);
    }
    drop(streams);
    if !merged.points.times.is_sorted() {
        let mut sorting = Memory::new(budget);
        sorting.grow(merged.points.times.len() * size_of::<u32>() + Slice::of(&merged.points).size_bytes())?;
        let times = &merged.points.times;
        let mut order: Vec<u32> = (0..times.len() as u32).collect();
        order.sort_by_key(|at| times[*at as usize]);
        merged.points = Run {
            times: order.iter().map(|at| times[*at as usize]).collect(),
            values: merged.points.values.pick(&order),
        };
    }
    Ok(merged)
}
