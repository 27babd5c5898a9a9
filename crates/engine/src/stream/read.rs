//! Reading a stream from an offset onwards, in bounded pieces; and the page that is made of them.

use std::sync::Arc;

use bytes::Bytes;
use manifold_store::{Chunk, Range, Row, Store, View};

use crate::{
    Error, Name, Namespace, Result, Timestamp, keys,
    live::Live,
    stream::{
        Record, StreamPage, StreamRead, StreamStart,
        open::absent,
        row::{Span, SpanReader, size_bytes},
        state::{Bounds, Stream},
    },
};

/// The rows of a stream's records.
pub(crate) struct Rows<'a> {
    store: &'a Store,
    view: View,
    id: u64,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(live: &'a Live, view: View, id: u64) -> Self {
        Rows { store: &live.store, view, id }
    }

    /// The last rows whose keys are below `to` (none = the newest), newest first.
    pub(crate) fn before(&self, to: Option<Vec<u8>>, limit: usize) -> Chunk {
        let to = to.or_else(|| keys::prefix_end(&self.id.to_be_bytes()));
        let range = Range { from: keys::stream_records(self.id, 0).to_vec(), to, limit, reverse: true };
        self.store.range(self.view, keys::STREAM_RECORDS, &range)
    }

    /// The first rows, at most those that begin below `offset`.
    pub(crate) fn first(&self, offset: u64, limit: usize) -> Result<Vec<Span>> {
        let key = |offset| keys::stream_records(self.id, offset).to_vec();
        let range = Range { from: key(0), to: Some(key(offset)), limit, reverse: false };
        let rows = self.store.range(self.view, keys::STREAM_RECORDS, &range).rows;
        rows.iter().map(|(key, row)| Span::read(key, row)).collect()
    }

    /// The row that holds the record of an offset.
    pub(crate) fn at(&self, offset: u64) -> Result<Option<(Span, Row)>> {
        // No record has the last number, so the one after it exists.
        let to = keys::stream_records(self.id, offset.saturating_add(1)).to_vec();
        let Some((key, row)) = self.before(Some(to), 1).rows.pop() else { return Ok(None) };
        let span = Span::read(&key, &row)?;
        Ok((offset < span.end()).then_some((span, row)))
    }

    /// The offset of the first record at or after `at`, the end when there is none. Only the row in which it lies is
    /// read; the others are told by their heads.
    pub(crate) fn since(&self, bounds: Bounds, at: Timestamp) -> Result<u64> {
        let Bounds { first: mut low, end: mut high } = bounds;
        while low < high {
            let middle = low + (high - low) / 2;
            let Some((span, row)) = self.at(middle)? else {
                // Trimmed meanwhile: what is earlier is gone too.
                low = middle + 1;
                continue;
            };
            if span.last_at < at {
                low = span.end();
            } else if span.first_at >= at {
                high = span.first.max(low);
            } else {
                let body = row.body()?;
                let mut records = SpanReader::new(&span, &body);
                while let Some(record) = records.next()? {
                    if record.at >= at {
                        return Ok(record.offset.clamp(bounds.first, bounds.end));
                    }
                }
                low = span.end();
            }
        }
        Ok(low.clamp(bounds.first, bounds.end))
    }
}

/// What a reader still takes. The first record is given however large it is: else a reader would never get past it.
#[derive(Debug)]
pub(crate) struct Room {
    records: usize,
    bytes: usize,
    untouched: bool,
}

impl Room {
    /// So many records (one at least), and so many bytes of them.
    pub(crate) fn new(records: usize, bytes: usize) -> Self {
        Room { records: records.max(1), bytes, untouched: true }
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.records == 0 || (self.bytes == 0 && !self.untouched)
    }

    /// Takes the record if there is room for it.
    pub(crate) fn take(&mut self, record: &Record) -> bool {
        let size = size_bytes(record);
        if self.records == 0 || (size > self.bytes && !self.untouched) {
            return false;
        }
        self.records -= 1;
        self.bytes = self.bytes.saturating_sub(size);
        self.untouched = false;
        true
    }
}

impl Stream {
    /// The offset at which a reader starts.
    pub(crate) fn start(&self, live: &Live, start: StreamStart) -> Result<u64> {
        let bounds = self.bounds(&live.store);
        Ok(match start {
            StreamStart::First => bounds.first,
            StreamStart::End => bounds.end,
            StreamStart::Offset(offset) => offset.max(bounds.first),
            StreamStart::Last(records) => bounds.end.saturating_sub(records).max(bounds.first),
            StreamStart::Since(at) => match self.newest_since(at) {
                Some(offset) => offset.clamp(bounds.first, bounds.end),
                None => Rows::new(live, View::Durable, self.id).since(bounds, at)?,
            },
        })
    }

    /// The records from `offset` on, as many as there are and there is room for; none when the offset is not within the
    /// bounds, or no longer.
    pub(crate) fn records(&self, live: &Live, offset: u64, room: &mut Room) -> Result<Vec<Arc<Record>>> {
        let rows = Rows::new(live, View::Durable, self.id);
        let mut found: Vec<Arc<Record>> = Vec::new();
        loop {
            let next = offset + found.len() as u64;
            let Bounds { first, end } = self.bounds(&live.store);
            if next < first || next >= end {
                return Ok(found);
            }
            let mut full = false;
            let mut take = |record: &Arc<Record>| {
                full = !room.take(record);
                if !full {
                    found.push(record.clone());
                }
                !full
            };
            if self.newest(next, &mut take) {
                return Ok(found);
            }
            let row = match self.row_read_last(next) {
                Some(row) => row,
                None => match rows.at(next)? {
                    Some((span, row)) => (span, row.body()?),
                    // Trimmed while we read: what we have is whole, what follows is gone.
                    None if self.bounds(&live.store).first > next || self.is_deleted() => return Ok(found),
                    None => return Err(Error::unreadable(&format!("the row of record {next} of a stream"))),
                },
            };
            read_row(&row.0, &row.1, next, end, &mut take)?;
            self.keep_row(row);
            if full {
                return Ok(found);
            }
        }
    }
}

/// Finds single records; offsets that lie in one row cost one read.
pub(crate) struct Finder<'a> {
    live: &'a Live,
    stream: &'a Stream,
    row: Option<(Span, Bytes)>,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(live: &'a Live, stream: &'a Stream) -> Self {
        Finder { live, stream, row: None }
    }

    /// The record of an offset within the bounds; none when it was trimmed.
    pub(crate) fn get(&mut self, offset: u64) -> Result<Option<Arc<Record>>> {
        let mut found = None;
        let mut take = |record: &Arc<Record>| {
            found = Some(record.clone());
            false
        };
        if self.stream.newest(offset, &mut take) {
            return Ok(found);
        }
        if !self.row.as_ref().is_some_and(|(span, _)| (span.first..span.end()).contains(&offset)) {
            let row = Rows::new(self.live, View::Durable, self.stream.id).at(offset)?;
            self.row = row.map(|(span, row)| Ok::<_, Error>((span, row.body()?))).transpose()?;
        }
        let Some((span, body)) = &self.row else { return Ok(None) };
        let mut records = SpanReader::new(span, body);
        records.skip_to(offset)?;
        records.next()
    }
}

fn read_row(span: &Span, body: &Bytes, from: u64, end: u64, take: &mut impl FnMut(&Arc<Record>) -> bool) -> Result<()> {
    let mut records = SpanReader::new(span, body);
    records.skip_to(from)?;
    while let Some(record) = records.next()? {
        if record.offset >= end || !take(&record) {
            break;
        }
    }
    Ok(())
}

/// Reads the page that `read` asks for.
pub(crate) async fn page(live: &Live, namespace: &Namespace, name: &Name, read: &StreamRead) -> Result<StreamPage> {
    let key = keys::stream(namespace, name);
    // Seen before the look: what comes while we look wakes us.
    let mut created = live.streams.subscribe();
    let look = look(live, &key, read).await?;
    let found = look.as_ref().is_some_and(|look| !look.page.records.is_empty());
    let Some(wait) = read.wait.filter(|_| !found) else {
        return match look {
            Some(look) => Ok(look.page),
            None => Err(absent(live, &key, name).await?),
        };
    };
    let mut last = look;
    let records = async {
        loop {
            let news = async {
                match &mut last {
                    Some(look) => look.moved.changed().await.is_ok(),
                    None => created.changed().await.is_ok(),
                }
            };
            if live.unless_stopped(news).await.is_none() {
                return Ok::<(), Error>(());
            }
            last = self::look(live, &key, read).await?;
            if last.as_ref().is_some_and(|look| !look.page.records.is_empty()) {
                return Ok(());
            }
        }
    };
    live.clock.timeout(wait, records).await.unwrap_or(Ok(()))?;
    match last {
        Some(look) => Ok(look.page),
        None => Err(absent(live, &key, name).await?),
    }
}

/// What a look at a stream gave, and how to learn that another one may give more.
struct Look {
    page: StreamPage,
    moved: tokio::sync::watch::Receiver<()>,
}

async fn look(live: &Live, key: &[u8], read: &StreamRead) -> Result<Option<Look>> {
    let Some(stream) = live.streams.find(live, key)? else { return Ok(None) };
    live.store.durable(stream.born).await?;
    let moved = stream.subscribe();
    let next = stream.start(live, read.start)?;
    let records = stream.records(live, next, &mut Room::new(read.limit, read.max_bytes))?;
    let Bounds { first, end } = stream.bounds(&live.store);
    let next = records.last().map_or(next.max(first), |last| last.offset + 1);
    Ok(Some(Look { page: StreamPage { records, next, first, end, generation: stream.id }, moved }))
}
