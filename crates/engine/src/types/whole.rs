//! Verbs on a key whatever it holds: what it is, when it goes, deleting, renaming, copying.

use std::sync::Arc;

use bytes::Bytes;
use manifold_store::{Range, Row, Snapshot, Store, View};

use crate::{
    Actor, Engine, Error, Glob, Key, Namespace, Result, Timestamp,
    chance::Dice,
    feed::How,
    keys,
    kv::{Expires, Head},
    live::{Live, ROW_BYTES},
    txn::Txn,
    types::{
        Card, KeyType,
        look::{Room, Rows, at_length},
        many,
        place::{Place, new_card},
        scores, slots,
        step::{Step, change},
    },
};

/// Keys among which one is drawn.
const DRAW: usize = 64;
/// Keys deleted in one commit when all go.
const CLEARED: usize = 256;
/// Steps towards a random key, at most.
const STEPS: usize = 64;

/// A live key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo {
    /// What it holds.
    pub key_type: KeyType,
    /// From then on it is absent.
    pub expires_at: Option<Timestamp>,
    /// Elements of a collection; 1 for a value.
    pub elements: u64,
    /// Bytes it takes, about: names, values, and for each row what the memory limit counts for one.
    pub bytes: u64,
}

/// Which keys to list: live ones of one namespace in byte order, of all types.
#[derive(Debug, Clone, Default)]
pub struct KeyPage {
    /// Only keys that start with these bytes.
    pub prefix: Bytes,
    /// Only keys greater than this one.
    pub after: Option<Bytes>,
    /// Most keys of the page, at least 1.
    pub limit: usize,
}

/// How many keys of a type there are, and what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TypeCount {
    /// Live keys.
    pub keys: u64,
    /// Elements of all of them; 1 for a value.
    pub elements: u64,
    /// As of [`KeyInfo::bytes`].
    pub bytes: u64,
}

/// The live keys of a namespace by what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyCounts {
    /// Values.
    pub strings: TypeCount,
    /// Hashes.
    pub hashes: TypeCount,
    /// Lists.
    pub lists: TypeCount,
    /// Sets.
    pub sets: TypeCount,
    /// Sorted sets.
    pub sorted_sets: TypeCount,
}

/// Whether a rename or copy may replace what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// It may, whatever that is.
    Any,
    /// It may not.
    Nothing,
}

/// What became of a rename or copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Done.
    Done,
    /// The source is absent.
    NoSource,
    /// The destination holds something.
    Taken,
}

impl KeyInfo {
    /// What the row of a key says; none when its deadline has passed.
    fn read(key_len: usize, row: &Row, now: Timestamp) -> Result<Option<KeyInfo>> {
        if let Some(card) = Card::read(row)? {
            return Ok((!card.is_due(now)).then(|| KeyInfo::of_card(key_len, &card)));
        }
        let head = Head::read(row)?.ok_or_else(|| Error::unreadable("an entry"))?;
        let bytes = (key_len + row.body_len()) as u64 + ROW_BYTES;
        let info = KeyInfo { key_type: KeyType::String, expires_at: head.expires_at, elements: 1, bytes };
        Ok(head.is_live(|| now).then_some(info))
    }

    fn of_card(key_len: usize, card: &Card) -> KeyInfo {
        let rows = 1 + card.count * Card::tables(card.kind).len() as u64;
        let bytes = key_len as u64 + card.bytes + rows * ROW_BYTES;
        KeyInfo { key_type: card.kind, expires_at: card.expires_at, elements: card.count, bytes }
    }
}

/// Which collection the row of a key is, if it is one that counts at `now`.
pub(crate) fn live_collection(row: &Row, now: impl FnOnce() -> Timestamp) -> Result<Option<KeyType>> {
    let card = Card::read(row)?;
    Ok(card.filter(|card| !card.is_due(now())).map(|card| card.kind))
}

/// Bytes of all keys' values and elements.
pub(crate) fn stored_bytes(store: &Store) -> u64 {
    let kinds = [KeyType::Hash, KeyType::List, KeyType::Set, KeyType::SortedSet];
    let tables = kinds.into_iter().flat_map(Card::tables).chain([&keys::KV]);
    tables.map(|table| store.table_bytes(*table)).sum()
}

/// What keys are, in one cut, in the order asked.
pub(crate) fn info(live: &Live, namespace: &Namespace, wanted: &[Key]) -> Result<Vec<Option<KeyInfo>>> {
    let info = |key: &Key, row: Option<Row>| match row {
        Some(row) => KeyInfo::read(key.as_bytes().len(), &row, live.clock.now()),
        None => Ok(None),
    };
    if let [key] = wanted {
        // One row is a cut of its own.
        return Ok(vec![info(key, live.store.get(View::Durable, keys::KV, &keys::kv(namespace, key)))?]);
    }
    let (snapshot, ()) = live.store.snapshot(|| ());
    wanted.iter().map(|key| info(key, snapshot.get(keys::KV, &keys::kv(namespace, key)))).collect()
}

/// A page of keys with what they are, and whether more follow.
pub(crate) fn page(live: &Live, namespace: &Namespace, page: &KeyPage) -> Result<(Vec<(Key, KeyInfo)>, bool)> {
    let (snapshot, ()) = live.store.snapshot(|| ());
    let now = live.clock.now();
    let start = keys::kv_start(namespace);
    let prefix = [&start[..], &page.prefix].concat();
    let limit = page.limit.max(1);
    let from = match &page.after {
        // No name holds a NUL, so nothing lies between a key and itself with one behind it.
        Some(after) => [&start[..], after, &[0]].concat().max(prefix.clone()),
        None => prefix.clone(),
    };
    let range = Range { from, to: keys::prefix_end(&prefix), limit: limit.saturating_add(1), reverse: false };
    let mut found = Vec::new();
    for (row, stored) in Rows::new(&snapshot, keys::KV, range) {
        let key = key_of(&row)?;
        let Some(info) = KeyInfo::read(key.as_bytes().len(), &stored, now)? else { continue };
        if found.len() == limit {
            return Ok((found, true));
        }
        found.push((key, info));
    }
    Ok((found, false))
}

/// All keys of a namespace that begin with `prefix` and match `glob`, in byte order.
pub(crate) async fn names(
    live: &Arc<Live>,
    namespace: &Namespace,
    prefix: Bytes,
    glob: Option<Glob>,
) -> Result<Vec<Key>> {
    let start = keys::kv_start(namespace);
    at_length(live, live.store.rows(keys::KV), move |live| {
        let (snapshot, ()) = live.store.snapshot(|| ());
        let now = live.clock.now();
        // Of both beginnings that the names must have the longer one leaves fewer rows to read.
        let known = glob.as_ref().map_or(&[][..], Glob::prefix);
        let from = [&start[..], if known.len() > prefix.len() { known } else { &prefix }].concat();
        let mut room = Room::new(live);
        let mut found = Vec::new();
        for (row, stored) in Rows::all(&snapshot, keys::KV, &from) {
            let name = &row[start.len()..];
            let wanted = name.starts_with(&prefix) && glob.as_ref().is_none_or(|glob| glob.matches(name));
            if wanted && KeyInfo::read(name.len(), &stored, now)?.is_some() {
                room.take(name.len())?;
                found.push(key_of(&row)?);
            }
        }
        Ok(found)
    })
    .await
}

fn key_of(row: &Bytes) -> Result<Key> {
    let key = keys::split_kv(row).and_then(|(_, key)| Key::new(row.slice_ref(key)).ok());
    key.ok_or_else(|| Error::unreadable("the key of an entry"))
}

/// Counts the keys of a namespace: goes through all of them.
pub(crate) async fn count(live: &Arc<Live>, namespace: &Namespace) -> Result<KeyCounts> {
    let start = keys::kv_start(namespace);
    at_length(live, live.store.rows(keys::KV), move |live| {
        let (snapshot, ()) = live.store.snapshot(|| ());
        let now = live.clock.now();
        let mut counts = KeyCounts::default();
        for (row, stored) in Rows::all(&snapshot, keys::KV, &start) {
            let Some(info) = KeyInfo::read(row.len() - start.len(), &stored, now)? else { continue };
            let of_type = match info.key_type {
                KeyType::String => &mut counts.strings,
                KeyType::Hash => &mut counts.hashes,
                KeyType::List => &mut counts.lists,
                KeyType::Set => &mut counts.sets,
                KeyType::SortedSet => &mut counts.sorted_sets,
            };
            of_type.keys += 1;
            of_type.elements += info.elements;
            of_type.bytes += info.bytes;
        }
        Ok(counts)
    })
    .await
}

/// Some live key: goes down the tree of all names, a random byte at a time, until few are left.
pub(crate) fn random(live: &Live, namespace: &Namespace) -> Result<Option<Key>> {
    let (snapshot, ()) = live.store.snapshot(|| ());
    let now = live.clock.now();
    let mut dice = Dice::new();
    let mut prefix = keys::kv_start(namespace).to_vec();
    for _ in 0..STEPS {
        let mut few = below(&snapshot, &prefix, DRAW + 1);
        let last = Range { from: prefix.clone(), to: keys::prefix_end(&prefix), limit: 1, reverse: true };
        let Some((last, _)) = Rows::new(&snapshot, keys::KV, last).next() else { break };
        if few.len() <= DRAW {
            break;
        }
        // The name that is the prefix itself has no byte behind it, and comes first.
        let itself = few[0].0.len() == prefix.len();
        let byte_of = |row: &Bytes| row.get(prefix.len()).copied().unwrap_or_default();
        let (least, greatest) = (byte_of(&few[usize::from(itself)].0), byte_of(&last));
        let drawn = dice.below(u64::from(greatest - least) + 1 + u64::from(itself));
        let Some(byte) =
            u8::try_from(drawn).ok().and_then(|drawn| least.checked_add(drawn)).filter(|it| *it <= greatest)
        else {
            few.truncate(1);
            match draw(&mut dice, few, now)? {
                Some(itself) => return Ok(Some(itself)),
                None => break,
            }
        };
        let from = [&prefix[..], &[byte]].concat();
        let range = Range { from, to: keys::prefix_end(&prefix), limit: 1, reverse: false };
        let Some((next, _)) = Rows::new(&snapshot, keys::KV, range).next() else { break };
        prefix.extend(next.get(prefix.len()));
    }
    // All that were looked at are past their deadlines, or the names are very long and alike.
    match draw(&mut dice, below(&snapshot, &prefix, DRAW), now)? {
        Some(key) => Ok(Some(key)),
        None => any(Rows::all(&snapshot, keys::KV, &keys::kv_start(namespace)), now),
    }
}

fn below(snapshot: &Snapshot, prefix: &[u8], few: usize) -> Vec<(Bytes, Row)> {
    let range = Range { from: prefix.to_vec(), to: keys::prefix_end(prefix), limit: few, reverse: false };
    Rows::new(snapshot, keys::KV, range).take(few).collect()
}

/// One of those that are live.
fn draw(dice: &mut Dice, mut rows: Vec<(Bytes, Row)>, now: Timestamp) -> Result<Option<Key>> {
    while !rows.is_empty() {
        let (key, row) = rows.swap_remove(dice.below(rows.len() as u64) as usize);
        if KeyInfo::read(0, &row, now)?.is_some() {
            return key_of(&key).map(Some);
        }
    }
    Ok(None)
}

fn any(rows: Rows<'_>, now: Timestamp) -> Result<Option<Key>> {
    for (key, row) in rows {
        if KeyInfo::read(0, &row, now)?.is_some() {
            return key_of(&key).map(Some);
        }
    }
    Ok(None)
}

/// Deletes keys whatever they hold, in one change; how many were there.
pub(crate) async fn delete(live: &Live, namespace: &Namespace, wanted: &[Key], actor: &Actor) -> Result<u64> {
    many::change(live, namespace, wanted, |step, places| {
        step.txn.relief();
        let mut deleted = 0;
        for place in places.each() {
            deleted += u64::from(place.clear(step.txn, actor)?);
        }
        Ok(deleted)
    })
    .await
}

/// Deletes all keys of a namespace, a page after the other, so that others write meanwhile; how many there were.
pub(crate) async fn clear(engine: &Engine, namespace: &Namespace, actor: &Actor) -> Result<u64> {
    let live = engine.live()?;
    let mut together = engine.together();
    let mut deleted = 0;
    let mut next = KeyPage { limit: CLEARED, ..KeyPage::default() };
    loop {
        let (found, more) = page(live, namespace, &next)?;
        let names: Vec<Key> = found.into_iter().map(|(key, _)| key).collect();
        deleted += together.run(delete(live, namespace, &names, actor)).await.0?;
        match names.last() {
            Some(last) if more => next.after = Some(Bytes::copy_from_slice(last.as_bytes())),
            _ => break,
        }
        tokio::task::yield_now().await;
    }
    together.wait().await?;
    Ok(deleted)
}

/// Gives a key another deadline, or none; what it was before. A deadline that has passed deletes it.
pub(crate) async fn expire(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    expires: Expires,
    actor: &Actor,
) -> Result<Option<KeyInfo>> {
    change(live, namespace, key, |step, place| {
        let now = step.txn.now();
        let Some(before) = place.info(now)? else { return Ok(None) };
        let deadline = match expires {
            Expires::Keep => before.expires_at,
            Expires::Never => None,
            Expires::At(at) => Some(at),
            Expires::In(duration) => Some(now.plus(duration)),
        };
        if deadline == before.expires_at {
            return Ok(Some(before));
        }
        if deadline.is_some_and(|deadline| deadline <= now) {
            step.txn.relief();
            place.clear(step.txn, actor)?;
        } else if before.key_type == KeyType::String {
            let value = place.value()?.ok_or_else(|| Error::unreadable("an entry"))?;
            place.put_value(step.txn, How::Retime, value, deadline, actor)?;
        } else if let Some(card) = place.card(before.key_type)? {
            place.put_card(step.txn, Card { expires_at: deadline, ..card });
        }
        Ok(Some(before))
    })
    .await
}

/// Gives what a key holds another name, its deadline with it.
pub(crate) async fn rename(
    live: &Live,
    namespace: &Namespace,
    source: &Key,
    destination: &Key,
    replace: Replace,
    actor: &Actor,
) -> Result<Moved> {
    many::change(live, namespace, &[source.clone(), destination.clone()], |step, places| {
        let Some(info) = places.get(0).info(step.txn.now())? else { return Ok(Moved::NoSource) };
        if replace == Replace::Nothing && places.get(1).key_type().is_some() {
            return Ok(Moved::Taken);
        }
        if places.are_one(0, 1) {
            return Ok(Moved::Done);
        }
        if let Some(value) = places.get(0).value()? {
            places.get(0).clear(step.txn, actor)?;
            places.get(1).put_value(step.txn, How::Put, value, info.expires_at, actor)?;
        } else if let Some(card) = places.get(0).take_card(step.txn) {
            places.get(1).clear(step.txn, actor)?;
            places.get(1).put_card(step.txn, card);
        }
        Ok(Moved::Done)
    })
    .await
}

/// Gives another key the same content, its deadline with it.
pub(crate) async fn copy(
    live: &Arc<Live>,
    namespace: &Namespace,
    source: &Key,
    destination: &Key,
    replace: Replace,
    actor: Actor,
) -> Result<Moved> {
    let keys = vec![source.clone(), destination.clone()];
    many::change_at_length(live, namespace, keys, move |step, places| {
        let Some(info) = places.get(0).info(step.txn.now())? else { return Ok(Moved::NoSource) };
        if replace == Replace::Nothing && places.get(1).key_type().is_some() {
            return Ok(Moved::Taken);
        }
        if places.are_one(0, 1) {
            return Ok(Moved::Done);
        }
        step.txn.grow()?;
        if let Some(value) = places.get(0).value()? {
            places.get(1).put_value(step.txn, How::Put, value, info.expires_at, &actor)?;
        } else if let Some(card) = places.get(0).card(info.key_type)? {
            let copy = copy_elements(step.txn, &card)?;
            places.get(1).clear(step.txn, &actor)?;
            places.get(1).put_card(step.txn, copy);
        }
        Ok(Moved::Done)
    })
    .await
}

/// The card of a new collection with the same elements.
fn copy_elements(txn: &mut Txn<'_>, card: &Card) -> Result<Card> {
    let id = new_card(txn, card.kind)?.id;
    let snapshot = txn.live().store.latest();
    let prefix = keys::number(card.id);
    match card.kind {
        KeyType::String => {}
        KeyType::Hash | KeyType::List => {
            let table = Card::tables(card.kind)[0];
            for (row, found) in Rows::all(&snapshot, table, &prefix) {
                txn.put(table, &keys::in_collection(id, &row[8..]), found.head(), &found.body()?);
            }
        }
        KeyType::Set => {
            let mut step = Step::new(txn);
            let mut copy = Card::new(card.kind, id);
            for slot in 0..card.count {
                slots::add(&mut step, &mut copy, &slots::read_at(&snapshot, card, slot)?);
            }
        }
        KeyType::SortedSet => {
            let mut step = Step::new(txn);
            let mut copy = Card::new(card.kind, id);
            for (row, _) in Rows::all(&snapshot, keys::ZSET_ORDER, &prefix) {
                let (member, score) = scores::read_row(&row)?;
                scores::put(&mut step, &mut copy, &member, None, score);
            }
        }
    }
    Ok(Card { id, timer: None, ..card.clone() })
}

impl Place {
    fn info(&self, now: Timestamp) -> Result<Option<KeyInfo>> {
        let len = self.key.as_bytes().len();
        match (self.value_row(), self.key_type()) {
            (Some(row), _) => KeyInfo::read(len, row, now),
            (None, Some(kind)) => Ok(self.card(kind)?.map(|card| KeyInfo::of_card(len, &card))),
            (None, None) => Ok(None),
        }
    }
}
