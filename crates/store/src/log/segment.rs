//! A segment file: its name, its header, its place among the others.
//!
//! ```text
//! header  magic "MANIFLOG" (8) · format version u32 · id u32 · first seq u64 · salt u32 · crc u32      32 bytes
//! then    frames, then zeros up to the end of the space that was allocated ahead
//! ```

use std::{path::PathBuf, sync::Arc};

use crate::{Seq, disk::File};

/// Bytes of the header.
pub(crate) const HEADER: usize = 32;
const MAGIC: &[u8; 8] = b"MANIFLOG";
/// The format this version writes and reads.
pub(crate) const VERSION: u32 = 1;

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub id: u32,
    pub path: PathBuf,
    pub file: Arc<dyn File>,
}

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub id: u32,
    /// The number of the first frame in the file.
    pub first_seq: Seq,
    /// Mixed into every frame's checksum, so that bytes of one log inside a value never pass for frames of another.
    pub salt: u32,
}

/// What the first bytes of a file are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Header(Header),
    /// Nothing was ever written: the creation was cut off.
    Blank,
    Damaged(String),
}

pub(crate) fn file_name(id: u32) -> String {
    format!("log-{id:010}.seg")
}

/// The id in a segment's file name.
pub(crate) fn parse_name(name: &str) -> Option<u32> {
    name.strip_prefix("log-")?.strip_suffix(".seg").filter(|digits| digits.len() == 10)?.parse().ok()
}

impl Header {
    pub fn encode(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[..8].copy_from_slice(MAGIC);
        out[8..12].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&self.id.to_le_bytes());
        out[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        out[24..28].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&out[..28]);
        out[28..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Whether turning a single bit of `bytes` would make them a header: rot, not a creation that was cut off.
    pub fn one_bit_away(bytes: &[u8]) -> bool {
        let mut copy = bytes.to_vec();
        (0..bytes.len() * 8).any(|bit| {
            copy[bit / 8] ^= 1 << (bit % 8);
            let valid = matches!(Header::parse(&copy), Parsed::Header(_));
            copy[bit / 8] ^= 1 << (bit % 8);
            valid
        })
    }

    /// Reads a header; `bytes` may be shorter than one.
    pub fn parse(bytes: &[u8]) -> Parsed {
        if bytes.iter().all(|b| *b == 0) {
            return Parsed::Blank;
        }
        if bytes.len() < HEADER {
            return Parsed::Damaged("the segment header is incomplete".into());
        }
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        if &bytes[..8] != MAGIC || u32_at(28) != crc32c::crc32c(&bytes[..28]) {
            return Parsed::Damaged("the segment header does not match its checksum".into());
        }
        if u32_at(8) != VERSION {
            return Parsed::Damaged(format!("format version {} is not {VERSION}", u32_at(8)));
        }
        let first_seq = u64::from(u32_at(16)) | u64::from(u32_at(20)) << 32;
        Parsed::Header(Header { id: u32_at(12), first_seq, salt: u32_at(24) })
    }
}
