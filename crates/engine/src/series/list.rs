//! What measurements there are.

use std::sync::Arc;

use manifold_store::Seq;

use crate::{
    Namespace, Result,
    live::Live,
    series::{
        MeasurementInfo,
        catalog::{Catalog, Measurement},
    },
};

/// The measurements of a namespace by name, at most `limit` after the one named.
pub(crate) async fn measurements(
    live: &Live,
    namespace: &Namespace,
    after: Option<&Arc<str>>,
    limit: usize,
) -> Result<Vec<MeasurementInfo>> {
    let Some(space) = live.series.find(namespace) else { return Ok(Vec::new()) };
    // What is gone here is gone for good only then; what is new is told apart below.
    let removed = space.catalog.read().removed();
    live.store.durable(removed).await?;
    let durable = live.store.durable_seq();
    let catalog = space.catalog.read();
    let there = catalog.measurements(after.map(|after| &**after)).filter(|measurement| measurement.born <= durable);
    Ok(there.take(limit).map(|measurement| info(&catalog, measurement, durable)).collect())
}

fn info(catalog: &Catalog, measurement: &Measurement, durable: Seq) -> MeasurementInfo {
    let fields = catalog.fields(measurement).iter().filter(|field| field.born <= durable);
    let mut fields: Vec<_> = fields.map(|field| (field.name.clone(), field.kind)).collect();
    fields.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    MeasurementInfo { name: measurement.name.clone(), series: catalog.count_of(measurement, durable) as u64, fields }
}
