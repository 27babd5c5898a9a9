//! What a scenario file cannot say about Flo: races, crashes under load, waits, other settings after a restart.

mod aggregates;
mod crash;
mod points;
mod races;
mod series;
mod settings;
