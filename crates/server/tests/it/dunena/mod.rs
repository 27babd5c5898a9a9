//! Dunena beyond what a scenario file can say.

mod cache;
mod dashboard;
mod documents;
mod documents_crash;
mod explorer;
mod health;
mod native;
mod openapi;
mod proxy;
mod refused;
mod schema;
mod sizes;
mod snapshot;
pub mod upstream;
mod ws;
