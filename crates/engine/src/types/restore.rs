//! Keys and what they hold, from lines of an export: values with the versions and times they had, collections element by
//! element.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use crate::{
    Actor, Error, Key, Kind, Namespace, Result, Timestamp,
    export::{
        Done, How, Record, count,
        record::{CollectionLine, KeyLine, TombstoneLine},
        text::{Real, Text},
        time,
    },
    keys::{self, RowKey},
    kv::{self, Head, Value},
    live::Live,
    txn::{self, Decided},
    types::{
        Card, KeyType, check_names, check_values,
        hash::{self, FieldWhen},
        list::{self, Side},
        place::{Place, new_card},
        scores, slots,
        step::Step,
    },
};

/// Who removes what gives its place to what is imported.
const IMPORT: Actor = Actor::fixed("system:import");

/// The row key of a line about a key; none for other lines.
pub(crate) fn row_key(record: &Record) -> Result<Option<RowKey>> {
    let (namespace, key) = match record {
        Record::Key(line) => (&line.namespace, &line.key),
        Record::Tombstone(line) => (&line.namespace, &line.key),
        Record::Hash(line) => (&line.namespace, &line.key),
        Record::List(line) | Record::Set(line) => (&line.namespace, &line.key),
        Record::SortedSet(line) => (&line.namespace, &line.key),
        _ => return Ok(None),
    };
    let (namespace, key) = names(namespace, key)?;
    Ok(Some(keys::kv(&namespace, &key)))
}

/// Writes lines about keys in one commit; what became of each. An error names the line by its index.
pub(crate) async fn restore(live: &Live, lines: &[&Record], how: How<'_>) -> Result<Vec<Done>> {
    live.store.room().await;
    let decided = decide(live, lines, how)?;
    Ok(live.settle(decided).await?.0)
}

fn decide(live: &Live, lines: &[&Record], how: How<'_>) -> Result<Decided<Vec<Done>>> {
    let rows: Vec<RowKey> = lines.iter().filter_map(|line| row_key(line).transpose()).collect::<Result<_>>()?;
    let _held = live.locks.lock_all(rows.iter().map(|row| &row[..]));
    Ok(txn::decide(live, |txn| {
        txn.grow()?;
        let mut step = Step::new(txn);
        let mut places: HashMap<RowKey, Place, RandomState> = HashMap::default();
        let mut done = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            done.push(one(&mut step, &mut places, line, how).map_err(|error| error.at(index))?);
        }
        (how.mark)(&done).write(step.txn);
        Ok(done)
    }))
}

fn one(
    step: &mut Step<'_, '_>,
    places: &mut HashMap<RowKey, Place, RandomState>,
    line: &Record,
    how: How<'_>,
) -> Result<Done> {
    let mut at = |step: &mut Step<'_, '_>, namespace: &Text, key: &Text| {
        let (namespace, key) = names(namespace, key)?;
        let row = keys::kv(&namespace, &key);
        if !places.contains_key(&row) {
            places.insert(row.clone(), Place::load(step.txn, &namespace, &key)?);
        }
        Ok::<_, Error>(row)
    };
    match line {
        Record::Key(line) => {
            let row = at(step, &line.namespace, &line.key)?;
            value(step, place(places, &row), line, how)
        }
        Record::Tombstone(line) => {
            let row = at(step, &line.namespace, &line.key)?;
            tombstone(step, place(places, &row), line)
        }
        Record::Hash(line) => {
            let row = at(step, &line.namespace, &line.key)?;
            fields(step, place(places, &row), line, how)
        }
        Record::List(line) => {
            let row = at(step, &line.namespace, &line.key)?;
            elements(step, place(places, &row), line, how)
        }
        Record::Set(line) => {
            let row = at(step, &line.namespace, &line.key)?;
            members(step, place(places, &row), line, how)
        }
        Record::SortedSet(line) => {
            let row = at(step, &line.namespace, &line.key)?;
            scored(step, place(places, &row), line, how)
        }
        other => Err(Error::new(Kind::Bug, format!("a line of the type {:?} is not about a key", other.name()))),
    }
}

fn place<'p>(places: &'p mut HashMap<RowKey, Place, RandomState>, row: &RowKey) -> &'p mut Place {
    places.get_mut(row).expect("it was put there when the line was looked at")
}

fn names(namespace: &Text, key: &Text) -> Result<(Namespace, Key)> {
    let invalid = |what: &str, error| Error::new(Kind::Invalid, format!("the {what} {error}"));
    let namespace = Namespace::new(namespace.0.clone()).map_err(|error| invalid("namespace", error))?;
    Ok((namespace, Key::new(key.0.clone()).map_err(|error| invalid("key", error))?))
}

fn value(step: &mut Step<'_, '_>, place: &mut Place, line: &KeyLine, how: How<'_>) -> Result<Done> {
    let expires_at = line.expires_at.map(time).transpose()?;
    if is_over(step, expires_at) {
        return Ok(Done::Expired);
    }
    let value = Value::try_from(line.value.clone()).map_err(|what| Error::new(Kind::Invalid, what))?;
    check_values(step.txn.live(), [&value.bytes])?;
    let actor =
        Actor::new(line.actor.0.clone()).map_err(|error| Error::new(Kind::Invalid, format!("the actor {error}")))?;
    if is_same(place, line, &value)? {
        return Ok(Done::Same);
    }
    if !may_write(place, how)? {
        return Ok(Done::Skipped);
    }
    let was = kv::Was { version: count(line.version)?, updated_at: time(line.updated_at)? };
    place.restore_value(step.txn, was, value, expires_at, &actor)?;
    Ok(Done::Written)
}

fn is_same(place: &Place, line: &KeyLine, value: &Value) -> Result<bool> {
    let Some(row) = place.value_row() else { return Ok(false) };
    let head = Head::read(row)?.ok_or_else(|| Error::unreadable("an entry"))?;
    Ok(head.version == line.version
        && head.encoding == value.encoding
        && head.updated_at.0 == line.updated_at
        && head.expires_at.map(|at| at.0) == line.expires_at
        && head.actor == &line.actor.0[..]
        && row.body_len() == value.bytes.len()
        && row.body()? == value.bytes)
}

/// Versions of a key go on from here when it is written again; a key that is there knows better.
fn tombstone(step: &mut Step<'_, '_>, place: &mut Place, line: &TombstoneLine) -> Result<Done> {
    if place.key_type().is_some() {
        return Ok(Done::Skipped);
    }
    Ok(if place.restore_tombstone(step.txn, count(line.version)?, &IMPORT)? { Done::Written } else { Done::Same })
}

fn fields(
    step: &mut Step<'_, '_>,
    place: &mut Place,
    line: &CollectionLine<(Text, Text)>,
    how: How<'_>,
) -> Result<Done> {
    check_names(line.elements.iter().map(|(field, _)| &field.0))?;
    check_values(step.txn.live(), line.elements.iter().map(|(_, value)| &value.0))?;
    collection(step, place, KeyType::Hash, line, how, |step, card, (field, value)| {
        hash::set_field(step, card, &field.0, &value.0, FieldWhen::Absent)?;
        Ok(())
    })
}

fn elements(step: &mut Step<'_, '_>, place: &mut Place, line: &CollectionLine<Text>, how: How<'_>) -> Result<Done> {
    check_values(step.txn.live(), line.elements.iter().map(|element| &element.0))?;
    collection(step, place, KeyType::List, line, how, |step, card, element| {
        list::push_one(step, card, Side::Right, &element.0)
    })
}

fn members(step: &mut Step<'_, '_>, place: &mut Place, line: &CollectionLine<Text>, how: How<'_>) -> Result<Done> {
    check_names(line.elements.iter().map(|member| &member.0))?;
    collection(step, place, KeyType::Set, line, how, |step, card, member| {
        slots::add(step, card, &member.0);
        Ok(())
    })
}

fn scored(
    step: &mut Step<'_, '_>,
    place: &mut Place,
    line: &CollectionLine<(Text, Real)>,
    how: How<'_>,
) -> Result<Done> {
    check_names(line.elements.iter().map(|(member, _)| &member.0))?;
    collection(step, place, KeyType::SortedSet, line, how, |step, card, (member, Real(score))| {
        let before = scores::get(step, card, &member.0)?;
        scores::put(step, card, &member.0, before, *score);
        Ok(())
    })
}

/// Begins a collection, or goes on with the one that the lines before began.
fn collection<E>(
    step: &mut Step<'_, '_>,
    place: &mut Place,
    kind: KeyType,
    line: &CollectionLine<E>,
    how: How<'_>,
    mut add: impl FnMut(&mut Step<'_, '_>, &mut Card, &E) -> Result<()>,
) -> Result<Done> {
    let CollectionLine { key, expires_at, from, elements, .. } = line;
    let expires_at = expires_at.map(time).transpose()?;
    if elements.is_empty() {
        return Err(Error::new(Kind::Invalid, "a collection has an element at least"));
    }
    if is_over(step, expires_at) {
        return Ok(Done::Expired);
    }
    let mut card = if *from == 0 {
        if !may_write(place, how)? {
            return Ok(Done::Skipped);
        }
        place.clear(step.txn, &IMPORT)?;
        new_card(step.txn, kind)?
    } else {
        let begun = place.card(kind).ok().flatten().filter(|card| card.count == *from);
        let key = key.0.escape_ascii();
        begun.ok_or_else(|| {
            Error::conflict(0, format!("the {kind} {key} does not have the elements of the lines before"))
        })?
    };
    for element in elements {
        add(step, &mut card, element)?;
    }
    if card.count != from + elements.len() as u64 {
        return Err(Error::new(Kind::Invalid, format!("an element of the {kind} is there twice")));
    }
    card.expires_at = expires_at;
    place.put_card(step.txn, card);
    Ok(Done::Written)
}

fn is_over(step: &Step<'_, '_>, expires_at: Option<Timestamp>) -> bool {
    expires_at.is_some_and(|at| at <= step.txn.now())
}

fn may_write(place: &Place, how: How<'_>) -> Result<bool> {
    match place.key_type() {
        None => Ok(true),
        Some(kind) => how.on_conflict.decide(|| format!("key {} holds a {kind} already", place.key)),
    }
}
