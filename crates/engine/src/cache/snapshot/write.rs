//! The file's text. Entries come from the least to the most recently used; a key is the name of its space, NUL, and the
//! key in it, or only the key where the space has no name.

use std::io::{self, Write};

use super::CacheEntry;
use crate::Timestamp;

/// Writes entries as they were at a moment.
pub(super) fn write(out: &mut dyn Write, at: Timestamp, entries: &[CacheEntry]) -> io::Result<()> {
    write!(out, r#"{{"version":1,"timestamp":{},"writer":"manifold","entries":["#, at.0)?;
    // Each entry is put together in memory: a string is written in many small pieces.
    let (mut text, mut joined) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        text.clear();
        if index > 0 {
            text.push(b',');
        }
        joined.clear();
        if !entry.space.is_empty() {
            joined.extend_from_slice(&entry.space);
            joined.push(0);
        }
        joined.extend_from_slice(&entry.key);
        text.extend_from_slice(br#"{"key":"#);
        string(&mut text, &joined)?;
        text.extend_from_slice(br#","value":"#);
        string(&mut text, &entry.value)?;
        if let Some(left) = entry.left_ms {
            write!(text, r#","expiresAt":{}"#, at.0.saturating_add(left).min(Timestamp::LAST.0))?;
        }
        text.push(b'}');
        out.write_all(&text)?;
    }
    out.write_all(b"]}")
}

fn string(text: &mut Vec<u8>, string: &[u8]) -> io::Result<()> {
    serde_json::to_writer(text, &String::from_utf8_lossy(string)).map_err(io::Error::from)
}
