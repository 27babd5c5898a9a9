//! Reading the file's text, an entry at a time. What is wrong with one entry is no reason not to take the others.

use std::{
    fmt,
    io::{self, BufReader, Read as _},
};

use bytes::Bytes;
use manifold_store::disk::File;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{CacheEntry, older};
use crate::Timestamp;

/// Bytes read at one time.
const BUFFER: usize = 1 << 20;

/// Why a file is not used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// There is none.
    Absent,
    /// The system does not let it be read.
    Unreadable(io::Error),
    /// It is not what it should be.
    Damaged(String),
}

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// This code.
    Own,
    /// Another program, whose files do not say who wrote them.
    Older,
}

/// What an element of the file is.
#[derive(Debug)]
pub(super) enum Read {
    /// An entry.
    Entry(CacheEntry),
    /// One whose deadline has passed.
    Expired,
    /// One of the writer's own, that was no client's.
    Internal,
    /// No entry at all.
    Broken,
}

/// Reads a whole file; `entry` gets the text of each element.
pub(super) fn all(file: &dyn File, mut entry: impl FnMut(&str)) -> Result<Writer, Unusable> {
    let mut text = BufReader::with_capacity(BUFFER, Reading { file, at: 0 });
    let mut json = serde_json::Deserializer::from_reader(text.by_ref());
    let writer = json.deserialize_map(Whole(&mut entry))?;
    json.end()?;
    Ok(writer)
}

/// What the text of an element says.
pub(super) fn entry(text: &str, writer: Writer, now: Timestamp) -> Read {
    let Ok(Element { key: Some(joined), value: Some(value), expires_at }) = serde_json::from_str(text) else {
        return Read::Broken;
    };
    let (Some(joined), Some(value)) = (string(joined), string(value)) else { return Read::Broken };
    let value = match writer {
        Writer::Own => Some(value),
        Writer::Older if older::is_internal(&joined) => return Read::Internal,
        Writer::Older => older::value(value),
    };
    let (Some(value), Ok(left_ms)) = (value, left(expires_at, now)) else { return Read::Broken };
    if left_ms == Some(0) {
        return Read::Expired;
    }
    let (space, key) = joined.rsplit_once('\0').unwrap_or(("", &joined));
    let (space, key) = (Bytes::copy_from_slice(space.as_bytes()), Bytes::copy_from_slice(key.as_bytes()));
    Read::Entry(CacheEntry { space, key, value: value.into(), version: 1, left_ms })
}

#[derive(Deserialize)]
struct Element<'a> {
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow, rename = "expiresAt")]
    expires_at: Option<&'a RawValue>,
}

/// Milliseconds until a deadline; none = there is none.
fn left(expires_at: Option<&RawValue>, now: Timestamp) -> Result<Option<u64>, serde_json::Error> {
    let Some(at) = expires_at else { return Ok(None) };
    let at: f64 = serde_json::from_str(at.get())?;
    // Numbers outside of the type's range become its ends.
    Ok(Some((at.ceil() as u64).saturating_sub(now.0)))
}

/// What a string says; an escape of half a surrogate pair says U+FFFD. None for another type.
fn string(raw: &RawValue) -> Option<String> {
    // Asked for bytes, the parser takes such halves too.
    let mut json = serde_json::Deserializer::from_str(raw.get());
    let mut bytes = json.deserialize_byte_buf(Text).ok()?;
    for at in 0..bytes.len() {
        if bytes[at] == 0xED && bytes.get(at + 1).is_some_and(|next| *next >= 0xA0) {
            bytes[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    String::from_utf8(bytes).ok()
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

/// The object that a file is.
struct Whole<'f>(&'f mut dyn FnMut(&str));

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = Writer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Writer, A::Error> {
        let (mut version, mut writer, mut has_entries) = (None, Writer::Older, false);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "version" => version = Some(map.next_value::<Box<RawValue>>()?),
                "writer" if map.next_value::<Option<IgnoredAny>>()?.is_some() => writer = Writer::Own,
                "entries" => {
                    map.next_value_seed(Elements(&mut *self.0))?;
                    has_entries = true;
                }
                "writer" => {}
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match version {
            Some(version) if version.get() == "1" && has_entries => Ok(writer),
            Some(version) if has_entries => Err(A::Error::custom(format!("version {}", version.get()))),
            _ => Err(A::Error::custom("no version, or no entries")),
        }
    }
}

/// The array of entries.
struct Elements<'f>(&'f mut dyn FnMut(&str));

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, array: D) -> Result<(), D::Error> {
        array.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element::<Box<RawValue>>()? {
            (self.0)(element.get());
        }
        Ok(())
    }
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Unusable::Absent } else { Unusable::Unreadable(error) }
    }
}

impl From<serde_json::Error> for Unusable {
    fn from(error: serde_json::Error) -> Self {
        if error.is_io() { Unusable::Unreadable(error.into()) } else { Unusable::Damaged(error.to_string()) }
    }
}

struct Reading<'f> {
    file: &'f dyn File,
    at: u64,
}

impl io::Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
