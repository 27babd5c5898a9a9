//! Removing series whose points are gone.

use std::{collections::HashMap, sync::Arc};

use foldhash::quality::RandomState;
use manifold_store::Seq;

use super::{Catalog, Measurement, Series};
use crate::{keys, txn::Txn};

/// Looks for unused names after a removal: somebody may hold the series still at the first one.
const LOOKS: u8 = 3;

/// Series to remove, and the measurements that have none left without them.
pub(crate) struct Removal {
    series: Vec<Arc<Series>>,
    /// With the number of their fields.
    measurements: Vec<(Arc<Measurement>, u32)>,
}

impl Catalog {
    /// What goes when `series`, each named once, go. Who has it keeps the space's turn until it is done with.
    pub(crate) fn removal(&self, series: Vec<Arc<Series>>) -> Removal {
        let mut going: HashMap<u64, usize, RandomState> = HashMap::default();
        series.iter().for_each(|series| *going.entry(series.measurement.id).or_default() += 1);
        let left = going.into_iter().filter_map(|(id, going)| {
            let measured = self.measured.get(&id)?;
            (measured.index.len() == going).then(|| (measured.measurement.clone(), measured.fields.len() as u32))
        });
        Removal { measurements: left.collect(), series }
    }

    /// Removes what was committed as `frame`. Slots mean something else from here on.
    pub(crate) fn remove(&mut self, removal: Removal, frame: Seq) {
        if removal.is_empty() {
            return;
        }
        self.epoch.0 += 1;
        self.removed = frame;
        for series in &removal.series {
            let slot = series.slot;
            if self.series(slot).is_none_or(|there| there.id != series.id) {
                continue;
            }
            let hash = self.hash(&series.measurement.name, &series.tags);
            if let Ok(entry) = self.by_key.find_entry(hash, |there| *there == slot) {
                entry.remove();
            }
            if let Some(measured) = self.measured.get_mut(&series.measurement.id) {
                measured.index.remove(slot, &series.tags);
                self.memory_bytes -= super::series_bytes(&series.tags);
            }
            self.slots[slot as usize] = None;
            self.free.push(slot);
        }
        for (measurement, _) in &removal.measurements {
            self.by_name.remove(&measurement.name);
            let Some(measured) = self.measured.remove(&measurement.id) else { continue };
            let fields = measured.fields.iter().map(|field| 2 * super::name_bytes(&field.name));
            self.memory_bytes -= 4 * super::name_bytes(&measurement.name) + fields.sum::<u64>();
        }
        self.looks = LOOKS;
    }

    /// Forgets tags and values that no series has any more. To be called now and then.
    pub(crate) fn forget_names(&mut self) {
        let Some(looks) = self.looks.checked_sub(1) else { return };
        self.looks = looks;
        let memory_bytes = &mut self.memory_bytes;
        self.names.retain(|name| {
            let used = Arc::strong_count(name) > 1;
            *memory_bytes -= if used { 0 } else { super::name_bytes(name) };
            used
        });
    }
}

impl Removal {
    /// Whether nothing goes.
    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The series that go.
    pub(crate) fn series(&self) -> &[Arc<Series>] {
        &self.series
    }

    /// Removes the rows of names.
    pub(crate) fn write(&self, txn: &mut Txn<'_>) {
        for series in &self.series {
            txn.delete(keys::SERIES, &keys::number(series.id));
        }
        for (measurement, fields) in &self.measurements {
            txn.delete(keys::SERIES_MEASUREMENT, &keys::number(measurement.id));
            (0..*fields).for_each(|field| txn.delete(keys::SERIES_FIELD, &keys::series_field(measurement.id, field)));
        }
    }
}
