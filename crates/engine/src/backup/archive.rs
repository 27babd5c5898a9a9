//! Headers of the archive: the plain form of tar (ustar), so that any tar can list and unpack a backup.
//!
//! Ours, because a backup is read strictly: exactly the headers that `encode` makes are accepted, so there are no links,
//! no devices, no paths that lead out of the directory, and no bit that could be turned unnoticed.

use std::path::{Component, Path};

use super::Mode;

/// Everything in an archive comes in blocks.
pub(super) const BLOCK: usize = 512;
/// The longest path.
const NAME_MAX: usize = 255;
const SHORT_NAME_MAX: usize = 100;
const PREFIX_MAX: usize = 155;
/// Sizes from here on do not fit into octal digits.
const OCTAL_END: u64 = 1 << 33;

/// What stands before a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub name: String,
    pub mode: Mode,
    pub len: u64,
    /// Unix seconds.
    pub modified: u64,
}

/// Whether a path may be one of a file in a backup: relative, below its root, and short enough.
pub(super) fn fits(name: &str) -> bool {
    let stays = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let plain = !name.is_empty() && !name.ends_with('/') && !name.contains("//") && !name.contains("/./");
    stays
        && plain
        && name.len() <= NAME_MAX
        && !name.bytes().any(|byte| byte.is_ascii_control())
        && split(name).is_some()
}

/// The zeros between the end of a file and the next header.
pub(super) fn padding(len: u64) -> usize {
    let over = usize::try_from(len % BLOCK as u64).expect("a remainder of 512");
    if over == 0 { 0 } else { BLOCK - over }
}

impl Header {
    /// The block; none when the path does not fit.
    pub fn encode(&self) -> Option<[u8; BLOCK]> {
        let Header { name, mode, len, modified } = self;
        let (prefix, short) = fits(name).then(|| split(name))??;
        let mut block = [0; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, short.as_bytes());
        put(100, if *mode == Mode::Shared { b"0000644" } else { b"0000600" });
        put(108, b"0000000");
        put(116, b"0000000");
        if *len < OCTAL_END {
            put(124, format!("{len:011o}").as_bytes());
        } else {
            // As GNU tar writes what is longer.
            put(124, &[0x80]);
            put(128, &len.to_be_bytes());
        }
        put(136, format!("{:011o}", modified.min(&(OCTAL_END - 1))).as_bytes());
        put(148, b"        0");
        put(257, b"ustar\x0000");
        put(345, prefix.as_bytes());
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        Some(block)
    }

    /// Reads a block that `encode` made, and no other.
    pub fn parse(block: &[u8; BLOCK]) -> Option<Header> {
        let (short, prefix) = (text(&block[..100])?, text(&block[345..500])?);
        let name = if prefix.is_empty() { short.to_owned() } else { format!("{prefix}/{short}") };
        let mode = match &block[100..108] {
            b"0000644\0" => Mode::Shared,
            b"0000600\0" => Mode::Private,
            _ => return None,
        };
        let len = match block[124] {
            0x80 => u64::from_be_bytes(block[128..136].try_into().ok()?),
            _ => octal(&block[124..135])?,
        };
        let header = Header { name, mode, len, modified: octal(&block[136..147])? };
        (header.encode().as_ref() == Some(block)).then_some(header)
    }
}

/// A long path in two parts, the first of which may be empty.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= SHORT_NAME_MAX {
        return Some(("", name));
    }
    let mut slashes = name.match_indices('/').map(|(at, _)| (&name[..at], &name[at + 1..]));
    slashes.find(|(prefix, short)| prefix.len() <= PREFIX_MAX && short.len() <= SHORT_NAME_MAX)
}

/// A text up to its first zero byte.
fn text(field: &[u8]) -> Option<&str> {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    std::str::from_utf8(&field[..end]).ok()
}

fn octal(field: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(field).ok()?, 8).ok()
}

#[cfg(test)]
mod tests;
