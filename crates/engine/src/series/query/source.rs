//! The stored columns as a query sees them.

use std::sync::Arc;

use crate::{
    Namespace, Result,
    live::Live,
    series::{
        Query,
        catalog::{Catalog, Measurement, Series},
        column::{ColumnView, Source},
        columns,
        space::Space,
    },
};

/// The columns of the series of one measurement.
pub(super) struct Stored<'a> {
    live: &'a Live,
    /// None when the namespace has no series.
    found: Option<Found>,
    fields: Vec<(Arc<str>, bool)>,
    oldest: i64,
}

struct Found {
    space: Arc<Space>,
    /// The newest chunk that counts.
    cut: u64,
    series: Vec<Arc<Series>>,
    /// The number of each field.
    fields: Vec<u32>,
}

impl<'a> Stored<'a> {
    /// Those that a query asks for.
    pub(super) fn new(live: &'a Live, namespace: &Namespace, query: &Query) -> Self {
        let oldest = live.series_retention.oldest_visible(namespace, &query.measurement, live.clock.nanos());
        let Some(space) = live.series.find(namespace) else {
            return Stored { live, found: None, fields: Vec::new(), oldest };
        };
        let catalog = space.catalog.read();
        let series = catalog.matching(&query.measurement, &query.filters);
        let mut fields = match catalog.measurement(&query.measurement) {
            Some(measurement) => fields(&catalog, measurement, query),
            None => Vec::new(),
        };
        drop(catalog);
        fields.sort_unstable();
        fields.dedup();
        let numbers = fields.iter().map(|(_, _, number)| *number).collect();
        let fields = fields.into_iter().map(|(name, is_text, _)| (name, is_text)).collect();
        let cut = space.cut(&live.store);
        Stored { live, found: Some(Found { space, cut, series, fields: numbers }), fields, oldest }
    }
}

/// The fields that a query asks for: name, whether it holds text, number.
fn fields(catalog: &Catalog, measurement: &Measurement, query: &Query) -> Vec<(Arc<str>, bool, u32)> {
    match &query.fields {
        Some(names) => {
            let found = names.iter().filter_map(|name| catalog.find_field(measurement, name));
            found.map(|(number, field)| (field.name.clone(), field.kind.is_text(), number)).collect()
        }
        None => {
            let numbered = (0..).zip(catalog.fields(measurement));
            let numeric = numbered.filter(|(_, field)| !field.kind.is_text());
            numeric.map(|(number, field)| (field.name.clone(), false, number)).collect()
        }
    }
}

impl Source for Stored<'_> {
    fn series(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.series.len())
    }
    fn tags(&self, series: usize) -> &[(Arc<str>, Arc<str>)] {
        self.found.as_ref().map_or(&[], |found| &found.series[series].tags)
    }
    fn fields(&self) -> &[(Arc<str>, bool)] {
        &self.fields
    }
    fn oldest(&self) -> i64 {
        self.oldest
    }
    fn column(&self, series: usize, field: usize, range: (i64, i64)) -> Result<Option<ColumnView>> {
        let Some(found) = &self.found else { return Ok(None) };
        let Found { space, cut, series: all, fields } = found;
        columns::view(self.live, space, &all[series], fields[field], range, *cut)
    }
}
