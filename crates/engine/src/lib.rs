//! Every rule about data: names, versions, deadlines, conditions, the change feed. No HTTP, no wire format, no
//! dialect's name. One operation a client asked for is one method of [`Engine`] and one batch of the store.

pub mod backup;
pub mod cache;
mod chance;
pub mod clock;
mod codec;
pub mod documents;
mod engine;
mod error;
pub mod export;
pub mod feed;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod glob;
mod json;
mod keys;
pub mod kv;
mod limits;
mod live;
mod names;
pub mod namespaces;
mod number;
mod open;
pub mod pubsub;
pub mod queue;
pub mod recache;
pub mod series;
pub mod stream;
mod timers;
mod together;
mod txn;
pub mod types;
mod work;

#[cfg(test)]
mod tests;

pub use clock::{Clock, Timestamp};
pub use engine::{Cut, Engine, Options, State, Stats, verify};
pub use error::{Error, Kind, Result};
pub use glob::Glob;
pub use limits::{Limits, QueryLimits, Retention};
pub use manifold_store::{FSYNC_BOUNDS_MICROS, Level, OpenError, Stats as StoreStats};
pub use names::{Actor, Key, Name, NameError, Namespace};
pub use together::{Debt, Together};
