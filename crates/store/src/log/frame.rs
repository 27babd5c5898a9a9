//! One frame: a header with its own checksum, then the operations of one batch under another.
//!
//! ```text
//! header  body length u32 · kind u32 · seq u64 · lag u32 · body crc u32 · header crc u32               28 bytes
//! put     1 u8 · key length u16 · head length u16 · body length u32 · body crc u32 · table u8 · key · head · body
//! delete  2 u8 · key length u16 · table u8 · key
//! ```
//!
//! All numbers are little endian; a key length counts the table byte. `seq - lag` is the last frame known to be on
//! disk for good when this one was appended: it tells recovery which frames can only be missing through damage.

use crate::Seq;

/// Bytes of the header.
pub(crate) const HEADER: usize = 28;
/// Longest body of a frame.
pub(crate) const BODY_MAX: usize = 1 << 30;

pub(crate) const PUT: u8 = 1;
pub(crate) const DELETE: u8 = 2;
/// Bytes of a put before its key.
pub(crate) const PUT_HEADER: usize = 13;
/// Bytes of a delete before its key.
pub(crate) const DELETE_HEADER: usize = 3;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A batch.
    Batch = 0,
    /// The log was closed: everything before is on disk, nothing comes after until it is opened again.
    Close = 1,
    /// Rows moved out of an old segment by cleaning: no change of state.
    Move = 2,
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub len: u32,
    pub kind: Kind,
    pub seq: Seq,
    pub lag: u32,
    pub body_crc: u32,
}

impl Header {
    /// The last frame that was on disk for good when this one was appended.
    pub fn synced(&self) -> Seq {
        self.seq.saturating_sub(u64::from(self.lag))
    }

    pub fn encode(&self, salt: u32) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[0..4].copy_from_slice(&self.len.to_le_bytes());
        out[4..8].copy_from_slice(&(self.kind as u32).to_le_bytes());
        out[8..16].copy_from_slice(&self.seq.to_le_bytes());
        out[16..20].copy_from_slice(&self.lag.to_le_bytes());
        out[20..24].copy_from_slice(&self.body_crc.to_le_bytes());
        let crc = header_crc(&out, salt);
        out[24..28].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// `None` when the bytes are no header under this salt.
    pub fn parse(bytes: &[u8; HEADER], salt: u32) -> Option<Header> {
        if u32_at(bytes, 24) != header_crc(bytes, salt) {
            return None;
        }
        let kind = match u32_at(bytes, 4) {
            0 => Kind::Batch,
            1 => Kind::Close,
            2 => Kind::Move,
            _ => return None,
        };
        let seq = u64::from(u32_at(bytes, 8)) | u64::from(u32_at(bytes, 12)) << 32;
        Some(Header { len: u32_at(bytes, 0), kind, seq, lag: u32_at(bytes, 16), body_crc: u32_at(bytes, 20) })
    }

    /// Whether turning a single bit of `bytes` would make them a header: rot, not a torn write.
    pub fn one_bit_away(bytes: &[u8; HEADER], salt: u32) -> bool {
        (0..HEADER * 8).any(|bit| {
            let mut copy = *bytes;
            copy[bit / 8] ^= 1 << (bit % 8);
            Header::parse(&copy, salt).is_some()
        })
    }
}

fn header_crc(bytes: &[u8; HEADER], salt: u32) -> u32 {
    crc32c::crc32c_append(salt, &bytes[..24])
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Whether turning a single bit of `body` would give it the checksum `crc`.
pub(crate) fn one_bit_explains(body: &[u8], crc: u32) -> bool {
    let syndrome = crc32c::crc32c(body) ^ crc;
    let table = crc_table();
    // effect[b]: how the checksum changes when bit b of the byte under consideration turns, moving from the last byte
    // to the first (each step feeds one zero byte more behind the turned bit).
    let mut effect: [u32; 8] = std::array::from_fn(|bit| table[1 << bit]);
    for _ in 0..body.len() {
        if effect.contains(&syndrome) {
            return true;
        }
        for e in &mut effect {
            *e = (*e >> 8) ^ table[(*e & 0xff) as usize];
        }
    }
    false
}

/// The byte table of CRC-32C (reflected polynomial 0x82F63B78).
fn crc_table() -> [u32; 256] {
    std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82F6_3B78 } else { crc >> 1 })
    })
}

/// One operation of a frame's body, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Op<'a> {
    /// Where the operation starts in the frame's body.
    pub at: usize,
    /// Table number and key.
    pub key: &'a [u8],
    /// Head and body of a put; none = a delete.
    pub put: Option<Put<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Put<'a> {
    pub head: &'a [u8],
    pub body: &'a [u8],
    /// Where the row's bytes start: offset of its body in the frame's body.
    pub body_at: usize,
}

/// The operations of a frame's body, in order; `Err` when the bytes do not add up.
pub(crate) struct Ops<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Ops<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Ops { bytes, at: 0 }
    }

    fn parse(&self) -> Option<(Op<'a>, usize)> {
        let rest = &self.bytes[self.at..];
        match *rest.first()? {
            PUT if rest.len() >= PUT_HEADER => {
                let key = usize::from(u16_at(rest, 1));
                let head = usize::from(u16_at(rest, 3));
                let body = u32_at(rest, 5) as usize;
                let head_at = PUT_HEADER + key;
                let body_at = head_at + head;
                let end = body_at.checked_add(body)?;
                let put = Put {
                    head: rest.get(head_at..body_at)?,
                    body: rest.get(body_at..end)?,
                    body_at: self.at + body_at,
                };
                (key > 0).then_some((Op { at: self.at, key: &rest[PUT_HEADER..head_at], put: Some(put) }, end))
            }
            DELETE if rest.len() >= DELETE_HEADER => {
                let end = DELETE_HEADER + usize::from(u16_at(rest, 1));
                let key = rest.get(DELETE_HEADER..end)?;
                (!key.is_empty()).then_some((Op { at: self.at, key, put: None }, end))
            }
            _ => None,
        }
    }
}

impl<'a> Iterator for Ops<'a> {
    type Item = Result<Op<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.bytes.len() {
            return None;
        }
        match self.parse() {
            Some((op, len)) => {
                self.at += len;
                Some(Ok(op))
            }
            None => {
                self.at = self.bytes.len();
                Some(Err(()))
            }
        }
    }
}

/// Bytes a put takes in a frame's body.
pub(crate) fn put_len(key: usize, head: usize, body: usize) -> u64 {
    (PUT_HEADER + key + head + body) as u64
}

#[cfg(test)]
mod tests;
