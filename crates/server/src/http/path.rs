//! Raw paths: split on `/` first, then percent-decode each part exactly once.
