//! Dunena beyond what a scenario file can say.

mod explorer;
mod health;
mod openapi;
mod schema;
mod ws;
