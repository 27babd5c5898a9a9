//! Taking series out that have no points left.

use std::sync::Arc;

use manifold_store::Seq;

use crate::{
    Result, keys,
    live::Live,
    series::{
        catalog::{Catalog, Series},
        sealer::Sealer,
        space::Space,
    },
    txn,
};

/// Removes those of `series` that have no point; the frame of it, if there are any. With the right to change blocks, so
/// that nobody brings points into theirs meanwhile.
pub(crate) fn empty_series(
    live: &Live,
    _sealer: &Sealer,
    space: &Space,
    series: &[Arc<Series>],
) -> Result<Option<Seq>> {
    // Nobody writes to them from here on, and who comes later finds another epoch.
    let mut turn = space.turn.lock();
    let removal = {
        let catalog = space.catalog.read();
        let goes = |series: &&Arc<Series>| is_there(&catalog, series) && is_empty(series);
        catalog.removal(series.iter().filter(goes).cloned().collect())
    };
    if removal.is_empty() {
        return Ok(None);
    }
    let decided = txn::decide(live, |txn| {
        txn.relief();
        for series in removal.series() {
            for column in series.columns.lock().iter() {
                txn.delete(keys::SERIES_MARK, &keys::series_mark(series.id, column.field));
            }
        }
        removal.write(txn);
        Ok(())
    });
    let frame = decided.into_frame()?;
    turn.frame = frame;
    space.change_names(live, |catalog| catalog.remove(removal, frame));
    Ok(Some(frame))
}

/// Whether a series was not taken out since it was found.
pub(crate) fn is_there(catalog: &Catalog, series: &Arc<Series>) -> bool {
    catalog.series(series.slot).is_some_and(|there| Arc::ptr_eq(there, series))
}

fn is_empty(series: &Series) -> bool {
    let columns = series.columns.lock();
    columns.iter().all(|column| column.buffer.len() == 0 && column.blocks.is_empty() && column.changing().is_none())
}
