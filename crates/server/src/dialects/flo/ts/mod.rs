//! Time series: points come in as lines of text and are asked for in FloQL.

pub mod line;
