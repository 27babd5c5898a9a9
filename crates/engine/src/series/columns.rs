//! The columns of a series in memory.

/// The columns of a series, by field.
#[derive(Debug, Default)]
pub(crate) struct Columns;
