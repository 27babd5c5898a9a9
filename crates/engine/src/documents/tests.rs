//! The harness: documents in a file of their own, on a manual clock.

use std::path::{Path, PathBuf};

use manifold_store::Level;
use tempfile::TempDir;

use super::*;
use crate::{Clock, Timestamp};

mod check;
mod file;
mod model;
mod reading;
mod verbs;
mod writing;

const START: Timestamp = Timestamp(1_700_000_000_000);

struct House {
    documents: Documents,
    clock: Clock,
    dir: TempDir,
}

impl House {
    fn new() -> House {
        House::at(Level::Always)
    }

    fn at(level: Level) -> House {
        let (dir, clock) = (tempfile::tempdir().expect("a directory"), Clock::manual(START));
        let documents = open(&file(dir.path()), level, &clock);
        House { documents, clock, dir }
    }

    fn path(&self) -> PathBuf {
        file(self.dir.path())
    }

    async fn reopen(&mut self) {
        self.documents.close().await;
        self.documents = open(&self.path(), Level::Always, &self.clock);
    }

    async fn set(&self, space: &str, sets: impl IntoIterator<Item = DocumentSet>) {
        self.documents.set(named(space), sets.into_iter().collect()).await.expect("a write");
    }

    async fn get(&self, space: &str, key: &str) -> Option<Document> {
        self.documents.get(named(space), key.to_owned()).await.expect("a read")
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("below").join("documents.db")
}

fn open(path: &Path, level: Level, clock: &Clock) -> Documents {
    Documents::open(path, DocumentsOptions { level, clock: clock.clone() }).expect("a database")
}

fn named(space: &str) -> Space {
    Space::new(space).expect("a free name")
}

fn put(key: &str, value: &str) -> DocumentSet {
    DocumentSet { key: key.to_owned(), value: value.to_owned(), ttl_ms: 0, tags: Vec::new() }
}

impl DocumentSet {
    fn tagged(self, tags: &[&str]) -> Self {
        DocumentSet { tags: strings(tags), ..self }
    }

    fn living(self, ttl_ms: u64) -> Self {
        DocumentSet { ttl_ms, ..self }
    }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Every document in a space, by key.
fn everything(within: Within) -> DocumentQuery {
    DocumentQuery {
        within,
        prefix: String::new(),
        tags: Vec::new(),
        order: DocumentOrder::Key,
        descending: false,
        offset: 0,
        limit: 10_000,
    }
}

/// All pieces of an answer.
async fn whole<T>(pieces: impl Future<Output = crate::Result<Pieces<T>>>) -> Vec<T> {
    let mut pieces = pieces.await.expect("an answer");
    let mut all = Vec::new();
    loop {
        let piece = pieces.next().await.expect("a piece");
        all.extend(piece.items);
        if piece.last {
            return all;
        }
    }
}
