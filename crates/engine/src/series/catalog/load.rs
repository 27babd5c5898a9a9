//! Reading all names at a start.

use std::{collections::HashMap, sync::Arc};

use foldhash::quality::RandomState;
use manifold_store::{Row, Snapshot};

use super::{Catalog, Field, Ids, Measurement, row};
use crate::{Error, Namespace, Result, keys, namespaces::each_row};

/// A namespace that has time series.
pub(crate) struct Loaded {
    /// The id of its space.
    pub(crate) id: u64,
    pub(crate) namespace: Namespace,
    pub(crate) catalog: Catalog,
}

/// All catalogs of a cut by the ids of their spaces, and the last id given.
pub(crate) fn load(snapshot: &Snapshot) -> Result<(Vec<Loaded>, Ids)> {
    let unreadable = || Error::unreadable("the name of a time series");
    let mut spaces: Vec<Loaded> = Vec::new();
    each_row(snapshot, keys::SERIES_SPACE, |key, row| {
        let id = keys::read_number(key).ok_or_else(unreadable)?;
        spaces.push(Loaded { id, namespace: read_space(row)?, catalog: Catalog::default() });
        Ok(())
    })?;
    // Which space has a measurement: an index of `spaces`.
    let mut homes: HashMap<u64, usize, RandomState> = HashMap::default();
    each_row(snapshot, keys::SERIES_MEASUREMENT, |key, row| {
        let id = keys::read_number(key).ok_or_else(unreadable)?;
        let (space, name) = (row::read_measurement_head(row)?, row::read_name(row)?);
        let home = spaces.binary_search_by_key(&space, |space| space.id).map_err(|_| unreadable())?;
        spaces[home].catalog.add_measurement(Measurement { id, name, born: 0 });
        homes.insert(id, home);
        Ok(())
    })?;
    each_row(snapshot, keys::SERIES_FIELD, |key, row| {
        let (measurement, number) = keys::read_series_field(key).ok_or_else(unreadable)?;
        let (kind, name) = (row::read_field_head(row)?, row::read_name(row)?);
        let catalog = &mut spaces[*homes.get(&measurement).ok_or_else(unreadable)?].catalog;
        (catalog.count_fields(measurement) == number as usize).then_some(()).ok_or_else(unreadable)?;
        catalog.add_field(measurement, Field { name, kind, born: 0 });
        Ok(())
    })?;
    each_row(snapshot, keys::SERIES, |key, row| {
        let id = keys::read_number(key).ok_or_else(unreadable)?;
        let measurement = row::read_series_head(row)?;
        let catalog = &mut spaces[*homes.get(&measurement).ok_or_else(unreadable)?].catalog;
        let tags = row::read_tags(row, |text| catalog.name(&Arc::from(text)))?;
        catalog.add_series(id, measurement, tags, 0);
        Ok(())
    })?;
    let last = snapshot.get(keys::META, keys::META_SERIES).map(|row| row::read_ids(&row)).transpose()?;
    Ok((spaces, Ids::after(last.unwrap_or(0))))
}

/// How many measurements each namespace has, as the rows say.
pub(crate) fn count_measurements(snapshot: &Snapshot) -> Result<Vec<(Namespace, u64)>> {
    let mut counts: HashMap<u64, u64, RandomState> = HashMap::default();
    each_row(snapshot, keys::SERIES_MEASUREMENT, |_, row| {
        *counts.entry(row::read_measurement_head(row)?).or_default() += 1;
        Ok(())
    })?;
    let mut found = Vec::with_capacity(counts.len());
    each_row(snapshot, keys::SERIES_SPACE, |key, row| {
        if let Some(count) = keys::read_number(key).and_then(|space| counts.get(&space)) {
            found.push((read_space(row)?, *count));
        }
        Ok(())
    })?;
    Ok(found)
}

fn read_space(row: &Row) -> Result<Namespace> {
    row::read_space_head(row)?;
    Namespace::new(row.body()?).map_err(|_| Error::unreadable("the namespace of time series"))
}
