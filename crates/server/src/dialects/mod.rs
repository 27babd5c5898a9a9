//! One folder per API. A dialect imports the engine and `http`, never another dialect.

pub mod dunena;
pub mod edgecomet;
pub mod flo;
pub mod synap;
pub mod unison;
