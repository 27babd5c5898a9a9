//! Dunena beyond what a scenario file can say.

mod explorer;
mod openapi;
mod schema;
