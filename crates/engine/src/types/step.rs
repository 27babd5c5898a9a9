//! The rows of elements in a transaction: a rule that touches one twice sees what it wrote itself.

use std::sync::Arc;

use bytes::Bytes;
use manifold_store::{Row, Table};
use smallvec::SmallVec;

use crate::{
    Key, Namespace, Result, keys,
    live::Live,
    txn::{self, Decided, Txn},
    types::{
        look::{SHORT, at_length},
        many,
        place::Place,
        written::WrittenRows,
    },
};

/// A transaction on collections.
pub(crate) struct Step<'a, 't> {
    pub(crate) txn: &'a mut Txn<'t>,
    written: WrittenRows,
}

/// A row as it stands in a transaction.
pub(crate) enum Found {
    Stored(Row),
    Written(SmallVec<[u8; 16]>, Bytes),
}

impl Found {
    pub(crate) fn head(&self) -> &[u8] {
        match self {
            Found::Stored(row) => row.head(),
            Found::Written(head, _) => head,
        }
    }

    pub(crate) fn body_len(&self) -> usize {
        match self {
            Found::Stored(row) => row.body_len(),
            Found::Written(_, body) => body.len(),
        }
    }

    pub(crate) fn body(&self) -> Result<Bytes> {
        match self {
            Found::Stored(row) => Ok(row.body()?),
            Found::Written(_, body) => Ok(body.clone()),
        }
    }
}

impl<'a, 't> Step<'a, 't> {
    pub(crate) fn new(txn: &'a mut Txn<'t>) -> Self {
        Step { txn, written: WrittenRows::default() }
    }

    pub(crate) fn get(&mut self, table: Table, key: &[u8]) -> Option<Found> {
        if let Some(written) = self.written.get(table, key) {
            return written.clone().map(|(head, body)| Found::Written(head, body));
        }
        self.txn.get(table, key).map(Found::Stored)
    }

    pub(crate) fn put(&mut self, table: Table, key: &[u8], head: &[u8], body: &Bytes) {
        self.txn.put(table, key, head, body);
        self.written.set(table, key, Some((SmallVec::from_slice(head), body.clone())));
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.txn.delete(table, key);
        self.written.set(table, key, None);
    }
}

/// Runs a rule on one key, and answers when that is durable.
pub(crate) async fn change<T>(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Place) -> Result<T>,
) -> Result<T> {
    live.store.room().await;
    let decided = decide(live, namespace, key, rule);
    Ok(live.settle(decided).await?.0)
}

/// The same for a rule that is given elements, each of which may touch a row: where blocking is allowed, when they are
/// many.
pub(crate) async fn change_each<E: Clone + Send + 'static, T: Send + 'static>(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    elements: &[E],
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Place, &[E]) -> Result<T> + Send + 'static,
) -> Result<T> {
    let rows = elements.len() as u64;
    if rows <= SHORT {
        return change(live, namespace, key, |step, place| rule(step, place, elements)).await;
    }
    live.store.room().await;
    let (namespace, key, elements) = (namespace.clone(), key.clone(), elements.to_vec());
    let decided = at_length(live, rows, move |live| {
        Ok(decide(live, &namespace, &key, |step, place| rule(step, place, &elements)))
    });
    Ok(live.settle(decided.await?).await?.0)
}

fn decide<T>(
    live: &Live,
    namespace: &Namespace,
    key: &Key,
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Place) -> Result<T>,
) -> Decided<T> {
    let row = keys::kv(namespace, key);
    let _held = live.locks.lock(&row);
    txn::decide(live, |txn| {
        let mut place = Place::load(txn, namespace, key)?;
        rule(&mut Step::new(txn), &mut place)
    })
}

/// The same for a rule that may touch as many rows as `rows` says, but no more than the collection has.
pub(crate) async fn change_at_length<T: Send + 'static>(
    live: &Arc<Live>,
    namespace: &Namespace,
    key: &Key,
    rows: u64,
    rule: impl FnOnce(&mut Step<'_, '_>, &mut Place) -> Result<T> + Send + 'static,
) -> Result<T> {
    if rows <= SHORT {
        return change(live, namespace, key, rule).await;
    }
    many::change_at_length(live, namespace, vec![key.clone()], |step, places| rule(step, places.get(0))).await
}
