//! The database proxy: connectors that are registered once, and queries through them whose results are cached.

mod failure;
mod kind;
pub mod native;
mod statement;

pub use failure::Failure;
pub use kind::Kind;
