//! Unison: versioned JSON key-value with tenants, atomic batch and a change feed.

mod config;
pub use config::Config;
