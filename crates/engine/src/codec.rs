//! The few shapes all row encodings are made of: bytes, variable-length integers, byte strings with their length, and
//! deadlines. What the rows mean is said where they belong.

use crate::Timestamp;

#[cfg(test)]
mod tests;

/// Appends seven bits per byte, least significant first, the high bit set on all but the last (LEB128).
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number so that small ones of either sign are short (zigzag), as a varint.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, (value.wrapping_shl(1) ^ (value >> 63)) as u64);
}

/// Appends the length as a varint, then the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends 0 for none, else the instant + 1, as a varint. The last representable instant means none: nobody waits for it.
pub(crate) fn put_deadline(out: &mut Vec<u8>, deadline: Option<Timestamp>) {
    put_varint(out, deadline.map_or(0, |at| at.0.wrapping_add(1)));
}

/// A head that is one number behind its version byte.
pub(crate) fn number_head(encoding: u8, number: u64) -> Vec<u8> {
    let mut head = vec![encoding];
    put_varint(&mut head, number);
    head
}

/// Reads what [`number_head`] made.
pub(crate) fn read_number_head(encoding: u8, head: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(head);
    (reader.byte()? == encoding).then_some(())?;
    reader.varint()
}

/// Reads what the functions above wrote; every read is `None` past the end or on a malformed shape.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    read: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes, read: 0 }
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.read += 1;
        Some(*byte)
    }

    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    pub(crate) fn deadline(&mut self) -> Option<Option<Timestamp>> {
        Some(self.varint()?.checked_sub(1).map(Timestamp))
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.varint()?).ok()?;
        self.take(len)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// So many bytes.
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        self.read += len;
        Some(bytes)
    }

    /// Everything not read yet.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes were read: where [`Reader::rest`] begins.
    pub(crate) fn position(&self) -> usize {
        self.read
    }
}
