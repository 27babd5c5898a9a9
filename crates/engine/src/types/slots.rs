//! The rows of a set: its members have dense numbers, so that one can be drawn at random, and each has two rows, one by
//! its name and one by its number. Who goes gives his number to the last one.

use bytes::Bytes;
use manifold_store::{Row, Snapshot};

use crate::{
    Error, Result, codec, keys,
    types::{
        Card,
        step::{Found, Step},
    },
};

const ENCODING: u8 = 1;

/// Adds a member; false when it was there.
pub(crate) fn add(step: &mut Step<'_, '_>, card: &mut Card, member: &[u8]) -> bool {
    let row = keys::in_collection(card.id, member);
    if step.get(keys::SET_MEMBER, &row).is_some() {
        return false;
    }
    write(step, card.id, card.count, member);
    card.count += 1;
    card.bytes += member.len() as u64;
    true
}

/// Removes a member; false when it was not there.
pub(crate) fn remove(step: &mut Step<'_, '_>, card: &mut Card, member: &[u8]) -> Result<bool> {
    let row = keys::in_collection(card.id, member);
    let Some(found) = step.get(keys::SET_MEMBER, &row) else { return Ok(false) };
    let slot = codec::read_number_head(ENCODING, found.head()).ok_or_else(damaged)?;
    card.shrink(1, member.len())?;
    let last = card.count;
    step.delete(keys::SET_MEMBER, &row);
    if slot != last {
        let heir = at(step, card, last)?;
        write(step, card.id, slot, &heir);
    }
    step.delete(keys::SET_SLOT, &keys::in_collection_at(card.id, last));
    Ok(true)
}

/// The member with a number below the count.
pub(crate) fn at(step: &mut Step<'_, '_>, card: &Card, slot: u64) -> Result<Bytes> {
    let found = step.get(keys::SET_SLOT, &keys::in_collection_at(card.id, slot)).ok_or_else(damaged)?;
    read_member(found.head()).map(Bytes::copy_from_slice)
}

/// The same in a cut.
pub(crate) fn read_at(snapshot: &Snapshot, card: &Card, slot: u64) -> Result<Bytes> {
    let row = snapshot.get(keys::SET_SLOT, &keys::in_collection_at(card.id, slot)).ok_or_else(damaged)?;
    member(&row).map(Bytes::copy_from_slice)
}

/// Whether a set in a cut has a member.
pub(crate) fn has(snapshot: &Snapshot, card: &Card, member: &[u8]) -> bool {
    member.len() <= super::NAME_MAX && snapshot.get(keys::SET_MEMBER, &keys::in_collection(card.id, member)).is_some()
}

/// Whether a set in a transaction has a member.
pub(crate) fn find(step: &mut Step<'_, '_>, card: &Card, member: &[u8]) -> Option<Found> {
    let row = (member.len() <= super::NAME_MAX).then(|| keys::in_collection(card.id, member))?;
    step.get(keys::SET_MEMBER, &row)
}

fn write(step: &mut Step<'_, '_>, set: u64, slot: u64, member: &[u8]) {
    let nothing = Bytes::new();
    step.put(keys::SET_MEMBER, &keys::in_collection(set, member), &codec::number_head(ENCODING, slot), &nothing);
    step.put(keys::SET_SLOT, &keys::in_collection_at(set, slot), &[&[ENCODING], member].concat(), &nothing);
}

/// The member in a row of [`keys::SET_SLOT`].
pub(crate) fn member(row: &Row) -> Result<&[u8]> {
    read_member(row.head())
}

fn read_member(head: &[u8]) -> Result<&[u8]> {
    match head {
        [ENCODING, member @ ..] => Ok(member),
        _ => Err(damaged()),
    }
}

fn damaged() -> Error {
    Error::unreadable("a set")
}
