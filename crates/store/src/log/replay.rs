//! Reading the log back: every frame in order, the torn tail cut off, damage refused.
//!
//! A frame that does not check out is damage when it differs from a valid one in a single bit, or when a later frame
//! says that it was on disk for good. Otherwise it was being written when the machine stopped, nobody was told that it
//! is safe, and the log ends before it.

use std::{io, path::Path, sync::Arc};

use super::{
    frame::{self, Kind, Ops},
    segment::{self, Header, Parsed, Segment, parse_name},
};
use crate::{
    OpenError, Seq,
    disk::{Disk, File, at},
};

/// Bytes read ahead.
const WINDOW: usize = 4 << 20;

/// A file read front to back through a window.
#[derive(Debug)]
pub(crate) struct Reader {
    file: Arc<dyn File>,
    len: u64,
    start: u64,
    window: Vec<u8>,
}

impl Reader {
    pub fn new(file: Arc<dyn File>) -> io::Result<Self> {
        let len = file.size()?;
        Ok(Reader { file, len, start: 0, window: Vec::new() })
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// `len` bytes at `offset`, fewer at the end of the file.
    pub fn at(&mut self, offset: u64, len: usize) -> io::Result<&[u8]> {
        let len = len.min(usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX));
        let end = self.start + self.window.len() as u64;
        if offset < self.start || offset + len as u64 > end {
            let want = len.max(WINDOW).min((self.len - offset.min(self.len)) as usize);
            self.window.resize(want, 0);
            let got = self.file.read_at(&mut self.window, offset)?;
            self.window.truncate(got);
            self.start = offset;
        }
        let from = (offset - self.start) as usize;
        Ok(&self.window[from.min(self.window.len())..(from + len).min(self.window.len())])
    }
}

/// What lies at an offset.
#[derive(Debug)]
pub(crate) enum Next {
    /// A valid frame; its body is `len` bytes behind the header.
    Frame(frame::Header),
    /// Only zeros, or nothing, up to the end of the file.
    End,
    /// Anything else.
    Bad(Bad),
}

/// Why bytes are no frame.
#[derive(Debug)]
pub(crate) struct Bad {
    pub reason: &'static str,
    /// One turned bit explains it: never the result of a write that was cut off.
    pub rot: bool,
}

/// Looks for frame `expected` (any when `None`) at `offset`.
pub(crate) fn next(reader: &mut Reader, offset: u64, salt: u32, expected: Option<Seq>) -> io::Result<Next> {
    let bytes = reader.at(offset, frame::HEADER)?;
    let Ok(bytes) = <[u8; frame::HEADER]>::try_from(bytes) else {
        return rest_is_zero(reader, offset);
    };
    let Some(header) = frame::Header::parse(&bytes, salt) else {
        if bytes.iter().all(|b| *b == 0)
            && let Next::End = rest_is_zero(reader, offset)?
        {
            return Ok(Next::End);
        }
        let rot = frame::Header::one_bit_away(&bytes, salt);
        return Ok(Next::Bad(Bad { reason: "the frame header does not match its checksum", rot }));
    };
    if expected.is_some_and(|seq| seq != header.seq) {
        return Ok(Next::Bad(Bad { reason: "the frame is out of order", rot: true }));
    }
    let len = header.len as usize;
    let body = reader.at(offset + frame::HEADER as u64, len)?;
    if body.len() < len {
        return Ok(Next::Bad(Bad { reason: "the frame is incomplete", rot: false }));
    }
    if crc32c::crc32c(body) != header.body_crc {
        let rot = frame::one_bit_explains(body, header.body_crc);
        return Ok(Next::Bad(Bad { reason: "the frame does not match its checksum", rot }));
    }
    Ok(Next::Frame(header))
}

fn rest_is_zero(reader: &mut Reader, mut offset: u64) -> io::Result<Next> {
    while offset < reader.len() {
        let bytes = reader.at(offset, 64 << 10)?;
        if bytes.is_empty() {
            break;
        }
        if bytes.iter().any(|b| *b != 0) {
            return Ok(Next::Bad(Bad { reason: "there are bytes behind the end of the log", rot: false }));
        }
        offset += bytes.len() as u64;
    }
    Ok(Next::End)
}

/// A frame as replay hands it out.
#[derive(Debug)]
pub(crate) struct Replayed<'a> {
    pub segment: u32,
    /// Offset of the body in the segment.
    pub body_at: u64,
    pub header: frame::Header,
    pub body: &'a [u8],
}

/// Where the log ends.
#[derive(Debug)]
pub(crate) struct Replay {
    /// Oldest first; empty = there is no log.
    pub segments: Vec<Arc<Segment>>,
    /// Lengths up to the last valid frame, one for each segment.
    pub lengths: Vec<u64>,
    pub last_seq: Seq,
    pub salt: u32,
    /// Whether the last frame says that the log was closed.
    pub clean: bool,
    /// Bytes behind the end that are to be cut off the last segment.
    pub torn_bytes: u64,
    /// Segments behind the end, never durable, to be removed.
    pub torn_segments: Vec<Arc<Segment>>,
    pub bytes: u64,
}

/// Reads all segments of `dir` and hands every frame to `apply`. Changes nothing on disk.
pub(crate) fn replay(disk: &dyn Disk, dir: &Path, mut apply: impl FnMut(Replayed<'_>)) -> Result<Replay, OpenError> {
    let mut ids: Vec<u32> = disk.list(dir).map_err(at(dir))?.iter().filter_map(|(name, _)| parse_name(name)).collect();
    ids.sort_unstable();
    let mut segments = Vec::with_capacity(ids.len());
    for id in ids {
        let path = dir.join(segment::file_name(id));
        let file = disk.open(&path).map_err(at(&path))?;
        segments.push(Arc::new(Segment { id, path, file }));
    }
    let mut out = Replay {
        segments: Vec::new(),
        lengths: Vec::new(),
        last_seq: 0,
        salt: 0,
        clean: true,
        torn_bytes: 0,
        torn_segments: Vec::new(),
        bytes: 0,
    };
    for (i, segment) in segments.iter().enumerate() {
        let mut reader = Reader::new(segment.file.clone()).map_err(at(&segment.path))?;
        let rest = &segments[i + 1..];
        match read_segment(segment, &mut reader, rest, &mut out, &mut apply)? {
            Ended::Whole => {}
            Ended::Cut => {
                out.torn_segments.extend(rest.iter().cloned());
                break;
            }
            Ended::Torn => {
                out.torn_segments.extend(segments[i..].iter().cloned());
                out.clean = false;
                break;
            }
        }
    }
    Ok(out)
}

/// The same of a directory in which there has to be a log.
pub(crate) fn replay_existing(
    disk: &dyn Disk,
    dir: &Path,
    apply: impl FnMut(Replayed<'_>),
) -> Result<Replay, OpenError> {
    let replayed = replay(disk, dir, apply)?;
    if replayed.segments.is_empty() {
        return Err(OpenError::Foreign { file: dir.to_path_buf(), reason: "there is no log in it".to_owned() });
    }
    Ok(replayed)
}

/// How reading a segment ended.
enum Ended {
    /// Every frame was valid.
    Whole,
    /// The log ends inside it.
    Cut,
    /// The log ends before it.
    Torn,
}

fn read_segment(
    segment: &Arc<Segment>,
    reader: &mut Reader,
    rest: &[Arc<Segment>],
    out: &mut Replay,
    apply: &mut impl FnMut(Replayed<'_>),
) -> Result<Ended, OpenError> {
    let io = || at(&segment.path);
    let first = out.segments.is_empty();
    let lost = out.last_seq + 1;
    let bytes = reader.at(0, segment::HEADER).map_err(io())?.to_vec();
    let header = match Header::parse(&bytes) {
        Parsed::Header(header) if header.id != segment.id => {
            return Err(damaged(segment, 0, "the segment belongs under another name"));
        }
        Parsed::Header(header) => header,
        // The first segment gets its name only when its header is on disk for good.
        Parsed::Damaged(reason) if first || Header::one_bit_away(&bytes) => return Err(damaged(segment, 0, &reason)),
        Parsed::Blank if first && !rest.is_empty() => return Err(damaged(segment, 0, "the first segment is blank")),
        unreadable => {
            let proof = first || synced_later(reader, 0, rest, lost, out.salt).map_err(io())?;
            return match unreadable {
                Parsed::Damaged(reason) if proof => Err(damaged(segment, 0, &reason)),
                _ if proof => Err(damaged(segment, 0, "the segment header is blank")),
                _ => Ok(Ended::Torn),
            };
        }
    };
    if first {
        out.last_seq = header.first_seq.saturating_sub(1);
        out.salt = header.salt;
    } else if header.first_seq != lost || header.salt != out.salt {
        let torn = header.salt == out.salt
            && header.first_seq > lost
            && !synced_later(reader, 0, rest, lost, out.salt).map_err(io())?;
        if torn {
            return Ok(Ended::Torn);
        }
        let reason = format!("the segment starts at frame {}, but frame {lost} is missing", header.first_seq);
        return Err(damaged(segment, 0, &reason));
    }
    let mut offset = segment::HEADER as u64;
    let mut ended = Ended::Whole;
    loop {
        match next(reader, offset, out.salt, Some(out.last_seq + 1)).map_err(io())? {
            Next::Frame(header) => {
                let body_at = offset + frame::HEADER as u64;
                let body = reader.at(body_at, header.len as usize).map_err(io())?;
                if Ops::new(body).any(|op| op.is_err()) {
                    return Err(damaged(segment, offset, "the frame's operations do not add up"));
                }
                out.last_seq = header.seq;
                out.clean = header.kind == Kind::Close;
                apply(Replayed { segment: segment.id, body_at, header, body });
                offset = body_at + u64::from(header.len);
            }
            Next::End => break,
            Next::Bad(bad) => {
                let lost = out.last_seq + 1;
                let proof = !bad.rot && synced_later(reader, offset, rest, lost, out.salt).map_err(io())?;
                if bad.rot || proof {
                    return Err(damaged(segment, offset, bad.reason));
                }
                out.torn_bytes = reader.len() - offset;
                out.clean = false;
                ended = Ended::Cut;
                break;
            }
        }
    }
    out.bytes += offset;
    out.segments.push(segment.clone());
    out.lengths.push(offset);
    Ok(ended)
}

/// Whether a frame behind `offset` says that frame `lost` was on disk for good.
fn synced_later(reader: &mut Reader, offset: u64, rest: &[Arc<Segment>], lost: Seq, salt: u32) -> io::Result<bool> {
    if proof_in(reader, offset + 1, lost, salt)? {
        return Ok(true);
    }
    for segment in rest {
        if proof_in(&mut Reader::new(segment.file.clone())?, 0, lost, salt)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn proof_in(reader: &mut Reader, from: u64, lost: Seq, salt: u32) -> io::Result<bool> {
    let mut offset = from;
    while offset + frame::HEADER as u64 <= reader.len() {
        let bytes = reader.at(offset, WINDOW)?;
        if bytes.len() < frame::HEADER {
            break;
        }
        for window in bytes.windows(frame::HEADER) {
            let header = <&[u8; frame::HEADER]>::try_from(window).ok().and_then(|w| frame::Header::parse(w, salt));
            if header.is_some_and(|h| h.seq > lost && h.synced() >= lost) {
                return Ok(true);
            }
        }
        offset += (bytes.len() - frame::HEADER + 1) as u64;
    }
    Ok(false)
}

fn damaged(segment: &Segment, offset: u64, reason: &str) -> OpenError {
    OpenError::Damaged { file: segment.path.clone(), offset, reason: reason.to_owned() }
}
