//! Bytes in, bytes out: ordered tables over one log.
//!
//! A [`Batch`] of puts and deletes becomes one frame of the log, is applied to the index in memory at once, and becomes
//! visible to readers when it is durable at the configured [`Level`]. The store knows no data type, no clock of the
//! wall and no name above a table number.

pub mod disk;

mod batch;
mod error;
mod options;
mod store;

pub use batch::Batch;
pub use error::{Error, OpenError};
pub use options::{Level, Options, Table, TableSpec};
pub use store::{Chunk, Durable, Range, Row, Snapshot, State, Stats, Store, View};

/// The number of a frame: 1 for the first batch ever committed, one more for each that follows, never reused.
pub type Seq = u64;
