//! The log up to one frame, for whoever copies it while it goes on.
//!
//! Files that cleaning removes meanwhile stay readable as long as the cut holds them open, so nobody waits for a copy and
//! their space comes back with its end.

use std::{io, path::Path, sync::Arc};

use crate::{
    Claim, Error, OpenError, Seq,
    disk::{Disk, File},
    log::{
        replay,
        segment::{self, Segment},
    },
    shared::Shared,
};

/// The log as it ended when the cut was begun; its last frames may not be on their way to the disk yet.
#[derive(Debug)]
pub struct CutBegun {
    shared: Arc<Shared>,
    seq: Seq,
    /// Oldest first.
    segments: Vec<Arc<Segment>>,
    /// Where the newest one ends.
    end: u64,
}

/// The log up to a frame.
#[derive(Debug)]
pub struct LogCut {
    /// The last frame; 0 = there is none.
    pub seq: Seq,
    /// Segments, oldest first.
    pub files: Vec<LogFile>,
}

/// A segment of a cut.
#[derive(Debug)]
pub struct LogFile {
    /// Its name in the directory.
    pub name: String,
    /// So many bytes of it belong to the cut.
    pub len: u64,
    file: Arc<dyn File>,
}

impl LogFile {
    /// Reads at an offset; fewer bytes than asked only at the end of the file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
}

impl CutBegun {
    pub(crate) fn new(shared: &Arc<Shared>) -> CutBegun {
        // Looked at before the end of the log is: whatever they still held was appended again before that end.
        let retired: Vec<u32> = shared.retired.lock().iter().map(|(_, id)| *id).collect();
        let log = shared.log.lock();
        let segments = shared.segments.read();
        let segments = segments.values().filter(|segment| !retired.contains(&segment.id)).cloned().collect();
        CutBegun { shared: shared.clone(), seq: log.next_seq - 1, segments, end: log.offset }
    }

    /// The last frame.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Waits until all of it can be read and is durable at the configured level. Blocks.
    ///
    /// # Errors
    /// [`Error::Failed`] when the log can no longer be written; [`Error::Read`].
    pub fn settled(self) -> Result<LogCut, Error> {
        let CutBegun { shared, seq, segments, end } = self;
        crate::Durable::new(shared, seq).wait()?;
        let newest = segments.last().map(|segment| segment.id);
        let file = |segment: Arc<Segment>| {
            let unreadable = |error| Error::Read(format!("{}: {error}", segment.path.display()));
            // The others were cut to their last frame before a frame behind them was durable.
            let len = if Some(segment.id) == newest { end } else { segment.file.size().map_err(unreadable)? };
            Ok(LogFile { name: segment::file_name(segment.id), len, file: segment.file.clone() })
        };
        Ok(LogCut { seq, files: segments.into_iter().map(file).collect::<Result<_, Error>>()? })
    }
}

/// The log of a directory that no process has open, which stays as it is.
pub(crate) fn at_rest(disk: &dyn Disk, dir: &Path) -> Result<(Claim, LogCut), OpenError> {
    let claim = Claim::of_existing(disk, dir)?;
    let replayed = replay::replay_existing(disk, dir, |_| {})?;
    let files = replayed.segments.iter().zip(&replayed.lengths);
    let file = |(segment, len): (&Arc<Segment>, &u64)| LogFile {
        name: segment::file_name(segment.id),
        len: *len,
        file: segment.file.clone(),
    };
    Ok((claim, LogCut { seq: replayed.last_seq, files: files.map(file).collect() }))
}
