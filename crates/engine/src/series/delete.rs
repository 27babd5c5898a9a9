//! Deleting points. What was written and not sealed yet is sealed in the same commit, without the points deleted: its
//! chunk cannot bring them back. A delete of many columns is several commits, each of which stands by itself.

use std::{collections::VecDeque, sync::Arc};

use manifold_store::Seq;

use crate::{
    Namespace, Result,
    live::Live,
    series::{
        DeletePoints, FieldType,
        catalog::Series,
        column::Run,
        remove, run,
        seal::{self, Rebuilt, Target},
        sealer::Sealer,
        space::Space,
    },
};

/// Series removed in one commit.
const SERIES: usize = 1024;

/// Deletes points, then the series that have none left. How many points there were.
pub(crate) async fn delete(live: &Live, namespace: &Namespace, delete: DeletePoints) -> Result<u64> {
    let range = delete.range.unwrap_or((i64::MIN, i64::MAX));
    let Some(space) = live.series.find(namespace).filter(|_| range.0 <= range.1) else { return Ok(0) };
    let series = space.catalog.read().matching(&delete.measurement, &delete.filters);
    let mut deleted = 0;
    let mut targets: VecDeque<Target> = series.iter().flat_map(|series| columns(&space, series)).collect();
    while !targets.is_empty() {
        live.store.room().await;
        let frame = {
            let mut sealer = live.series.upkeep.sealer(live).await?;
            let (points, frame) = piece(live, &mut sealer, &mut targets, range)?;
            deleted += points;
            frame
        };
        live.store.durable(frame).await?;
    }
    for series in series.chunks(SERIES) {
        live.store.room().await;
        let frame = {
            let sealer = live.series.upkeep.sealer(live).await?;
            remove::empty_series(live, &sealer, &space, series)?
        };
        live.store.durable(frame.unwrap_or_default()).await?;
    }
    Ok(deleted)
}

fn columns(space: &Arc<Space>, series: &Arc<Series>) -> Vec<Target> {
    let target = |field| Target { space: space.clone(), series: series.clone(), field };
    series.columns.lock().iter().map(|column| target(column.field)).collect()
}

/// Deletes the points of a few columns in one commit: how many, and the frame.
fn piece(live: &Live, sealer: &mut Sealer, targets: &mut VecDeque<Target>, range: (i64, i64)) -> Result<(u64, Seq)> {
    let mut changes = Vec::new();
    let (mut points, mut work) = (0, 0);
    while work < live.series.tuning.tick_points {
        let Some(target) = targets.pop_front() else { break };
        // Taken out by somebody else meanwhile, with all it had.
        if !remove::is_there(&target.space.catalog.read(), &target.series) {
            continue;
        }
        sealer.interrupt(live, &target);
        let rebuilt = without(live, &target, range)?;
        points += rebuilt.lost;
        // Whole blocks go without a look at their points, but not for nothing.
        work += rebuilt.work + 1 + rebuilt.lost as usize / 64;
        if rebuilt.lost > 0 {
            changes.push((target, rebuilt));
        }
    }
    if changes.is_empty() {
        return Ok((0, 0));
    }
    let frame = sealer.commit(live, changes, |txn| {
        txn.relief();
        Ok(())
    })?;
    Ok((points, frame))
}

/// Works out a column without the points between two instants.
fn without(live: &Live, target: &Target, range: (i64, i64)) -> Result<Rebuilt> {
    let sealed = target.space.backlog.lock().newest();
    let newer = {
        let columns = target.series.columns.lock();
        columns.get(target.field).map(|column| column.buffer.first(column.buffer.through(sealed)))
    };
    let newer = run::sort(newer.unwrap_or_else(|| Run::new(FieldType::Float)));
    let mut rebuilt = seal::rebuild(live, target, &newer, Some(range))?;
    rebuilt.sealed(sealed);
    Ok(rebuilt)
}
