//! The text of a value, and changing a part of it. The key keeps its deadline.

use bytes::{Bytes, BytesMut};

use crate::{
    Error, Kind, Namespace, Result,
    feed::How,
    json,
    kv::{Edit, Encoding, TextChange, Value, change::change, put, row::Head, slot::Slot},
    live::Live,
    txn::{Deadline, Txn},
};

#[cfg(test)]
mod tests;

impl Value {
    /// Its text: what a JSON string says, any other JSON as it is written, bytes as they are. `Invalid` for a string
    /// that escapes half of a character.
    pub fn text(&self) -> Result<Bytes> {
        let string = match self.encoding {
            Encoding::Json => self.bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")),
            Encoding::Binary => None,
        };
        match string {
            None => Ok(self.bytes.clone()),
            Some(plain) if !plain.contains(&b'\\') => Ok(self.bytes.slice_ref(plain)),
            Some(inner) => json::unescaped(inner).map(Bytes::from).ok_or_else(not_text),
        }
    }

    /// A JSON string.
    fn of_text(text: &str) -> Value {
        Value { encoding: Encoding::Json, bytes: json::string(text).into() }
    }
}

/// Changes a part of a value's text; its length in bytes then.
pub(crate) async fn edit(live: &Live, namespace: &Namespace, edit: Edit) -> Result<u64> {
    let Edit { key, change: edit, max_bytes, actor } = edit;
    let done = change(live, namespace, key, |txn, slot| {
        let before = text_of(txn, slot)?;
        let changes = !matches!(&edit, TextChange::Overwrite { with, .. } if with.is_empty());
        if !changes {
            return Ok(before.len() as u64);
        }
        let after = edited(before, &edit, max_bytes)?;
        let value = Value::of_text(std::str::from_utf8(&after).map_err(|_| not_text())?);
        put::check_size(txn.live(), &value)?;
        txn.replace();
        let deadline = if slot.version(txn).is_some() { slot.deadline() } else { Deadline::Never };
        slot.expire_if_due(txn);
        let how = match edit {
            TextChange::Append(_) => How::Append,
            TextChange::Overwrite { .. } => How::Overwrite,
        };
        slot.set(txn, how, value, deadline, actor);
        Ok(after.len() as u64)
    });
    Ok(done.await?.0)
}

/// The text of the live value; an absent one has none.
fn text_of(txn: &Txn<'_>, slot: &Slot) -> Result<Bytes> {
    let Some(row) = slot.live_row(txn) else { return Ok(Bytes::new()) };
    let head = Head::read(row)?.ok_or_else(|| Error::unreadable("an entry"))?;
    Value { encoding: head.encoding, bytes: row.body()? }.text()
}

/// The text after a change; what is left open before it is filled with NULs. Bounded before anything is copied.
fn edited(before: Bytes, change: &TextChange, max_bytes: usize) -> Result<BytesMut> {
    let (offset, with) = match change {
        TextChange::Append(with) => (before.len(), with),
        TextChange::Overwrite { offset, with } => (*offset, with),
    };
    let end = offset.saturating_add(with.len());
    let len = end.max(before.len());
    if len > max_bytes {
        return Err(Error::new(Kind::TooLarge, format!("a text of {len} bytes is over the limit of {max_bytes}")));
    }
    let mut after = BytesMut::with_capacity(len);
    after.extend_from_slice(&before);
    after.resize(len, 0);
    after[offset..end].copy_from_slice(with);
    Ok(after)
}

fn not_text() -> Error {
    Error::new(Kind::Invalid, "the text is not UTF-8")
}
