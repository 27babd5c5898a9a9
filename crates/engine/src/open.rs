//! From a directory to a running engine: replay, find where the feed stands, skip what a lost tail may have used, let
//! everything expire that fell due meanwhile.

use std::{path::Path, sync::Arc};

use manifold_store::{
    Batch, Claim, Level, OpenError, Store, View,
    disk::{Disk, RealDisk},
};
use tokio::sync::{SetOnce, watch};

use crate::{
    Error, Kind, Options, Result, Timestamp, chance,
    documents::DocumentsUpkeep,
    feed::{self, Feed, Recovered},
    keys,
    live::{Counters, Live},
    namespaces::{self, Known},
    pubsub::PubSub,
    queue::Queues,
    recache::Recache,
    series,
    stream::Streams,
    timers::{Expiry, Timers},
    txn::Locks,
    types::Collections,
    work,
};

const ENCODING: u8 = 1;

/// What the engine stands on; tests put another disk under it.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) disk: Arc<dyn Disk>,
    /// Everything about the store that no operator chooses.
    pub(crate) store: manifold_store::Options,
    pub(crate) series: series::Tuning,
}

impl Ground {
    /// The file system.
    pub(crate) fn real() -> Self {
        let store = manifold_store::Options { salt: chance::number(), ..manifold_store::Options::new(keys::TABLES) };
        Ground { disk: Arc::new(RealDisk), store, series: series::Tuning::default() }
    }
}

/// Opens the store of a claimed directory and prepares everything that needs no runtime. Reads the whole log: call it
/// where blocking is allowed.
pub(crate) fn open(
    ground: Ground,
    claim: Claim,
    options: &Options,
    stop: watch::Receiver<bool>,
    documents: Arc<SetOnce<DocumentsUpkeep>>,
) -> std::result::Result<Live, OpenError> {
    let Options { dir, level, interval, limits, retention, series_retention, clock } = options.clone();
    let store_options = manifold_store::Options { level, interval, counted: keys::COUNTED, ..ground.store };
    let store = Store::open_claimed(ground.disk, claim, store_options)?;
    let recovered = prologue(&store, clock.now()).map_err(|error| refuse(&dir, &error))?;
    let known = Known::read(&store).map_err(|error| refuse(&dir, &error))?;
    let streams = Streams::recover(&store).map_err(|error| refuse(&dir, &error))?;
    let series = series::recover(&store, clock.now(), ground.series).map_err(|error| refuse(&dir, &error))?;
    let collections = Collections::recover(&store).map_err(|error| refuse(&dir, &error))?;
    let recache = Recache::recover(&store).map_err(|error| refuse(&dir, &error))?;
    let feed = Arc::new(Feed::new(recovered, store.durable_seq()));
    store.on_durable({
        let feed = feed.clone();
        Box::new(move |frame| feed.publish(frame))
    });
    Ok(Live {
        store,
        feed,
        timers: Timers::new(),
        streams,
        series,
        series_retention: series::Rules::new(series_retention),
        locks: Locks::new(),
        namespaces: known,
        queues: Queues::new(clock.now()),
        recache,
        collections,
        pubsub: PubSub::new(),
        documents,
        clock,
        limits,
        retention,
        counters: Counters::default(),
        stop,
    })
}

/// Expires what is due, before anybody may ask.
pub(crate) async fn sweep(live: &Live) -> Result<()> {
    work::drain(live, &Expiry).await
}

/// Finds where the feed stands, and writes what this run has to say before it acknowledges anything: the numbers it
/// skips, the level it writes with, by which the next run judges this one's tail, and the namespace that always exists.
fn prologue(store: &Store, now: Timestamp) -> Result<Recovered> {
    let mut recovered = feed::recover(store)?;
    let level = store.level();
    let written_at = level_of_last_run(store)?;
    let mut batch = Batch::new();
    if !store.clean_start() && written_at.is_some_and(|level| level != Level::Always) {
        let gap = recovered.skip();
        tracing::warn!(
            from = gap.from,
            to = gap.to,
            "the last run may have lost its tail: its feed numbers are skipped"
        );
        gap.write(&mut batch);
    }
    namespaces::found_default(store, &mut batch, now);
    if level == Level::Always && written_at == Some(level) && batch.is_empty() {
        return Ok(recovered);
    }
    // The next run must find this even if everything acknowledged after it is lost with the power: else it would take the
    // last clean stop for ours, judge the tail by another level, or give the same numbers out again.
    batch.put(keys::META, keys::META_LEVEL, &[ENCODING, level_byte(level)], &[]);
    batch.relief();
    match store.commit(batch).and_then(|_| store.sync()) {
        // Nothing will be acknowledged by this run, but what is there can be read.
        Err(error @ manifold_store::Error::Failed(_)) => tracing::error!(%error, "starting for reading only"),
        written => written?,
    }
    Ok(recovered)
}

fn level_of_last_run(store: &Store) -> Result<Option<Level>> {
    let Some(row) = store.get(View::Latest, keys::META, keys::META_LEVEL) else { return Ok(None) };
    let level = match row.head() {
        [ENCODING, 1] => Level::Always,
        [ENCODING, 2] => Level::Interval,
        [ENCODING, 3] => Level::Os,
        _ => return Err(Error::unreadable("the level of the last run")),
    };
    Ok(Some(level))
}

fn level_byte(level: Level) -> u8 {
    match level {
        Level::Always => 1,
        Level::Interval => 2,
        Level::Os => 3,
    }
}

/// A directory without space for what a start must write, or whose log is sound but whose rows this version does not
/// understand.
pub(crate) fn refuse(dir: &Path, error: &Error) -> OpenError {
    match error.kind() {
        Kind::Full => OpenError::Io { path: dir.to_owned(), source: std::io::ErrorKind::StorageFull.into() },
        _ => OpenError::Foreign { file: dir.to_owned(), reason: error.to_string() },
    }
}
