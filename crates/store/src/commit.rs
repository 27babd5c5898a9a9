//! From a batch to a frame in the log and rows in the index, in one order.

use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use crate::{
    Batch, Error, Level, Seq,
    log::{
        append::{Appended, FrameBytes},
        flush::WAKE_BYTES,
        frame::{self, BODY_MAX, HEADER, Kind, PUT_HEADER},
    },
    shared::Shared,
    table::{Locked, NewRow, Place},
};

impl Shared {
    /// See [`crate::Store::commit`]. The shards of all rows stay locked from before the frame gets its number until it is
    /// applied, so that log order is visible order and nobody sees half a batch.
    pub(crate) fn commit(&self, mut batch: Batch, numbered: impl FnOnce(Seq)) -> Result<Seq, Error> {
        if batch.is_empty() {
            return Ok(self.log.lock().next_seq - 1);
        }
        let len = batch.size_bytes();
        if len > BODY_MAX {
            return Err(Error::TooLarge(len));
        }
        let hashes: SmallVec<[u64; 4]> = batch.ops.iter().map(|op| self.index.hash(batch.key_of(op))).collect();
        let body_crc = crc32c::crc32c(&batch.bytes()[HEADER..]);
        let relief = batch.is_relief();
        let ops = std::mem::take(&mut batch.ops);
        let mut shards = self.index.lock(hashes.iter().copied());
        let (appended, bytes) = self.append(batch.into_bytes(), Kind::Batch, relief, body_crc, numbered)?;
        for (op, &hash) in ops.iter().zip(&hashes) {
            let key_at = op.key_at as usize;
            let key = &bytes[key_at..key_at + usize::from(op.key_len)];
            let shard = shards.shard(hash);
            match op.put {
                Some(put) => {
                    let data_at = key_at + key.len();
                    let data = &bytes[data_at..data_at + usize::from(put.head_len) + put.body_len as usize];
                    let row = NewRow { data, head_len: put.head_len, place: place(appended, key_at - PUT_HEADER) };
                    shard.put(hash, key, &row, appended.seq, &self.index.keyring);
                }
                None => shard.delete(hash, key, appended.seq, &self.index.keyring),
            }
        }
        self.settle(&mut shards, &hashes);
        drop(shards);
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        Ok(appended.seq)
    }

    /// Appends a frame and wakes the log thread when it is its turn. `numbered` learns the frame's number while nobody
    /// can write it yet.
    pub(crate) fn append(
        &self,
        bytes: Vec<u8>,
        kind: Kind,
        relief: bool,
        body_crc: u32,
        numbered: impl FnOnce(Seq),
    ) -> Result<(Appended, FrameBytes), Error> {
        let mut log = self.log.lock();
        let appended = log.append(bytes, kind, relief, body_crc, self.home());
        if let Ok((appended, _)) = &appended {
            numbered(appended.seq);
        }
        let awaited = self.options.level == Level::Always && log.next_seq > log.wake_at;
        let wake = awaited || log.pending_bytes >= WAKE_BYTES;
        if let Ok((appended, _)) = &appended
            && log.segment.id != self.newest_segment.swap(appended.segment, Ordering::Relaxed)
        {
            let segment = log.segment.clone();
            self.segments.write().insert(segment.id, segment);
        }
        drop(log);
        if wake {
            self.wake.notify_one();
        }
        if let Err(error @ Error::Failed(_)) = &appended {
            self.publisher.fail(error.clone());
            self.room.notify();
        }
        appended
    }

    fn settle(&self, shards: &mut Locked<'_>, hashes: &[u64]) {
        for &hash in hashes {
            shards.shard(hash).settle_some(self, &self.index.keyring);
        }
    }
}

/// Where an operation at `at` of the frame's bytes lies on disk.
fn place(appended: Appended, at: usize) -> Place {
    Place { segment: appended.segment, offset: appended.body_at + (at - HEADER) as u32 }
}

/// Moves rows that cleaning found in an old segment to the head of the log.
pub(crate) struct Move {
    bytes: Vec<u8>,
    rows: Vec<(usize, usize, Place)>,
}

impl Move {
    pub fn new() -> Self {
        Move { bytes: vec![0; HEADER], rows: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.bytes.len() - HEADER
    }

    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Adds a put as it stands in the old segment.
    pub fn add(&mut self, put: &[u8], key_len: usize, from: Place) {
        self.rows.push((self.bytes.len(), key_len, from));
        self.bytes.extend_from_slice(put);
    }

    fn key(&self, (at, key_len, _): (usize, usize, Place)) -> &[u8] {
        &self.bytes[at + PUT_HEADER..at + PUT_HEADER + key_len]
    }

    /// Appends what is still current; a row written meanwhile stays where its writer put it. Rows are looked for in the
    /// copy only when it is written: until then they cannot be read there.
    pub fn commit(self, shared: &Shared) -> Result<(), Error> {
        let hashes: Vec<u64> = self.rows.iter().map(|row| shared.index.hash(self.key(*row))).collect();
        let mut bytes = vec![0; HEADER];
        let mut copied = Vec::new();
        let appended = {
            let mut shards = shared.index.lock(hashes.iter().copied());
            for (row, &hash) in self.rows.iter().zip(&hashes) {
                let key = self.key(*row);
                if shards.shard(hash).is_at(hash, key, row.2) {
                    let put = &self.bytes[row.0..];
                    let len = put_len(put);
                    copied.push((hash, bytes.len(), key, row.2));
                    bytes.extend_from_slice(&put[..len]);
                }
            }
            if copied.is_empty() {
                return Ok(());
            }
            let body_crc = crc32c::crc32c(&bytes[HEADER..]);
            // While the shards are locked: a newer version must come behind it in the log.
            shared.append(bytes, Kind::Move, true, body_crc, |_| {})?.0
        };
        shared.write_all()?;
        let mut shards = shared.index.lock(copied.iter().map(|(hash, ..)| *hash));
        for (hash, at, key, from) in copied {
            shards.shard(hash).moved(hash, key, from, place(appended, at));
        }
        Ok(())
    }
}

/// Length of the put operation at the start of `bytes`.
pub(crate) fn put_len(bytes: &[u8]) -> usize {
    PUT_HEADER
        + usize::from(frame::u16_at(bytes, 1))
        + usize::from(frame::u16_at(bytes, 3))
        + frame::u32_at(bytes, 5) as usize
}
