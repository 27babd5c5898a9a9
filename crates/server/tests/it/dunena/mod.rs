//! Dunena: what a scenario file cannot say.

mod native;
