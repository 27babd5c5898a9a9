//! How a change lies in its feed row: everything in the body, so that the index holds eight bytes and a place per change.
//!
//! `version of the encoding, op and encoding, at, version, deadline, seq - first of the commit, last of the commit - seq,
//! seq - previous of the key, namespace, key, actor, value` (see `docs/disk-format.md`).

use bytes::Bytes;
use manifold_store::Row;

use crate::{
    Actor, Error, Key, Namespace, Result, Timestamp, codec,
    feed::{Change, ChangeOp, How},
    kv::{Encoding, Value},
};

const ENCODING: u8 = 1;

const SET_JSON: u8 = 1;
const SET_BINARY: u8 = 2;
const DELETE: u8 = 3;
const EXPIRE: u8 = 4;
/// How a value was set stands above what was done, from this bit on.
const HOW_SHIFT: u32 = 4;
/// In the order of their numbers.
const HOW: [How; 5] = [How::Put, How::Append, How::Overwrite, How::Increment, How::Retime];

/// Appends the row's body to `out`.
pub(crate) fn encode(change: &Change, out: &mut Vec<u8>) {
    out.push(ENCODING);
    out.push(match (change.op, &change.value) {
        (ChangeOp::Set(how), Some(Value { encoding: Encoding::Binary, .. })) => SET_BINARY | number(how) << HOW_SHIFT,
        (ChangeOp::Set(how), _) => SET_JSON | number(how) << HOW_SHIFT,
        (ChangeOp::Delete, _) => DELETE,
        (ChangeOp::Expire, _) => EXPIRE,
    });
    codec::put_varint(out, change.at.0);
    codec::put_varint(out, change.version);
    codec::put_deadline(out, change.expires_at);
    codec::put_varint(out, change.seq - change.commit.0);
    codec::put_varint(out, change.commit.1 - change.seq);
    // A row that was not written by this engine may name a change that is yet to come: it is not known then.
    codec::put_varint(out, change.previous.map_or(0, |previous| change.seq.saturating_sub(previous)));
    codec::put_bytes(out, change.namespace.as_bytes());
    codec::put_bytes(out, change.key.as_bytes());
    codec::put_bytes(out, change.actor.as_bytes());
    if let Some(value) = &change.value {
        out.extend_from_slice(&value.bytes);
    }
}

/// Reads a row's body; names and value share its bytes.
pub(crate) fn decode(seq: u64, body: &Bytes) -> Option<Change> {
    let mut reader = codec::Reader::new(body);
    if reader.byte()? != ENCODING {
        return None;
    }
    let tag = reader.byte()?;
    let at = Timestamp(reader.varint()?);
    let version = reader.varint()?;
    let expires_at = reader.deadline()?;
    let commit = (seq.checked_sub(reader.varint()?)?, seq.checked_add(reader.varint()?)?);
    let previous = match reader.varint()? {
        0 => None,
        back => Some(seq.checked_sub(back)?),
    };
    let namespace = Namespace::new(body.slice_ref(reader.bytes()?)).ok()?;
    let key = Key::new(body.slice_ref(reader.bytes()?)).ok()?;
    let actor = Actor::new(body.slice_ref(reader.bytes()?)).ok()?;
    let bytes = body.slice(reader.position()..);
    let how = HOW.get(usize::from(tag >> HOW_SHIFT)).copied()?;
    let (op, value) = match (tag & ((1 << HOW_SHIFT) - 1), how) {
        (SET_JSON, how) => (ChangeOp::Set(how), Some(Value { encoding: Encoding::Json, bytes })),
        (SET_BINARY, how) => (ChangeOp::Set(how), Some(Value { encoding: Encoding::Binary, bytes })),
        (DELETE, How::Put) => (ChangeOp::Delete, None),
        (EXPIRE, How::Put) => (ChangeOp::Expire, None),
        _ => return None,
    };
    Some(Change { seq, op, namespace, key, value, version, actor, at, expires_at, commit, previous })
}

fn number(how: How) -> u8 {
    match how {
        How::Put => 0,
        How::Append => 1,
        How::Overwrite => 2,
        How::Increment => 3,
        How::Retime => 4,
    }
}

/// Reads the change `seq` from its row.
pub(crate) fn read(seq: u64, row: &Row) -> Result<Change> {
    decode(seq, &row.body()?).ok_or_else(|| Error::unreadable(&format!("record {seq} of the feed")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change() -> impl Strategy<Value = Change> {
        let numbers = (1u64..1 << 60, 0u64..1000, 0u64..1000, any::<u64>(), any::<u64>(), any::<bool>());
        let names = ("[a-z:/]{1,30}", "[a-z]{1,30}", "[a-z]{1,30}");
        let what = prop_oneof![
            (any::<bool>(), any::<Vec<u8>>(), proptest::option::of(0..u64::MAX), 0..HOW.len()).prop_map(
                |(json, bytes, deadline, how)| {
                    let encoding = if json { Encoding::Json } else { Encoding::Binary };
                    (ChangeOp::Set(HOW[how]), Some(Value { encoding, bytes: bytes.into() }), deadline.map(Timestamp))
                }
            ),
            Just((ChangeOp::Delete, None, None)),
            Just((ChangeOp::Expire, None, None)),
        ];
        (numbers, names, what).prop_map(
            |((first, before, after, version, at, has_previous), names, (op, value, expires_at))| Change {
                seq: first + before,
                op,
                namespace: Namespace::new(names.0).expect("name"),
                key: Key::new(names.1).expect("name"),
                value,
                version,
                actor: Actor::new(names.2).expect("name"),
                at: Timestamp(at),
                expires_at,
                commit: (first, first + before + after),
                previous: has_previous.then_some(first - 1),
            },
        )
    }

    /// Rows are read from files, and a fuzzer wrote one that was newer than the feed.
    #[test]
    fn a_previous_change_that_is_yet_to_come_is_not_known() {
        let change = Change {
            seq: 5,
            op: ChangeOp::Delete,
            namespace: Namespace::new("n").expect("name"),
            key: Key::new("k").expect("name"),
            value: None,
            version: 1,
            actor: Actor::fixed("ann"),
            at: Timestamp(7),
            expires_at: None,
            commit: (5, 5),
            previous: Some(9),
        };
        let mut body = Vec::new();
        encode(&change, &mut body);
        assert_eq!(decode(5, &body.into()).expect("decodes").previous, None);
    }

    proptest! {
        #[test]
        fn a_change_is_read_as_it_was_written(change in change()) {
            let mut body = Vec::new();
            encode(&change, &mut body);
            let read = decode(change.seq, &body.into()).expect("decodes");
            prop_assert_eq!(format!("{read:?}"), format!("{change:?}"));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(seq: u64, body: Vec<u8>) {
            decode(seq, &body.into());
        }
    }
}
