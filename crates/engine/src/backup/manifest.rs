//! What a backup says of itself: when it was made, at which frame, and what every file has to be.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::archive;

/// The manifest's file. Nothing but its own sum comes behind it.
pub(super) const MANIFEST: &str = "backup.json";
/// The sum of the manifest, in the form that `sha256sum -c` reads.
pub(super) const SUM: &str = "backup.json.sha256";
/// The format this version writes and reads.
const FORMAT: u32 = 1;
/// Longest manifest that is read.
pub(super) const MANIFEST_MAX: u64 = 1 << 30;
/// Longer than the sum of a manifest is.
pub(super) const SUM_MAX: u64 = 1024;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of all of it.
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// When it was made, in epoch milliseconds.
    pub taken_at: u64,
    /// The last frame of the log that is in it.
    pub sequence: u64,
    /// Files that were not in the data directory, and where they were.
    pub elsewhere: Vec<Elsewhere>,
    /// Every file but the manifest and its sum.
    pub files: Vec<FileSum>,
}

/// A file or directory that was not in the data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Where it is in the backup.
    pub name: String,
    /// Where it was.
    pub path: String,
}

/// What a file has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Its path.
    pub name: String,
    /// Whether others than the process's user may read it.
    pub shared: bool,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
}

impl Manifest {
    pub(super) fn new(taken_at: u64, sequence: u64, elsewhere: Vec<Elsewhere>) -> Manifest {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Manifest { format: FORMAT, version, taken_at, sequence, elsewhere, files: Vec::new() }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("texts and numbers are always JSON");
        text.push(b'\n');
        text
    }

    /// The contents of [`SUM`] for a manifest of these bytes.
    pub(super) fn sum(encoded: &[u8]) -> String {
        format!("{}  {MANIFEST}\n", hex(Sha256::digest(encoded)))
    }

    /// Reads a manifest and its sum; what is wrong with them otherwise, and whether it is only the version.
    pub(super) fn parse(encoded: &[u8], sum: &[u8]) -> Result<Manifest, Unreadable> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        if sum != Manifest::sum(encoded).as_bytes() {
            return Err(Unreadable::Damaged("the manifest does not match its checksum"));
        }
        let Format { format } =
            serde_json::from_slice(encoded).map_err(|_| Unreadable::Damaged("the manifest is not complete"))?;
        if format != FORMAT {
            return Err(Unreadable::Foreign(format!("its format is {format}, not {FORMAT}")));
        }
        let manifest: Manifest =
            serde_json::from_slice(encoded).map_err(|_| Unreadable::Damaged("the manifest is not complete"))?;
        let mut names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Unreadable::Damaged("the manifest lists a file twice"));
        }
        if !names.iter().all(|name| may_be(name)) {
            return Err(Unreadable::Damaged("the manifest lists a file that no backup has"));
        }
        Ok(manifest)
    }
}

/// Why there is no manifest.
#[derive(Debug)]
pub(super) enum Unreadable {
    Damaged(&'static str),
    Foreign(String),
}

/// Whether a file may go into a data directory under this name.
pub(super) fn may_be(name: &str) -> bool {
    let reserved = ["LOCK", "control.sock", MANIFEST, SUM];
    archive::fits(name) && !reserved.contains(&name)
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write;
    bytes.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests;
