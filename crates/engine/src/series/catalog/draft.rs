//! Names that a write adds: numbered, checked against the limits, written into the batch, and only then in the catalog.

use std::{collections::HashMap, sync::Arc};

use foldhash::quality::RandomState;
use manifold_store::Seq;
use parking_lot::{Mutex, MutexGuard};

use super::{Catalog, Field, Measured, Measurement, Series, index::Index, row};
use crate::{
    Limits, keys,
    series::{FieldType, Refusal, SeriesKey},
    txn::Txn,
};

/// The last id given to a measurement or a series, of whichever space.
#[derive(Debug, Default)]
pub(crate) struct Ids(Mutex<u64>);

impl Ids {
    pub(crate) fn after(last: u64) -> Self {
        Ids(Mutex::new(last))
    }
}

/// What a write adds to a catalog that nobody else changes meanwhile. From its first new name to its end no other draft
/// gets an id, so that ids are committed in their order.
pub(crate) struct Draft<'a> {
    space: u64,
    limits: &'a Limits,
    ids: &'a Ids,
    held: Option<MutexGuard<'a, u64>>,
    /// The last id given by this draft.
    last_id: u64,
    measurements: Vec<(u64, Arc<str>)>,
    measurement_ids: HashMap<Arc<str>, u64, RandomState>,
    fields: Vec<NewField>,
    /// By measurement.
    field_numbers: HashMap<u64, Numbers, RandomState>,
    series: Vec<NewSeries>,
    /// Indexes of `series`.
    by_key: HashMap<SeriesKey, usize, RandomState>,
    by_slot: HashMap<u32, usize, RandomState>,
}

/// Number and type of fields by name.
type Numbers = HashMap<Arc<str>, (u32, FieldType), RandomState>;

struct NewField {
    measurement: u64,
    number: u32,
    name: Arc<str>,
    kind: FieldType,
}

struct NewSeries {
    id: u64,
    measurement: u64,
    slot: u32,
    key: SeriesKey,
}

/// Where a draft stood before a line that turns out bad.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    last_id: u64,
    measurements: usize,
    fields: usize,
    series: usize,
}

impl Catalog {
    /// Adds what was drafted, and committed as `frame`.
    pub(crate) fn apply(&mut self, draft: Draft<'_>, frame: Seq) {
        let Draft { held, last_id, measurements, fields, series, .. } = draft;
        for (id, name) in measurements {
            self.add_measurement(Measurement { id, name, born: frame });
        }
        for NewField { measurement, number: _, name, kind } in fields {
            self.add_field(measurement, Field { name, kind, born: frame });
        }
        for NewSeries { id, measurement, slot: _, key } in series {
            let tags = key.tags.iter().map(|(tag, value)| (self.name(tag), self.name(value))).collect();
            self.add_series(id, measurement, tags, frame);
        }
        held.into_iter().for_each(|mut last| *last = last_id);
    }

    pub(super) fn add_measurement(&mut self, measurement: Measurement) {
        let measurement = Arc::new(measurement);
        self.memory_bytes += 4 * super::name_bytes(&measurement.name);
        self.by_name.insert(measurement.name.clone(), measurement.id);
        self.measured.insert(
            measurement.id,
            Measured {
                measurement,
                fields: Vec::new(),
                by_name: HashMap::default(),
                index: Index::default(),
                newest: 0,
            },
        );
    }

    pub(super) fn count_fields(&self, measurement: u64) -> usize {
        self.measured.get(&measurement).map_or(0, |measured| measured.fields.len())
    }

    /// Fields come in the order of their numbers.
    pub(super) fn add_field(&mut self, measurement: u64, field: Field) {
        if let Some(measured) = self.measured.get_mut(&measurement) {
            self.memory_bytes += 2 * super::name_bytes(&field.name);
            measured.by_name.insert(field.name.clone(), measured.fields.len() as u32);
            measured.fields.push(field);
        }
    }

    /// Gives the series the slot that [`Catalog::next_slot`] promised.
    pub(super) fn add_series(&mut self, id: u64, measurement: u64, tags: super::Tags, born: Seq) {
        let slot = self.next_slot(0);
        let Some(measured) = self.measured.get_mut(&measurement) else { return };
        self.memory_bytes += super::series_bytes(&tags);
        measured.index.insert(slot, &tags);
        measured.newest = measured.newest.max(born);
        let measurement = measured.measurement.clone();
        let hash = self.hash(&measurement.name, &tags);
        let series = Arc::new(Series { id, slot, measurement, tags, born, columns: Mutex::default() });
        match self.free.pop() {
            Some(free) => self.slots[free as usize] = Some(series),
            None => self.slots.push(Some(series)),
        }
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.by_key.insert_unique(hash, slot, |slot| {
            let series = slots[*slot as usize].as_ref();
            series.map_or(0, |series| super::hash_of(hasher, &series.measurement.name, &series.tags))
        });
    }

    /// The slot that will be given after so many others.
    fn next_slot(&self, others: usize) -> u32 {
        match self.free.len().checked_sub(others + 1) {
            Some(free) => self.free[free],
            None => (self.slots.len() + others - self.free.len()) as u32,
        }
    }

    /// A tag or a value, kept once.
    pub(super) fn name(&mut self, text: &Arc<str>) -> Arc<str> {
        match self.names.get(text) {
            Some(known) => known.clone(),
            None => {
                self.memory_bytes += super::name_bytes(text);
                self.names.insert(text.clone());
                text.clone()
            }
        }
    }
}

impl<'a> Draft<'a> {
    /// Nothing yet, for the catalog of a space. Who has it keeps the space's turn until it is applied or dropped.
    pub(crate) fn new(space: u64, ids: &'a Ids, limits: &'a Limits) -> Self {
        Draft {
            space,
            limits,
            ids,
            held: None,
            last_id: 0,
            measurements: Vec::new(),
            measurement_ids: HashMap::default(),
            fields: Vec::new(),
            field_numbers: HashMap::default(),
            series: Vec::new(),
            by_key: HashMap::default(),
            by_slot: HashMap::default(),
        }
    }

    /// Whether it adds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_none()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            last_id: self.last_id,
            measurements: self.measurements.len(),
            fields: self.fields.len(),
            series: self.series.len(),
        }
    }

    /// Forgets what was added since `mark`.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        for (_, name) in self.measurements.drain(mark.measurements..) {
            self.measurement_ids.remove(&name);
        }
        for field in self.fields.drain(mark.fields..) {
            self.field_numbers.get_mut(&field.measurement).and_then(|fields| fields.remove(&field.name));
        }
        for series in self.series.drain(mark.series..) {
            self.by_key.remove(&series.key);
            self.by_slot.remove(&series.slot);
        }
        if mark.measurements + mark.fields + mark.series == 0 {
            self.held = None;
        }
        self.last_id = mark.last_id;
    }

    /// The slot of a series, which is added if it is new.
    pub(crate) fn series(&mut self, catalog: &Catalog, key: &SeriesKey) -> Result<u32, Refusal> {
        let added = || self.by_key.get(key).map(|index| self.series[*index].slot);
        if let Some(slot) = catalog.find(key).or_else(added) {
            return Ok(slot);
        }
        let limit = self.limits.series;
        if (catalog.count() + self.series.len()) as u64 >= limit {
            return Err(Refusal::TooManySeries { limit });
        }
        let known = catalog.by_name.get(&key.measurement).or_else(|| self.measurement_ids.get(&key.measurement));
        let measurement = known.copied().unwrap_or_else(|| {
            let id = self.next_id();
            self.measurements.push((id, key.measurement.clone()));
            self.measurement_ids.insert(key.measurement.clone(), id);
            id
        });
        let (id, slot) = (self.next_id(), catalog.next_slot(self.series.len()));
        self.by_key.insert(key.clone(), self.series.len());
        self.by_slot.insert(slot, self.series.len());
        self.series.push(NewSeries { id, measurement, slot, key: key.clone() });
        Ok(slot)
    }

    /// The id of the series in a slot, of the catalog or added here.
    pub(crate) fn id(&self, catalog: &Catalog, slot: u32) -> Option<u64> {
        catalog.series(slot).map(|series| series.id).or_else(|| self.added(slot).map(|added| added.id))
    }

    /// The number of a field of the series in a slot, which is added if it is new, for a value of type `given`.
    pub(crate) fn field(&mut self, catalog: &Catalog, slot: u32, name: &str, given: FieldType) -> Result<u32, Refusal> {
        let measurement = match catalog.series(slot) {
            Some(series) => series.measurement.id,
            None => self.added(slot).map_or(0, |added| added.measurement),
        };
        let measured = catalog.measured.get(&measurement);
        let known = measured.and_then(|measured| {
            let number = *measured.by_name.get(name)?;
            Some((number, measured.fields.get(number as usize)?.kind))
        });
        let added = self.field_numbers.get(&measurement).and_then(|fields| fields.get(name).copied());
        if let Some((number, exists)) = known.or(added) {
            return if exists.is_text() == given.is_text() {
                Ok(number)
            } else {
                Err(Refusal::Type {
                    field: name.into(),
                    measurement: self.name_of(catalog, measurement),
                    given,
                    exists,
                })
            };
        }
        let there = measured.map_or(0, |measured| measured.fields.len());
        let fields = self.field_numbers.entry(measurement).or_default();
        let limit = self.limits.series_fields;
        let number = there + fields.len();
        if number as u64 >= limit {
            return Err(Refusal::TooManyFields { limit });
        }
        let (number, name) = (number as u32, Arc::<str>::from(name));
        fields.insert(name.clone(), (number, given));
        self.fields.push(NewField { measurement, number, name, kind: given });
        self.hold();
        Ok(number)
    }

    /// Writes the rows of what was added.
    pub(crate) fn write(&self, txn: &mut Txn<'_>) {
        for (id, name) in &self.measurements {
            txn.put(keys::SERIES_MEASUREMENT, &keys::number(*id), &row::measurement_head(self.space), name.as_bytes());
        }
        for field in &self.fields {
            let key = keys::series_field(field.measurement, field.number);
            txn.put(keys::SERIES_FIELD, &key, &row::field_head(field.kind), field.name.as_bytes());
        }
        for series in &self.series {
            let (head, body) = (row::series_head(series.measurement), row::series_body(&series.key.tags));
            txn.put(keys::SERIES, &keys::number(series.id), &head, &body);
        }
        if !self.series.is_empty() {
            txn.put(keys::META, keys::META_SERIES, &row::ids_head(self.last_id), &[]);
        }
    }

    fn added(&self, slot: u32) -> Option<&NewSeries> {
        self.by_slot.get(&slot).map(|index| &self.series[*index])
    }

    fn name_of(&self, catalog: &Catalog, measurement: u64) -> Arc<str> {
        let known = catalog.measured.get(&measurement).map(|measured| &measured.measurement.name);
        let added = || self.measurements.iter().find(|(id, _)| *id == measurement).map(|(_, name)| name);
        known.or_else(added).cloned().unwrap_or_default()
    }

    fn next_id(&mut self) -> u64 {
        self.hold();
        self.last_id += 1;
        self.last_id
    }

    fn hold(&mut self) {
        if self.held.is_none() {
            let last = self.ids.0.lock();
            self.last_id = *last;
            self.held = Some(last);
        }
    }
}
