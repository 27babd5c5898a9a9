//! Getting back the space of rows that were overwritten or removed.
//!
//! The oldest segment goes first: what still lives in it is appended at the head of the log, the head is synced, the
//! file is removed. Because nothing older is left, its deletes need not be kept.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    Claim, Error, OpenError, Seq,
    commit::Move,
    log::{
        frame::{self, Ops},
        replay::{self, Next, Reader},
        segment::{self, Segment},
    },
    shared::Shared,
    stopwatch::Stopwatch,
    table::{Horizon, Place},
};

/// Live bytes copied at a time: short enough that no writer waits long for the shards involved.
const MOVE_BYTES: usize = 256 << 10;
/// Rows copied at a time.
const MOVE_ROWS: usize = 256;

/// With so many dead bytes, and four times as many as live ones, the only segment is sealed so that it can be cleaned.
const WORTH_SEALING: u64 = 32 << 20;

/// Bytes of the log by segment.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Segment → (file bytes, live bytes), oldest first; the newest is the one being written.
    pub segments: BTreeMap<u32, (u64, u64)>,
}

impl Usage {
    pub fn total(&self) -> u64 {
        self.segments.values().map(|(total, _)| total).sum()
    }

    pub fn live(&self) -> u64 {
        self.segments.values().map(|(_, live)| live).sum()
    }
}

impl Shared {
    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        let (newest, offset) = {
            let log = self.log.lock();
            (log.segment.id, log.offset)
        };
        let retired: Vec<u32> = self.retired.lock().iter().map(|(_, id)| *id).collect();
        for (id, segment) in self.segments.read().iter().filter(|(id, _)| !retired.contains(id)) {
            // A file that cannot be asked counts as empty: cleaning it will say what is wrong.
            let len = if *id == newest { offset } else { segment.file.size().unwrap_or(0) };
            usage.segments.insert(*id, (len, 0));
        }
        let mut live: BTreeMap<u32, i64> = BTreeMap::new();
        for shard in self.index.shards() {
            for (segment, bytes) in &shard.live {
                *live.entry(*segment).or_default() += bytes;
            }
        }
        for (segment, bytes) in live {
            if let Some(entry) = usage.segments.get_mut(&segment) {
                entry.1 = u64::try_from(bytes).unwrap_or(0);
            }
        }
        usage
    }

    /// The segment to clean next, if it is worth it.
    pub(crate) fn wants_cleaning(&self) -> Option<Arc<Segment>> {
        let usage = self.usage();
        let full = self.log.lock().full;
        let (&newest, &(newest_len, newest_live)) = usage.segments.last_key_value()?;
        let (&oldest, &(_, oldest_live)) = usage.segments.first_key_value()?;
        if oldest == newest {
            // The only segment gives back what was deleted in it only when it is sealed.
            let dead = newest_len.saturating_sub(newest_live);
            let mostly_dead = dead > WORTH_SEALING && dead / 4 > newest_live;
            let worth = mostly_dead || full && dead > self.options.reserve_bytes;
            if !worth {
                return None;
            }
            // Known before the next one can be begun: a cut of the log must not miss one in between.
            let mut log = self.log.lock();
            if log.rotate(newest_live, self.home()).is_err() {
                return None;
            }
            let segment = log.segment.clone();
            self.segments.write().insert(segment.id, segment);
        }
        // On a full disk whatever fits into the reserve is worth moving.
        let fits = full && oldest_live * 2 <= self.options.reserve_bytes;
        let worth = oldest_live == 0 || fits || usage.live() * 2 < usage.total();
        worth.then(|| self.segments.read().get(&oldest).cloned()).flatten()
    }

    /// Cleans one segment; `pause` is given the microseconds of each step of work.
    pub(crate) fn clean(&self, segment: &Arc<Segment>, mut pause: impl FnMut(u64)) -> Result<(), Error> {
        let unreadable = |e: &dyn std::fmt::Display| Error::Read(format!("{}: {e}", segment.path.display()));
        // Its last frames may still wait to be written.
        self.sync_all()?;
        let mut reader = Reader::new(segment.file.clone()).map_err(|e| unreadable(&e))?;
        let salt = self.log.lock().salt;
        let mut offset = segment::HEADER as u64;
        let mut step = Move::new();
        let mut watch = Stopwatch::start();
        loop {
            let header = match replay::next(&mut reader, offset, salt, None).map_err(|e| unreadable(&e))? {
                Next::Frame(header) => header,
                Next::End => break,
                Next::Bad(bad) => return Err(unreadable(&format!("byte {offset}: {}", bad.reason))),
            };
            let body_at = offset + frame::HEADER as u64;
            let body = reader.at(body_at, header.len as usize).map_err(|e| unreadable(&e))?;
            for op in Ops::new(body).flatten() {
                let Some(put) = op.put else { continue };
                let from = Place { segment: segment.id, offset: (body_at + op.at as u64) as u32 };
                let hash = self.index.hash(op.key);
                if !self.index.shard(hash).is_at(hash, op.key, from) {
                    continue;
                }
                step.add(&body[op.at..put.body_at + put.body.len()], op.key.len(), from);
                if step.len() >= MOVE_BYTES || step.rows() >= MOVE_ROWS {
                    std::mem::replace(&mut step, Move::new()).commit(self)?;
                    pause(watch.micros());
                    watch = Stopwatch::start();
                }
            }
            offset = body_at + u64::from(header.len);
            if self.stopping() || self.failed() {
                return Err(Error::Closed);
            }
        }
        step.commit(self)?;
        // Everything that replaced a row of this segment must be on disk for good before the row may go.
        self.sync_all()?;
        self.counters.cleaned_bytes.fetch_add(reader.len(), std::sync::atomic::Ordering::Relaxed);
        let removed = self.disk.unlink(&segment.path).and_then(|()| self.disk.sync_dir(&self.dir));
        if let Err(error) = removed {
            self.fail(&error);
            return Err(Error::Failed(error.to_string()));
        }
        let seq = self.log.lock().next_seq - 1;
        self.retired.lock().push((seq, segment.id));
        self.forget_retired();
        Ok(())
    }

    /// Closes removed segments that no reader can need any more.
    pub(crate) fn forget_retired(&self) {
        let mut retired = self.retired.lock();
        if retired.is_empty() {
            return;
        }
        self.settle_everything();
        let oldest = self.snapshots.oldest().unwrap_or(Seq::MAX).min(self.durable());
        let gone: Vec<(Seq, u32)> = retired.extract_if(.., |(seq, _)| *seq <= oldest).collect();
        drop(retired);
        if gone.is_empty() {
            return;
        }
        // Once more: what was held back for a snapshot that closed meanwhile.
        self.settle_everything();
        for (_, id) in gone {
            self.segments.write().remove(&id);
            for mut shard in self.index.shards() {
                shard.live.remove(&id);
            }
        }
    }

    pub(crate) fn settle_everything(&self) {
        for mut shard in self.index.shards() {
            shard.settle_all(self, &self.index.keyring);
        }
    }

    /// The maintenance thread: heals a full disk, forgets old versions, cleans.
    pub(crate) fn run_maintenance(&self) {
        while !self.rest(Duration::from_millis(500)) {
            let home = self.home();
            self.log.lock().heal(home);
            self.settle_everything();
            self.forget_retired();
            while let Some(segment) = self.wants_cleaning() {
                let pause = |busy: u64| {
                    // At most half of the time, and let go of the log between the steps.
                    self.rest(Duration::from_micros(busy.clamp(200, 20_000)));
                };
                match self.clean(&segment, pause) {
                    Ok(()) => {}
                    Err(Error::Closed | Error::Full | Error::Failed(_)) => break,
                    Err(error) => {
                        tracing::error!(%error, "an old segment could not be cleaned");
                        break;
                    }
                }
            }
        }
    }

    /// Sleeps; true = the store is stopping.
    fn rest(&self, time: Duration) -> bool {
        let mut stopping = self.maintenance.0.lock();
        if !*stopping {
            self.maintenance.1.wait_for(&mut stopping, time);
        }
        *stopping
    }
}

/// Reads everything a log holds without changing it: a line per segment, then the totals. As long as the claim lives the
/// directory is locked.
pub(crate) fn verify(disk: &dyn crate::disk::Disk, dir: &std::path::Path) -> Result<(Claim, Vec<String>), OpenError> {
    let claim = Claim::of_existing(disk, dir)?;
    let mut frames: BTreeMap<u32, (u64, u64, u64)> = BTreeMap::new();
    let replayed = replay::replay_existing(disk, dir, |frame| {
        let entry = frames.entry(frame.segment).or_default();
        entry.0 += 1;
        for op in Ops::new(frame.body).flatten() {
            *if op.put.is_some() { &mut entry.1 } else { &mut entry.2 } += 1;
        }
    })?;
    let mut lines = Vec::new();
    for (segment, len) in replayed.segments.iter().zip(&replayed.lengths) {
        let (frames, puts, deletes) = frames.get(&segment.id).copied().unwrap_or_default();
        let name = segment::file_name(segment.id);
        lines.push(format!("{name}: {len} bytes, {frames} frames, {puts} puts, {deletes} deletes"));
    }
    for torn in &replayed.torn_segments {
        lines.push(format!("{}: never on disk for good, will be removed at the next start", torn.path.display()));
    }
    if replayed.torn_bytes > 0 {
        lines.push(format!("torn tail: {} bytes will be cut at the next start", replayed.torn_bytes));
    }
    let stop = if replayed.clean { "clean" } else { "not clean" };
    lines.push(format!("last frame {}, last stop {stop}", replayed.last_seq));
    Ok((claim, lines))
}
