//! Dunena beyond scenario files.

mod health;
mod ws;
