//! Sets: adding, removing, asking, drawing.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use foldhash::fast::RandomState;

use crate::{
    Key, Namespace, Result,
    chance::Dice,
    live::Live,
    types::{
        KeyType, NAME_MAX, check_names,
        look::{Look, Room, at_length, look},
        many, slots,
        step::{change_at_length, change_each},
    },
};

/// So many members are removed one by one, even if they are all.
const FEW: u64 = 1024;

/// Adds members; how many are new.
pub(crate) async fn add(live: &Arc<Live>, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<u64> {
    check_names(members)?;
    change_each(live, namespace, key, members, |step, place, members| {
        let known = place.card(KeyType::Set)?;
        if members.is_empty() {
            return Ok(0);
        }
        step.txn.replace();
        let mut card = known.map_or_else(|| place.card_or_new(step.txn, KeyType::Set), Ok)?;
        let added = members.iter().filter(|member| slots::add(step, &mut card, member)).count() as u64;
        if added > 0 {
            place.put_card(step.txn, card);
        }
        Ok(added)
    })
    .await
}

/// Removes members; how many were there.
pub(crate) async fn remove(live: &Arc<Live>, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<u64> {
    change_each(live, namespace, key, members, |step, place, members| {
        step.txn.relief();
        let Some(mut card) = place.card(KeyType::Set)? else { return Ok(0) };
        let before = card.count;
        for member in members.iter().filter(|member| member.len() <= NAME_MAX) {
            slots::remove(step, &mut card, member)?;
        }
        let removed = before - card.count;
        if removed > 0 {
            place.put_card(step.txn, card);
        }
        Ok(removed)
    })
    .await
}

/// Takes members out at random, at most `count`; none when there is no set.
pub(crate) async fn pop(live: &Arc<Live>, namespace: &Namespace, key: &Key, count: u64) -> Result<Option<Vec<Bytes>>> {
    change_at_length(live, namespace, key, count, move |step, place| {
        step.txn.relief();
        let Some(mut card) = place.card(KeyType::Set)? else { return Ok(None) };
        let mut room = Room::new(step.txn.live());
        let mut popped = Vec::new();
        // The members of a large set are left to the worker.
        if count >= card.count && card.count > FEW {
            for slot in 0..card.count {
                popped.push(slots::at(step, &card, slot)?);
                room.take(popped.last().map_or(0, Bytes::len))?;
            }
            place.drop_collection(step.txn);
            return Ok(Some(popped));
        }
        let mut dice = Dice::new();
        for _ in 0..count.min(card.count) {
            let drawn = dice.below(card.count);
            let member = slots::at(step, &card, drawn)?;
            room.take(member.len())?;
            slots::remove(step, &mut card, &member)?;
            popped.push(member);
        }
        if count > 0 {
            place.put_card(step.txn, card);
        }
        Ok(Some(popped))
    })
    .await
}

/// Different members at random, at most `count`; none when there is no set.
pub(crate) async fn draw(live: &Arc<Live>, namespace: &Namespace, key: &Key, count: u64) -> Result<Option<Vec<Bytes>>> {
    let Some(look) = look(live, namespace, key, KeyType::Set)? else { return Ok(None) };
    if count >= look.card.count {
        return all(live, look).await.map(Some);
    }
    let drawn = at_length(live, count, move |live| {
        let mut dice = Dice::new();
        let mut room = Room::new(live);
        let mut drawn = HashSet::with_hasher(RandomState::default());
        let mut members = Vec::new();
        // Floyd's way to draw without putting back: one number each, whatever was drawn before.
        for last in look.card.count - count..look.card.count {
            let slot = dice.below(last + 1);
            let slot = if drawn.insert(slot) { slot } else { last };
            drawn.insert(slot);
            let member = slots::read_at(&look.snapshot, &look.card, slot)?;
            room.take(member.len())?;
            members.push(member);
        }
        Ok(members)
    });
    drawn.await.map(Some)
}

/// All members; none when there is no set.
pub(crate) async fn members(live: &Arc<Live>, namespace: &Namespace, key: &Key) -> Result<Option<Vec<Bytes>>> {
    match look(live, namespace, key, KeyType::Set)? {
        Some(look) => all(live, look).await.map(Some),
        None => Ok(None),
    }
}

async fn all(live: &Arc<Live>, look: Look) -> Result<Vec<Bytes>> {
    at_length(live, look.card.count, move |live| {
        let mut room = Room::new(live);
        let member = |slot| {
            let member = slots::read_at(&look.snapshot, &look.card, slot)?;
            room.take(member.len())?;
            Ok(member)
        };
        (0..look.card.count).map(member).collect()
    })
    .await
}

/// Which of some members are there.
pub(crate) fn has(live: &Live, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<Vec<bool>> {
    let look = look(live, namespace, key, KeyType::Set)?;
    let has = |member: &Bytes| look.as_ref().is_some_and(|look| slots::has(&look.snapshot, &look.card, member));
    Ok(members.iter().map(has).collect())
}

/// How many members there are; none when there is no set.
pub(crate) fn len(live: &Live, namespace: &Namespace, key: &Key) -> Result<Option<u64>> {
    Ok(look(live, namespace, key, KeyType::Set)?.map(|look| look.card.count))
}

/// Moves a member from one set to another; false when the first has it not.
pub(crate) async fn transfer(
    live: &Live,
    namespace: &Namespace,
    source: &Key,
    destination: &Key,
    member: &Bytes,
) -> Result<bool> {
    many::change(live, namespace, &[source.clone(), destination.clone()], |step, places| {
        let mut cards = places.cards(0, KeyType::Set)?;
        let (to, from) = (cards.pop().flatten(), cards.pop().flatten());
        let Some(mut from) = from else { return Ok(false) };
        if slots::find(step, &from, member).is_none() {
            return Ok(false);
        }
        if places.are_one(0, 1) {
            return Ok(true);
        }
        step.txn.grow()?;
        slots::remove(step, &mut from, member)?;
        let mut to = to.map_or_else(|| places.get(1).card_or_new(step.txn, KeyType::Set), Ok)?;
        if slots::add(step, &mut to, member) {
            places.get(1).put_card(step.txn, to);
        }
        places.get(0).put_card(step.txn, from);
        Ok(true)
    })
    .await
}
