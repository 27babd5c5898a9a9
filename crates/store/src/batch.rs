//! A list of puts and deletes that becomes one frame: applied whole or not at all.

use smallvec::SmallVec;

use crate::{
    Table,
    log::frame::{DELETE, DELETE_HEADER, HEADER, PUT, PUT_HEADER},
};

/// Room for most batches: a row with a small value, and the same value in a feed.
const USUAL_BYTES: usize = 512;

/// Puts and deletes over tables, in order; a later one wins over an earlier one on the same row.
///
/// It is encoded while it is filled, straight into the bytes of the frame it becomes.
#[derive(Debug, Clone)]
pub struct Batch {
    bytes: Vec<u8>,
    pub(crate) ops: SmallVec<[BatchOp; 4]>,
    relief: bool,
}

/// Where an operation lies in the batch's bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchOp {
    /// Table number and key.
    pub key_at: u32,
    pub key_len: u16,
    pub put: Option<BatchPut>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchPut {
    pub head_len: u16,
    pub body_len: u32,
}

impl Default for Batch {
    fn default() -> Self {
        Batch::new()
    }
}

impl Batch {
    /// Longest key in bytes, longest head in bytes.
    pub const PART_MAX: usize = u16::MAX as usize - 1;

    /// An empty batch.
    pub fn new() -> Self {
        let mut bytes = Vec::with_capacity(USUAL_BYTES);
        bytes.resize(HEADER, 0);
        Batch { bytes, ops: SmallVec::new(), relief: false }
    }

    /// Writes a row: `head` always stays in memory, `body` only up to the table's inline limit.
    ///
    /// # Panics
    /// When key or head are longer than [`Batch::PART_MAX`], or body than `u32`: the caller's limits are far below.
    pub fn put(&mut self, table: Table, key: &[u8], head: &[u8], body: &[u8]) {
        let key_len = part_len(key.len() + 1);
        let head_len = part_len(head.len());
        let body_len = u32::try_from(body.len()).expect("a body is far shorter than 4 GiB");
        self.bytes.reserve(PUT_HEADER + key.len() + 1 + head.len() + body.len());
        self.bytes.push(PUT);
        self.bytes.extend_from_slice(&key_len.to_le_bytes());
        self.bytes.extend_from_slice(&head_len.to_le_bytes());
        self.bytes.extend_from_slice(&body_len.to_le_bytes());
        self.bytes.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
        let key_at = self.key(table, key);
        self.bytes.extend_from_slice(head);
        self.bytes.extend_from_slice(body);
        self.ops.push(BatchOp { key_at, key_len, put: Some(BatchPut { head_len, body_len }) });
    }

    /// Removes a row; nothing happens when it is absent.
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        let key_len = part_len(key.len() + 1);
        self.bytes.reserve(DELETE_HEADER + key.len() + 1);
        self.bytes.push(DELETE);
        self.bytes.extend_from_slice(&key_len.to_le_bytes());
        let key_at = self.key(table, key);
        self.ops.push(BatchOp { key_at, key_len, put: None });
    }

    fn key(&mut self, table: Table, key: &[u8]) -> u32 {
        let at = u32::try_from(self.bytes.len()).expect("commit refuses far smaller batches");
        self.bytes.push(table.0);
        self.bytes.extend_from_slice(key);
        at
    }

    /// Marks the batch as one that frees space (delete, ack, expiry): it may use the reserve of a full disk.
    pub fn relief(&mut self) {
        self.relief = true;
    }

    /// Whether [`Batch::relief`] was called.
    pub fn is_relief(&self) -> bool {
        self.relief
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// What it writes, in order: the row's table and key, and the bytes of its head and body; none where it is removed.
    pub fn writes(&self) -> impl Iterator<Item = (Table, &[u8], Option<usize>)> {
        self.ops.iter().filter_map(|op| {
            let (table, key) = self.key_of(op).split_first()?;
            let bytes = op.put.map(|put| usize::from(put.head_len) + put.body_len as usize);
            Some((Table(*table), key, bytes))
        })
    }

    /// Encoded bytes so far.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The frame, its header still blank.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn key_of(&self, op: &BatchOp) -> &[u8] {
        &self.bytes[op.key_at as usize..][..usize::from(op.key_len)]
    }
}

fn part_len(len: usize) -> u16 {
    u16::try_from(len).expect("keys and heads are bounded far below 64 KiB")
}
