//! The process: when it refuses to start, what it takes from where, how it ends, what it does on a bad disk.

mod backup;
mod config;
mod disk;
mod metrics;
mod signals;
mod start;
mod verify;
