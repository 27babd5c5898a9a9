//! The buffer that commits append to, and the space on disk it has been promised.
//!
//! Space is allocated before a frame is accepted, never while it is written: a full disk is found out while the
//! commit can still be refused, and nothing has to be taken back.

use std::{collections::VecDeque, io, path::Path, sync::Arc};

use super::{
    frame::{self, Kind},
    segment::{self, Segment, file_name},
};
use crate::{
    Error, Options, Seq,
    disk::{Disk, is_full},
};

/// Frames longer than this are handed to the writer as they are instead of being copied together.
const OWN_PIECE: usize = 64 << 10;
/// Frames are copied together up to about this size.
const PIECE_BYTES: usize = 1 << 20;

/// A frame's bytes: the committer still needs them when the log has taken them.
#[derive(Debug)]
pub(crate) enum FrameBytes {
    Own(Vec<u8>),
    Shared(Arc<Vec<u8>>),
}

impl std::ops::Deref for FrameBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FrameBytes::Own(bytes) => bytes,
            FrameBytes::Shared(bytes) => bytes,
        }
    }
}

/// Bytes to be written at one place.
#[derive(Debug)]
pub(crate) struct Piece {
    pub segment: Arc<Segment>,
    pub offset: u64,
    pub bytes: FrameBytes,
    /// The last frame that ends in it.
    pub last_seq: Seq,
}

/// The end of the log.
#[derive(Debug)]
pub(crate) struct Log {
    pub segment: Arc<Segment>,
    /// Where the next frame goes.
    pub offset: u64,
    /// End of the space that is surely there.
    allocated: u64,
    pub next_seq: Seq,
    /// The last frame known to be on disk for good.
    pub synced: Seq,
    pub pieces: VecDeque<Piece>,
    pub pending_bytes: usize,
    /// Frames that somebody waits for were left to the log thread.
    pub handed_over: bool,
    /// The log thread need not be woken for frames before this one.
    pub wake_at: Seq,
    /// Segments that are complete: (segment, its length), until the flusher has seen them.
    pub sealed: Vec<(Arc<Segment>, u64)>,
    /// Empty buffers for pieces.
    spare: Vec<Vec<u8>>,
    pub salt: u32,
    pub full: bool,
    /// The log says so.
    told_full: bool,
    pub refuses: Option<Error>,
}

/// What a commit must know about where its frame went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Appended {
    pub seq: Seq,
    pub segment: u32,
    /// Offset of the frame's body in the segment.
    pub body_at: u32,
}

/// Files and sizes an append may need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    pub disk: &'a dyn Disk,
    pub dir: &'a Path,
    pub options: &'a Options,
}

impl Log {
    /// Continues at `offset` of `segment`.
    pub fn new(segment: Arc<Segment>, offset: u64, next_seq: Seq, salt: u32) -> Self {
        Log {
            segment,
            offset,
            allocated: offset,
            next_seq,
            synced: next_seq - 1,
            pieces: VecDeque::new(),
            pending_bytes: 0,
            handed_over: false,
            wake_at: 0,
            sealed: Vec::new(),
            spare: Vec::new(),
            salt,
            full: false,
            told_full: false,
            refuses: None,
        }
    }

    /// Appends a frame whose body lies behind [`frame::HEADER`] blank bytes of `bytes`.
    pub fn append(
        &mut self,
        mut bytes: Vec<u8>,
        kind: Kind,
        relief: bool,
        body_crc: u32,
        home: Home<'_>,
    ) -> Result<(Appended, FrameBytes), Error> {
        if let Some(refusal) = &self.refuses {
            return Err(refusal.clone());
        }
        self.make_room(bytes.len() as u64, relief, home)?;
        let seq = self.next_seq;
        let header = frame::Header {
            len: (bytes.len() - frame::HEADER) as u32,
            kind,
            seq,
            lag: u32::try_from(seq - self.synced).unwrap_or(u32::MAX),
            body_crc,
        };
        bytes[..frame::HEADER].copy_from_slice(&header.encode(self.salt));
        let at = self.offset;
        let appended = Appended { seq, segment: self.segment.id, body_at: (at + frame::HEADER as u64) as u32 };
        self.next_seq += 1;
        self.offset += bytes.len() as u64;
        self.pending_bytes += bytes.len();
        Ok((appended, self.push(at, bytes, seq)))
    }

    /// Adds bytes at the end of what waits to be written.
    fn push(&mut self, offset: u64, bytes: Vec<u8>, last_seq: Seq) -> FrameBytes {
        if bytes.len() >= OWN_PIECE {
            let bytes = Arc::new(bytes);
            let piece = FrameBytes::Shared(bytes.clone());
            self.pieces.push_back(Piece { segment: self.segment.clone(), offset, bytes: piece, last_seq });
            return FrameBytes::Shared(bytes);
        }
        if let Some(Piece { segment, bytes: FrameBytes::Own(buffer), last_seq: last, .. }) = self.pieces.back_mut()
            && segment.id == self.segment.id
            && buffer.len() < PIECE_BYTES
        {
            buffer.extend_from_slice(&bytes);
            *last = last_seq;
            return FrameBytes::Own(bytes);
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(&bytes);
        self.pieces.push_back(Piece {
            segment: self.segment.clone(),
            offset,
            bytes: FrameBytes::Own(buffer),
            last_seq,
        });
        FrameBytes::Own(bytes)
    }

    /// Takes back a written buffer for the next frames.
    pub fn recycle(&mut self, bytes: FrameBytes) {
        if let FrameBytes::Own(mut buffer) = bytes
            && self.spare.len() < 4
            && buffer.capacity() <= 2 * PIECE_BYTES
        {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    fn make_room(&mut self, len: u64, relief: bool, home: Home<'_>) -> Result<(), Error> {
        let over = self.offset > segment::HEADER as u64 && self.offset + len > home.options.segment_bytes;
        if over {
            match self.rotate(len, home) {
                Ok(()) => {}
                // The old segment may grow beyond its size rather than refuse what frees space.
                Err(error) if is_full(&error) => self.found_full(home),
                Err(error) => return Err(self.fail(&error)),
            }
        }
        let reserve = if relief { 0 } else { home.options.reserve_bytes };
        if self.offset + len + reserve <= self.allocated {
            if !relief {
                self.full = false;
            }
            return Ok(());
        }
        match self.allocate(self.offset + len + reserve, home) {
            Ok(()) => {
                self.full = false;
                Ok(())
            }
            Err(error) if is_full(&error) => {
                self.found_full(home);
                Err(Error::Full)
            }
            Err(error) => Err(self.fail(&error)),
        }
    }

    fn found_full(&mut self, home: Home<'_>) {
        self.full = true;
        if !std::mem::replace(&mut self.told_full, true) {
            tracing::error!(dir = %home.dir.display(), "the disk is full: what needs space is refused");
        }
    }

    /// Gets space up to `end` at least, more while there is plenty.
    fn allocate(&mut self, end: u64, home: Home<'_>) -> io::Result<()> {
        let generous = end.max(self.allocated + home.options.allocate_bytes);
        let mut result = self.allocate_to(generous);
        if generous > end && result.as_ref().is_err_and(is_full) {
            result = self.allocate_to(end);
        }
        result
    }

    fn allocate_to(&mut self, end: u64) -> io::Result<()> {
        self.segment.file.allocate(self.allocated, end - self.allocated)?;
        self.allocated = end;
        Ok(())
    }

    /// Tries to get back to normal after the disk was full.
    pub fn heal(&mut self, home: Home<'_>) {
        let end = self.offset + home.options.reserve_bytes + home.options.allocate_bytes / 8;
        // A small batch may have fitted meanwhile: whether there is space again is found out here.
        let look = (self.full || self.told_full) && self.refuses.is_none();
        if look && (end <= self.allocated || self.allocate(end, home).is_ok()) {
            self.full = false;
            if std::mem::take(&mut self.told_full) {
                tracing::info!(dir = %home.dir.display(), "there is space on the disk again");
            }
        }
    }

    /// Seals the segment and starts the next one.
    pub fn rotate(&mut self, len: u64, home: Home<'_>) -> io::Result<()> {
        let id = self.segment.id + 1;
        let path = home.dir.join(file_name(id));
        let file = home.disk.create(&path)?;
        let need = segment::HEADER as u64 + len;
        if let Err(error) = file.allocate(0, need + home.options.reserve_bytes) {
            drop(file);
            home.disk.unlink(&path)?;
            return Err(error);
        }
        let header = segment::Header { id, first_seq: self.next_seq, salt: self.salt }.encode();
        self.sealed.push((self.segment.clone(), self.offset));
        self.segment = Arc::new(Segment { id, path, file });
        self.allocated = need + home.options.reserve_bytes;
        self.offset = header.len() as u64;
        self.pending_bytes += header.len();
        self.pieces.push_back(Piece {
            segment: self.segment.clone(),
            offset: 0,
            bytes: FrameBytes::Own(header.to_vec()),
            last_seq: self.next_seq - 1,
        });
        Ok(())
    }

    fn fail(&mut self, error: &io::Error) -> Error {
        let refusal = Error::Failed(format!("{}: {error}", self.segment.path.display()));
        self.refuses = Some(refusal.clone());
        refusal
    }
}
