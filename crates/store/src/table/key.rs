//! A row's key, table number first. Short keys need no allocation, and of long ones the beginning is at hand: an order
//! of many keys is searched without a visit to each of them.

use std::{cmp::Ordering, fmt};

const INLINE: usize = 30;
/// The table's number, the 8 bytes that rows of one collection or series share, and 6 that tell most of those apart.
const BEGINNING: usize = 15;

/// 32 bytes; up to 30 of them are the key itself.
#[derive(Clone)]
pub(crate) enum Key {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap { beginning: [u8; BEGINNING], bytes: Box<[u8]> },
}

impl Key {
    pub fn new(key: &[u8]) -> Self {
        match key.first_chunk() {
            Some(beginning) if key.len() > INLINE => Key::Heap { beginning: *beginning, bytes: key.into() },
            _ => {
                let mut bytes = [0; INLINE];
                bytes[..key.len()].copy_from_slice(key);
                Key::Inline { len: key.len() as u8, bytes }
            }
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Key::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Key::Heap { bytes, .. } => bytes,
        }
    }

    /// Its first bytes as a number, NULs behind a shorter one. Keys with different ones are in their order.
    fn beginning(&self) -> u128 {
        let beginning = match self {
            Key::Inline { bytes, .. } => bytes.first_chunk().expect("what lies inside is longer than a beginning"),
            Key::Heap { beginning, .. } => beginning,
        };
        let mut number = [0; BEGINNING + 1];
        number[1..].copy_from_slice(beginning);
        u128::from_be_bytes(number)
    }

    /// Bytes it holds outside itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Key::Inline { .. } => 0,
            Key::Heap { bytes, .. } => bytes.len(),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    /// The order of [`Key::bytes`].
    fn cmp(&self, other: &Self) -> Ordering {
        self.beginning().cmp(&other.beginning()).then_with(|| self.bytes().cmp(other.bytes()))
    }
}

/// Lets ordered collections be searched by plain bytes.
impl std::borrow::Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests;
