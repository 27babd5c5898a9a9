//! Dunena beyond what a scenario file can say.

mod explorer;
mod native;
mod openapi;
mod schema;
