//! The rows of a sorted set.

use bytes::Bytes;
use manifold_store::Snapshot;

use crate::{
    Error, Result,
    keys::{self, RowKey},
    types::{Card, NAME_MAX, step::Step},
};

#[cfg(test)]
mod tests;

const ENCODING: u8 = 1;
/// Bytes a score counts.
const SCORE_BYTES: u64 = 8;

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Added,
    Changed,
    Same,
}

/// A number for a score whose order is that of scores: its bits with the sign turned over, or all of them for a
/// negative one. Zero has no sign.
pub(crate) fn place(score: f64) -> u64 {
    let bits = (if score == 0.0 { 0.0 } else { score }).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The score with this number.
pub(crate) fn at_place(place: u64) -> f64 {
    f64::from_bits(if place >> 63 == 1 { place & !(1 << 63) } else { !place })
}

/// The key of [`keys::ZSET_ORDER`].
pub(crate) fn row(id: u64, score: f64, member: &[u8]) -> RowKey {
    let mut row = keys::in_collection_at(id, place(score));
    row.extend_from_slice(member);
    row
}

/// The member and score of a row of [`keys::ZSET_ORDER`].
pub(crate) fn read_row(row: &Bytes) -> Result<(Bytes, f64)> {
    let place = row.get(8..keys::ZSET_SCORE_END).and_then(keys::read_number);
    let place = place.ok_or_else(|| Error::unreadable("a sorted set"))?;
    Ok((row.slice(keys::ZSET_SCORE_END..), at_place(place)))
}

fn head(score: f64) -> [u8; 9] {
    let mut head = [ENCODING; 9];
    let score = if score == 0.0 { 0.0 } else { score };
    head[1..].copy_from_slice(&score.to_bits().to_be_bytes());
    head
}

fn read_head(head: &[u8]) -> Result<f64> {
    let bits = head.strip_prefix(&[ENCODING]).and_then(keys::read_number);
    bits.map(f64::from_bits).ok_or_else(|| Error::unreadable("a sorted set"))
}

/// The score of a member.
pub(crate) fn get(step: &mut Step<'_, '_>, card: &Card, member: &[u8]) -> Result<Option<f64>> {
    let found = step.get(keys::ZSET_MEMBER, &keys::in_collection(card.id, member));
    found.map(|found| read_head(found.head())).transpose()
}

/// The same in a cut.
pub(crate) fn read(snapshot: &Snapshot, card: &Card, member: &[u8]) -> Result<Option<f64>> {
    if member.len() > NAME_MAX {
        return Ok(None);
    }
    let row = snapshot.get(keys::ZSET_MEMBER, &keys::in_collection(card.id, member));
    row.map(|row| read_head(row.head())).transpose()
}

/// Gives a member another score than it has now.
pub(crate) fn put(step: &mut Step<'_, '_>, card: &mut Card, member: &[u8], before: Option<f64>, score: f64) -> Put {
    if before == Some(score) {
        return Put::Same;
    }
    match before {
        Some(before) => unplace(step, card, before, member),
        None => {
            card.count += 1;
            card.bytes += member.len() as u64 + SCORE_BYTES;
        }
    }
    let nothing = Bytes::new();
    step.put(keys::ZSET_MEMBER, &keys::in_collection(card.id, member), &head(score), &nothing);
    let row = row(card.id, score, member);
    step.put(keys::ZSET_ORDER, &row, &[], &nothing);
    let live = step.txn.live();
    step.txn.traces.placed(live, keys::ZSET_ORDER, &row);
    if before.is_some() { Put::Changed } else { Put::Added }
}

/// Removes a member; false when it was not there.
pub(crate) fn remove(step: &mut Step<'_, '_>, card: &mut Card, member: &[u8]) -> Result<bool> {
    let Some(score) = get(step, card, member)? else { return Ok(false) };
    card.shrink(1, member.len() + SCORE_BYTES as usize)?;
    step.delete(keys::ZSET_MEMBER, &keys::in_collection(card.id, member));
    unplace(step, card, score, member);
    Ok(true)
}

fn unplace(step: &mut Step<'_, '_>, card: &Card, score: f64, member: &[u8]) {
    let row = row(card.id, score, member);
    step.delete(keys::ZSET_ORDER, &row);
    let live = step.txn.live();
    step.txn.traces.unplaced(live, keys::ZSET_ORDER, &row);
}
