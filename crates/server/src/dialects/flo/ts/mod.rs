//! Time series: FloQL in, series out.

mod asked;
pub(super) mod delete;
pub(super) mod floql;
pub(super) mod measurements;
pub(super) mod query;
