//! The newest records of a stream, kept in memory for the readers that keep up: most of them.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::stream::{Record, row::size_bytes};

/// Most records kept of one stream.
const RECORDS: usize = 1024;
/// Most bytes kept of one stream.
const BYTES: usize = 1 << 20;
/// Most bytes kept of all streams together; beyond it a stream keeps nothing.
const BYTES_OF_ALL: usize = 64 << 20;
/// What a record costs in memory beside its bytes.
const EACH: usize = 96;

/// Records with dense offsets, the last one the newest that readers may see; or nothing.
#[derive(Debug)]
pub(crate) struct Ring {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
    bytes_of_all: Arc<AtomicUsize>,
}

impl Ring {
    pub(crate) fn new(bytes_of_all: Arc<AtomicUsize>) -> Self {
        Ring { records: VecDeque::new(), bytes: 0, bytes_of_all }
    }

    pub(crate) fn push(&mut self, record: Arc<Record>) {
        let size = weight(&record);
        self.bytes += size;
        let mut all = self.bytes_of_all.fetch_add(size, Ordering::Relaxed) + size;
        self.records.push_back(record);
        while self.records.len() > RECORDS || self.bytes > BYTES || all > BYTES_OF_ALL {
            let Some(oldest) = self.records.pop_front() else { return };
            let size = weight(&oldest);
            self.bytes -= size;
            all = self.bytes_of_all.fetch_sub(size, Ordering::Relaxed) - size;
        }
    }

    /// The records from `offset` on; none when that one is not kept.
    pub(crate) fn from(&self, offset: u64) -> Option<impl Iterator<Item = &Arc<Record>>> {
        let skip = usize::try_from(offset.checked_sub(self.records.front()?.offset)?).ok()?;
        (skip < self.records.len()).then(|| self.records.range(skip..))
    }

    /// The offset of the first record at or after `at`, if it is kept and was preceded by an earlier one here.
    pub(crate) fn since(&self, at: crate::Timestamp) -> Option<u64> {
        let earlier = self.records.partition_point(|record| record.at < at);
        (earlier > 0).then(|| self.records[earlier - 1].offset + 1)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.bytes_of_all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

fn weight(record: &Record) -> usize {
    EACH + size_bytes(record)
}
