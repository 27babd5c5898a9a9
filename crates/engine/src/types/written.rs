//! What a transaction has written so far. Most write a row or two: those are found faster one by one than a map is made.

use std::collections::HashMap;

use bytes::Bytes;
use foldhash::fast::RandomState;
use manifold_store::Table;
use smallvec::SmallVec;

use crate::keys::RowKey;

#[cfg(test)]
mod tests;

/// So many rows are looked at one by one.
const FEW: usize = 4;

/// The head and the body of a row that was put; none of one that was removed.
pub(crate) type Written = Option<(SmallVec<[u8; 16]>, Bytes)>;

/// Rows by table and key, as they were written last.
#[derive(Debug, Default)]
pub(crate) struct WrittenRows {
    /// All of them, until there are too many.
    few: SmallVec<[(u8, RowKey, Written); FEW]>,
    many: HashMap<(u8, RowKey), Written, RandomState>,
}

impl WrittenRows {
    /// What was written to a row; none when nothing was.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Option<&Written> {
        if self.many.is_empty() {
            return self.few.iter().find(|row| row.0 == table.0 && row.1[..] == *key).map(|row| &row.2);
        }
        self.many.get(&(table.0, RowKey::from_slice(key)))
    }

    /// Notes what is written to a row.
    pub(crate) fn set(&mut self, table: Table, key: &[u8], written: Written) {
        if self.many.is_empty() {
            if let Some(row) = self.few.iter_mut().find(|row| row.0 == table.0 && row.1[..] == *key) {
                row.2 = written;
                return;
            }
            if self.few.len() < FEW {
                self.few.push((table.0, RowKey::from_slice(key), written));
                return;
            }
            self.many.extend(self.few.drain(..).map(|(table, key, written)| ((table, key), written)));
        }
        self.many.insert((table.0, RowKey::from_slice(key)), written);
    }
}
