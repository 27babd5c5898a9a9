//! How far an import came: a row that is written together with what it is about, so that a crash leaves both or neither.

use manifold_store::View;

use super::{Done, OnConflict};
use crate::{Error, Result, codec, keys, live::Live, txn::Txn};

const ENCODING: u8 = 1;

/// The import that wrote last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marked {
    /// Which export it reads.
    pub(crate) id: String,
    /// Every line up to this one is done.
    pub(crate) line: u64,
    /// What lines further down belong to.
    pub(crate) current: Option<Current>,
}

/// A queue or stream whose lines are being read, or a collection of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Current {
    /// The name of the type of its first line, and its row key.
    pub(crate) of: (String, Vec<u8>),
    /// What was there before stays: its lines are passed over.
    pub(crate) skipped: bool,
}

impl Marked {
    /// The mark of the last import that was not finished.
    pub(crate) fn read(live: &Live) -> Result<Option<Marked>> {
        let Some(row) = live.store.get(View::Latest, keys::META, keys::META_IMPORT) else { return Ok(None) };
        let body = row.body()?;
        Self::decode(&body).map(Some).ok_or_else(|| Error::unreadable("how far an import came"))
    }

    pub(crate) fn write(&self, txn: &mut Txn<'_>) {
        txn.put(keys::META, keys::META_IMPORT, &[], &self.encode());
    }

    /// The import is done.
    pub(crate) fn remove(txn: &mut Txn<'_>) {
        txn.delete(keys::META, keys::META_IMPORT);
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![ENCODING];
        codec::put_bytes(&mut out, self.id.as_bytes());
        codec::put_varint(&mut out, self.line);
        if let Some(Current { of: (name, row), skipped }) = &self.current {
            out.push(if *skipped { 2 } else { 1 });
            codec::put_bytes(&mut out, name.as_bytes());
            codec::put_bytes(&mut out, row);
        }
        out
    }

    fn decode(body: &[u8]) -> Option<Marked> {
        let mut reader = codec::Reader::new(body);
        (reader.byte()? == ENCODING).then_some(())?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let (id, line) = (text(reader.bytes()?)?, reader.varint()?);
        let current = match reader.byte() {
            None => None,
            Some(kind @ 1..=2) => {
                let of = (text(reader.bytes()?)?, reader.bytes()?.to_vec());
                Some(Current { of, skipped: kind == 2 })
            }
            Some(_) => return None,
        };
        Some(Marked { id, line, current })
    }
}

/// What a feature needs to know of an import beside the lines.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) on_conflict: OnConflict,
    /// How far the import is when these lines are done, by what became of each: part of their commit.
    pub(crate) mark: &'a (dyn Fn(&[Done]) -> Marked + Sync),
}
