//! A list of puts and deletes that becomes one frame: applied whole or not at all.

use crate::Table;

/// Puts and deletes over tables, in order; a later one wins over an earlier one on the same row.
#[derive(Debug, Default)]
pub struct Batch {
    relief: bool,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Batch::default()
    }

    /// Writes a row: `head` always stays in memory, `body` only up to the table's inline limit.
    pub fn put(&mut self, table: Table, key: &[u8], head: &[u8], body: &[u8]) {
        todo!("{table:?} {key:?} {head:?} {body:?}")
    }

    /// Removes a row; nothing happens when it is absent.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        todo!("{table:?} {key:?}")
    }

    /// Marks the batch as one that frees space (delete, ack, expiry): it may use the reserve of a full disk.
    pub fn relief(&mut self) {
        self.relief = true;
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        todo!()
    }

    /// Encoded bytes so far.
    pub fn size_bytes(&self) -> usize {
        todo!()
    }
}
