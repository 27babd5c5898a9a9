//! Collections whose elements have ranks: a row by its rank, the rank of a row. Near an end of the order, and in short
//! collections, that is a walk over rows of a durable cut; deeper inside it is asked of the index, which is counted
//! when nobody has it yet, and speaks of the newest state: such an answer waits until that is durable.

use std::sync::Arc;

use bytes::Bytes;
use manifold_store::{Range, Row, Snapshot, State, Table};
use parking_lot::Mutex;

use crate::{
    Error, Key, Namespace, Result, keys,
    live::Live,
    txn,
    types::{
        Card, KeyType,
        index::{Index, Near},
        look::{Look, Rows, at_length, look},
        place::Place,
        step::Step,
    },
    work::{Tick, Work},
};

/// Ranks up to here are walked to.
const WALK: u64 = 256;
/// An index that nobody used for so long is dropped.
const IDLE: std::time::Duration = std::time::Duration::from_secs(300);

/// The order of a collection in one cut.
#[derive(Debug)]
pub(crate) struct Ordered<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) card: &'a Card,
    /// Without one every rank is walked to.
    index: Option<&'a Mutex<Index>>,
}

impl Ordered<'_> {
    fn table(&self) -> Table {
        Card::tables(self.card.kind)[0]
    }

    /// The key of the row with so many before it; none when there are not so many.
    pub(crate) fn row_at(&self, rank: u64) -> Option<Bytes> {
        let prefix = keys::number(self.card.id);
        if rank >= self.card.count {
            return None;
        }
        let from_end = self.card.count - 1 - rank;
        let mut rows = match self.index.filter(|_| is_deep(self.card, rank)) {
            Some(index) => {
                let Near { first, before } = index.lock().at(rank)?;
                return self.rows_from(&first, rank - before + 1).nth((rank - before) as usize).map(|(row, _)| row);
            }
            None => Rows::new(
                self.snapshot,
                self.table(),
                Range {
                    from: prefix.to_vec(),
                    to: keys::prefix_end(&prefix),
                    limit: rank.min(from_end).saturating_add(1) as usize,
                    reverse: from_end < rank,
                },
            ),
        };
        rows.nth(rank.min(from_end) as usize).map(|(row, _)| row)
    }

    /// How many rows come before the row with this key, whether or not there is one.
    pub(crate) fn rank_of(&self, row: &[u8]) -> u64 {
        let near = self.index.map(|index| index.lock().near(&row[8..]));
        let Near { first, before } = near.unwrap_or_else(|| Near { first: Box::default(), before: 0 });
        let range = Range {
            from: [&keys::number(self.card.id)[..], &first].concat(),
            to: Some(row.to_vec()),
            limit: usize::MAX,
            reverse: false,
        };
        before + Rows::new(self.snapshot, self.table(), range).count() as u64
    }

    /// The rows from a key on.
    fn rows_from(&self, key: &[u8], limit: u64) -> Rows<'_> {
        let prefix = keys::number(self.card.id);
        let range = Range {
            from: [&prefix[..], key].concat(),
            to: keys::prefix_end(&prefix),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            reverse: false,
        };
        Rows::new(self.snapshot, self.table(), range)
    }
}

/// Whether a rank is far from both ends.
pub(crate) fn is_deep(card: &Card, rank: u64) -> bool {
    rank.min(card.count.saturating_sub(rank)) > WALK
}

/// Whether a collection is long.
pub(crate) fn is_long(card: &Card) -> bool {
    card.count > WALK
}

/// A read of a collection with ranks.
pub(crate) trait Ranked: Send + 'static {
    type Place: Send + 'static;
    type Answer: Send + 'static;
    /// Whether an index is needed.
    fn is_deep(&self, card: &Card) -> bool;
    /// Finds out where to read, quickly: the key is locked.
    fn find(&self, ordered: &Ordered<'_>) -> Result<Self::Place>;
    /// How many rows the answer has.
    fn rows(&self, place: &Self::Place) -> u64;
    /// Reads.
    fn read(self, live: &Live, snapshot: &Snapshot, card: &Card, place: Self::Place) -> Result<Self::Answer>;
}

/// Answers a read; none when the key holds nothing.
pub(crate) async fn read<R: Ranked>(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    kind: KeyType,
    ranked: R,
) -> Result<Option<R::Answer>> {
    let Some(shown) = look(live, namespace, key, kind)? else { return Ok(None) };
    // After a failure of the disk what is durable is all there is, and can be walked over.
    if !ranked.is_deep(&shown.card) || matches!(live.store.state(), State::Failed(_)) {
        return finish(live, ranked, shown, None).await.map(Some);
    }
    drop(shown);
    let name = keys::kv(namespace, key);
    loop {
        let (answer, frame) = {
            let _held = live.locks.lock(&name);
            let snapshot = live.store.latest();
            let latest = snapshot.seq();
            match newest(live, &snapshot, namespace, key, kind) {
                Ok(Some((card, frame))) => {
                    let index = live.collections.index(card.id);
                    if !index.lock().fill(&live.store, Card::tables(kind)[0], card.id) {
                        (None, 0)
                    } else {
                        let ordered = Ordered { snapshot: &snapshot, card: &card, index: Some(&index) };
                        let place = ranked.find(&ordered)?;
                        (Some(Ok(Some((Look { snapshot, card }, place)))), frame)
                    }
                }
                // It went meanwhile, or something else is there now: that may be said when it is durable.
                Ok(None) => (Some(Ok(None)), latest),
                Err(error) => (Some(Err(error)), latest),
            }
        };
        match answer {
            Some(answer) => {
                live.store.durable(frame).await?;
                let Some((look, place)) = answer? else { return Ok(None) };
                return finish(live, ranked, look, Some(place)).await.map(Some);
            }
            // Others may have the key before the next piece of the index is filled.
            None => tokio::task::yield_now().await,
        }
    }
}

/// The card in the newest state, and the frame it rests on.
fn newest(
    live: &Live,
    snapshot: &Snapshot,
    namespace: &Namespace,
    key: &Key,
    kind: KeyType,
) -> Result<Option<(Card, u64)>> {
    let Some(card) = super::look::card_in(live, snapshot, namespace, key, kind)? else { return Ok(None) };
    let row = snapshot.get(keys::KV, &keys::kv(namespace, key)).ok_or_else(|| Error::unreadable("a collection"))?;
    Ok(Some((card, row.seq())))
}

async fn finish<R: Ranked>(live: &Arc<Live>, ranked: R, look: Look, place: Option<R::Place>) -> Result<R::Answer> {
    let place = match place {
        Some(place) => place,
        None => ranked.find(&Ordered { snapshot: &look.snapshot, card: &look.card, index: None })?,
    };
    at_length(live, ranked.rows(&place), move |live| ranked.read(live, &look.snapshot, &look.card, place)).await
}

/// Runs a rule that asks for ranks on one key, and answers when that is durable. The rule sees the order as it was
/// before it. `deep` says of a card whether an index is needed.
pub(crate) async fn change<T>(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    kind: KeyType,
    deep: impl Fn(&Card) -> bool,
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Place, Option<&Ordered<'_>>) -> Result<T>,
) -> Result<T> {
    live.store.room().await;
    let name = keys::kv(namespace, key);
    let mut rule = Some(rule);
    let decided = loop {
        let decided = {
            let _held = live.locks.lock(&name);
            let snapshot = live.store.latest();
            let card = newest(live, &snapshot, namespace, key, kind).ok().flatten().map(|(card, _)| card);
            let index = card.as_ref().filter(|card| deep(card)).map(|card| live.collections.index(card.id));
            let filled = match (&index, &card) {
                (Some(index), Some(card)) => index.lock().fill(&live.store, Card::tables(kind)[0], card.id),
                _ => true,
            };
            filled.then(|| {
                let ordered = card.as_ref().map(|card| Ordered { snapshot: &snapshot, card, index: index.as_deref() });
                let rule = rule.take().expect("it runs once");
                txn::decide(live, |txn| {
                    let mut place = Place::load(txn, namespace, key)?;
                    rule(&mut Step::new(txn), &mut place, ordered.as_ref())
                })
            })
        };
        match decided {
            Some(decided) => break decided,
            None => tokio::task::yield_now().await,
        }
    };
    Ok(live.settle(decided).await?.0)
}

/// What ranks from `start` to `stop`, both inclusive and negative ones counted from the end, come to: the first rank
/// and how many.
pub(crate) fn ranks(start: i64, stop: i64, count: u64) -> (u64, u64) {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let place = |rank: i64| if rank < 0 { rank.saturating_add(count) } else { rank };
    let (first, last) = (place(start).max(0), place(stop).min(count - 1));
    if first > last { (0, 0) } else { (first as u64, (last - first + 1) as u64) }
}

/// Drops indexes that nobody uses.
pub(crate) struct Idle;

impl Work for Idle {
    fn name(&self) -> &'static str {
        "idle collections"
    }

    async fn trigger(&self, live: &Live) {
        live.clock.sleep(IDLE).await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        live.collections.drop_idle_indexes();
        Ok(Tick::DONE)
    }
}

/// A row's body as an answer.
pub(crate) fn bodies(rows: Vec<Row>) -> Result<Vec<Bytes>> {
    rows.iter().map(|row| Ok(row.body()?)).collect()
}
