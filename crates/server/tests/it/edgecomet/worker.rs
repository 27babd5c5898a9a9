//! What the worker fetches, and what it refuses.
