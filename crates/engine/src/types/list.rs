//! Lists: a row for each element, in the order of positions. Positions have room between them, so an element is put
//! between two others, or taken out, without a touch to the rest. While nobody does that the distances stay even, and
//! where an element lies is arithmetic.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use manifold_store::{Range, Row, Snapshot};

use crate::{
    Error, Key, Kind, Namespace, Result,
    keys::{self, RowKey},
    live::Live,
    types::{
        Card, KeyType,
        card::Span,
        check_values,
        look::{Room, Rows, at_length, look},
        many,
        ordered::{self, Ordered, Ranked, ranks},
        place::{Place, new_card},
        step::{Step, change_at_length, change_each},
    },
};

mod between;
mod sought;

pub use sought::Sought;
use sought::Wanted;

const ENCODING: u8 = 1;
/// The position of the first element ever.
const START: u64 = 1 << 63;
/// The distance of an element from the one it was pushed next to.
const STRIDE: u64 = 1 << 16;
/// So many elements are found one by one where distances are even.
const STEPS: u64 = 64;
/// So many elements are removed one by one, however few are left.
const FEW: u64 = 1024;

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where rank 0 is.
    Left,
    /// Where rank -1 is.
    Right,
}

/// What a push does when there is no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushTo {
    /// Makes one.
    Any,
    /// Nothing.
    Existing,
}

/// Which elements equal to a value to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equal {
    /// All.
    All,
    /// At most so many, from this end on.
    Some(u64, Side),
}

/// Puts an element next to another one.
#[derive(Debug, Clone)]
pub struct Insert {
    /// On which side of it.
    pub side: Side,
    /// The first element equal to this.
    pub pivot: Sought,
    /// The new element.
    pub value: Bytes,
}

/// What an insert came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// There is no list.
    NoList,
    /// No element is equal to the pivot.
    NoPivot,
    /// The list has so many elements now.
    Length(u64),
}

/// Puts values in at one end, one after the other; how many elements there are then.
pub(crate) async fn push(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    side: Side,
    values: &[Bytes],
    to: PushTo,
) -> Result<u64> {
    check_values(live, values)?;
    change_each(live, namespace, key, values, move |step, place, values| {
        let known = place.card(KeyType::List)?;
        let count = known.as_ref().map_or(0, |card| card.count);
        if values.is_empty() || known.is_none() && to == PushTo::Existing {
            return Ok(count);
        }
        step.txn.grow()?;
        let mut card = known.map_or_else(|| place.card_or_new(step.txn, KeyType::List), Ok)?;
        for value in values {
            push_one(step, &mut card, side, value)?;
        }
        let count = card.count;
        place.put_card(step.txn, card);
        Ok(count)
    })
    .await
}

/// Puts one value in at an end.
pub(crate) fn push_one(step: &mut Step<'_, '_>, card: &mut Card, side: Side, value: &Bytes) -> Result<()> {
    let Span { first, last, .. } = card.span;
    let position = match side {
        _ if card.count == 0 => Some(START),
        Side::Left => first.checked_sub(STRIDE),
        Side::Right => last.checked_add(STRIDE),
    };
    // Some hundred thousand billion pushes to one side of a list that was never empty.
    let position = position.ok_or_else(|| Error::new(Kind::Full, "the list has no positions left on this side"))?;
    if card.count == 0 {
        card.span = Span { first: position, last: position, uneven: false };
    } else {
        match side {
            Side::Left => card.span.first = position,
            Side::Right => card.span.last = position,
        }
    }
    put(step, card, position, value);
    Ok(())
}

/// Writes a new element; the span is the caller's business.
fn put(step: &mut Step<'_, '_>, card: &mut Card, position: u64, value: &Bytes) {
    let row = keys::in_collection_at(card.id, position);
    step.put(keys::LIST_ELEMENT, &row, &[ENCODING], value);
    let live = step.txn.live();
    step.txn.traces.placed(live, keys::LIST_ELEMENT, &row);
    card.count += 1;
    card.bytes += value.len() as u64;
}

/// Removes an element; the span is the caller's business.
fn take(step: &mut Step<'_, '_>, card: &mut Card, row: &[u8], found: &Row) -> Result<()> {
    card.shrink(1, found.body_len())?;
    step.delete(keys::LIST_ELEMENT, row);
    let live = step.txn.live();
    step.txn.traces.unplaced(live, keys::LIST_ELEMENT, row);
    Ok(())
}

/// Takes elements out at one end, at most `count`, in the order they come; none when there is no list.
pub(crate) async fn pop(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    side: Side,
    count: u64,
) -> Result<Option<Vec<Bytes>>> {
    let popped = change_at_length(live, namespace, key, count, move |step, place| {
        step.txn.relief();
        let Some(mut card) = place.card(KeyType::List)? else { return Ok(None) };
        let popped = pop_some(step, place, &mut card, side, count)?;
        if !popped.is_empty() {
            place.put_card(step.txn, card);
        }
        Ok(Some(popped))
    })
    .await?;
    let Some(popped) = popped else { return Ok(None) };
    at_length(live, popped.len() as u64, move |_| ordered::bodies(popped)).await.map(Some)
}

/// Takes elements out at one end; the card is to be put back.
pub(crate) fn pop_some(
    step: &mut Step<'_, '_>,
    place: &mut Place,
    card: &mut Card,
    side: Side,
    count: u64,
) -> Result<Vec<Row>> {
    let mut room = Room::new(step.txn.live());
    // The elements of a long list are left to the worker.
    let wholesale = count >= card.count && card.count > FEW;
    let mut popped = Vec::new();
    if !card.span.uneven && !wholesale && count.min(card.count) <= STEPS {
        for _ in 0..count.min(card.count) {
            let at = if side == Side::Left { card.span.first } else { card.span.last };
            let row = keys::in_collection_at(card.id, at);
            let found = step.txn.get(keys::LIST_ELEMENT, &row).ok_or_else(damaged)?;
            room.take(found.body_len())?;
            take(step, card, &row, &found)?;
            popped.push(found);
            match side {
                _ if card.count == 0 => {}
                Side::Left => card.span.first = at.checked_add(STRIDE).ok_or_else(damaged)?,
                Side::Right => card.span.last = at.checked_sub(STRIDE).ok_or_else(damaged)?,
            }
        }
        return Ok(popped);
    }
    let snapshot = step.txn.live().store.latest();
    let mut rows = from_end(&snapshot, card, side, count.saturating_add(1));
    while (popped.len() as u64) < count
        && let Some((row, found)) = rows.next()
    {
        room.take(found.body_len())?;
        if !wholesale {
            take(step, card, &row, &found)?;
        }
        popped.push(found);
    }
    if wholesale {
        place.drop_collection(step.txn);
        card.count = 0;
    } else if count > 0 && card.count > 0 {
        let (row, _) = rows.next().ok_or_else(damaged)?;
        set_end(card, side, position(&row)?);
    }
    Ok(popped)
}

fn set_end(card: &mut Card, side: Side, position: u64) {
    match side {
        Side::Left => card.span.first = position,
        Side::Right => card.span.last = position,
    }
}

/// The rows of a list from one end on; `few` is a hint how many are wanted.
fn from_end<'a>(snapshot: &'a Snapshot, card: &Card, side: Side, few: u64) -> Rows<'a> {
    let range = Range {
        from: keys::in_collection_at(card.id, card.span.first).to_vec(),
        to: keys::prefix_end(&keys::in_collection_at(card.id, card.span.last)),
        limit: usize::try_from(few).unwrap_or(usize::MAX),
        reverse: side == Side::Right,
    };
    Rows::new(snapshot, keys::LIST_ELEMENT, range)
}

fn position(row: &[u8]) -> Result<u64> {
    row.get(8..).and_then(keys::read_number).ok_or_else(damaged)
}

/// The row key of the element with this rank, below the count.
fn row_at(ordered: &Ordered<'_>, rank: u64) -> Option<RowKey> {
    let card = ordered.card;
    match card.span.uneven {
        false => Some(keys::in_collection_at(card.id, card.span.first + rank * STRIDE)),
        true => ordered.row_at(rank).map(|row| RowKey::from_slice(&row)),
    }
}

/// A part of a list by ranks.
struct Part {
    start: i64,
    stop: i64,
}

impl Ranked for Part {
    /// The first row, and how many from there.
    type Place = (Option<RowKey>, u64);
    type Answer = Vec<Bytes>;

    fn is_deep(&self, card: &Card) -> bool {
        card.span.uneven && ordered::is_deep(card, ranks(self.start, self.stop, card.count).0)
    }

    fn find(&self, ordered: &Ordered<'_>) -> Result<Self::Place> {
        let (first, many) = ranks(self.start, self.stop, ordered.card.count);
        Ok((if many > 0 { row_at(ordered, first) } else { None }, many))
    }

    fn rows(&self, place: &Self::Place) -> u64 {
        place.1
    }

    fn read(self, live: &Live, snapshot: &Snapshot, card: &Card, (row, many): Self::Place) -> Result<Vec<Bytes>> {
        let Some(row) = row else { return Ok(Vec::new()) };
        let many = usize::try_from(many).unwrap_or(usize::MAX);
        let range =
            Range { from: row.to_vec(), to: keys::prefix_end(&keys::number(card.id)), limit: many, reverse: false };
        let mut room = Room::new(live);
        let value = |(_, row): (Bytes, Row)| {
            room.take(row.body_len())?;
            Ok(row.body()?)
        };
        Rows::new(snapshot, keys::LIST_ELEMENT, range).take(many).map(value).collect()
    }
}

/// The elements from rank `start` to `stop`, both inclusive, negative ones counted from the end; none when there is no
/// list.
pub(crate) async fn range(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    start: i64,
    stop: i64,
) -> Result<Option<Vec<Bytes>>> {
    ordered::read(live, namespace, key, KeyType::List, Part { start, stop }).await
}

/// The element of a rank, negative counted from the end; none when there is no such rank.
pub(crate) async fn index(live: &Arc<Live>, namespace: &Namespace, key: &Key, rank: i64) -> Result<Option<Bytes>> {
    // Rank -1 in a list of one: a part that starts before the list would have its first element.
    let part = One(rank);
    ordered::read(live, namespace, key, KeyType::List, part).await?.ok_or_else(|| absent(key))
}

/// One element by its rank.
struct One(i64);

/// The rank, counted from the start; none when there is none.
fn rank_in(card: &Card, rank: i64) -> Option<u64> {
    let rank = if rank < 0 { card.count.checked_sub(rank.unsigned_abs())? } else { rank.unsigned_abs() };
    (rank < card.count).then_some(rank)
}

impl Ranked for One {
    type Place = Option<RowKey>;
    type Answer = Option<Bytes>;

    fn is_deep(&self, card: &Card) -> bool {
        card.span.uneven && rank_in(card, self.0).is_some_and(|rank| ordered::is_deep(card, rank))
    }

    fn find(&self, ordered: &Ordered<'_>) -> Result<Self::Place> {
        Ok(rank_in(ordered.card, self.0).and_then(|rank| row_at(ordered, rank)))
    }

    fn rows(&self, _: &Self::Place) -> u64 {
        1
    }

    fn read(self, _: &Live, snapshot: &Snapshot, _: &Card, row: Self::Place) -> Result<Option<Bytes>> {
        let Some(row) = row else { return Ok(None) };
        let row = snapshot.get(keys::LIST_ELEMENT, &row).ok_or_else(damaged)?;
        Ok(Some(row.body()?))
    }
}

/// How many elements there are; 0 when there is no list.
pub(crate) fn len(live: &Live, namespace: &Namespace, key: &Key) -> Result<u64> {
    Ok(look(live, namespace, key, KeyType::List)?.map_or(0, |look| look.card.count))
}

/// Replaces the element of a rank; false when there is no such rank.
pub(crate) async fn set(live: &Live, namespace: &Namespace, key: &Key, rank: i64, value: Bytes) -> Result<bool> {
    check_values(live, [&value])?;
    let deep = |card: &Card| One(rank).is_deep(card);
    ordered::change(live, namespace, key, KeyType::List, deep, |step, place, ordered| {
        let (Some(mut card), Some(ordered)) = (place.card(KeyType::List)?, ordered) else { return Err(absent(key)) };
        step.txn.replace();
        let Some(row) = One(rank).find(ordered)? else { return Ok(false) };
        let before = step.get(keys::LIST_ELEMENT, &row).ok_or_else(damaged)?;
        card.shrink(0, before.body_len())?;
        card.bytes += value.len() as u64;
        step.put(keys::LIST_ELEMENT, &row, &[ENCODING], &value);
        place.put_card(step.txn, card);
        Ok(true)
    })
    .await
}

/// Keeps only the elements from rank `start` to `stop`.
pub(crate) async fn trim(live: &Arc<Live>, namespace: &Namespace, key: &Key, start: i64, stop: i64) -> Result<()> {
    change_at_length(live, namespace, key, u64::MAX, move |step, place| {
        step.txn.relief();
        let Some(mut card) = place.card(KeyType::List)? else { return Ok(()) };
        let (first, kept) = ranks(start, stop, card.count);
        let removed = card.count - kept;
        if kept == 0 {
            place.drop_collection(step.txn);
        } else if removed <= kept.max(FEW) {
            let behind = removed - first;
            cut(step, &mut card, Side::Left, first)?;
            cut(step, &mut card, Side::Right, behind)?;
            if removed > 0 {
                place.put_card(step.txn, card);
            }
        } else {
            move_out(step, place, &card, first, kept)?;
        }
        Ok(())
    })
    .await
}

/// Removes `count` elements at one end, fewer than all.
fn cut(step: &mut Step<'_, '_>, card: &mut Card, side: Side, count: u64) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let snapshot = step.txn.live().store.latest();
    let mut rows = from_end(&snapshot, card, side, count + 1);
    for (row, found) in rows.by_ref().take(count as usize) {
        take(step, card, &row, &found)?;
    }
    let (row, _) = rows.next().ok_or_else(damaged)?;
    set_end(card, side, position(&row)?);
    Ok(())
}

/// Leaves most of a list behind: the few elements that stay become a new one in its place.
fn move_out(step: &mut Step<'_, '_>, place: &mut Place, card: &Card, first: u64, kept: u64) -> Result<()> {
    let snapshot = step.txn.live().store.latest();
    let mut new = Card { expires_at: card.expires_at, ..new_card(step.txn, KeyType::List)? };
    let behind = card.count - first - kept;
    let side = if first <= behind { Side::Left } else { Side::Right };
    let rows = from_end(&snapshot, card, side, u64::MAX);
    for (_, found) in rows.skip(first.min(behind) as usize).take(kept as usize) {
        let other = if side == Side::Left { Side::Right } else { Side::Left };
        push_one(step, &mut new, other, &found.body()?)?;
    }
    place.drop_collection(step.txn);
    place.put_card(step.txn, new);
    Ok(())
}

/// Removes elements equal to a value; how many there were.
pub(crate) async fn remove(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    value: &Sought,
    which: Equal,
) -> Result<u64> {
    let wanted = Wanted::new(value);
    change_at_length(live, namespace, key, u64::MAX, move |step, place| {
        step.txn.relief();
        let Some(mut card) = place.card(KeyType::List)? else { return Ok(0) };
        let (most, side) = match which {
            Equal::All => (u64::MAX, Side::Left),
            Equal::Some(most, side) => (most, side),
        };
        let before = card.clone();
        let snapshot = step.txn.live().store.latest();
        let mut removed = BTreeSet::new();
        if most > 0 {
            for (row, found) in from_end(&snapshot, &before, side, u64::MAX) {
                if wanted.is(&found)? {
                    take(step, &mut card, &row, &found)?;
                    removed.insert(position(&row)?);
                    if removed.len() as u64 >= most {
                        break;
                    }
                }
            }
        }
        if removed.is_empty() {
            return Ok(0);
        }
        if card.count > 0 {
            for side in [Side::Left, Side::Right] {
                let left = from_end(&snapshot, &before, side, 16).find_map(|(row, _)| {
                    position(&row).map(|position| (!removed.contains(&position)).then_some(position)).transpose()
                });
                set_end(&mut card, side, left.ok_or_else(damaged)??);
            }
            card.span.uneven = true;
        }
        place.put_card(step.txn, card);
        Ok(removed.len() as u64)
    })
    .await
}

/// Puts an element next to another one.
pub(crate) async fn insert(live: &Arc<Live>, namespace: &Namespace, key: &Key, insert: &Insert) -> Result<Inserted> {
    check_values(live, [&insert.value])?;
    let wanted = Wanted::new(&insert.pivot);
    let (side, value) = (insert.side, insert.value.clone());
    change_at_length(live, namespace, key, u64::MAX, move |step, place| {
        let Some(mut card) = place.card(KeyType::List)? else { return Ok(Inserted::NoList) };
        step.txn.grow()?;
        let snapshot = step.txn.live().store.latest();
        let mut before = None;
        let mut rows = from_end(&snapshot, &card, Side::Left, u64::MAX);
        let pivot = loop {
            let Some((row, found)) = rows.next() else { return Ok(Inserted::NoPivot) };
            if wanted.is(&found)? {
                break position(&row)?;
            }
            before = Some(position(&row)?);
        };
        let gap = match side {
            Side::Left => (before, Some(pivot)),
            Side::Right => (Some(pivot), rows.next().map(|(row, _)| position(&row)).transpose()?),
        };
        match gap {
            (Some(left), Some(right)) => between::put_between(step, &mut card, left, right, &value)?,
            (None, _) => push_one(step, &mut card, Side::Left, &value)?,
            (_, None) => push_one(step, &mut card, Side::Right, &value)?,
        }
        let count = card.count;
        place.put_card(step.txn, card);
        Ok(Inserted::Length(count))
    })
    .await
}

/// The rank of the `nth` element (from 1) equal to a value, from one end on.
pub(crate) async fn find(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    value: &Sought,
    nth: u64,
    side: Side,
) -> Result<Option<u64>> {
    let wanted = Wanted::new(value);
    let Some(look) = look(live, namespace, key, KeyType::List)? else { return Ok(None) };
    at_length(live, look.card.count, move |_| {
        let mut left = nth.max(1);
        for (rank, (_, row)) in (0..).zip(from_end(&look.snapshot, &look.card, side, u64::MAX)) {
            left -= u64::from(wanted.is(&row)?);
            if left == 0 {
                let from_left = if side == Side::Left { Some(rank) } else { look.card.count.checked_sub(1 + rank) };
                return from_left.map(Some).ok_or_else(damaged);
            }
        }
        Ok(None)
    })
    .await
}

/// Takes an element out at one end of a list and puts it in at one of another, or the same; none when there is none.
pub(crate) async fn transfer(
    live: &Live,
    namespace: &Namespace,
    (source, from): (&Key, Side),
    (destination, to): (&Key, Side),
) -> Result<Option<Bytes>> {
    many::change(live, namespace, &[source.clone(), destination.clone()], |step, places| {
        let mut cards = places.cards(0, KeyType::List)?;
        let (target, card) = (cards.pop().flatten(), cards.pop().flatten());
        let Some(mut card) = card else { return Ok(None) };
        step.txn.grow()?;
        let one = places.are_one(0, 1);
        if one && card.count == 1 {
            let row = step.get(keys::LIST_ELEMENT, &keys::in_collection_at(card.id, card.span.first));
            return row.ok_or_else(damaged)?.body().map(Some);
        }
        let popped = pop_some(step, places.get(0), &mut card, from, 1)?;
        let value = popped.first().ok_or_else(damaged)?.body()?;
        if one {
            push_one(step, &mut card, to, &value)?;
            places.get(0).put_card(step.txn, card);
            return Ok(Some(value));
        }
        places.get(0).put_card(step.txn, card);
        let mut target = target.map_or_else(|| places.get(1).card_or_new(step.txn, KeyType::List), Ok)?;
        push_one(step, &mut target, to, &value)?;
        places.get(1).put_card(step.txn, target);
        Ok(Some(value))
    })
    .await
}

fn absent(key: &Key) -> Error {
    Error::new(Kind::NotFound, format!("there is no list {key}"))
}

fn damaged() -> Error {
    Error::unreadable("a list")
}
