//! Time series: lines of points in, FloQL in, series out.

mod asked;
pub(super) mod delete;
pub(super) mod floql;
pub mod line;
pub(super) mod measurements;
pub(super) mod query;
