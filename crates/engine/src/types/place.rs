//! One key as it stands in a transaction, whatever it holds.

use manifold_store::Row;

use crate::{
    Actor, Error, Key, Namespace, Result, Timestamp,
    feed::How,
    keys::{self, RowKey},
    kv::{Head, Slot, Value, Was},
    timers::Target,
    txn::{Deadline, Txn},
    types::{Card, KeyType, gone, wrong_type},
};

/// One key in a transaction. What was past its deadline has been dealt with: it reads as nothing.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) namespace: Namespace,
    pub(crate) key: Key,
    pub(crate) row: RowKey,
    held: Held,
    /// For changes of its value.
    slot: Option<Slot>,
}

#[derive(Debug)]
enum Held {
    Nothing,
    Value(Row),
    Collection(Card),
}

impl Place {
    /// Reads the key; the caller holds its lock.
    pub(crate) fn load(txn: &mut Txn<'_>, namespace: &Namespace, key: &Key) -> Result<Place> {
        let row = keys::kv(namespace, key);
        let mut place = Place { namespace: namespace.clone(), key: key.clone(), row, held: Held::Nothing, slot: None };
        let Some(row) = txn.get(keys::KV, &place.row) else {
            txn.saw_none(keys::KV, &place.row)?;
            return Ok(place);
        };
        if let Some(card) = Card::read(&row)? {
            if card.is_due(txn.now()) {
                remove(txn, &place.row, &card);
                txn.traces.expired += 1;
            } else {
                place.held = Held::Collection(card);
            }
            return Ok(place);
        }
        let head = Head::read(&row)?.ok_or_else(|| Error::unreadable("an entry"))?;
        if head.is_live(|| txn.now()) {
            place.held = Held::Value(row);
        } else {
            let mut slot = Slot::load(txn, namespace.clone(), key.clone())?;
            slot.expire_if_due(txn);
            place.slot = Some(slot);
        }
        Ok(place)
    }

    /// What it holds.
    pub(crate) fn key_type(&self) -> Option<KeyType> {
        match &self.held {
            Held::Nothing => None,
            Held::Value(_) => Some(KeyType::String),
            Held::Collection(card) => Some(card.kind),
        }
    }

    /// The collection it holds; refused when it holds something else.
    pub(crate) fn card(&self, expected: KeyType) -> Result<Option<Card>> {
        match &self.held {
            Held::Nothing => Ok(None),
            Held::Collection(card) if card.kind == expected => Ok(Some(card.clone())),
            Held::Collection(card) => Err(wrong_type(&self.key, card.kind, expected)),
            Held::Value(_) => Err(wrong_type(&self.key, KeyType::String, expected)),
        }
    }

    /// The same for who makes an absent one.
    pub(crate) fn card_or_new(&self, txn: &mut Txn<'_>, expected: KeyType) -> Result<Card> {
        match self.card(expected)? {
            Some(card) => Ok(card),
            None => new_card(txn, expected),
        }
    }

    /// Lets it hold a collection, in place of the one it had or of nothing; one without elements is nothing.
    pub(crate) fn put_card(&mut self, txn: &mut Txn<'_>, card: Card) {
        if card.count == 0 {
            if let Held::Collection(card) = std::mem::replace(&mut self.held, Held::Nothing) {
                txn.delete(keys::KV, &self.row);
                card.timer.into_iter().for_each(|deadline| txn.clear_timer(deadline, Target::Key(&self.row)));
            }
            return;
        }
        if matches!(self.held, Held::Nothing) {
            txn.enter(&self.namespace);
        }
        txn.hold(&self.row, card.clone());
        self.held = Held::Collection(card);
    }

    /// Removes the collection it holds with all its elements, whose rows must be as they were.
    pub(crate) fn drop_collection(&mut self, txn: &mut Txn<'_>) {
        if let Held::Collection(card) = &self.held {
            remove(txn, &self.row, card);
            self.held = Held::Nothing;
        }
    }

    /// The row of the value it holds.
    pub(crate) fn value_row(&self) -> Option<&Row> {
        match &self.held {
            Held::Value(row) => Some(row),
            Held::Nothing | Held::Collection(_) => None,
        }
    }

    /// The value it holds.
    pub(crate) fn value(&self) -> Result<Option<Value>> {
        let Some(row) = self.value_row() else { return Ok(None) };
        let head = Head::read(row)?.ok_or_else(|| Error::unreadable("an entry"))?;
        Ok(Some(Value { encoding: head.encoding, bytes: row.body()? }))
    }

    /// Lets it hold a value in place of whatever it held; nothing of this transaction looks at it afterwards.
    pub(crate) fn put_value(
        &mut self,
        txn: &mut Txn<'_>,
        how: How,
        value: Value,
        deadline: Option<Timestamp>,
        actor: &Actor,
    ) -> Result<()> {
        self.drop_collection(txn);
        let deadline = deadline.map_or(Deadline::Never, Deadline::At);
        self.slot(txn)?.set(txn, how, value, deadline, actor.clone());
        Ok(())
    }

    /// Lets it hold a value that was written elsewhere, in place of whatever it held.
    pub(crate) fn restore_value(
        &mut self,
        txn: &mut Txn<'_>,
        was: Was,
        value: Value,
        deadline: Option<Timestamp>,
        actor: &Actor,
    ) -> Result<()> {
        self.drop_collection(txn);
        let deadline = deadline.map_or(Deadline::Never, Deadline::At);
        self.slot(txn)?.restore(txn, was, value, deadline, actor.clone());
        Ok(())
    }

    /// Lets the versions of a key that holds nothing go on behind `version`; whether they did not anyway.
    pub(crate) fn restore_tombstone(&mut self, txn: &mut Txn<'_>, version: u64, actor: &Actor) -> Result<bool> {
        Ok(self.slot(txn)?.restore_tombstone(txn, version, actor.clone()))
    }

    /// Takes the collection it holds out of it, elements and all, for another place.
    pub(crate) fn take_card(&mut self, txn: &mut Txn<'_>) -> Option<Card> {
        let held = std::mem::replace(&mut self.held, Held::Nothing);
        let Held::Collection(card) = held else {
            self.held = held;
            return None;
        };
        txn.delete(keys::KV, &self.row);
        card.timer.into_iter().for_each(|deadline| txn.clear_timer(deadline, Target::Key(&self.row)));
        Some(Card { timer: None, ..card })
    }

    /// For changes of its value, when it holds one or nothing.
    fn slot(&mut self, txn: &mut Txn<'_>) -> Result<&mut Slot> {
        if self.slot.is_none() {
            let (namespace, key) = (self.namespace.clone(), self.key.clone());
            self.slot = Some(match self.held {
                Held::Value(_) => Slot::load(txn, namespace, key)?,
                Held::Nothing | Held::Collection(_) => Slot::without_value(txn, namespace, key)?,
            });
        }
        Ok(self.slot.as_mut().expect("it was just put there"))
    }

    /// Removes whatever it holds, for `actor`; whether it held anything.
    pub(crate) fn clear(&mut self, txn: &mut Txn<'_>, actor: &Actor) -> Result<bool> {
        match self.held {
            Held::Nothing => return Ok(false),
            Held::Value(_) => {
                self.slot(txn)?.delete(txn, actor.clone());
                self.held = Held::Nothing;
            }
            Held::Collection(_) => self.drop_collection(txn),
        }
        Ok(true)
    }
}

/// The card of a new collection.
pub(crate) fn new_card(txn: &Txn<'_>, kind: KeyType) -> Result<Card> {
    let live = txn.live();
    Ok(Card::new(kind, live.collections.next_id(&live.store)?))
}

/// Takes a collection out of sight: what is left to do does not hurry.
pub(crate) fn remove(txn: &mut Txn<'_>, row: &[u8], card: &Card) {
    txn.delete(keys::KV, row);
    card.timer.into_iter().for_each(|deadline| txn.clear_timer(deadline, Target::Key(row)));
    gone::leave(txn, card);
}

/// Removes the collection in `row` if its deadline has passed, else says what it is.
pub(crate) fn remove_if_due(txn: &mut Txn<'_>, name: &[u8], row: &Row) -> Result<Option<KeyType>> {
    let card = Card::read(row)?.ok_or_else(|| Error::unreadable("the card of a collection"))?;
    if !card.is_due(txn.now()) {
        return Ok(Some(card.kind));
    }
    remove(txn, name, &card);
    txn.traces.expired += 1;
    Ok(None)
}

/// A timer rang for the key with this row key: expires the collection it holds. False when it holds none.
pub(crate) fn expire(txn: &mut Txn<'_>, name: &[u8], deadline: Timestamp) -> Result<bool> {
    let Some(row) = txn.get(keys::KV, name) else { return Ok(false) };
    let Some(card) = Card::read(&row)? else { return Ok(false) };
    if card.expires_at == Some(deadline) {
        remove_if_due(txn, name, &row)?;
    } else {
        txn.clear_timer(deadline, Target::Key(name));
    }
    Ok(true)
}
