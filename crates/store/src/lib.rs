//! Bytes in, bytes out: ordered tables over one log.
//!
//! A [`Batch`] of puts and deletes becomes one frame of the log, is applied to the index in memory at once, and becomes
//! visible to readers when it is durable at the configured [`Level`]. The store knows no data type, no clock of the
//! wall and no name above a table number.

pub mod disk;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;

mod batch;
mod clean;
mod commit;
mod cut;
mod durable;
mod error;
mod fsyncs;
mod log;
mod open;
mod options;
mod read;
mod shared;
mod snapshots;
mod stopwatch;
mod store;
mod table;

pub use batch::Batch;
pub use cut::{CutBegun, LogCut, LogFile};
pub use durable::Durable;
pub use error::{Error, OpenError};
pub use fsyncs::FSYNC_BOUNDS_MICROS;
pub use open::Claim;
pub use options::{Level, Options, Table, TableSpec};
pub use read::{Chunk, Range, Row, Snapshot, View};
pub use store::{State, Stats, Store};

/// The number of a frame: 1 for the first batch ever committed, one more for each that follows, never reused.
pub type Seq = u64;
