//! The cursor of a paged list: where the walk goes on, and the feed's head when it began. Opaque to clients.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;

/// Where a walk over one namespace and prefix goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The feed's head when the first page was read.
    pub(super) head: u64,
    /// The last key given.
    pub(super) after: Bytes,
}

/// Format byte, checksum, head.
const HEADER: usize = 1 + 4 + 8;
const FORMAT: u8 = 1;

impl Cursor {
    /// The text a client sends back.
    pub(super) fn encode(&self, namespace: &[u8], prefix: &[u8]) -> String {
        let mut raw = Vec::with_capacity(HEADER + self.after.len());
        raw.push(FORMAT);
        raw.extend_from_slice(&self.checksum(namespace, prefix).to_be_bytes());
        raw.extend_from_slice(&self.head.to_be_bytes());
        raw.extend_from_slice(&self.after);
        URL_SAFE_NO_PAD.encode(raw)
    }

    /// The cursor, unless the text is damaged or belongs to another namespace or prefix.
    pub(super) fn decode(text: &str, namespace: &[u8], prefix: &[u8]) -> Option<Cursor> {
        let raw = Bytes::from(URL_SAFE_NO_PAD.decode(text).ok()?);
        let (format, rest) = raw.split_first()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let (head, _) = rest.split_first_chunk::<8>()?;
        let cursor = Cursor { head: u64::from_be_bytes(*head), after: raw.slice(HEADER..) };
        let intact = *format == FORMAT && u32::from_be_bytes(*checksum) == cursor.checksum(namespace, prefix);
        intact.then_some(cursor)
    }

    /// Binds the cursor to its walk. No secret: a forged one reads nothing its sender could not read anyway.
    fn checksum(&self, namespace: &[u8], prefix: &[u8]) -> u32 {
        // Names hold no NUL, but a prefix may, so its length keeps the parts apart.
        let lengths = [(namespace.len() as u64).to_be_bytes(), (prefix.len() as u64).to_be_bytes()].concat();
        let parts: [&[u8]; 5] = [&lengths, namespace, prefix, &self.head.to_be_bytes(), &self.after];
        parts.iter().fold(0, |checksum, part| crc32c::crc32c_append(checksum, part))
    }
}

#[cfg(test)]
mod tests;
