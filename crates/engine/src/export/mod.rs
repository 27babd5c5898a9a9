//! Everything that clients keep, as lines of JSON that people and other programs can read, and back again.
//!
//! An export is one cut of the log, read while others write: each feature says with its own rows what it holds
//! (`walk.rs` calls them one after the other), and lines are made a piece at a time for whoever takes them. An import
//! gives lines to the same features, which write them through the one door as they write everything, a bounded number in
//! a commit; a row beside them says how far it came, so that it goes on where it was interrupted.
//!
//! What is exported, what is not and why is a table in `docs/export-format.md`, which also describes the lines.

mod file;
mod import;
mod line;
mod mark;
pub(crate) mod record;
mod sink;
pub(crate) mod text;
mod walk;

#[cfg(test)]
mod tests;

pub use file::{Counts, FileError, FileReader, Numbered, Piece, Refuse, longest_line, longest_piece, read_records};
pub use import::{Import, ImportError, Imported};
pub use line::{Header, Record, Trailer};
pub(crate) use mark::How;
pub(crate) use sink::Sink;
pub(crate) use walk::Cut;
pub use walk::Export;

use crate::{Error, Kind, Namespace, Result, Timestamp};

/// What lines are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Namespaces.
    Namespace,
    /// Keys with values.
    Kv,
    /// Keys with hashes.
    Hash,
    /// Keys with lists.
    List,
    /// Keys with sets.
    Set,
    /// Keys with sorted sets.
    SortedSet,
    /// Queues.
    Queue,
    /// Streams.
    Stream,
    /// Time series.
    Series,
    /// Pages to fetch anew.
    Recache,
    /// Documents.
    Document,
    /// Registered connections to other databases, which are secrets.
    Connector,
}

impl Section {
    /// All of them but namespaces, which go along with whatever lies in them.
    pub const ALL: [Section; 11] = [
        Section::Kv,
        Section::Hash,
        Section::List,
        Section::Set,
        Section::SortedSet,
        Section::Queue,
        Section::Stream,
        Section::Series,
        Section::Recache,
        Section::Document,
        Section::Connector,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Namespace => "namespace",
            Section::Kv => "kv",
            Section::Hash => "hash",
            Section::List => "list",
            Section::Set => "set",
            Section::SortedSet => "sorted_set",
            Section::Queue => "queue",
            Section::Stream => "stream",
            Section::Series => "series",
            Section::Recache => "recache",
            Section::Document => "document",
            Section::Connector => "connector",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|section| section.as_str() == name)
    }

    /// Whether what it is about lies in namespaces.
    fn has_namespaces(self) -> bool {
        !matches!(self, Section::Recache | Section::Document | Section::Connector)
    }
}

/// What to export.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these; none = all.
    pub only: Option<Vec<Section>>,
    /// Only what lies in this namespace.
    pub namespace: Option<Namespace>,
    /// Secrets too.
    pub secrets: bool,
}

impl Selection {
    pub(crate) fn wants(&self, section: Section) -> bool {
        (section == Section::Namespace || self.only.as_ref().is_none_or(|only| only.contains(&section)))
            && (self.namespace.is_none() || section.has_namespaces())
            && (self.secrets || section != Section::Connector)
    }
}

/// What an import does with what is there already. Values, letters, records of pages, documents and connections that are
/// there exactly as a line says are left alone by all of them; collections, queues and streams are not compared, and
/// points are written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Nothing is changed, and the import ends.
    #[default]
    Fail,
    /// It stays.
    Skip,
    /// It is replaced.
    Replace,
}

impl OnConflict {
    /// The one of this name.
    pub fn named(name: &str) -> Option<OnConflict> {
        Some(match name {
            "fail" => OnConflict::Fail,
            "skip" => OnConflict::Skip,
            "replace" => OnConflict::Replace,
            _ => return None,
        })
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            OnConflict::Fail => "fail",
            OnConflict::Skip => "skip",
            OnConflict::Replace => "replace",
        }
    }

    /// What becomes of a line whose place is taken: whether it is written all the same.
    pub(crate) fn decide(self, taken: impl FnOnce() -> String) -> Result<bool> {
        match self {
            OnConflict::Fail => Err(Error::conflict(0, taken())),
            OnConflict::Skip => Ok(false),
            OnConflict::Replace => Ok(true),
        }
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// It was written.
    Written,
    /// It is there already, exactly so.
    Same,
    /// Something else is there, and stays.
    Skipped,
    /// Its time is over.
    Expired,
}

/// The greatest number that counts something, or is given out: all JSON readers know it exactly, and nothing that is
/// added to it overflows.
const COUNT_MAX: u64 = 1 << 53;

/// A number from a line that others will be counted on from.
pub(crate) fn count(number: u64) -> Result<u64> {
    if number <= COUNT_MAX {
        return Ok(number);
    }
    Err(Error::new(Kind::Invalid, format!("{number} is more than anything has been counted to")))
}

/// An instant from a line.
pub(crate) fn time(ms: u64) -> Result<Timestamp> {
    if ms < u64::MAX {
        return Ok(Timestamp(ms));
    }
    Err(Error::new(Kind::Invalid, format!("{ms} is no time in milliseconds")))
}
