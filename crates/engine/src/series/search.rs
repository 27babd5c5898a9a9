//! Which small columns are sealed because they keep chunks in the log for too long, or memory is short.

use std::{mem, sync::Arc};

use crate::{
    live::Live,
    series::{seal::Target, space::Space},
};

/// Series looked at in one piece.
const PIECE: u32 = 4096;

/// Looks at all columns of one space after the other, if there is a reason to.
#[derive(Default)]
pub(crate) struct Search(Option<Underway>);

/// A search for columns that have a point of a chunk up to one.
struct Underway {
    space: Arc<Space>,
    through: u64,
    slot: u32,
}

impl Search {
    /// Looks at some columns, and queues those that are to be sealed; whether there may be more.
    pub(crate) fn step(&mut self, live: &Live) -> bool {
        // What is queued may be all that it takes.
        if self.0.is_none() && live.series.upkeep.is_empty() {
            self.0 = begin(live);
        }
        let Some(underway) = &mut self.0 else { return false };
        if !underway.step(live) {
            self.0 = None;
        }
        true
    }

    #[cfg(test)]
    pub(crate) fn is_underway(&self) -> bool {
        self.0.is_some()
    }
}

fn begin(live: &Live) -> Option<Underway> {
    let (now, tuning) = (live.clock.now(), &live.series.tuning);
    let much_memory = live.series.totals.buffer_bytes() > tuning.buffer_bytes;
    live.series.all().into_iter().find_map(|space| {
        let through = space.backlog.lock().overdue(now, much_memory, tuning)?;
        Some(Underway { space, through, slot: 0 })
    })
}

impl Underway {
    fn step(&mut self, live: &Live) -> bool {
        let catalog = self.space.catalog.read();
        let end = (self.slot + PIECE).min(catalog.slots());
        for slot in self.slot..end {
            let Some(series) = catalog.series(slot) else { continue };
            for column in series.columns.lock().iter_mut() {
                if column.buffer.oldest_chunk().is_none_or(|oldest| oldest > self.through) {
                    continue;
                }
                column.urgent = true;
                if !mem::replace(&mut column.queued, true) {
                    let target = Target { space: self.space.clone(), series: series.clone(), field: column.field };
                    live.series.upkeep.add(target);
                }
            }
        }
        self.slot = end;
        end < catalog.slots()
    }
}
