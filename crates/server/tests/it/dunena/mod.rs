//! What a scenario file cannot say about Dunena.

mod documents;
mod documents_crash;
