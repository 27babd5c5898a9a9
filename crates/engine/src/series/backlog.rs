//! The chunks of a space that are still in the log: which of them readers may see, and which may go.

use std::collections::VecDeque;

use manifold_store::Seq;

use crate::{Timestamp, series::tuning::Tuning};

#[cfg(test)]
mod tests;

/// Chunks by number. A chunk is needed as long as a buffer has a point of it.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    chunks: VecDeque<Chunk>,
    /// All of this chunk and those before are in buffers.
    applied: u64,
    /// Columns that keep this chunk or one before are being sealed.
    told: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Chunk {
    number: u64,
    frame: Seq,
    at: Timestamp,
    /// Points of it in buffers.
    points: usize,
    bytes: usize,
}

impl Backlog {
    /// A chunk was committed; its points are about to be put into buffers.
    pub(crate) fn add(&mut self, number: u64, frame: Seq, at: Timestamp, points: usize, bytes: usize) {
        self.bytes += bytes;
        self.chunks.push_back(Chunk { number, frame, at, points, bytes });
    }

    /// All points up to this chunk's are in buffers.
    pub(crate) fn applied(&mut self, number: u64) {
        self.applied = number;
    }

    /// The newest chunk whose points are all in buffers, and those of all before it.
    pub(crate) fn newest(&self) -> u64 {
        self.applied
    }

    /// The newest chunk that a reader may see.
    pub(crate) fn cut(&self, durable: Seq) -> u64 {
        // What is not here any more is in blocks, so it was durable.
        let hidden = self.chunks.partition_point(|chunk| chunk.frame <= durable);
        self.chunks.get(hidden).map_or(self.applied, |hidden| self.applied.min(hidden.number - 1))
    }

    /// Points of chunks, so many of each, have left their buffers; whether some chunk is not needed any more.
    pub(crate) fn release(&mut self, points: &[(u64, usize)]) -> bool {
        let mut done = false;
        for (number, count) in points {
            if let Ok(at) = self.find(*number) {
                self.chunks[at].points -= count;
                done |= self.chunks[at].points == 0;
            }
        }
        done
    }

    /// Bytes of all chunks.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Chunks that nobody needs any more, at most so many.
    pub(crate) fn done(&self, limit: usize) -> Vec<u64> {
        let done = |chunk: &&Chunk| chunk.points == 0 && chunk.number <= self.applied;
        self.chunks.iter().filter(done).map(|chunk| chunk.number).take(limit).collect()
    }

    /// The rows of these chunks are gone.
    pub(crate) fn removed(&mut self, numbers: &[u64]) {
        for number in numbers {
            if let Some(chunk) = self.find(*number).ok().and_then(|at| self.chunks.remove(at)) {
                self.bytes -= chunk.bytes;
            }
        }
    }

    /// Through which chunk columns must be sealed although they are small, if there is too much of something. Half of it
    /// goes at once, so that this is seldom. A chunk is told once.
    pub(crate) fn overdue(&mut self, now: Timestamp, much_memory: bool, tuning: &Tuning) -> Option<u64> {
        let through = self.too_much(now, much_memory, tuning)?.min(self.applied);
        (through > std::mem::replace(&mut self.told, through)).then_some(through)
    }

    fn too_much(&self, now: Timestamp, much_memory: bool, tuning: &Tuning) -> Option<u64> {
        if much_memory {
            return Some(self.applied);
        }
        if self.bytes > tuning.backlog_bytes {
            let mut bytes = 0;
            let half = |chunk: &&Chunk| {
                bytes += chunk.bytes;
                bytes >= self.bytes / 2
            };
            return self.chunks.iter().find(half).map(|chunk| chunk.number);
        }
        self.chunks.front().filter(|oldest| oldest.at.plus(tuning.backlog_age) <= now)?;
        let old = self.chunks.partition_point(|chunk| chunk.at.plus(tuning.backlog_age / 2) <= now);
        self.chunks.get(old.checked_sub(1)?).map(|chunk| chunk.number)
    }

    fn find(&self, number: u64) -> Result<usize, usize> {
        self.chunks.binary_search_by_key(&number, |chunk| chunk.number)
    }
}
