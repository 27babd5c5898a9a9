//! The verbs of time series: the handle's methods.

use std::sync::Arc;

use crate::{
    Engine, Namespace, Result,
    series::{
        DeletePoints, FieldRef, MeasurementInfo, Points, Query, SeriesKey, SeriesPoints, SeriesRef, SeriesStats,
        Written, delete, list, query, stats, write,
    },
};

/// Time series.
impl Engine {
    /// Which numbers of series hold now; 0 = the namespace has none. Changes when a series is deleted.
    pub fn series_epoch(&self, namespace: &Namespace) -> Result<u64> {
        let space = self.live()?.series.find(namespace);
        Ok(space.map_or(0, |space| space.catalog.read().epoch()))
    }
    /// The number of a series, for [`Points`] of `epoch`; none when it does not exist, or the epoch is another by now.
    pub fn find_series(&self, namespace: &Namespace, epoch: u64, key: &SeriesKey) -> Result<Option<SeriesRef>> {
        let Some(space) = self.live()?.series.find(namespace) else { return Ok(None) };
        let catalog = space.catalog.read();
        let slot = if catalog.epoch() == epoch { catalog.find(key) } else { None };
        Ok(slot.map(SeriesRef))
    }
    /// The number of a field of the series' measurement, likewise.
    pub fn find_field(
        &self,
        namespace: &Namespace,
        epoch: u64,
        series: SeriesRef,
        field: &str,
    ) -> Result<Option<FieldRef>> {
        let Some(space) = self.live()?.series.find(namespace) else { return Ok(None) };
        let catalog = space.catalog.read();
        let series = if catalog.epoch() == epoch { catalog.series(series.0) } else { None };
        let field = series.and_then(|series| catalog.find_field(&series.measurement, field));
        Ok(field.map(|(number, _)| FieldRef(number)))
    }
    /// Writes lines; the answer is durable. Those that break a rule about data are left out and told; with `atomic` one
    /// such line leaves out all of them. Series, fields, measurement and namespace are created as needed. `None` when
    /// the epoch of the points is over: look the numbers up again.
    pub async fn write_points(&self, namespace: &Namespace, points: Points, atomic: bool) -> Result<Option<Written>> {
        write::write(self.live()?, namespace, points, atomic).await
    }
    /// Computes a query over what is durable. Series by field, then key. `Invalid` when it needs more points, windows or
    /// memory than a query may, `Busy` when it takes too long.
    pub async fn query_points(&self, namespace: &Namespace, query: Query) -> Result<Vec<SeriesPoints>> {
        query::query(self.live()?, namespace, query).await
    }
    /// Deletes points; series and measurements that have none left are gone. How many points there were.
    pub async fn delete_points(&self, namespace: &Namespace, delete: DeletePoints) -> Result<u64> {
        delete::delete(self.live()?, namespace, delete).await
    }
    /// The measurements of a namespace by name, at most `limit` after the one named.
    pub async fn measurements(
        &self,
        namespace: &Namespace,
        after: Option<&Arc<str>>,
        limit: usize,
    ) -> Result<Vec<MeasurementInfo>> {
        list::measurements(self.live()?, namespace, after, limit).await
    }
    /// Numbers for metrics; zeros until the engine has recovered.
    pub fn series_stats(&self) -> SeriesStats {
        self.live().map_or_else(|_| SeriesStats::default(), |live| stats::stats(live))
    }
}
