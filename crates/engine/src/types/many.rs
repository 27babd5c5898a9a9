//! Verbs on several keys: all are locked, in the order of locks, and change in one commit or not at all.

use std::{collections::HashMap, sync::Arc};

use foldhash::quality::RandomState;
use manifold_store::Snapshot;

use crate::{
    Error, Key, Namespace, Result,
    keys::{self, RowKey},
    live::Live,
    txn::{self, Decided},
    types::{
        Card, KeyType,
        look::{at_length, card_in},
        place::Place,
        step::Step,
    },
};

/// The keys of a verb in the order it names them; one named twice is one place.
pub(crate) struct Places {
    places: Vec<Place>,
    /// For each name its place.
    at: Vec<usize>,
}

impl Places {
    fn load(txn: &mut txn::Txn<'_>, namespace: &Namespace, keys: &[Key]) -> Result<Self> {
        let mut places: Vec<Place> = Vec::with_capacity(keys.len());
        let mut at = Vec::with_capacity(keys.len());
        let mut known: HashMap<&Key, usize, RandomState> = HashMap::default();
        for (index, key) in keys.iter().enumerate() {
            let place = match known.get(key) {
                Some(place) => *place,
                None => {
                    places.push(Place::load(txn, namespace, key).map_err(|error| error.at(index))?);
                    known.insert(key, places.len() - 1);
                    places.len() - 1
                }
            };
            at.push(place);
        }
        Ok(Places { places, at })
    }

    /// The place of the name at `index`.
    pub(crate) fn get(&mut self, index: usize) -> &mut Place {
        &mut self.places[self.at[index]]
    }

    /// All places, each once.
    pub(crate) fn each(&mut self) -> &mut [Place] {
        &mut self.places
    }

    /// Whether two names are one key.
    pub(crate) fn are_one(&self, a: usize, b: usize) -> bool {
        self.at[a] == self.at[b]
    }

    /// The collections of the names from `first` on; refused, with the index of the name, when one holds something else.
    pub(crate) fn cards(&self, first: usize, expected: KeyType) -> Result<Vec<Option<Card>>> {
        let card =
            |(index, place): (usize, &usize)| self.places[*place].card(expected).map_err(|error| error.at(index));
        self.at[first..].iter().enumerate().map(card).collect()
    }
}

/// Runs a rule on several keys, and answers when that is durable.
pub(crate) async fn change<T>(
    live: &Live,
    namespace: &Namespace,
    keys: &[Key],
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Places) -> Result<T>,
) -> Result<T> {
    live.store.room().await;
    let decided = decide(live, namespace, keys, rule);
    Ok(live.settle(decided).await?.0)
}

/// The same for a rule that goes through whole collections.
pub(crate) async fn change_at_length<T: Send + 'static>(
    live: &Arc<Live>,
    namespace: &Namespace,
    keys: Vec<Key>,
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Places) -> Result<T> + Send + 'static,
) -> Result<T> {
    live.store.room().await;
    let (snapshot, ()) = live.store.snapshot(|| ());
    let rows = keys.iter().map(|key| rows_of(&snapshot, namespace, key)).sum();
    drop(snapshot);
    let namespace = namespace.clone();
    let decided = at_length(live, rows, move |live| Ok(decide(live, &namespace, &keys, rule))).await?;
    Ok(live.settle(decided).await?.0)
}

fn rows_of(snapshot: &Snapshot, namespace: &Namespace, key: &Key) -> u64 {
    let row = snapshot.get(keys::KV, &keys::kv(namespace, key));
    row.and_then(|row| Card::read(&row).ok().flatten()).map_or(0, |card| card.count)
}

fn decide<T>(
    live: &Live,
    namespace: &Namespace,
    keys: &[Key],
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Places) -> Result<T>,
) -> Decided<T> {
    let rows: Vec<RowKey> = keys.iter().map(|key| keys::kv(namespace, key)).collect();
    let _held = live.locks.lock_all(rows.iter().map(|row| &row[..]));
    txn::decide(live, |txn| {
        let mut places = Places::load(txn, namespace, keys)?;
        rule(&mut Step::new(txn), &mut places)
    })
}

/// The collections of several keys in one cut; refused, with the index of the key, when one holds something else.
pub(crate) fn cards(
    live: &Live,
    snapshot: &Snapshot,
    namespace: &Namespace,
    keys: &[Key],
    expected: KeyType,
) -> Result<Vec<Option<Card>>> {
    let card = |(index, key): (usize, &Key)| {
        card_in(live, snapshot, namespace, key, expected).map_err(|error: Error| error.at(index))
    };
    keys.iter().enumerate().map(card).collect()
}
