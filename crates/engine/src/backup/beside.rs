//! What is kept beside the log and goes along: how it holds still, and what it consists of.

use std::{
    fmt,
    future::Future,
    io::Read,
    path::{Path, PathBuf},
    pin::Pin,
};

use super::{Elsewhere, Moment};
use crate::Result;

/// What something comes to a little later.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Files that somebody keeps beside the log.
pub trait Beside: fmt::Debug + Send + Sync {
    /// Where they are, and where they go.
    fn place(&self) -> &Place;

    /// Called on all before the first one holds: what takes its time and need not be of the moment itself.
    fn prepare(&self) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    /// Ends what is underway and lets nobody begin anything new until what comes back is cut or dropped. Between this and
    /// the cut only others hold.
    fn hold(&self) -> Soon<'_, Result<Box<dyn Held>>>;
}

/// Files that nobody changes just now.
pub trait Held: Send {
    /// Notes what there is at this moment and lets everybody go on. Must be short.
    fn cut(self: Box<Self>) -> Result<Box<dyn Entries>>;
}

/// Files as they were at a moment, however long ago that is now.
pub trait Entries: fmt::Debug + Send {
    /// Called once, when the log's part of the moment is durable. May block; `staging` is a directory for copies, gone
    /// with the backup.
    fn settle(&mut self, _moment: &Moment, _staging: &Path) -> Result<()> {
        Ok(())
    }

    /// The next file; none when that was the last one. May block.
    fn next(&mut self) -> Result<Option<Entry>>;
}

/// A file of a backup.
pub struct Entry {
    /// Its path in the backup.
    pub name: String,
    /// Who may read it.
    pub mode: Mode,
    /// Its length.
    pub len: u64,
    /// At least so many bytes.
    pub content: Box<dyn Read + Send>,
}

/// Who may read a file once it is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The process's user.
    Private,
    /// Others too.
    Shared,
}

/// Where files are, and where they go in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where they are: a file, or a directory.
    pub path: PathBuf,
    /// The same below the backup's root.
    pub name: String,
    outside: bool,
}

impl Place {
    /// Files below the data directory keep their place in it; others are found at `usual` in a backup.
    pub fn new(data_dir: &Path, path: &Path, usual: &str) -> Place {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (data_dir, path) = (absolute(data_dir), absolute(path));
        let inside = path.strip_prefix(&data_dir).ok().and_then(Path::to_str).filter(|name| super::archive::fits(name));
        Place { name: inside.unwrap_or(usual).to_owned(), outside: inside.is_none(), path }
    }

    pub(super) fn elsewhere(&self) -> Option<Elsewhere> {
        self.outside.then(|| Elsewhere { name: self.name.clone(), path: self.path.display().to_string() })
    }
}
