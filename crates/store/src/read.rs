//! Rows, ranges and cuts.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::{
    Error, Seq, Table,
    log::{frame::PUT_HEADER, segment::Segment},
    shared::Shared,
    table::{Found, Key, SHARDS},
};

/// What a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Only what is durable at the configured level: what a client may be told.
    Durable,
    /// Everything committed: what a transaction decides on (its answer then waits for [`Row::seq`] to be durable).
    Latest,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    bytes: Option<Arc<[u8]>>,
    head_len: u16,
    body_len: u32,
    key_len: u16,
    seq: Seq,
    on_disk: Option<(Arc<Segment>, u32)>,
}

/// Shares a row's bytes as [`Bytes`] without copying them.
struct Shares(Arc<[u8]>);

impl AsRef<[u8]> for Shares {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Row {
    /// The head given to [`crate::Batch::put`].
    pub fn head(&self) -> &[u8] {
        self.bytes.as_ref().map_or(&[], |bytes| &bytes[..usize::from(self.head_len)])
    }

    /// Length of the body in bytes.
    pub fn body_len(&self) -> usize {
        self.body_len as usize
    }

    /// The body: shared when it is in memory, else one positioned read whose checksum is verified.
    ///
    /// # Errors
    /// [`Error::Read`] when the disk refuses or returns other bytes than were written.
    pub fn body(&self) -> Result<Bytes, Error> {
        if self.body_len == 0 {
            return Ok(Bytes::new());
        }
        match (&self.on_disk, &self.bytes) {
            (Some((segment, offset)), _) => self.read(segment, *offset),
            (None, Some(bytes)) => {
                let mut bytes = Bytes::from_owner(Shares(bytes.clone()));
                bytes.advance(usize::from(self.head_len));
                Ok(bytes)
            }
            (None, None) => Ok(Bytes::new()),
        }
    }

    /// The body where it is in memory; none = it has to be read with [`Row::body`].
    pub fn resident_body(&self) -> Option<&[u8]> {
        match (&self.on_disk, &self.bytes) {
            (None, Some(bytes)) => Some(&bytes[usize::from(self.head_len)..]),
            (None, None) => Some(&[]),
            (Some(_), _) => None,
        }
    }

    fn read(&self, segment: &Segment, offset: u32) -> Result<Bytes, Error> {
        let unreadable = |what: String| Error::Read(format!("{} at byte {offset}: {what}", segment.path.display()));
        // From the body's checksum to its end.
        let skip = PUT_HEADER - 4;
        let body_at = 4 + usize::from(self.key_len) + usize::from(self.head_len);
        let mut bytes = vec![0; body_at + self.body_len as usize];
        let got =
            segment.file.read_at(&mut bytes, u64::from(offset) + skip as u64).map_err(|e| unreadable(e.to_string()))?;
        if got < bytes.len() {
            return Err(unreadable("the file is too short".into()));
        }
        let crc = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if crc32c::crc32c(&bytes[body_at..]) != crc {
            return Err(unreadable("the row does not match its checksum".into()));
        }
        Ok(Bytes::from(bytes).slice(body_at..))
    }

    /// The frame that wrote the row (kept when cleaning moves it).
    pub fn seq(&self) -> Seq {
        self.seq
    }
}

/// What to read of a table.
#[derive(Debug, Clone)]
pub struct Range {
    /// First key, inclusive.
    pub from: Vec<u8>,
    /// End, exclusive; none = end of the table.
    pub to: Option<Vec<u8>>,
    /// Most rows of one chunk.
    pub limit: usize,
    /// From the end towards the start.
    pub reverse: bool,
}

/// A bounded piece of a range, in key order (or reverse).
#[derive(Debug, Default)]
pub struct Chunk {
    /// Keys (without the table number) and rows.
    pub rows: Vec<(Bytes, Row)>,
    /// Where to go on: the next `from` (or, reverse, the next `to`); none = the range is at its end.
    pub resume: Option<Vec<u8>>,
}

/// A cut at one frame: reads through it see that state however long they take. Holds old versions back while it lives.
#[derive(Debug)]
pub struct Snapshot {
    shared: Arc<Shared>,
    seq: Seq,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.shared.snapshots.close(self.seq);
    }
}

impl Snapshot {
    /// A durable cut; see [`crate::Store::snapshot`].
    pub(crate) fn durable<T>(shared: &Arc<Shared>, also: impl FnOnce() -> T) -> (Snapshot, T) {
        let publisher = shared.publisher.lock();
        let seq = shared.publisher.seq();
        shared.snapshots.open(seq);
        let also = also();
        drop(publisher);
        (Snapshot { shared: shared.clone(), seq }, also)
    }

    /// A cut of everything committed.
    pub(crate) fn latest(shared: &Arc<Shared>) -> Snapshot {
        let log = shared.log.lock();
        let seq = log.next_seq - 1;
        shared.snapshots.open(seq);
        drop(log);
        Snapshot { shared: shared.clone(), seq }
    }

    /// The frame of the cut.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// One row of the cut.
    pub fn get(&self, table: Table, key: &[u8]) -> Option<Row> {
        self.shared.get(table, key, || self.seq)
    }

    /// A chunk of the cut.
    pub fn range(&self, table: Table, range: &Range) -> Chunk {
        self.shared.range(table, range, self.seq)
    }
}

impl Shared {
    /// The row as a reader of frame `seq` sees it, who asks for the frame while the shard is locked: of an earlier durable
    /// frame the version may be forgotten by now.
    pub(crate) fn get(&self, table: Table, key: &[u8], seq: impl FnOnce() -> Seq) -> Option<Row> {
        with_full_key(table, key, |key| {
            let hash = self.index.hash(key);
            let shard = self.index.shard(hash);
            shard.get(hash, key, seq()).map(|found| self.row(found))
        })
    }

    /// Call it while the shard is locked: a segment is only forgotten when no shard points into it.
    fn row(&self, found: Found) -> Row {
        let Found { bytes, head_len, body_len, key_len, seq, place } = found;
        let on_disk = place.map(|place| {
            let segments = self.segments.read();
            let segment = segments.get(&place.segment).expect("a row's segment is kept while the row points into it");
            (segment.clone(), place.offset)
        });
        Row { bytes, head_len, body_len, key_len, seq, on_disk }
    }

    /// A chunk of an ordered table as a reader of frame `seq` sees it; somebody must hold that cut open.
    pub(crate) fn range(&self, table: Table, range: &Range, seq: Seq) -> Chunk {
        let Range { limit, reverse, .. } = *range;
        let limit = limit.max(1);
        let from = full_key(table, &range.from);
        let to = range.to.as_ref().map_or_else(|| vec![table.0 + 1], |to| full_key(table, to));
        // Keys are spread by hash: each shard holds about its share of the next `limit` keys.
        let share = limit.min(limit / SHARDS + limit / (SHARDS * 4) + 8);
        let mut rows: Vec<(Key, Row)> = Vec::with_capacity(share * SHARDS);
        let mut frontier: Option<Key> = None;
        for mut shard in self.index.shards() {
            let scan = shard.scan(&from, &to, reverse, share, seq, &self.index.keyring);
            rows.extend(scan.rows.into_iter().map(|(key, found)| (key, self.row(found))));
            frontier = match (frontier, scan.upto) {
                (Some(a), Some(b)) => Some(if reverse { a.max(b) } else { a.min(b) }),
                (a, b) => a.or(b),
            };
        }
        rows.sort_unstable_by(|(a, _), (b, _)| if reverse { b.cmp(a) } else { a.cmp(b) });
        if let Some(frontier) = &frontier {
            // Beyond it some shard may have keys that were not read yet.
            let known = rows.partition_point(|(key, _)| if reverse { key >= frontier } else { key <= frontier });
            rows.truncate(known);
        }
        let mut resume_at = frontier;
        if rows.len() > limit {
            rows.truncate(limit);
            resume_at = rows.last().map(|(key, _)| key.clone());
        }
        let resume = resume_at.map(|key| {
            let mut resume = key.bytes()[1..].to_vec();
            if !reverse {
                resume.push(0);
            }
            resume
        });
        let rows = rows.into_iter().map(|(key, row)| (Bytes::copy_from_slice(&key.bytes()[1..]), row)).collect();
        Chunk { rows, resume }
    }
}

fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(key.len() + 1);
    full.push(table.0);
    full.extend_from_slice(key);
    full
}

/// Calls `f` with table number and key in one slice, without an allocation for ordinary keys.
fn with_full_key<T>(table: Table, key: &[u8], f: impl FnOnce(&[u8]) -> T) -> T {
    let mut short = [0; 128];
    if key.len() < short.len() {
        short[0] = table.0;
        short[1..=key.len()].copy_from_slice(key);
        return f(&short[..=key.len()]);
    }
    f(&full_key(table, key))
}
