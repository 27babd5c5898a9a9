//! A result as both levels keep it: packed with its deadline in memory, as a JSON text in a row.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Timestamp,
    codec::{Reader, put_bytes, put_deadline, put_varint},
};

/// A stored result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// A JSON text, as it was given.
    pub data: Bytes,
    /// In the order given.
    pub tags: Vec<String>,
    /// When it was stored.
    pub stored_at: Timestamp,
}

/// The same with its deadline, by the wall clock; none = never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) cached: Cached,
    pub(super) expires_at: Option<Timestamp>,
}

/// What the value of a row says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RowValue<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    tags: Vec<String>,
    stored_at: u64,
}

impl Entry {
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// The value of its row.
    pub(super) fn row_value(&self) -> String {
        let Cached { data, tags, stored_at } = &self.cached;
        let tags = serde_json::to_string(tags).expect("strings are always JSON");
        let data = String::from_utf8_lossy(data);
        format!(r#"{{"data":{data},"tags":{tags},"storedAt":{}}}"#, stored_at.0)
    }

    /// Reads the value of a row; none when it holds something else.
    pub(super) fn from_row(value: &str, expires_at: Option<Timestamp>) -> Option<Entry> {
        let RowValue { data, tags, stored_at } = serde_json::from_str(value).ok()?;
        let data = Bytes::copy_from_slice(data.get().as_bytes());
        Some(Entry { cached: Cached { data, tags, stored_at: Timestamp(stored_at) }, expires_at })
    }

    /// All of it in one piece of memory.
    pub(super) fn packed(&self) -> Bytes {
        let Cached { data, tags, stored_at } = &self.cached;
        let tag_bytes: usize = tags.iter().map(String::len).sum();
        let mut packed = Vec::with_capacity(data.len() + tag_bytes + 4 * tags.len() + 24);
        put_varint(&mut packed, stored_at.0);
        put_deadline(&mut packed, self.expires_at);
        put_varint(&mut packed, tags.len() as u64);
        tags.iter().for_each(|tag| put_bytes(&mut packed, tag.as_bytes()));
        packed.extend_from_slice(data);
        packed.into()
    }

    /// Reads what [`Entry::packed`] made; the data is not copied.
    pub(super) fn unpacked(packed: &Bytes) -> Option<Entry> {
        let mut reader = Reader::new(packed);
        let stored_at = Timestamp(reader.varint()?);
        let expires_at = reader.deadline()?;
        let tags = reader.varint()?;
        let tag = |reader: &mut Reader<'_>| Some(std::str::from_utf8(reader.bytes()?).ok()?.to_owned());
        let tags = (0..tags).map(|_| tag(&mut reader)).collect::<Option<_>>()?;
        let data = packed.slice(reader.position()..);
        Some(Entry { cached: Cached { data, tags, stored_at }, expires_at })
    }
}
