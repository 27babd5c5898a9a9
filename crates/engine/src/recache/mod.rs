//! Pages that are to be fetched anew: queues ordered by due time, leases on what was taken from them, dead letters, and
//! records of the pages that are stored.
//!
//! Times here are whole seconds since 1970, because members of the queues and records travel with such times.

use std::{fmt, sync::Arc};

mod entry;
mod export;
mod files;
mod hosts;
mod leases;
mod letters;
mod load;
mod order;
mod queues;
mod record_row;
mod records;
mod restore;
mod rows;
mod step;
mod verbs;

#[cfg(test)]
mod tests;

pub use entry::write_escaped;
pub(crate) use export::export;
pub(crate) use hosts::Recache;
pub(crate) use records::{expire, file_of};
pub(crate) use restore::{has, restore};

/// A site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u64);

/// A variant of a site's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DimensionId(pub u64);

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DimensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The queues of a host, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody waits for it.
    High,
    /// It should be done soon.
    Normal,
    /// Visitors asked for the page, so it is kept fresh.
    Autorecache,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Autorecache];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Priority::High => "high",
            Priority::Normal => "normal",
            Priority::Autorecache => "autorecache",
        }
    }
}

/// What waits in a queue of a host: a page in one of its variants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The page's address in normal form.
    pub url: Arc<str>,
    /// The variant.
    pub dimension: DimensionId,
}

/// Puts entries into one queue of a host. One that is there already gets the new due time, and its attempts are
/// forgotten.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// The host.
    pub host: HostId,
    /// The queue.
    pub priority: Priority,
    /// May hold an entry twice.
    pub entries: Vec<Entry>,
    /// When they are due.
    pub due: u64,
    /// Most entries the queue may have afterwards; 0 = no limit.
    pub most: u64,
}

/// Takes entries that are due from one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pull {
    /// The host.
    pub host: HostId,
    /// The queue.
    pub priority: Priority,
    /// Most entries to take.
    pub most: usize,
}

/// An entry that was taken from its queue and not yet brought to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What the home knows it by.
    pub id: u64,
    /// The host.
    pub host: HostId,
    /// The queue it came from.
    pub priority: Priority,
    /// What was taken.
    pub entry: Entry,
    /// When it was due.
    pub due: u64,
    /// Attempts that failed before.
    pub attempts: u32,
}

/// What a [`Pull`] took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// What was asked for.
    pub pull: Pull,
    /// By due time, then by the bytes of members; at most as many as asked for.
    pub leases: Vec<Lease>,
    /// Whether entries that are due are left.
    pub due_left: bool,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// All entries.
    pub total: u64,
    /// Those that are due.
    pub due: u64,
}

/// An entry as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// What waits.
    pub entry: Entry,
    /// In which queue.
    pub priority: Priority,
    /// When it is due.
    pub due: u64,
}

/// An entry that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// What was given up.
    pub entry: Entry,
    /// The queue it came from.
    pub priority: Priority,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed at last.
    pub reason: String,
    /// When.
    pub failed_at: u64,
}

/// Which stored page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageKey {
    /// The host.
    pub host: HostId,
    /// The variant.
    pub dimension: DimensionId,
    /// XXH64 of the address in normal form.
    pub hash: u64,
}

/// What is known of a stored page. In a home that others write too, anything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The page's address in normal form.
    pub url: String,
    /// Where its body is, below the directory of pages; empty = it has none.
    pub file_path: String,
    /// The variant's name when it was stored.
    pub dimension: String,
    /// Which request stored it.
    pub request_id: String,
    /// When it was stored.
    pub created_at: Option<i64>,
    /// When it stops being fresh.
    pub expires_at: Option<i64>,
    /// When it was last served.
    pub last_access: Option<i64>,
    /// Bytes of the body.
    pub size: Option<u64>,
    /// Bytes of the file.
    pub disk_size: Option<u64>,
    /// What made it: `render` or `bypass`.
    pub source: String,
    /// The origin's status.
    pub status_code: Option<u16>,
    /// The origin's headers that are kept.
    pub headers: Vec<(String, Vec<String>)>,
    /// The gateways that have it, joined by commas.
    pub eg_ids: String,
    /// When a bot last asked for it.
    pub last_bot_hit: Option<i64>,
    /// Whether search engines may list it: 1 to 4.
    pub index_status: Option<u8>,
    /// What the page calls itself.
    pub title: String,
}

/// Some records of a host, and behind which variant and hash the next ones are; none at the end.
pub type RecordPage = (Vec<(PageKey, Record)>, Option<(DimensionId, u64)>);

/// Which records of a host to forget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these variants; none = all, known or not.
    pub dimensions: Option<Vec<DimensionId>>,
    /// Only addresses that begin with these bytes.
    pub prefix: Option<String>,
}

/// A visit that may keep a page fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotHit {
    /// The page.
    pub key: PageKey,
    /// Its entry.
    pub entry: Entry,
    /// When the visit was.
    pub at: u64,
    /// When the page should be fetched anew.
    pub due: u64,
    /// Most entries the queue may have; 0 = no limit.
    pub most: u64,
}

/// What became of a [`BotHit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheduled {
    /// It was not queued, and is now.
    Added,
    /// It was queued for later than it is now.
    Earlier,
    /// It is due no later anyway.
    Unchanged,
}
