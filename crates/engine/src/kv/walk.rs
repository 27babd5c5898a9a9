//! Walking over the keys of one cut: a snapshot of the store, read in bounded chunks. It holds no lock and blocks no
//! writer; the store keeps the old versions it may still meet.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use manifold_store::{Range, Row, Snapshot};

use crate::{
    Error, Key, Namespace, Result, Timestamp, keys,
    kv::{Entry, row::Head},
    live::Live,
};

/// Most rows fetched from the store at once.
const ROWS: usize = 256;
/// A chunk handed out ends before it passes this many bytes of values, but holds at least one entry.
const CHUNK_BYTES: usize = 1 << 20;

/// The walk behind lists and scans.
#[derive(Debug)]
pub(crate) struct Walk {
    snapshot: Snapshot,
    head: u64,
    /// Deadlines are judged by the time of the cut: a key does not vanish in the middle of a walk.
    now: Timestamp,
    keys_only: bool,
    /// What is left to read from the store: ranges of row keys, first to last.
    ranges: VecDeque<(Vec<u8>, Option<Vec<u8>>)>,
    fetched: VecDeque<(Bytes, Row)>,
    prefix: Bytes,
}

/// What the next entry of a walk is, before its value is read.
pub(crate) struct Next {
    /// The length of the value it will have.
    pub(crate) value_bytes: usize,
}

impl Walk {
    /// Over the keys of one namespace that start with `prefix`.
    pub(crate) fn namespace(live: &Live, namespace: &Namespace, prefix: &Bytes, keys_only: bool) -> Self {
        let mut from = keys::kv_start(namespace).into_vec();
        from.extend_from_slice(prefix);
        let to = keys::prefix_end(&from);
        Self::new(live, [(from, to)].into(), Bytes::new(), keys_only)
    }

    /// Over the keys of all namespaces at or below `tree` that start with `prefix`.
    pub(crate) fn tree(live: &Live, tree: &[u8], prefix: Bytes, keys_only: bool) -> Self {
        let ranges = if tree.is_empty() {
            [(Vec::new(), None)].into()
        } else {
            // The namespace itself, then those below it: names with a byte less than `/` after the tree lie between.
            [0, b'/']
                .map(|next| {
                    let from = [tree, &[next]].concat();
                    let to = keys::prefix_end(&from);
                    (from, to)
                })
                .into()
        };
        Self::new(live, ranges, prefix, keys_only)
    }

    fn new(live: &Live, ranges: VecDeque<(Vec<u8>, Option<Vec<u8>>)>, prefix: Bytes, keys_only: bool) -> Self {
        let now = live.clock.now();
        let (snapshot, head) = live.store.snapshot(|| live.feed.published());
        Walk { snapshot, head, now, keys_only, ranges, fetched: VecDeque::new(), prefix }
    }

    /// Leaves out all row keys below `from`.
    pub(crate) fn skip_to(&mut self, from: Vec<u8>) {
        for (start, _) in &mut self.ranges {
            if *start < from {
                start.clone_from(&from);
            }
        }
    }

    /// The feed's head at the cut.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Looks at the next live entry; none at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<Next>> {
        loop {
            let Some((key, row)) = self.fetched.front() else {
                if !self.fetch() {
                    return Ok(None);
                }
                continue;
            };
            let wanted = Head::read(row)?.is_some_and(|head| head.is_live(|| self.now))
                && keys::split_kv(key).is_some_and(|(_, key)| key.starts_with(&self.prefix));
            if wanted {
                return Ok(Some(Next { value_bytes: if self.keys_only { 0 } else { row.body_len() } }));
            }
            self.fetched.pop_front();
        }
    }

    /// Takes what was peeked at.
    pub(crate) fn take(&mut self) -> Result<Option<(Namespace, Entry)>> {
        let Some((row_key, row)) = self.fetched.pop_front() else { return Ok(None) };
        let unreadable = || Error::unreadable("the key of an entry");
        let (namespace, key) = keys::split_kv(&row_key).ok_or_else(unreadable)?;
        let namespace = Namespace::new(row_key.slice_ref(namespace)).map_err(|_| unreadable())?;
        let key = Key::new(row_key.slice_ref(key)).map_err(|_| unreadable())?;
        let head = Head::read(&row)?.ok_or_else(|| Error::unreadable("an entry"))?;
        Ok(Some((namespace, head.entry(key, &row, self.keys_only)?)))
    }

    /// The next entries: none at the end, else one at least.
    fn chunk(&mut self) -> Result<Option<Vec<(Namespace, Entry)>>> {
        let mut entries = Vec::new();
        let mut bytes = 0usize;
        while entries.len() < ROWS {
            let Some(next) = self.peek()? else { break };
            bytes = bytes.saturating_add(next.value_bytes);
            if bytes > CHUNK_BYTES && !entries.is_empty() {
                break;
            }
            entries.extend(self.take()?);
        }
        Ok((!entries.is_empty()).then_some(entries))
    }

    /// Fetches more rows; false at the end.
    fn fetch(&mut self) -> bool {
        while let Some((from, to)) = self.ranges.pop_front() {
            if to.as_ref().is_some_and(|to| from >= *to) {
                continue;
            }
            let chunk = self.snapshot.range(keys::KV, &Range { from, to: to.clone(), limit: ROWS, reverse: false });
            if let Some(resume) = chunk.resume {
                self.ranges.push_front((resume, to));
            }
            if !chunk.rows.is_empty() {
                self.fetched.extend(chunk.rows);
                return true;
            }
        }
        false
    }
}

/// A walk over all live keys of a namespace as they were at one instant; it holds no lock and blocks no writer.
#[derive(Debug)]
pub struct Scan(Walk);

impl Scan {
    pub(crate) fn new(live: &Arc<Live>, namespace: &Namespace, prefix: &[u8], keys_only: bool) -> Self {
        Scan(Walk::namespace(live, namespace, &Bytes::copy_from_slice(prefix), keys_only))
    }
    /// The feed's head at that instant.
    pub fn head(&self) -> u64 {
        self.0.head
    }
    /// The next entries (some hundred, about 1 MiB at most unless one is larger); none = the end.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<Entry>>> {
        Ok(self.0.chunk()?.map(|chunk| chunk.into_iter().map(|(_, entry)| entry).collect()))
    }
}

/// As [`Scan`], over a tree of namespaces.
#[derive(Debug)]
pub struct TreeScan(Walk);

impl TreeScan {
    pub(crate) fn new(live: &Arc<Live>, tree: &[u8], prefix: &[u8], keys_only: bool) -> Self {
        TreeScan(Walk::tree(live, tree, Bytes::copy_from_slice(prefix), keys_only))
    }
    /// The feed's head at that instant.
    pub fn head(&self) -> u64 {
        self.0.head
    }
    /// The next entries with their namespaces, in byte order of namespace, then key; none = the end.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<(Namespace, Entry)>>> {
        self.0.chunk()
    }
}
