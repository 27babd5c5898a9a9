//! From the buffer to the disk: one writer at a time, group commit, the log thread.

use std::{io, sync::Arc, time::Duration};

use super::{append::Piece, segment::Segment};
use crate::{Error, Level, Seq, shared::Shared, stopwatch::Stopwatch};

/// Buffered bytes at which a committer wakes the log thread even if nobody waits for durability.
pub(crate) const WAKE_BYTES: usize = 256 << 10;

/// A group commit waits at most this long for the company of the last one.
const GROUP_WAIT_MAX: Duration = Duration::from_millis(5);

/// Groups of frames one committer writes before it goes on with its own work.
const INLINE_ROUNDS: usize = 8;

/// Who holds it may write to the log's files.
#[derive(Debug)]
pub(crate) struct Io {
    /// The last frame handed to the kernel.
    written: Seq,
    /// The last frame handed to the kernel before the newest segment was begun.
    written_before: Seq,
    /// Segments with bytes that are not synced, oldest first.
    dirty: Vec<Arc<Segment>>,
    /// Whether a name was created that is not synced.
    new_name: bool,
}

impl Io {
    pub fn new(written: Seq) -> Self {
        Io { written, written_before: 0, dirty: Vec::new(), new_name: false }
    }

    fn touch(&mut self, segment: &Arc<Segment>) {
        if self.dirty.last().is_none_or(|last| last.id != segment.id) {
            self.dirty.push(segment.clone());
            self.written_before = self.written;
            self.new_name = true;
        }
    }
}

impl Shared {
    /// Writes everything that waits now.
    fn write_pending(&self, io: &mut Io) -> io::Result<()> {
        let (pieces, sealed) = {
            let mut log = self.log.lock();
            log.pending_bytes = 0;
            (std::mem::take(&mut log.pieces), std::mem::take(&mut log.sealed))
        };
        if pieces.is_empty() {
            return Ok(());
        }
        for Piece { segment, offset, bytes, last_seq } in pieces {
            io.touch(&segment);
            segment.file.write_at(&bytes, offset)?;
            io.written = last_seq;
            self.log.lock().recycle(bytes);
        }
        for (segment, len) in sealed {
            // Gives back the space that was allocated ahead.
            segment.file.set_len(len)?;
        }
        self.room.notify();
        Ok(())
    }

    /// What is written but not synced; the caller syncs it without holding the writer's place.
    fn take_dirty(&self, io: &mut Io, sealed_only: bool) -> Unsynced {
        let keep = usize::from(sealed_only).min(io.dirty.len());
        let kept = io.dirty.split_off(io.dirty.len() - keep);
        let segments = std::mem::replace(&mut io.dirty, kept);
        let upto = if io.dirty.is_empty() { io.written } else { io.written_before };
        Unsynced { upto, segments, new_name: std::mem::take(&mut io.new_name) }
    }

    fn sync(&self, unsynced: Unsynced) -> io::Result<()> {
        if unsynced.segments.is_empty() {
            return Ok(());
        }
        let watch = Stopwatch::start();
        for segment in &unsynced.segments {
            segment.file.sync_data()?;
        }
        if unsynced.new_name {
            self.disk.sync_dir(&self.dir)?;
        }
        self.counters.fsyncs.record(watch.micros());
        let mut log = self.log.lock();
        log.synced = log.synced.max(unsynced.upto);
        Ok(())
    }

    /// Writes what waits if nobody else is writing: the way from commit to the kernel without a change of thread, at
    /// the levels that need no fsync.
    pub(crate) fn write_inline(&self) {
        for _ in 0..INLINE_ROUNDS {
            let Some(mut io) = self.io.try_lock() else { return };
            let before = io.written;
            let written = match self.write_pending(&mut io) {
                Ok(()) => io.written,
                Err(error) => return self.fail(&error),
            };
            self.company.met(written - before);
            self.publish(written);
            drop(io);
            // Somebody may have appended, found the place taken and gone to wait for us.
            if self.log.lock().pieces.is_empty() {
                return;
            }
        }
        // Enough done for others: the log thread goes on. It may be busy with an fsync and not hear the call.
        self.log.lock().handed_over = true;
        self.wake.notify_one();
    }

    /// Writes everything appended so far; at `always` it is synced too, because whoever waits for it there waits for that.
    pub(crate) fn write_all(&self) -> Result<(), Error> {
        if self.options.level == Level::Always {
            return self.sync_all();
        }
        {
            let mut io = self.io.lock();
            if let Err(error) = self.write_pending(&mut io) {
                self.fail(&error);
                return Err(Error::Failed(error.to_string()));
            }
            self.publish(io.written);
        }
        self.serve_missed();
        Ok(())
    }

    /// Writes and syncs everything committed so far, whatever the level.
    pub(crate) fn sync_all(&self) -> Result<(), Error> {
        let result = {
            let mut io = self.io.lock();
            self.write_pending(&mut io).map(|()| (self.take_dirty(&mut io, false), io.written))
        };
        match result.and_then(|(unsynced, written)| self.sync(unsynced).map(|()| written)) {
            Ok(written) => {
                self.publish(written);
                self.serve_missed();
                Ok(())
            }
            Err(error) => {
                self.fail(&error);
                Err(Error::Failed(error.to_string()))
            }
        }
    }

    /// Writes for committers who found the writer's place taken by somebody who was not there to write their frames.
    fn serve_missed(&self) {
        if self.options.level != Level::Always {
            self.write_inline();
        }
    }

    /// The log thread.
    pub(crate) fn run_log(&self) {
        let mut group = Group::default();
        while !self.stopping() && !self.failed() {
            match self.options.level {
                Level::Always => self.group_commit(&mut group),
                Level::Interval => self.tick(self.options.interval, false),
                Level::Os => self.tick(Duration::from_secs(1), true),
            }
        }
    }

    /// Waits for frames, brings them to disk for good, tells who waits. Whoever commits while the fsync runs is in the
    /// next group. Those who were told last time often come back at once, and the first of them should not start an fsync
    /// for itself that all others have to wait out: it waits for as many as they were, but no longer than that fsync would
    /// take. A lone writer was alone last time too, and never waits for company.
    fn group_commit(&self, last: &mut Group) {
        let durable = self.publisher.seq();
        {
            let mut log = self.log.lock();
            while log.pieces.is_empty() {
                if self.stopping() {
                    return;
                }
                self.wake.wait(&mut log);
            }
            let expected = durable + last.frames;
            if log.next_seq <= expected && !self.stopping() {
                log.wake_at = expected;
                self.wake.wait_for(&mut log, last.took.min(GROUP_WAIT_MAX));
                log.wake_at = 0;
            }
        }
        let watch = Stopwatch::start();
        // A failure is remembered by fail(); the loop ends on it.
        if self.sync_all().is_err() {
            tracing::error!("the log can no longer be written; nothing more is accepted");
        }
        *last = Group { frames: self.publisher.seq() - durable, took: Duration::from_micros(watch.micros()) };
    }

    fn tick(&self, interval: Duration, sealed_only: bool) {
        {
            let mut log = self.log.lock();
            let handed_over = std::mem::take(&mut log.handed_over);
            if log.pending_bytes < WAKE_BYTES && !handed_over && !self.stopping() {
                self.wake.wait_for(&mut log, interval);
            }
        }
        self.write_inline();
        if !self.sync_due(interval) || self.failed() {
            return;
        }
        let unsynced = self.take_dirty(&mut self.io.lock(), sealed_only);
        self.serve_missed();
        if let Err(error) = self.sync(unsynced) {
            self.fail(&error);
        }
    }
}

/// A group commit.
#[derive(Debug, Default)]
struct Group {
    frames: u64,
    took: Duration,
}

/// Segments to sync.
#[derive(Debug)]
struct Unsynced {
    segments: Vec<Arc<Segment>>,
    new_name: bool,
    /// Once they are synced, everything up to this frame is on disk for good.
    upto: Seq,
}
