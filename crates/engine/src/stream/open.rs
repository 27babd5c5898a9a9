//! The streams that are open. A stream opens at its first use: where it stands is found from the heads of its last
//! rows, so opening reads no records.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize},
    },
};

use foldhash::quality::RandomState;
use manifold_store::{Store, View};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::{
    Error, Kind, Name, Namespace, Result,
    keys::{self, RowKey},
    live::Live,
    stream::{
        manage::unsaid,
        read::Rows,
        row::{Meta, Number, Span},
        state::{Loaded, Stream, Tail, is_full},
        upkeep::Upkeep,
    },
};

/// Rows looked at in one piece while the end of a stream is searched.
const PIECE: usize = 256;

/// All streams, as far as they are open.
pub(crate) struct Streams {
    /// Taken after the locks of a stream, and alone.
    open: RwLock<HashMap<RowKey, Arc<Stream>, RandomState>>,
    /// The id of the next stream; held while one is created, so that ids are committed in their order.
    pub(crate) next_id: Mutex<u64>,
    /// Held while rows of [`keys::STREAM_GONE`] change.
    pub(crate) gone: Mutex<()>,
    /// Changes when a stream was created.
    created: watch::Sender<()>,
    pub(crate) ring_bytes: Arc<AtomicUsize>,
    pub(crate) upkeep: Upkeep,
    pub(crate) followers: AtomicU64,
}

impl Streams {
    pub(crate) fn recover(store: &Store) -> Result<Self> {
        let next_id =
            store.get(View::Latest, keys::META, keys::META_STREAM).map(|row| Number::read(&row)).transpose()?;
        let upkeep = Upkeep::default();
        // What the last run left to remove.
        upkeep.sweep();
        Ok(Streams {
            open: RwLock::default(),
            next_id: Mutex::new(next_id.map_or(1, |id| id.0)),
            gone: Mutex::default(),
            created: watch::Sender::new(()),
            ring_bytes: Arc::default(),
            upkeep,
            followers: AtomicU64::new(0),
        })
    }

    /// The stream, if it exists.
    pub(crate) fn find(&self, live: &Live, key: &[u8]) -> Result<Option<Arc<Stream>>> {
        if let Some(stream) = self.opened(key) {
            return Ok(Some(stream));
        }
        let _held = live.locks.lock(key);
        self.find_locked(live, key)
    }

    /// The same for who holds the lock of the stream's name: nobody creates or deletes it meanwhile.
    pub(crate) fn find_locked(&self, live: &Live, key: &[u8]) -> Result<Option<Arc<Stream>>> {
        if let Some(stream) = self.opened(key) {
            return Ok(Some(stream));
        }
        let Some(row) = live.store.get(View::Latest, keys::STREAM, key) else { return Ok(None) };
        let stream = Arc::new(load(live, key, Meta::read(&row)?)?);
        self.upkeep.look(&stream, &stream.tail.lock());
        self.open.write().insert(stream.key.clone(), stream.clone());
        Ok(Some(stream))
    }

    fn opened(&self, key: &[u8]) -> Option<Arc<Stream>> {
        self.open.read().get(key).cloned().inspect(|stream| stream.touch())
    }

    /// A stream was created: it is open, and who waited for it may look.
    pub(crate) fn insert(&self, stream: Arc<Stream>) {
        self.open.write().insert(stream.key.clone(), stream);
        self.created.send_replace(());
    }

    pub(crate) fn remove(&self, key: &[u8]) {
        self.open.write().remove(key);
    }

    /// A receiver that changes when a stream was created.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.created.subscribe()
    }

    /// All that are open now.
    pub(crate) fn all_open(&self) -> Vec<Arc<Stream>> {
        self.open.read().values().cloned().collect()
    }

    pub(crate) fn count_open(&self) -> usize {
        self.open.read().len()
    }

    /// Closes what nobody uses and what has nothing in memory that the disk has not.
    pub(crate) fn close_idle(&self, live: &Live, mut at_most: usize) {
        self.open.write().retain(|_, stream| {
            // Who wants a stream takes it out of this map: nobody can while we have the map, unless he has it already.
            let close = at_most > 0 && Arc::strong_count(stream) == 1 && stream.is_at_rest(live);
            at_most -= usize::from(close);
            !close
        });
    }
}

/// The stream that a verb names and does not create. A refusal is told only when it is durable that there is none.
pub(crate) async fn existing(live: &Live, namespace: &Namespace, name: &Name) -> Result<Arc<Stream>> {
    let key = keys::stream(namespace, name);
    match live.streams.find(live, &key)? {
        Some(stream) => {
            live.store.durable(stream.born).await?;
            Ok(stream)
        }
        None => Err(absent(live, &key, name).await?),
    }
}

/// What to say of a stream that is not there.
pub(crate) async fn absent(live: &Live, key: &[u8], name: &Name) -> Result<Error> {
    live.store.durable(unsaid(live, key)?).await?;
    Ok(not_found(name))
}

pub(crate) fn not_found(name: &Name) -> Error {
    Error::new(Kind::NotFound, format!("there is no stream {name}"))
}

/// Finds where a stream stands, and which of its last rows are still small.
fn load(live: &Live, key: &[u8], meta: Meta) -> Result<Stream> {
    let rows = Rows::new(live, View::Latest, meta.id);
    let mut small = VecDeque::new();
    let mut newest: Option<Span> = None;
    let mut to = None;
    'rows: loop {
        let chunk = rows.before(to.take(), if newest.is_none() { 1 } else { PIECE });
        for (key, row) in &chunk.rows {
            let span = Span::read(key, row)?;
            newest = newest.or(Some(span));
            if is_full(&span) || span.end() <= meta.first {
                break 'rows;
            }
            small.push_front(span);
        }
        to = chunk.resume;
        if to.is_none() {
            break;
        }
    }
    let end = newest.map_or(meta.first, |span| span.end().max(meta.first));
    let total = newest.map_or(0, |span| span.before + span.bytes);
    let last_at = newest.map_or(meta.last_at, |span| span.last_at.max(meta.last_at));
    let base = if meta.first == end { total } else { rows.at(meta.first)?.map_or(total, |(span, _)| span.before) };
    let tail = Tail::loaded(meta, Loaded { end, total, base, last_at, small });
    Ok(Stream::new(RowKey::from_slice(key), 0, tail, &live.streams.ring_bytes))
}
