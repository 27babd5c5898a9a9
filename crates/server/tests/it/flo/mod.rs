//! What a scenario file cannot say about Flo: races, crashes under load, waits.

mod aggregates;
mod crash;
mod points;
mod races;
mod series;
