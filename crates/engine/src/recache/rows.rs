//! The rows of queues, leases and dead letters.

use manifold_store::Row;
use sha2::{Digest, Sha256};

use super::{DeadLetter, DimensionId, Entry, HostId, Lease, Priority};
use crate::{
    Error, Result,
    codec::{Reader, put_bytes, put_varint},
    keys,
};

const ENCODING: u8 = 1;

/// What the head of the row of an entry that waits says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) due: u64,
    /// Attempts that failed before.
    pub(super) attempts: u32,
}

impl Waiting {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut head = vec![ENCODING];
        put_varint(&mut head, self.due);
        put_varint(&mut head, self.attempts.into());
        head
    }

    pub(super) fn read(row: &Row) -> Result<Self> {
        let read = |mut head: Reader<'_>| Some(Waiting { due: head.varint()?, attempts: attempts(&mut head)? });
        behind_encoding(row).and_then(read).ok_or_else(|| unreadable("an entry"))
    }
}

/// The key of the row of an entry that waits. A digest stands for the entry: keys are kept in memory, and addresses are
/// there already. Nobody finds two entries with one digest.
pub(super) fn entry_key(host: HostId, priority: Priority, entry: &Entry) -> EntryKey {
    let digest = Sha256::new().chain_update(entry.dimension.0.to_be_bytes()).chain_update(&*entry.url).finalize();
    let digest = digest.first_chunk().expect("a digest of SHA-256 is longer");
    keys::recache_entry(host.0, priority_byte(priority), *digest)
}

/// A key of [`entry_key`].
pub(super) type EntryKey = [u8; 9 + keys::RECACHE_DIGEST];

/// The body of the row of an entry that waits.
pub(super) fn entry_body(entry: &Entry) -> Vec<u8> {
    let mut body = Vec::with_capacity(entry.url.len() + 4);
    put_varint(&mut body, entry.dimension.0);
    body.extend_from_slice(entry.url.as_bytes());
    body
}

/// Reads what [`entry_body`] made.
pub(super) fn read_entry(row: &Row) -> Result<Entry> {
    let body = row.body()?;
    let read = |mut body: Reader<'_>| {
        let dimension = DimensionId(body.varint()?);
        Some(Entry { url: text(body.rest())?.into(), dimension })
    };
    read(Reader::new(&body)).ok_or_else(|| unreadable("an entry"))
}

/// The row of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leased {
    pub(super) lease: Lease,
    /// When it is tried again, after a failure.
    pub(super) ready_at: Option<u64>,
}

impl Leased {
    /// Its head. The body is the address.
    pub(super) fn head(&self) -> Vec<u8> {
        let Lease { host, priority, entry, due, attempts, .. } = &self.lease;
        let mut head = vec![ENCODING, priority_byte(*priority)];
        put_varint(&mut head, host.0);
        put_varint(&mut head, entry.dimension.0);
        put_varint(&mut head, *due);
        put_varint(&mut head, (*attempts).into());
        put_varint(&mut head, self.ready_at.map_or(0, |at| at.saturating_add(1)));
        head
    }

    pub(super) fn read(key: &[u8], row: &Row) -> Result<Self> {
        let url = text(row.body()?.as_ref()).ok_or_else(|| unreadable("a lease"))?.into();
        let read = |mut head: Reader<'_>| {
            let priority = read_priority(head.byte()?)?;
            let host = HostId(head.varint()?);
            let entry = Entry { url, dimension: DimensionId(head.varint()?) };
            let (due, attempts) = (head.varint()?, attempts(&mut head)?);
            let ready_at = head.varint()?.checked_sub(1);
            let id = keys::read_number(key)?;
            Some(Leased { lease: Lease { id, host, priority, entry, due, attempts }, ready_at })
        };
        behind_encoding(row).and_then(read).ok_or_else(|| unreadable("a lease"))
    }
}

impl DeadLetter {
    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = vec![ENCODING, priority_byte(self.priority)];
        put_varint(&mut head, self.entry.dimension.0);
        put_varint(&mut head, self.attempts.into());
        put_varint(&mut head, self.failed_at);
        head
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.entry.url.len() + self.reason.len() + 4);
        put_bytes(&mut body, self.entry.url.as_bytes());
        body.extend_from_slice(self.reason.as_bytes());
        body
    }

    pub(super) fn read(row: &Row) -> Result<Self> {
        let body = row.body()?;
        let read = |mut head: Reader<'_>| {
            let priority = read_priority(head.byte()?)?;
            let dimension = DimensionId(head.varint()?);
            let (attempts, failed_at) = (attempts(&mut head)?, head.varint()?);
            let mut body = Reader::new(&body);
            let entry = Entry { url: text(body.bytes()?)?.into(), dimension };
            Some(DeadLetter { entry, priority, attempts, reason: text(body.rest())?.to_owned(), failed_at })
        };
        behind_encoding(row).and_then(read).ok_or_else(|| unreadable("a dead letter"))
    }
}

/// The byte of a queue, in rows and their keys.
pub(super) fn priority_byte(priority: Priority) -> u8 {
    match priority {
        Priority::High => 1,
        Priority::Normal => 2,
        Priority::Autorecache => 3,
    }
}

/// Reads what [`priority_byte`] made.
pub(super) fn read_priority(byte: u8) -> Option<Priority> {
    Priority::ALL.into_iter().find(|priority| priority_byte(*priority) == byte)
}

/// A row of the model that does not say what its table promises.
pub(super) fn unreadable(what: &str) -> Error {
    Error::unreadable(&format!("{what} of pages to fetch anew"))
}

pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn behind_encoding(row: &Row) -> Option<Reader<'_>> {
    let mut head = Reader::new(row.head());
    (head.byte()? == ENCODING).then_some(head)
}

fn attempts(head: &mut Reader<'_>) -> Option<u32> {
    u32::try_from(head.varint()?).ok()
}
