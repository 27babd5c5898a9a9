//! How long points are kept. Older ones are invisible at once; in the background blocks go that hold nothing else, and
//! series that have nothing left.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;

use crate::{
    Namespace, Result,
    live::Live,
    series::{
        FieldType, SeriesRetention,
        catalog::{Catalog, Series},
        column::Run,
        remove,
        seal::{self, Rebuilt, Target},
        space::Space,
    },
    work::{Tick, Work},
};

#[cfg(test)]
mod tests;

/// Looks are this far apart.
const LOOK: Duration = Duration::from_secs(60);
/// Points removed in one commit, about; in blocks, which are not read for it.
const POINTS: u64 = 4 << 20;
/// Series looked at in one piece.
const PIECE: u32 = 1024;

/// Which points are kept for how long.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<SeriesRetention>);

impl Rules {
    pub(crate) fn new(rules: Vec<SeriesRetention>) -> Self {
        Rules(rules)
    }

    /// The first instant whose points of a measurement are visible at `now`.
    pub(crate) fn oldest_visible(&self, namespace: &Namespace, measurement: &str, now: i64) -> i64 {
        let applies = |rule: &&SeriesRetention| {
            rule.namespace.as_ref().is_none_or(|of| of == namespace)
                && rule.measurement.as_ref().is_none_or(|of| of == measurement)
        };
        let names = |rule: &&SeriesRetention| u8::from(rule.namespace.is_some()) + u8::from(rule.measurement.is_some());
        // Of equals the first: the maximum is searched from the end.
        let keep = self.0.iter().rev().filter(applies).max_by_key(names).map(|rule| rule.keep);
        match keep.filter(|keep| !keep.is_zero()) {
            Some(keep) => now.saturating_sub(i64::try_from(keep.as_nanos()).unwrap_or(i64::MAX)),
            None => i64::MIN,
        }
    }
}

/// Removes what is too old.
#[derive(Default)]
pub(crate) struct Retain(Mutex<Look>);

/// What one look has not seen yet.
#[derive(Default)]
struct Look {
    spaces: VecDeque<Arc<Space>>,
    /// Of the first space.
    slot: u32,
}

impl Work for Retain {
    fn name(&self) -> &'static str {
        "time series retention"
    }

    async fn trigger(&self, live: &Live) {
        live.clock.sleep(LOOK).await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let mut look = self.0.lock();
        if look.spaces.is_empty() {
            *look = Look { spaces: live.series.all().into(), slot: 0 };
        }
        let Some(space) = look.spaces.front().cloned() else { return Ok(Tick::DONE) };
        let mut sealer = match live.series.upkeep.try_sealer(live) {
            Ok(sealer) => sealer,
            Err(frame) => return Ok(Tick { more: true, frame }),
        };
        let (series, next) = piece(&space, look.slot);
        let changes = without_old_blocks(live, &space, &series)?;
        let mut frame = 0;
        if !changes.is_empty() {
            frame = sealer.commit(live, changes, |txn| {
                txn.relief();
                Ok(())
            })?;
        } else if let Some(removed) = remove::empty_series(live, &sealer, &space, &series)? {
            frame = removed;
        } else {
            look.slot = next.unwrap_or_default();
            if next.is_none() {
                space.change_names(live, Catalog::forget_names);
                look.spaces.pop_front();
            }
        }
        Ok(Tick { more: !look.spaces.is_empty(), frame })
    }
}

/// Some of the series of a space, and where to go on.
fn piece(space: &Space, from: u32) -> (Vec<Arc<Series>>, Option<u32>) {
    let catalog = space.catalog.read();
    let end = (from + PIECE).min(catalog.slots());
    let series = (from..end).filter_map(|slot| catalog.series(slot)).cloned().collect();
    (series, (end < catalog.slots()).then_some(end))
}

/// Works out columns without the blocks that are too old, until it comes to about one commit.
fn without_old_blocks(live: &Live, space: &Arc<Space>, series: &[Arc<Series>]) -> Result<Vec<(Target, Rebuilt)>> {
    let now = live.clock.nanos();
    let mut changes = Vec::new();
    let mut points = 0;
    for series in series {
        let oldest = live.series_retention.oldest_visible(&space.namespace, &series.measurement.name, now);
        for (field, through) in old_blocks(series, oldest) {
            let target = Target { space: space.clone(), series: series.clone(), field };
            let rebuilt = seal::rebuild(live, &target, &Run::new(FieldType::Float), Some((i64::MIN, through)))?;
            points += rebuilt.lost;
            changes.push((target, rebuilt));
        }
        if points > POINTS {
            break;
        }
    }
    Ok(changes)
}

/// The columns of a series whose first blocks end before `oldest`, and the last instant of those blocks.
fn old_blocks(series: &Series, oldest: i64) -> Vec<(u32, i64)> {
    let columns = series.columns.lock();
    let old = columns.iter().filter_map(|column| {
        let old = column.blocks.iter().take_while(|block| block.summary.last < oldest);
        Some((column.field, old.last()?.summary.last))
    });
    old.collect()
}
