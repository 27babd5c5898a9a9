//! Files of records that are no more: which of them are for removal, and when.

use std::collections::BTreeMap;

use manifold_store::{Range, Row, View};

use super::{
    HostId,
    rows::unreadable,
    step::{self, Step},
};
use crate::{
    Result,
    codec::{Reader, put_varint},
    keys,
    live::Live,
};

const ENCODING: u8 = 1;

/// A file for removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Noted {
    /// The host whose page it had.
    host: HostId,
    /// The second from which on it is for removal.
    at: u64,
}

impl Noted {
    fn encode(self) -> Vec<u8> {
        let mut head = vec![ENCODING];
        put_varint(&mut head, self.host.0);
        put_varint(&mut head, self.at);
        head
    }

    fn read(row: &Row) -> Result<Self> {
        let read = |mut head: Reader<'_>| {
            (head.byte()? == ENCODING).then_some(())?;
            Some(Noted { host: HostId(head.varint()?), at: head.varint()? })
        };
        read(Reader::new(row.head())).ok_or_else(|| unreadable("a file"))
    }
}

impl Step<'_, '_> {
    /// Notes that a file of a host is for removal; an empty path is none.
    pub(super) fn note_file(&mut self, host: HostId, path: &str, at: u64) -> Result<()> {
        if path.is_empty() {
            return Ok(());
        }
        self.keep_file(path)?;
        self.txn.put(keys::RECACHE_FILE, path.as_bytes(), &Noted { host, at }.encode(), &[]);
        self.txn.put(keys::RECACHE_FILE_ORDER, &keys::recache_file_order(at, path), &[], &[]);
        Ok(())
    }

    /// Notes that a file is not for removal.
    pub(super) fn keep_file(&mut self, path: &str) -> Result<()> {
        if let Some(noted) = self.noted(path)? {
            self.txn.delete(keys::RECACHE_FILE, path.as_bytes());
            self.txn.delete(keys::RECACHE_FILE_ORDER, &keys::recache_file_order(noted.at, path));
        }
        Ok(())
    }

    fn noted(&mut self, path: &str) -> Result<Option<Noted>> {
        self.txn.get(keys::RECACHE_FILE, path.as_bytes()).as_ref().map(Noted::read).transpose()
    }
}

/// Files for removal at `now`, those first that have been so for longest.
pub(super) fn removable(live: &Live, now: u64, most: usize) -> Result<Vec<String>> {
    let to = now.checked_add(1).map(|end| keys::number(end).to_vec());
    let mut paths = Vec::new();
    let mut next = Some(Vec::new());
    while let Some(from) = next.filter(|_| paths.len() < most) {
        let range = Range { from, to: to.clone(), limit: most - paths.len(), reverse: false };
        let chunk = live.store.range(View::Durable, keys::RECACHE_FILE_ORDER, &range);
        for (key, _) in &chunk.rows {
            paths.push(keys::read_recache_file_path(key).ok_or_else(|| unreadable("a file"))?.to_owned());
        }
        next = chunk.resume;
    }
    Ok(paths)
}

/// Says that files are removed. One that is for removal only later was written again meanwhile: it stays noted.
pub(super) async fn removed(live: &Live, files: &[String]) -> Result<()> {
    let now = live.clock.now().0 / 1000;
    let mut hosts: BTreeMap<HostId, Vec<&String>> = BTreeMap::new();
    for file in files {
        if let Some(row) = live.store.get(View::Latest, keys::RECACHE_FILE, file.as_bytes()) {
            hosts.entry(Noted::read(&row)?.host).or_default().push(file);
        }
    }
    step::change(live, hosts.keys().copied(), |step| {
        step.txn.relief();
        for (host, files) in &hosts {
            for file in files {
                if step.noted(file)?.is_some_and(|noted| noted.host == *host && noted.at <= now) {
                    step.keep_file(file)?;
                }
            }
        }
        Ok(())
    })
    .await
}
