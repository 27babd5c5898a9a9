//! The verbs of time series: the handle's methods.

use std::sync::Arc;

use crate::{
    Engine, Error, Kind, Namespace, Result,
    series::{
        DeletePoints, FieldRef, MeasurementInfo, Points, Query, SeriesKey, SeriesPoints, SeriesRef, SeriesStats,
        Written,
    },
};

fn missing() -> Error {
    Error::new(Kind::Bug, "time series are not here yet")
}

/// Time series.
impl Engine {
    /// Which numbers of series hold now; 0 = the namespace has none. Changes when a series is deleted.
    pub fn series_epoch(&self, _namespace: &Namespace) -> Result<u64> {
        Err(missing())
    }
    /// The number of a series, for [`Points`] of `epoch`; none when it does not exist, or the epoch is another by now.
    pub fn find_series(&self, _namespace: &Namespace, _epoch: u64, _key: &SeriesKey) -> Result<Option<SeriesRef>> {
        Err(missing())
    }
    /// The number of a field of the series' measurement, likewise.
    pub fn find_field(
        &self,
        _namespace: &Namespace,
        _epoch: u64,
        _series: SeriesRef,
        _field: &str,
    ) -> Result<Option<FieldRef>> {
        Err(missing())
    }
    /// Writes lines; the answer is durable. Those that break a rule about data are left out and told; with `atomic` one
    /// such line leaves out all of them. Series, fields, measurement and namespace are created as needed. `None` when
    /// the epoch of the points is over: look the numbers up again.
    pub async fn write_points(
        &self,
        _namespace: &Namespace,
        _points: Points,
        _atomic: bool,
    ) -> Result<Option<Written>> {
        Err(missing())
    }
    /// Computes a query over what is durable. Series by field, then key. `Invalid` when it needs more points, windows or
    /// memory than a query may, `Busy` when it takes too long.
    pub async fn query_points(&self, _namespace: &Namespace, _query: Query) -> Result<Vec<SeriesPoints>> {
        Err(missing())
    }
    /// Deletes points; series and measurements that have none left are gone. How many points there were.
    pub async fn delete_points(&self, _namespace: &Namespace, _delete: DeletePoints) -> Result<u64> {
        Err(missing())
    }
    /// The measurements of a namespace by name, at most `limit` after the one named.
    pub async fn measurements(
        &self,
        _namespace: &Namespace,
        _after: Option<&Arc<str>>,
        _limit: usize,
    ) -> Result<Vec<MeasurementInfo>> {
        Err(missing())
    }
    /// Numbers for metrics.
    pub fn series_stats(&self) -> SeriesStats {
        SeriesStats::default()
    }
}
