//! From a directory to a running engine: replay, find where the feed stands, skip what a lost tail may have used, let
//! everything expire that fell due meanwhile.

use std::{path::Path, sync::Arc};

use manifold_store::{Batch, Level, OpenError, Store, View, disk::Disk};
use tokio::sync::watch;

use crate::{
    Error, Options, Result,
    feed::{self, Feed, Recovered},
    keys,
    live::{Counters, Live},
    stream::Streams,
    timers::{Expiry, Timers},
    txn::Locks,
    work,
};

const ENCODING: u8 = 1;

/// Opens the store and prepares everything that needs no runtime. Reads the whole log: call it where blocking is allowed.
pub(crate) fn open(
    disk: &Arc<dyn Disk>,
    options: &Options,
    stop: watch::Receiver<bool>,
) -> std::result::Result<Live, OpenError> {
    let refused = |error: Error| refuse(&options.dir, &error);
    let (store, recovered) = open_store(disk, options)?;
    let frame = store.commit(Batch::new()).map_err(|error| refused(error.into()))?;
    let streams = Streams::recover(&store).map_err(refused)?;
    let feed = Arc::new(Feed::new(recovered, frame));
    store.on_durable({
        let feed = feed.clone();
        Box::new(move |frame| feed.publish(frame))
    });
    let Options { dir: _, level: _, interval: _, limits, retention, clock } = options.clone();
    Ok(Live {
        store,
        feed,
        timers: Timers::new(),
        streams,
        locks: Locks::new(),
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

/// Opens the store, and writes what this run has to say before it acknowledges anything: the numbers it skips, and the
/// level it writes with, which the next run judges this one's tail by.
fn open_store(disk: &Arc<dyn Disk>, options: &Options) -> std::result::Result<(Store, Recovered), OpenError> {
    let Options { dir, level, interval, .. } = options;
    let refused = |error: Error| refuse(dir, &error);
    let open = || {
        let options = manifold_store::Options {
            level: *level,
            interval: *interval,
            ..manifold_store::Options::new(keys::TABLES)
        };
        Store::open(disk.clone(), dir, options)
    };
    let store = open()?;
    let mut recovered = feed::recover(&store).map_err(refused)?;
    let written_at = level_of_last_run(&store).map_err(refused)?;

    let mut prologue = Batch::new();
    if !store.clean_start() && written_at.is_some_and(|level| level != Level::Always) {
        let gap = recovered.skip();
        tracing::warn!(
            from = gap.from,
            to = gap.to,
            "the last run may have lost its tail: its feed numbers are skipped"
        );
        gap.write(&mut prologue);
    }
    if written_at != Some(*level) {
        prologue.put(keys::META, keys::META_LEVEL, &[ENCODING, level_byte(*level)], &[]);
    }
    if prologue.is_empty() {
        return Ok((store, recovered));
    }
    let frame = store.commit(prologue).map_err(|error| refused(error.into()))?;
    store.wait_durable(frame).map_err(|error| refused(error.into()))?;
    if *level == Level::Always {
        return Ok((store, recovered));
    }
    // At a weaker level the prologue could be lost together with everything acknowledged after it, and the next run would
    // give the same numbers out again. Closing makes it permanent.
    store.close().map_err(|error| refused(error.into()))?;
    Ok((open()?, recovered))
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

/// A directory whose log is sound but whose rows this version does not understand.
pub(crate) fn refuse(dir: &Path, error: &Error) -> OpenError {
    OpenError::Foreign { file: dir.to_owned(), reason: error.to_string() }
}
