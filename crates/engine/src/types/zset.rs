//! Sorted sets: two rows for each member, one by its name with its score, one in the order of scores, then of bytes.

use std::{collections::HashMap, ops::Bound, sync::Arc};

use bytes::Bytes;
use foldhash::quality::RandomState;
use manifold_store::{Range, Row, Snapshot};

use crate::{
    Error, Key, Kind, Namespace, Result,
    keys::{self, RowKey},
    live::Live,
    types::{
        Card, KeyType, NAME_MAX, check_names,
        look::{Look, Room, Rows, at_length, look},
        ordered::{self, Ordered, Ranked, ranks},
        scores::{self, Put},
        step::{Step, change, change_at_length, change_each},
    },
};

/// So many members are removed one by one, even if they are all.
const FEW: u64 = 1024;

/// A member with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The member.
    pub member: Bytes,
    /// Its score, finite.
    pub score: f64,
}

/// Which members an add may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemberWhen {
    /// All.
    #[default]
    Always,
    /// Only those that are not there.
    Absent,
    /// Only those that are there.
    Present,
}

/// How the score of a member that is there may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moves {
    /// Up or down.
    #[default]
    Any,
    /// Only up.
    Up,
    /// Only down.
    Down,
}

/// Gives members scores.
#[derive(Debug, Clone, Default)]
pub struct ScoreAdd {
    /// Members and scores; of a member named twice the last score counts.
    pub members: Vec<Scored>,
    /// Which of them.
    pub when: MemberWhen,
    /// Which scores.
    pub moves: Moves,
}

/// What an add did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScoresAdded {
    /// New members.
    pub added: u64,
    /// Members that were there and have another score now.
    pub changed: u64,
}

/// Members with scores between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRange {
    /// The least score.
    pub min: Bound<f64>,
    /// The greatest score.
    pub max: Bound<f64>,
}

/// From which end a sorted set is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the least score up.
    Ascending,
    /// From the greatest score down.
    Descending,
}

impl ScoreRange {
    /// All scores.
    pub const ALL: ScoreRange = ScoreRange { min: Bound::Unbounded, max: Bound::Unbounded };

    fn check(self) -> Result<()> {
        let is_nan = |bound| matches!(bound, Bound::Included(score) | Bound::Excluded(score) if f64::is_nan(score));
        match is_nan(self.min) || is_nan(self.max) {
            true => Err(Error::new(Kind::Invalid, "a bound is not a number")),
            false => Ok(()),
        }
    }

    /// The row keys it spans: from the first to the second, exclusive.
    fn rows(self, id: u64) -> (Vec<u8>, Option<Vec<u8>>) {
        let prefix = keys::number(id);
        let row = |place: u64| [prefix, keys::number(place)].concat();
        let from = match self.min {
            Bound::Unbounded => row(0),
            Bound::Included(score) => row(scores::place(score)),
            Bound::Excluded(score) => row(scores::place(score) + 1),
        };
        let to = match self.max {
            Bound::Unbounded => keys::prefix_end(&prefix),
            Bound::Included(score) => Some(row(scores::place(score) + 1)),
            Bound::Excluded(score) => Some(row(scores::place(score))),
        };
        (from, to)
    }
}

/// Gives members scores.
pub(crate) async fn add(live: &Arc<Live>, namespace: &Namespace, key: &Key, add: ScoreAdd) -> Result<ScoresAdded> {
    let ScoreAdd { members, when, moves } = add;
    check_names(members.iter().map(|scored| &scored.member))?;
    members.iter().try_for_each(|scored| check_score(scored.score))?;
    change_each(live, namespace, key, &members, move |step, place, members| {
        let known = place.card(KeyType::SortedSet)?;
        if members.is_empty() || known.is_none() && when == MemberWhen::Present {
            return Ok(ScoresAdded::default());
        }
        step.txn.replace();
        let mut card = known.map_or_else(|| place.card_or_new(step.txn, KeyType::SortedSet), Ok)?;
        let mut done = ScoresAdded::default();
        for Scored { member, score } in last_of_each(members) {
            let before = scores::get(step, &card, member)?;
            let wanted = match before {
                None => when != MemberWhen::Present,
                Some(before) => {
                    when != MemberWhen::Absent
                        && match moves {
                            Moves::Any => true,
                            Moves::Up => *score > before,
                            Moves::Down => *score < before,
                        }
                }
            };
            if wanted {
                match scores::put(step, &mut card, member, before, *score) {
                    Put::Added => done.added += 1,
                    Put::Changed => done.changed += 1,
                    Put::Same => {}
                }
            }
        }
        if done != ScoresAdded::default() {
            place.put_card(step.txn, card);
        }
        Ok(done)
    })
    .await
}

fn last_of_each(members: &[Scored]) -> impl Iterator<Item = &Scored> {
    let mut last: HashMap<&[u8], usize, RandomState> = HashMap::default();
    if members.len() > 1 {
        last.extend(members.iter().enumerate().map(|(at, scored)| (&scored.member[..], at)));
    }
    members
        .iter()
        .enumerate()
        .filter_map(move |(at, scored)| last.get(&scored.member[..]).is_none_or(|last| *last == at).then_some(scored))
}

fn check_score(score: f64) -> Result<()> {
    match score.is_finite() {
        true => Ok(()),
        false => Err(Error::new(Kind::Invalid, "a score must be a finite number")),
    }
}

/// Adds to the score of a member, 0 when it is not there; what it is then.
pub(crate) async fn increment(live: &Live, namespace: &Namespace, key: &Key, member: Bytes, by: f64) -> Result<f64> {
    check_names([&member])?;
    change(live, namespace, key, |step, place| {
        let known = place.card(KeyType::SortedSet)?;
        step.txn.replace();
        let before = known.as_ref().map(|card| scores::get(step, card, &member)).transpose()?.flatten();
        let score = before.unwrap_or(0.0) + by;
        check_score(score)?;
        let mut card = known.map_or_else(|| place.card_or_new(step.txn, KeyType::SortedSet), Ok)?;
        if scores::put(step, &mut card, &member, before, score) != Put::Same {
            place.put_card(step.txn, card);
        }
        Ok(score)
    })
    .await
}

/// Removes members; how many were there.
pub(crate) async fn remove(live: &Arc<Live>, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<u64> {
    change_each(live, namespace, key, members, |step, place, members| {
        step.txn.relief();
        let Some(mut card) = place.card(KeyType::SortedSet)? else { return Ok(0) };
        let before = card.count;
        for member in members.iter().filter(|member| member.len() <= NAME_MAX) {
            scores::remove(step, &mut card, member)?;
        }
        let removed = before - card.count;
        if removed > 0 {
            place.put_card(step.txn, card);
        }
        Ok(removed)
    })
    .await
}

/// Takes out the members at one end, at most `count`, in the order they come.
pub(crate) async fn pop(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    direction: Direction,
    count: u64,
) -> Result<Vec<Scored>> {
    change_at_length(live, namespace, key, count, move |step, place| {
        step.txn.relief();
        let Some(card) = place.card(KeyType::SortedSet)? else { return Ok(Vec::new()) };
        let snapshot = step.txn.live().store.latest();
        let mut room = Room::new(step.txn.live());
        let rows = between(&snapshot, card.id, ScoreRange::ALL, direction, count);
        let popped: Vec<Scored> =
            rows.take(usize_of(count)).map(|(row, _)| scored(&row, &mut room)).collect::<Result<_>>()?;
        // The members of a large one are left to the worker.
        if popped.len() as u64 == card.count && card.count > FEW {
            place.drop_collection(step.txn);
        } else if !popped.is_empty() {
            let mut card = card;
            for scored in &popped {
                scores::remove(step, &mut card, &scored.member)?;
            }
            place.put_card(step.txn, card);
        }
        Ok(popped)
    })
    .await
}

/// Removes the members with scores in a range; how many there were.
pub(crate) async fn remove_range(live: &Arc<Live>, namespace: &Namespace, key: &Key, range: ScoreRange) -> Result<u64> {
    range.check()?;
    change_at_length(live, namespace, key, u64::MAX, move |step, place| {
        step.txn.relief();
        let Some(card) = place.card(KeyType::SortedSet)? else { return Ok(0) };
        let snapshot = step.txn.live().store.latest();
        let rows = between(&snapshot, card.id, range, Direction::Ascending, u64::MAX);
        remove_rows(step, place, card, rows)
    })
    .await
}

/// Removes the members from rank `start` to `stop`; how many there were.
pub(crate) async fn remove_ranks(live: &Live, namespace: &Namespace, key: &Key, start: i64, stop: i64) -> Result<u64> {
    let part = |card: &Card| ranks(start, stop, card.count);
    let deep = |card: &Card| ordered::is_deep(card, part(card).0);
    ordered::change(live, namespace, key, KeyType::SortedSet, deep, |step, place, ordered| {
        step.txn.relief();
        let (Some(card), Some(ordered)) = (place.card(KeyType::SortedSet)?, ordered) else { return Ok(0) };
        let (first, many) = part(&card);
        if many == 0 {
            return Ok(0);
        }
        let row = ordered.row_at(first).ok_or_else(damaged)?;
        let range =
            Range { from: row.to_vec(), to: keys::prefix_end(&row[..8]), limit: usize_of(many), reverse: false };
        let rows = Rows::new(ordered.snapshot, keys::ZSET_ORDER, range).take(usize_of(many));
        remove_rows(step, place, card, rows)
    })
    .await
}

fn remove_rows(
    step: &mut Step<'_, '_>,
    place: &mut super::place::Place,
    mut card: Card,
    rows: impl Iterator<Item = (Bytes, Row)>,
) -> Result<u64> {
    let before = card.count;
    for (row, _) in rows {
        scores::remove(step, &mut card, row.get(keys::ZSET_SCORE_END..).ok_or_else(damaged)?)?;
    }
    let removed = before - card.count;
    if removed > 0 {
        place.put_card(step.txn, card);
    }
    Ok(removed)
}

/// The rows of a range; `few` is a hint how many are wanted.
fn between(snapshot: &Snapshot, id: u64, range: ScoreRange, direction: Direction, few: u64) -> Rows<'_> {
    let (from, to) = range.rows(id);
    let reverse = direction == Direction::Descending;
    Rows::new(snapshot, keys::ZSET_ORDER, Range { from, to, limit: usize_of(few), reverse })
}

/// What a row of the order says.
fn scored(row: &Bytes, room: &mut Room) -> Result<Scored> {
    room.take(row.len())?;
    let (member, score) = scores::read_row(row)?;
    Ok(Scored { member, score })
}

/// The scores of members in one cut, in the order asked.
pub(crate) fn get(live: &Live, namespace: &Namespace, key: &Key, members: &[Bytes]) -> Result<Vec<Option<f64>>> {
    let look = look(live, namespace, key, KeyType::SortedSet)?;
    let score = |member: &Bytes| match &look {
        Some(Look { snapshot, card }) => scores::read(snapshot, card, member),
        None => Ok(None),
    };
    members.iter().map(score).collect()
}

/// How many members there are.
pub(crate) fn len(live: &Live, namespace: &Namespace, key: &Key) -> Result<u64> {
    Ok(look(live, namespace, key, KeyType::SortedSet)?.map_or(0, |look| look.card.count))
}

/// Members with scores in a range; the first `skip` are left out.
pub(crate) async fn range(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    range: ScoreRange,
    direction: Direction,
    skip: u64,
    limit: u64,
) -> Result<Vec<Scored>> {
    range.check()?;
    let Some(Look { snapshot, card }) = look(live, namespace, key, KeyType::SortedSet)? else { return Ok(Vec::new()) };
    at_length(live, card.count.min(skip.saturating_add(limit)), move |live| {
        let mut room = Room::new(live);
        let rows = between(&snapshot, card.id, range, direction, skip.saturating_add(limit));
        rows.skip(usize_of(skip)).take(usize_of(limit)).map(|(row, _)| scored(&row, &mut room)).collect()
    })
    .await
}

/// A part of a sorted set by ranks, counted from the end it is read from.
pub(crate) struct Part {
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) direction: Direction,
}

impl Part {
    /// The rank, in ascending order, of the first member read, and how many follow.
    fn of(&self, card: &Card) -> (u64, u64) {
        let (first, many) = ranks(self.start, self.stop, card.count);
        match self.direction {
            Direction::Ascending => (first, many),
            Direction::Descending => (card.count.saturating_sub(first + 1), many),
        }
    }
}

impl Ranked for Part {
    /// The first row, and how many from there.
    type Place = (Option<Bytes>, u64);
    type Answer = Vec<Scored>;

    fn is_deep(&self, card: &Card) -> bool {
        ordered::is_deep(card, self.of(card).0)
    }

    fn find(&self, ordered: &Ordered<'_>) -> Result<Self::Place> {
        let (first, many) = self.of(ordered.card);
        Ok((if many > 0 { ordered.row_at(first) } else { None }, many))
    }

    fn rows(&self, place: &Self::Place) -> u64 {
        place.1
    }

    fn read(self, live: &Live, snapshot: &Snapshot, card: &Card, (row, many): Self::Place) -> Result<Vec<Scored>> {
        let Some(row) = row else { return Ok(Vec::new()) };
        let prefix = keys::number(card.id);
        let (from, to) = match self.direction {
            Direction::Ascending => (row.to_vec(), keys::prefix_end(&prefix)),
            // Nothing lies between a string of bytes and the same with a NUL behind it.
            Direction::Descending => (prefix.to_vec(), Some([&row[..], &[0]].concat())),
        };
        let range = Range { from, to, limit: usize_of(many), reverse: self.direction == Direction::Descending };
        let mut room = Room::new(live);
        let rows = Rows::new(snapshot, keys::ZSET_ORDER, range).take(usize_of(many));
        rows.map(|(row, _)| scored(&row, &mut room)).collect()
    }
}

/// Members by ranks.
pub(crate) async fn part(live: &Arc<Live>, namespace: &Namespace, key: &Key, part: Part) -> Result<Vec<Scored>> {
    Ok(ordered::read(live, namespace, key, KeyType::SortedSet, part).await?.unwrap_or_default())
}

/// How many members have scores in a range.
struct Count(ScoreRange);

impl Ranked for Count {
    type Place = u64;
    type Answer = u64;

    fn is_deep(&self, card: &Card) -> bool {
        ordered::is_long(card) && self.0 != ScoreRange::ALL
    }

    fn find(&self, ordered: &Ordered<'_>) -> Result<u64> {
        if self.0 == ScoreRange::ALL {
            return Ok(ordered.card.count);
        }
        let (from, to) = self.0.rows(ordered.card.id);
        let before_end = to.filter(|to| to[..] > from[..] || to.len() == 8).map(|to| match to.len() {
            8 => ordered.card.count,
            _ => ordered.rank_of(&to),
        });
        let end = before_end.unwrap_or(0);
        Ok(end.saturating_sub(ordered.rank_of(&from)))
    }

    fn rows(&self, _: &u64) -> u64 {
        0
    }

    fn read(self, _: &Live, _: &Snapshot, _: &Card, count: u64) -> Result<u64> {
        Ok(count)
    }
}

/// How many members have scores in a range.
pub(crate) async fn count(live: &Arc<Live>, namespace: &Namespace, key: &Key, range: ScoreRange) -> Result<u64> {
    range.check()?;
    Ok(ordered::read(live, namespace, key, KeyType::SortedSet, Count(range)).await?.unwrap_or(0))
}

/// The rank of a member.
struct Rank(Bytes, Direction);

impl Ranked for Rank {
    type Place = Option<u64>;
    type Answer = Option<u64>;

    fn is_deep(&self, card: &Card) -> bool {
        ordered::is_long(card)
    }

    fn find(&self, ordered: &Ordered<'_>) -> Result<Option<u64>> {
        let Some(score) = scores::read(ordered.snapshot, ordered.card, &self.0)? else { return Ok(None) };
        let row: RowKey = scores::row(ordered.card.id, score, &self.0);
        let rank = ordered.rank_of(&row);
        Ok(Some(match self.1 {
            Direction::Ascending => rank,
            Direction::Descending => ordered.card.count.saturating_sub(rank + 1),
        }))
    }

    fn rows(&self, _: &Option<u64>) -> u64 {
        0
    }

    fn read(self, _: &Live, _: &Snapshot, _: &Card, rank: Option<u64>) -> Result<Option<u64>> {
        Ok(rank)
    }
}

/// How many members come before one, seen from an end.
pub(crate) async fn rank(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    member: Bytes,
    direction: Direction,
) -> Result<Option<u64>> {
    Ok(ordered::read(live, namespace, key, KeyType::SortedSet, Rank(member, direction)).await?.flatten())
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn damaged() -> Error {
    Error::unreadable("a sorted set")
}
