//! Whether the database still works.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::open;
use crate::Result;

/// Opens the file and reads from it. A connection that is open already would not notice that the file is gone, and would
/// answer from its own memory what is no longer there.
pub(super) fn newcomer(path: &Path) -> Result<()> {
    rows(&open::reader(path)?)
}

/// Reads the table.
pub(super) fn rows(conn: &Connection) -> Result<()> {
    conn.query_row("SELECT key FROM kv LIMIT 1", [], |_| Ok(())).optional()?;
    Ok(())
}
