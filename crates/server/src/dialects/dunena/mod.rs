//! Dunena.

pub mod proxy;
