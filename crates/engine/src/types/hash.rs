//! Hashes: a row for each field, whose body is its value.

use std::sync::Arc;

use bytes::Bytes;
use manifold_store::{Range, Row};

use crate::{
    Key, Namespace, Result, keys,
    live::Live,
    number,
    types::{
        Card, KeyType, check_names, check_values,
        look::{Look, Room, Rows, at_length, look},
        place::Place,
        step::{Step, change, change_each},
    },
};

const ENCODING: u8 = 1;
/// A longer value is no number.
const NUMBER_BYTES: usize = 400;

/// Which fields a write may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldWhen {
    /// All.
    Always,
    /// Only those that are not there.
    Absent,
}

/// What adding to the number of a field came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added<N> {
    /// The field holds this now.
    To(N),
    /// The field holds something else; nothing was changed.
    NotANumber,
    /// The sum is out of range; nothing was changed.
    Overflow,
}

/// A field and its value.
pub type Field = (Bytes, Bytes);

/// What a part of a hash to read: fields in byte order.
#[derive(Debug, Clone, Default)]
pub struct FieldPage {
    /// Only fields greater than this one.
    pub after: Option<Bytes>,
    /// Most fields of the page, at least 1.
    pub limit: usize,
    /// The page ends before it passes this many bytes of fields and values, but holds at least one.
    pub max_bytes: usize,
}

/// Sets fields; how many are new. A field named twice has its last value.
pub(crate) async fn set(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    fields: Vec<Field>,
    when: FieldWhen,
) -> Result<u64> {
    check_names(fields.iter().map(|(field, _)| field))?;
    check_values(live, fields.iter().map(|(_, value)| value))?;
    change_each(live, namespace, key, &fields, move |step, place, fields| {
        let known = place.card(KeyType::Hash)?;
        if fields.is_empty() {
            return Ok(0);
        }
        step.txn.replace();
        let mut card = known.map_or_else(|| place.card_or_new(step.txn, KeyType::Hash), Ok)?;
        let before = card.count;
        let mut written = false;
        for (field, value) in fields {
            written |= set_field(step, &mut card, field, value, when)?;
        }
        let created = card.count - before;
        if written {
            place.put_card(step.txn, card);
        }
        Ok(created)
    })
    .await
}

/// Whether it wrote anything.
pub(super) fn set_field(
    step: &mut Step<'_, '_>,
    card: &mut Card,
    field: &Bytes,
    value: &Bytes,
    when: FieldWhen,
) -> Result<bool> {
    let row = keys::in_collection(card.id, field);
    match step.get(keys::HASH_FIELD, &row) {
        Some(_) if when == FieldWhen::Absent => return Ok(false),
        Some(found) => card.shrink(0, found.body_len())?,
        None => {
            card.count += 1;
            card.bytes += field.len() as u64;
        }
    }
    card.bytes += value.len() as u64;
    step.put(keys::HASH_FIELD, &row, &[ENCODING], value);
    Ok(true)
}

/// Removes fields; how many were there.
pub(crate) async fn delete(live: &Arc<Live>, namespace: &Namespace, key: &Key, fields: &[Bytes]) -> Result<u64> {
    change_each(live, namespace, key, fields, |step, place, fields| {
        step.txn.relief();
        let Some(mut card) = place.card(KeyType::Hash)? else { return Ok(0) };
        let before = card.count;
        for field in fields.iter().filter(|field| field.len() <= super::NAME_MAX) {
            let row = keys::in_collection(card.id, field);
            if let Some(found) = step.get(keys::HASH_FIELD, &row) {
                card.shrink(1, field.len() + found.body_len())?;
                step.delete(keys::HASH_FIELD, &row);
            }
        }
        let deleted = before - card.count;
        if deleted > 0 {
            place.put_card(step.txn, card);
        }
        Ok(deleted)
    })
    .await
}

/// Adds to the integer that a field is, 0 when it is not there.
pub(crate) async fn add(live: &Live, namespace: &Namespace, key: &Key, field: Bytes, by: i64) -> Result<Added<i64>> {
    edit(live, namespace, key, field, |value| {
        let Some(number) = value.map_or(Some(0), number::integer) else { return Added::NotANumber };
        number.checked_add(by).map_or(Added::Overflow, |sum| Added::To((number::of_integer(sum), sum)))
    })
    .await
}

/// Adds to the number that a field is, 0 when it is not there.
pub(crate) async fn add_float(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    field: Bytes,
    by: f64,
) -> Result<Added<f64>> {
    edit(live, namespace, key, field, |value| {
        let Some(number) = value.map_or(Some(0.0), number::float) else { return Added::NotANumber };
        let sum = number + by;
        if sum.is_finite() { Added::To((number::of_float(sum), sum)) } else { Added::Overflow }
    })
    .await
}

async fn edit<N>(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    field: Bytes,
    next: impl FnOnce(Option<&[u8]>) -> Added<(Bytes, N)>,
) -> Result<Added<N>> {
    check_names([&field])?;
    change(live, namespace, key, |step, place: &mut Place| {
        let known = place.card(KeyType::Hash)?;
        let row = known.as_ref().map(|card| keys::in_collection(card.id, &field));
        let found = row.and_then(|row| step.get(keys::HASH_FIELD, &row));
        let value = match &found {
            None => None,
            // A decision does not read the disk: what is too long for a number is none.
            Some(found) if found.body_len() > NUMBER_BYTES => Some(Bytes::from_static(b"long")),
            Some(found) => Some(found.body()?),
        };
        let (value, sum) = match next(value.as_deref()) {
            Added::To(next) => next,
            Added::NotANumber => return Ok(Added::NotANumber),
            Added::Overflow => return Ok(Added::Overflow),
        };
        step.txn.replace();
        let mut card = known.map_or_else(|| place.card_or_new(step.txn, KeyType::Hash), Ok)?;
        set_field(step, &mut card, &field, &value, FieldWhen::Always)?;
        place.put_card(step.txn, card);
        Ok(Added::To(sum))
    })
    .await
}

/// The values of fields in one cut, in the order asked.
pub(crate) fn get(live: &Live, namespace: &Namespace, key: &Key, fields: &[Bytes]) -> Result<Vec<Option<Bytes>>> {
    let look = look(live, namespace, key, KeyType::Hash)?;
    let mut room = Room::new(live);
    let value = |field: &Bytes| {
        let Some(row) = look.as_ref().and_then(|look| find(look, field)) else { return Ok(None) };
        room.take(row.body_len())?;
        Ok(Some(row.body()?))
    };
    fields.iter().map(value).collect()
}

/// Whether a field is there.
pub(crate) fn has(live: &Live, namespace: &Namespace, key: &Key, field: &Bytes) -> Result<bool> {
    Ok(look(live, namespace, key, KeyType::Hash)?.is_some_and(|look| find(&look, field).is_some()))
}

fn find(look: &Look, field: &[u8]) -> Option<Row> {
    let row = keys::in_collection(look.card.id, field);
    (field.len() <= super::NAME_MAX).then(|| look.snapshot.get(keys::HASH_FIELD, &row)).flatten()
}

/// How many fields there are.
pub(crate) fn len(live: &Live, namespace: &Namespace, key: &Key) -> Result<u64> {
    Ok(look(live, namespace, key, KeyType::Hash)?.map_or(0, |look| look.card.count))
}

/// All of a hash in byte order of fields, as `part` wants it: `part` says what a row counts and becomes.
pub(crate) async fn all<T: Send + 'static>(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    part: fn(Bytes, &Row, &mut Room) -> Result<T>,
) -> Result<Vec<T>> {
    let Some(look) = look(live, namespace, key, KeyType::Hash)? else { return Ok(Vec::new()) };
    at_length(live, look.card.count, move |live| {
        let mut room = Room::new(live);
        let rows = Rows::all(&look.snapshot, keys::HASH_FIELD, &keys::number(look.card.id));
        rows.map(|(row, found)| part(row.slice(8..), &found, &mut room)).collect()
    })
    .await
}

pub(crate) fn field_and_value(field: Bytes, row: &Row, room: &mut Room) -> Result<Field> {
    room.take(field.len() + row.body_len())?;
    Ok((field, row.body()?))
}

pub(crate) fn only_field(field: Bytes, _: &Row, room: &mut Room) -> Result<Bytes> {
    room.take(field.len())?;
    Ok(field)
}

pub(crate) fn only_value(_: Bytes, row: &Row, room: &mut Room) -> Result<Bytes> {
    room.take(row.body_len())?;
    Ok(row.body()?)
}

/// A page of fields with their values, and whether more follow.
pub(crate) fn page(live: &Live, namespace: &Namespace, key: &Key, page: FieldPage) -> Result<(Vec<Field>, bool)> {
    let Some(look) = look(live, namespace, key, KeyType::Hash)? else { return Ok((Vec::new(), false)) };
    let prefix = keys::number(look.card.id);
    let mut from = prefix.to_vec();
    if let Some(after) = page.after {
        // Nothing lies between a string of bytes and the same with a NUL behind it.
        from.extend_from_slice(&after[..after.len().min(super::NAME_MAX + 1)]);
        from.push(0);
    }
    let limit = page.limit.max(1);
    let range = Range { from, to: keys::prefix_end(&prefix), limit: limit.saturating_add(1), reverse: false };
    let mut fields: Vec<Field> = Vec::new();
    let mut bytes = 0usize;
    for (row, found) in Rows::new(&look.snapshot, keys::HASH_FIELD, range) {
        bytes = bytes.saturating_add(row.len() - 8 + found.body_len());
        if fields.len() == limit || (bytes > page.max_bytes && !fields.is_empty()) {
            return Ok((fields, true));
        }
        fields.push((row.slice(8..), found.body()?));
    }
    Ok((fields, false))
}
