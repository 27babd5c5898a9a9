//! Putting an element between two others. Where their positions leave no room, elements around are moved apart: as few
//! as it takes for some room everywhere among them.

use bytes::Bytes;
use manifold_store::{Range, Row};

use super::{Card, STRIDE, Step, damaged, position, put, take};
use crate::{Result, keys, types::look::Rows};

/// Elements on each side that are moved apart at first.
const WINDOW: u64 = 16;
/// Positions that each of them has for itself afterwards, at least.
const ROOM: u64 = 16;

/// Puts an element between two neighbours.
pub(super) fn put_between(
    step: &mut Step<'_, '_>,
    card: &mut Card,
    left: u64,
    right: u64,
    value: &Bytes,
) -> Result<()> {
    card.span.uneven = true;
    if right - left >= 2 {
        put(step, card, left + (right - left) / 2, value);
        return Ok(());
    }
    let mut window = WINDOW;
    loop {
        let lefts = neighbours(step, card, card.span.first, left, window, true)?;
        let rights = neighbours(step, card, right, card.span.last, window, false)?;
        let (low, high) = (lefts.bound(card.span.first, window), rights.bound(card.span.last, window));
        let room = (high - low) / (lefts.rows.len() + rights.rows.len() + 2) as u64;
        // A window over the whole list has all positions there are.
        if room >= ROOM || lefts.beyond.is_none() && rights.beyond.is_none() {
            return spread(step, card, &lefts, &rights, low, room.max(1), value);
        }
        window *= 2;
    }
}

/// Elements on one side of a gap, nearest first.
struct Side {
    rows: Vec<(Bytes, Row)>,
    /// The one behind them.
    beyond: Option<u64>,
    reverse: bool,
}

impl Side {
    /// A position that stays free on this side: that of the element behind, or one well beyond the end of the list.
    fn bound(&self, end: u64, window: u64) -> u64 {
        let room = window.saturating_mul(2).saturating_mul(STRIDE);
        match (self.beyond, self.reverse) {
            (Some(beyond), _) => beyond,
            (None, true) => end.saturating_sub(room),
            (None, false) => end.saturating_add(room),
        }
    }
}

/// So many elements from `from` to `to`, counted from the right end if `reverse`.
fn neighbours(step: &Step<'_, '_>, card: &Card, from: u64, to: u64, window: u64, reverse: bool) -> Result<Side> {
    let snapshot = step.txn.live().store.latest();
    let range = Range {
        from: keys::in_collection_at(card.id, from).to_vec(),
        to: keys::prefix_end(&keys::in_collection_at(card.id, to)),
        limit: window as usize + 1,
        reverse,
    };
    let mut rows: Vec<(Bytes, Row)> =
        Rows::new(&snapshot, keys::LIST_ELEMENT, range).take(window as usize + 1).collect();
    let beyond = if rows.len() as u64 > window { rows.pop() } else { None };
    let beyond = beyond.map(|(row, _)| position(&row)).transpose()?;
    Ok(Side { rows, beyond, reverse })
}

/// Writes all elements of a window anew, `room` apart, with the new one in its place among them.
fn spread(
    step: &mut Step<'_, '_>,
    card: &mut Card,
    lefts: &Side,
    rights: &Side,
    low: u64,
    room: u64,
    value: &Bytes,
) -> Result<()> {
    let mut values = Vec::with_capacity(lefts.rows.len() + rights.rows.len() + 1);
    for (row, found) in lefts.rows.iter().rev() {
        values.push(found.body()?);
        take(step, card, row, found)?;
    }
    values.push(value.clone());
    for (row, found) in &rights.rows {
        values.push(found.body()?);
        take(step, card, row, found)?;
    }
    let mut position = low;
    for value in &values {
        position = position.checked_add(room).ok_or_else(damaged)?;
        put(step, card, position, value);
    }
    if lefts.beyond.is_none() {
        card.span.first = low + room;
    }
    if rights.beyond.is_none() {
        card.span.last = position;
    }
    Ok(())
}
