//! The file's text. Entries come from the least to the most recently used; a key is the name of its space, NUL, and the
//! key in it, or only the key where the space has no name.

use std::io::{self, Write};

use super::{CacheEntry, LAST};
use crate::Timestamp;

/// Writes entries as they were at a moment.
pub(super) fn write(mut out: &mut dyn Write, at: Timestamp, entries: &[CacheEntry]) -> io::Result<()> {
    write!(out, r#"{{"version":1,"timestamp":{},"writer":"manifold","entries":["#, at.0)?;
    let mut joined = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        out.write_all(if index == 0 { br#"{"key":"# } else { br#",{"key":"# })?;
        joined.clear();
        if !entry.space.is_empty() {
            joined.extend_from_slice(&entry.space);
            joined.push(0);
        }
        joined.extend_from_slice(&entry.key);
        string(&mut out, &joined)?;
        out.write_all(br#","value":"#)?;
        string(&mut out, &entry.value)?;
        if let Some(left) = entry.left_ms {
            write!(out, r#","expiresAt":{}"#, at.0.saturating_add(left).min(LAST))?;
        }
        out.write_all(b"}")?;
    }
    out.write_all(b"]}")
}

fn string(out: &mut &mut dyn Write, text: &[u8]) -> io::Result<()> {
    serde_json::to_writer(out, &String::from_utf8_lossy(text)).map_err(io::Error::from)
}
