//! The namespaces that exist: those somebody created, and those something was written to.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use foldhash::quality::RandomState;
use manifold_store::{Batch, Range, Row, Snapshot, Store, Table, View};
use parking_lot::{Mutex, MutexGuard, RwLock};
use smallvec::SmallVec;

use crate::{
    Error, Kind, Namespace, Result, Timestamp, codec,
    export::{Cut, Done, How, Record, Sink, record::NamespaceLine, text::Text},
    keys, kv,
    live::Live,
    queue, series, txn, types,
};

#[cfg(test)]
mod tests;

const ENCODING: u8 = 1;
/// Rows read from the store at once.
const ROWS: usize = 1024;
/// The namespace of whoever names none; it always exists.
const DEFAULT: &[u8] = b"default";

/// A namespace and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceInfo {
    /// Its name.
    pub name: Namespace,
    /// Since when it exists.
    pub created_at: Timestamp,
    /// Live keys with a value.
    pub keys: u64,
    /// Live keys with a collection.
    pub collections: u64,
    /// Queues.
    pub queues: u64,
    /// Streams.
    pub streams: u64,
    /// Measurements of time series.
    pub measurements: u64,
}

/// Names known to exist, so that a write need not look for the row of its namespace.
#[derive(Debug, Default)]
pub(crate) struct Known {
    names: RwLock<HashSet<Namespace, RandomState>>,
    /// Held from the decision that a namespace is new to its commit: it is founded once.
    order: Mutex<()>,
}

impl Known {
    pub(crate) fn read(store: &Store) -> Result<Known> {
        let mut names = HashSet::default();
        each_row(&store.snapshot(|| ()).0, keys::NAMESPACE, |name, _| {
            names.insert(namespace(name)?);
            Ok(())
        })?;
        Ok(Known { names: RwLock::new(names), order: Mutex::default() })
    }

    pub(crate) fn contains(&self, namespace: &Namespace) -> bool {
        self.names.read().contains(namespace)
    }

    /// Adds to `batch` the rows of those `entered` that are still new. Nobody else founds any until the answer is
    /// dropped; it is told when the batch is committed.
    pub(crate) fn found(&self, batch: &mut Batch, entered: SmallVec<[Namespace; 1]>, now: Timestamp) -> Founding<'_> {
        let order = self.order.lock();
        let mut founded = entered;
        founded.retain(|name| !self.contains(name));
        founded.iter().for_each(|name| write(batch, name.as_bytes(), now));
        Founding { known: self, founded, _order: order }
    }
}

/// Namespaces whose rows are in a batch that is about to be committed.
pub(crate) struct Founding<'a> {
    known: &'a Known,
    founded: SmallVec<[Namespace; 1]>,
    _order: MutexGuard<'a, ()>,
}

impl Founding<'_> {
    /// The batch is committed.
    pub(crate) fn done(self) {
        self.known.names.write().extend(self.founded);
    }
}

/// The first run creates the default namespace.
pub(crate) fn found_default(store: &Store, prologue: &mut Batch, now: Timestamp) {
    if store.get(View::Latest, keys::NAMESPACE, DEFAULT).is_none() {
        write(prologue, DEFAULT, now);
    }
}

/// Creates a namespace.
pub(crate) async fn create(live: &Live, namespace: &Namespace) -> Result<Timestamp> {
    live.store.room().await;
    let decided = {
        let _order = live.namespaces.order.lock();
        let decided = txn::decide(live, |txn| {
            if txn.get(keys::NAMESPACE, namespace.as_bytes()).is_some() {
                return Err(Error::new(Kind::Conflict { current: 0 }, format!("namespace {namespace} exists")));
            }
            txn.grow()?;
            txn.put(keys::NAMESPACE, namespace.as_bytes(), &encode(txn.now()), &[]);
            Ok(txn.now())
        });
        if decided.is_ok() {
            live.namespaces.names.write().insert(namespace.clone());
        }
        decided
    };
    Ok(live.settle(decided).await?.0)
}

/// All namespaces, as lines of an export.
pub(crate) fn export(cut: &Cut, sink: &mut Sink) -> Result<()> {
    each_row(cut, keys::NAMESPACE, |name, row| {
        if !cut.has(name) {
            return Ok(());
        }
        let line = NamespaceLine { namespace: Text(name.clone()), created_at: created_at(row)?.0 };
        sink.put(&Record::Namespace(line))
    })
}

/// Creates a namespace that was created then; one that exists is as old as the older of both.
pub(crate) async fn restore(live: &Live, namespace: &Namespace, created: Timestamp, how: How<'_>) -> Result<Done> {
    live.store.room().await;
    let decided = {
        let _order = live.namespaces.order.lock();
        let decided = txn::decide(live, |txn| {
            txn.grow()?;
            let known = txn.get(keys::NAMESPACE, namespace.as_bytes());
            let known = known.map(|row| created_at(&row)).transpose()?;
            let done = if known.is_some_and(|known| known <= created) { Done::Same } else { Done::Written };
            if done == Done::Written {
                txn.put(keys::NAMESPACE, namespace.as_bytes(), &encode(created), &[]);
            }
            (how.mark)(&[done]).write(txn);
            Ok(done)
        });
        if decided.is_ok() {
            live.namespaces.names.write().insert(namespace.clone());
        }
        decided
    };
    Ok(live.settle(decided).await?.0)
}

/// All namespaces in byte order.
pub(crate) async fn list(live: &std::sync::Arc<Live>) -> Result<Vec<NamespaceInfo>> {
    let live = live.clone();
    let counted = tokio::task::spawn_blocking(move || count(&live)).await;
    counted.unwrap_or_else(|error| Err(Error::new(Kind::Bug, format!("counting keys panicked: {error}"))))
}

fn count(live: &Live) -> Result<Vec<NamespaceInfo>> {
    let (snapshot, _) = live.store.snapshot(|| ());
    let mut found = BTreeMap::new();
    each_row(&snapshot, keys::NAMESPACE, |name, row| {
        let name = namespace(name)?;
        found.insert(
            name.clone(),
            NamespaceInfo {
                name,
                created_at: created_at(row)?,
                keys: 0,
                collections: 0,
                queues: 0,
                streams: 0,
                measurements: 0,
            },
        );
        Ok(())
    })?;
    let now = live.clock.now();
    each_counted(
        &snapshot,
        keys::KV,
        |row| kv::is_live_value(row, now),
        |name, keys| {
            found.entry(name).and_modify(|info: &mut NamespaceInfo| info.keys = keys);
        },
    )?;
    each_counted(
        &snapshot,
        keys::KV,
        |row| Ok(types::live_collection(row, || now)?.is_some()),
        |name, collections| {
            found.entry(name).and_modify(|info| info.collections = collections);
        },
    )?;
    each_counted(&snapshot, keys::QUEUE, queue::exists, |name, queues| {
        found.entry(name).and_modify(|info| info.queues = queues);
    })?;
    each_counted(
        &snapshot,
        keys::STREAM,
        |_| Ok(true),
        |name, streams| {
            found.entry(name).and_modify(|info| info.streams = streams);
        },
    )?;
    for (name, measurements) in series::count_measurements(&snapshot)? {
        found.entry(name).and_modify(|info| info.measurements = measurements);
    }
    Ok(found.into_values().collect())
}

/// Tells how many rows of a table count, namespace by namespace. Their keys begin with it, so those of one are together.
fn each_counted(
    snapshot: &Snapshot,
    table: Table,
    counts: impl Fn(&Row) -> Result<bool>,
    mut tell: impl FnMut(Namespace, u64),
) -> Result<()> {
    let mut current: Option<(Namespace, u64)> = None;
    each_row(snapshot, table, |key, row| {
        if !counts(row)? {
            return Ok(());
        }
        let (name, _) = keys::split_kv(key).ok_or_else(|| Error::unreadable("a namespace"))?;
        match &mut current {
            Some((same, count)) if same.as_bytes() == name => *count += 1,
            _ => {
                let next = (namespace(&key.slice_ref(name))?, 1);
                current.replace(next).into_iter().for_each(|(name, count)| tell(name, count));
            }
        }
        Ok(())
    })?;
    current.into_iter().for_each(|(name, count)| tell(name, count));
    Ok(())
}

/// Calls `each` with the rows of a table in the order of their keys.
pub(crate) fn each_row(
    snapshot: &Snapshot,
    table: Table,
    mut each: impl FnMut(&Bytes, &Row) -> Result<()>,
) -> Result<()> {
    let mut from = Some(Vec::new());
    while let Some(start) = from {
        let chunk = snapshot.range(table, &Range { from: start, to: None, limit: ROWS, reverse: false });
        chunk.rows.iter().try_for_each(|(key, row)| each(key, row))?;
        from = chunk.resume;
    }
    Ok(())
}

fn namespace(name: &Bytes) -> Result<Namespace> {
    Namespace::new(name.clone()).map_err(|_| Error::unreadable("the name of a namespace"))
}

fn write(batch: &mut Batch, name: &[u8], created_at: Timestamp) {
    batch.put(keys::NAMESPACE, name, &encode(created_at), &[]);
}

fn encode(created_at: Timestamp) -> Vec<u8> {
    let mut head = vec![ENCODING];
    codec::put_varint(&mut head, created_at.0);
    head
}

fn created_at(row: &Row) -> Result<Timestamp> {
    let read = |head| {
        let mut reader = codec::Reader::new(head);
        (reader.byte()? == ENCODING).then_some(())?;
        reader.varint().map(Timestamp)
    };
    read(row.head()).ok_or_else(|| Error::unreadable("a namespace"))
}
