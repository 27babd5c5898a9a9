//! Sets and sorted sets out of others: intersection, union, difference.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use foldhash::quality::RandomState;
use manifold_store::Snapshot;

use crate::{
    Actor, Error, Key, Kind, Namespace, Result, keys,
    live::Live,
    types::{
        Card, KeyType,
        look::{Room, Rows, at_length},
        many,
        place::new_card,
        scores, slots,
    },
};

/// What to make of several sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combine {
    /// What all of them have.
    Inter,
    /// What any of them has.
    Union,
    /// What the first has and no other.
    Diff,
}

/// What becomes of the scores a member has in several sorted sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aggregate {
    /// Their sum.
    #[default]
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

/// A sorted set out of others.
#[derive(Debug, Clone)]
pub struct ScoreCombine {
    /// What to make.
    pub combine: Combine,
    /// Of what; an absent one is empty.
    pub keys: Vec<Key>,
    /// What to multiply the scores of each with; empty = 1 for all. A difference has the scores of the first.
    pub weights: Vec<f64>,
    /// What becomes of several scores.
    pub aggregate: Aggregate,
}

/// The members of a combination of sets in one cut.
pub(crate) async fn combine(
    live: &Arc<Live>,
    namespace: &Namespace,
    keys: &[Key],
    combine: Combine,
) -> Result<Vec<Bytes>> {
    let (snapshot, ()) = live.store.snapshot(|| ());
    let cards = many::cards(live, &snapshot, namespace, keys, KeyType::Set)?;
    let rows = cards.iter().flatten().map(|card| card.count).sum();
    at_length(live, rows, move |live| members(live, &snapshot, &cards, combine)).await
}

/// Puts a combination of sets in the place of whatever `destination` holds; its members.
pub(crate) async fn combine_into(
    live: &Arc<Live>,
    namespace: &Namespace,
    destination: &Key,
    sources: Vec<Key>,
    combine: Combine,
    actor: Actor,
) -> Result<Vec<Bytes>> {
    let keys = [vec![destination.clone()], sources].concat();
    many::change_at_length(live, namespace, keys, move |step, places| {
        let live = step.txn.live();
        let cards = places.cards(1, KeyType::Set)?;
        let members = members(live, &live.store.latest(), &cards, combine)?;
        let place = places.get(0);
        place.clear(step.txn, &actor)?;
        if members.is_empty() {
            step.txn.relief();
            return Ok(members);
        }
        step.txn.grow()?;
        let mut card = new_card(step.txn, KeyType::Set)?;
        for member in &members {
            slots::add(step, &mut card, member);
        }
        place.put_card(step.txn, card);
        Ok(members)
    })
    .await
}

fn members(live: &Live, snapshot: &Snapshot, cards: &[Option<Card>], combine: Combine) -> Result<Vec<Bytes>> {
    let mut room = Room::new(live);
    match combine {
        Combine::Union => {
            let mut seen: HashSet<Bytes, RandomState> = HashSet::default();
            let mut members = Vec::new();
            for member in cards.iter().flatten().flat_map(|card| of_set(snapshot, card)) {
                let member = member?;
                if !seen.contains(&member) {
                    room.take(member.len())?;
                    seen.insert(member.clone());
                    members.push(member);
                }
            }
            Ok(members)
        }
        Combine::Inter => {
            let Some(all) = cards.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else { return Ok(Vec::new()) };
            let Some(least) = all.iter().min_by_key(|card| card.count) else { return Ok(Vec::new()) };
            let others: Vec<&Card> = all.iter().copied().filter(|card| card.id != least.id).collect();
            filtered(snapshot, least, &mut room, |member| others.iter().all(|card| slots::has(snapshot, card, member)))
        }
        Combine::Diff => {
            let Some((Some(first), others)) = cards.split_first() else { return Ok(Vec::new()) };
            let others: Vec<&Card> = others.iter().flatten().collect();
            filtered(snapshot, first, &mut room, |member| !others.iter().any(|card| slots::has(snapshot, card, member)))
        }
    }
}

fn of_set<'a>(snapshot: &'a Snapshot, card: &'a Card) -> impl Iterator<Item = Result<Bytes>> + 'a {
    (0..card.count).map(move |slot| slots::read_at(snapshot, card, slot))
}

fn filtered(snapshot: &Snapshot, card: &Card, room: &mut Room, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Bytes>> {
    let mut members = Vec::new();
    for member in of_set(snapshot, card) {
        let member = member?;
        if wanted(&member) {
            room.take(member.len())?;
            members.push(member);
        }
    }
    Ok(members)
}

/// Puts a combination of sorted sets in the place of whatever `destination` holds; how many members it has.
pub(crate) async fn combine_scores_into(
    live: &Arc<Live>,
    namespace: &Namespace,
    destination: &Key,
    combine: ScoreCombine,
    actor: Actor,
) -> Result<u64> {
    let ScoreCombine { combine, keys: sources, weights, aggregate } = combine;
    if !weights.is_empty() && weights.len() != sources.len() {
        return Err(Error::new(Kind::Invalid, "there must be a weight for each sorted set, or none"));
    }
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err(Error::new(Kind::Invalid, "a weight must be a finite number"));
    }
    let keys = [vec![destination.clone()], sources].concat();
    many::change_at_length(live, namespace, keys, move |step, places| {
        let live = step.txn.live();
        let cards = places.cards(1, KeyType::SortedSet)?;
        let scored = scored(live, &live.store.latest(), &cards, combine, &weights, aggregate)?;
        let place = places.get(0);
        place.clear(step.txn, &actor)?;
        if scored.is_empty() {
            step.txn.relief();
            return Ok(0);
        }
        step.txn.grow()?;
        let mut card = new_card(step.txn, KeyType::SortedSet)?;
        for (member, score) in &scored {
            if !score.is_finite() {
                return Err(Error::new(Kind::Invalid, "a score would not be a finite number"));
            }
            scores::put(step, &mut card, member, None, *score);
        }
        let count = card.count;
        place.put_card(step.txn, card);
        Ok(count)
    })
    .await
}

fn scored(
    live: &Live,
    snapshot: &Snapshot,
    cards: &[Option<Card>],
    combine: Combine,
    weights: &[f64],
    aggregate: Aggregate,
) -> Result<Vec<(Bytes, f64)>> {
    let mut room = Room::new(live);
    let weighted = |at: usize, score: f64| score * weights.get(at).copied().unwrap_or(1.0);
    if combine == Combine::Union {
        let mut all: HashMap<Bytes, f64, RandomState> = HashMap::default();
        for (at, card) in cards.iter().enumerate().filter_map(|(at, card)| Some((at, card.as_ref()?))) {
            for found in of_sorted_set(snapshot, card) {
                let (member, score) = found?;
                let score = weighted(at, score);
                match all.get_mut(&member) {
                    Some(known) => *known = both(aggregate, *known, score),
                    None => {
                        room.take(member.len())?;
                        all.insert(member, score);
                    }
                }
            }
        }
        return Ok(all.into_iter().collect());
    }
    // Whose members are gone through: any will do for an intersection, so the shortest.
    let through = match combine {
        Combine::Inter if cards.iter().any(Option::is_none) => None,
        Combine::Inter => cards.iter().flatten().min_by_key(|card| card.count),
        Combine::Union | Combine::Diff => cards.first().and_then(Option::as_ref),
    };
    let Some(through) = through else { return Ok(Vec::new()) };
    let mut scored = Vec::new();
    for found in of_sorted_set(snapshot, through) {
        let (member, score) = found?;
        let score = match combine {
            Combine::Diff => {
                let other = |card: &Card| scores::read(snapshot, card, &member).transpose();
                match cards[1..].iter().flatten().find_map(other) {
                    None => Some(weighted(0, score)),
                    Some(found) => found.map(|_| None)?,
                }
            }
            Combine::Inter | Combine::Union => in_all(snapshot, cards, &member, |at, known, score| match known {
                None => weighted(at, score),
                Some(known) => both(aggregate, known, weighted(at, score)),
            })?,
        };
        if let Some(score) = score {
            room.take(member.len())?;
            scored.push((member, score));
        }
    }
    Ok(scored)
}

/// The scores of a member in all sorted sets, put together in their order; none when one has it not.
fn in_all(
    snapshot: &Snapshot,
    cards: &[Option<Card>],
    member: &[u8],
    put: impl Fn(usize, Option<f64>, f64) -> f64,
) -> Result<Option<f64>> {
    let mut known = None;
    for (at, card) in cards.iter().flatten().enumerate() {
        match scores::read(snapshot, card, member)? {
            Some(score) => known = Some(put(at, known, score)),
            None => return Ok(None),
        }
    }
    Ok(known)
}

fn both(aggregate: Aggregate, a: f64, b: f64) -> f64 {
    match aggregate {
        Aggregate::Sum => a + b,
        Aggregate::Min => a.min(b),
        Aggregate::Max => a.max(b),
    }
}

fn of_sorted_set<'a>(snapshot: &'a Snapshot, card: &Card) -> impl Iterator<Item = Result<(Bytes, f64)>> + 'a {
    Rows::all(snapshot, keys::ZSET_ORDER, &keys::number(card.id)).map(|(row, _)| scores::read_row(&row))
}
