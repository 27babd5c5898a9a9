//! Dunena beyond what a scenario file can say.

mod cache;
mod documents;
mod documents_crash;
mod explorer;
mod openapi;
mod schema;
mod snapshot;
