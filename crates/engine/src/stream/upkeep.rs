//! What is done for streams in the background: sealing, showing what nobody waited for, retention, removing what was
//! dropped, closing what is idle.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use manifold_store::{Range, Row, View};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    Result, keys,
    live::Live,
    stream::{
        read::Rows,
        row::Number,
        seal,
        state::{Stream, Tail},
        trim,
    },
    txn,
    work::{Tick, Work},
};

/// Looks at retention by number and size are this far apart.
const LOOK: Duration = Duration::from_millis(250);
/// Looks for what is idle are this far apart.
const IDLE: Duration = Duration::from_secs(5);
/// So many small rows of an idle stream become one.
const IDLE_ROWS: usize = 8;
/// So many streams stay open although nobody uses them.
const OPEN: usize = 1024;
/// Most rows removed in one commit.
const BATCH: usize = 512;

/// Streams that need something done.
#[derive(Default)]
pub(crate) struct Upkeep {
    seal: Pile,
    show: Pile,
    over: Pile,
    swept: Notify,
}

/// Streams, each once.
#[derive(Default)]
struct Pile {
    streams: Mutex<HashMap<u64, Arc<Stream>>>,
    added: Notify,
}

impl Pile {
    fn add(&self, stream: &Arc<Stream>) {
        self.streams.lock().entry(stream.id).or_insert_with(|| stream.clone());
        self.added.notify_one();
    }

    fn take_all(&self) -> Vec<Arc<Stream>> {
        self.streams.lock().drain().map(|(_, stream)| stream).collect()
    }

    /// Does something with one stream of the pile. One that is not done with, or fails, stays.
    fn with_one<T>(&self, work: impl FnOnce(&Arc<Stream>) -> Result<(T, bool)>) -> Result<Option<T>> {
        let Some(stream) = self.streams.lock().values().next().cloned() else { return Ok(None) };
        self.streams.lock().remove(&stream.id);
        let result = work(&stream);
        if !matches!(result, Ok((_, false))) {
            self.add(&stream);
        }
        result.map(|(done, _)| Some(done))
    }
}

impl Upkeep {
    /// Notes what a stream needs after a change of its tail.
    pub(crate) fn look(&self, stream: &Arc<Stream>, tail: &Tail) {
        if !tail.runs.is_empty() {
            self.seal.add(stream);
        }
        if tail.is_over() {
            self.over.add(stream);
        }
    }

    /// Nobody waits for what the stream has to show any more.
    pub(crate) fn show_later(&self, stream: &Arc<Stream>) {
        self.show.add(stream);
    }

    /// There are rows to remove.
    pub(crate) fn sweep(&self) {
        self.swept.notify_one();
    }
}

/// Makes large rows of small ones.
pub(crate) struct Seal;

impl Work for Seal {
    fn name(&self) -> &'static str {
        "stream sealing"
    }

    async fn trigger(&self, live: &Live) {
        live.streams.upkeep.seal.added.notified().await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let frame = live.streams.upkeep.seal.with_one(|stream| seal::seal(live, stream))?;
        Ok(frame.map_or(Tick::DONE, |frame| Tick { more: true, frame }))
    }
}

/// Shows records whose appender went away before they were durable.
pub(crate) struct Show;

impl Work for Show {
    fn name(&self) -> &'static str {
        "stream herald"
    }

    async fn trigger(&self, live: &Live) {
        live.streams.upkeep.show.added.notified().await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let pile = &live.streams.upkeep.show;
        let hidden: Vec<_> = pile.take_all().into_iter().filter(|stream| !stream.show(&live.store)).collect();
        let frame = hidden.iter().map(|stream| stream.tail.lock().frame).max();
        hidden.iter().for_each(|stream| pile.add(stream));
        Ok(frame.map_or(Tick::DONE, |frame| Tick { more: true, frame }))
    }
}

/// Trims streams beyond their bounds by number and size.
pub(crate) struct Surplus;

impl Work for Surplus {
    fn name(&self) -> &'static str {
        "stream retention"
    }

    async fn trigger(&self, live: &Live) {
        live.clock.sleep(LOOK).await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let trim = |stream: &Arc<Stream>| Ok((trim::trim_surplus(live, stream)?, false));
        let frame = live.streams.upkeep.over.with_one(trim)?;
        Ok(frame.map_or(Tick::DONE, |frame| Tick { more: true, frame }))
    }
}

/// Seals and closes streams that nobody used for a while.
pub(crate) struct Idle;

impl Work for Idle {
    fn name(&self) -> &'static str {
        "idle streams"
    }

    async fn trigger(&self, live: &Live) {
        live.clock.sleep(IDLE).await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let streams = &live.streams;
        // Closed are those that were idle at the last look already.
        streams.close_idle(live, streams.count_open().saturating_sub(OPEN));
        for stream in streams.all_open() {
            if stream.was_touched() {
                continue;
            }
            stream.forget_row();
            let mut tail = stream.tail.lock();
            if tail.small.len() >= IDLE_ROWS {
                tail.close_run();
                streams.upkeep.look(&stream, &tail);
            }
        }
        Ok(Tick::DONE)
    }
}

/// Removes the rows of what was deleted or trimmed.
pub(crate) struct Sweep;

impl Work for Sweep {
    fn name(&self) -> &'static str {
        "stream sweep"
    }

    async fn trigger(&self, live: &Live) {
        live.streams.upkeep.swept.notified().await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let _gone = live.streams.gone.lock();
        let first = Range { from: Vec::new(), to: None, limit: 1, reverse: false };
        let Some((key, row)) = live.store.range(View::Latest, keys::STREAM_GONE, &first).rows.pop() else {
            return Ok(Tick::DONE);
        };
        let rows = remains(live, &key, &row)?;
        let decided = txn::decide(live, |txn| {
            txn.relief();
            rows.iter().for_each(|(table, row)| txn.delete(*table, row));
            if rows.is_empty() {
                txn.delete(keys::STREAM_GONE, &key);
            }
            Ok(())
        });
        Ok(Tick { more: true, frame: decided.into_frame()? })
    }
}

/// Some of the rows that a line of [`keys::STREAM_GONE`] speaks of.
fn remains(live: &Live, key: &Bytes, row: &Row) -> Result<Vec<(manifold_store::Table, Bytes)>> {
    let all = |table| {
        let range = Range { from: key.to_vec(), to: keys::prefix_end(key), limit: BATCH, reverse: false };
        let rows = live.store.range(View::Latest, table, &range).rows;
        rows.into_iter().map(move |(row, _)| (table, row))
    };
    let of_groups = [keys::STREAM_PENDING, keys::STREAM_CONSUMER];
    let of_streams = [keys::STREAM_RECORDS, keys::STREAM_GROUP, keys::STREAM_PENDING, keys::STREAM_CONSUMER];
    let Some(id) = keys::read_number(key) else {
        return Ok(of_groups.into_iter().flat_map(all).take(BATCH).collect());
    };
    match Number::read(row)? {
        Number(u64::MAX) => Ok(of_streams.into_iter().flat_map(all).take(BATCH).collect()),
        Number(before) => {
            let spans = Rows::new(live, View::Latest, id).first(before, BATCH)?;
            let old = spans.iter().filter(|span| span.end() <= before);
            let key = |first| Bytes::copy_from_slice(&keys::stream_records(id, first));
            Ok(old.map(|span| (keys::STREAM_RECORDS, key(span.first))).collect())
        }
    }
}
