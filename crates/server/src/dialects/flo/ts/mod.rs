//! Time series: lines of points in, FloQL in, series out.

mod asked;
mod book;
pub(super) mod delete;
mod fill;
pub(super) mod floql;
pub(super) mod influx;
pub mod line;
pub(super) mod measurements;
pub(super) mod query;
mod report;
pub(super) mod write;

pub(super) use book::Shelf;
pub(super) use report::Rejection;
pub(super) use write::WRITING_KIB;
