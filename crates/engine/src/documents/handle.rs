//! The handle: one method per verb.

use std::{path::Path, sync::Arc};

use manifold_store::{Level, OpenError};
use rusqlite::Connection;

use super::{
    Document, DocumentKeys, DocumentQuery, DocumentSet, DocumentStats, Sought, Space, Within, delete, get, keys,
    log::Log,
    open::{self, Identity, Place},
    pieces::{Pieces, Sink},
    purge, query,
    readers::{Length, Readers},
    set, stats,
    tx::{self, Tx},
    writer::Writer,
};
use crate::{Clock, Error, Kind, Result};

/// How documents are opened.
#[derive(Debug, Clone)]
pub struct DocumentsOptions {
    /// Durability of every acknowledgement: the full one syncs before it, the others leave it to the system and to
    /// SQLite's checkpoints.
    pub level: Level,
    /// Where time comes from.
    pub clock: Clock,
}

impl Default for DocumentsOptions {
    fn default() -> Self {
        DocumentsOptions { level: Level::Always, clock: Clock::system() }
    }
}

/// The handle. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Documents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    writer: Writer,
    /// None in memory, where all there is belongs to one connection: its reads stand in line with the writes.
    readers: Option<Readers>,
    /// Which file was opened, whatever is at its path later.
    identity: Option<Identity>,
    clock: Clock,
}

impl Documents {
    /// Opens a file, or makes one that only its owner can read, with its directories; `:memory:` stands for none. Call it
    /// where blocking is allowed. The error is one sentence that names the file.
    pub fn open(path: &Path, options: DocumentsOptions) -> Result<Documents, OpenError> {
        let DocumentsOptions { level, clock } = options;
        let place = Place::new(path)?;
        let conn = open::writer(&place, level)?;
        let (readers, log) = match &place {
            Place::File(path) => {
                let readers = Readers::open(path, clock.clone()).map_err(|error| open::refuse(path, &error))?;
                (Some(readers), Some(Log::of(path)))
            }
            Place::Memory => (None, None),
        };
        let identity = match &place {
            Place::File(path) => {
                Some(open::identity(path).map_err(|source| OpenError::Io { path: path.clone(), source })?)
            }
            Place::Memory => None,
        };
        let writer = Writer::start(conn, log, clock.clone());
        let writer = writer.map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Documents(Arc::new(Inner { place, writer, readers, identity, clock })))
    }

    /// Ends reads, finishes what was to be written, and closes the file. What comes later is refused with `Closed`.
    pub async fn close(&self) {
        if let Some(readers) = &self.0.readers {
            readers.close().await;
        }
        // Last, so that nobody else has the file open: then SQLite moves everything into it and removes its log.
        self.0.writer.stop().await;
    }

    /// The absolute path of the file, if there is one. SQLite has files beside it, whose names begin with this one's.
    pub fn path(&self) -> Option<&Path> {
        match &self.0.place {
            Place::File(path) => Some(path),
            Place::Memory => None,
        }
    }

    /// Whether the file is still there, is the one that was opened, and can be read: opens it once more, because a connection that is open would go on
    /// with what it remembers.
    pub async fn check(&self) -> Result<()> {
        const LOOK: &str = "SELECT count(*) FROM (SELECT 1 FROM kv LIMIT 1)";
        let look = |conn: &Connection| Ok(conn.query_row(LOOK, [], |_| Ok(()))?);
        let Place::File(path) = self.0.place.clone() else { return self.read(move |tx| look(&tx)).await };
        let opened = self.0.identity;
        // As a read, so that it is one of those that closing waits for.
        self.read(move |_| {
            look(&open::reader(&path)?)?;
            // One that took its place is no help: what is written goes to the one that was opened.
            if open::identity(&path).ok() == opened {
                Ok(())
            } else {
                Err(Error::new(Kind::Storage, "the database file is another one than was opened"))
            }
        })
        .await
    }

    /// What a step comes to, committed together with others that wait. `Err` takes back what the step did.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.writer.write(step).await
    }

    /// The same for a step that nobody waits for; refused when much is waiting already.
    pub(crate) fn write_later(&self, step: impl FnOnce(Tx<'_>) -> Result<()> + Send + 'static) -> Result<()> {
        self.0.writer.write_later(step)
    }

    /// What a short look at one cut comes to.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.look(Length::Short, look).await
    }

    /// What a look at one cut comes to that may take long.
    pub(crate) async fn read_long<T: Send + 'static>(
        &self,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.look(Length::Long, look).await
    }

    /// A look at one cut whose answer may be of any size.
    async fn pieces<T: Send + 'static>(
        &self,
        look: impl FnOnce(Tx<'_>, &mut Sink<T>) -> Result<()> + Send + 'static,
    ) -> Result<Pieces<T>> {
        let fill = |mut sink: Sink<T>| {
            move |tx: Tx<'_>| {
                // Told to whoever takes the pieces, a defect too.
                let looked = tx::run(tx, |tx| look(tx, &mut sink));
                sink.end(looked);
                Ok(())
            }
        };
        match &self.0.readers {
            Some(readers) => {
                let (sink, pieces) = Sink::bounded(self.0.clock.clone(), readers.closing());
                readers.begin(fill(sink)).await?;
                Ok(pieces)
            }
            None => {
                let (sink, pieces) = Sink::unbounded(self.0.clock.clone());
                self.0.writer.begin(fill(sink)).await?;
                Ok(pieces)
            }
        }
    }

    async fn look<T: Send + 'static>(
        &self,
        length: Length,
        look: impl FnOnce(Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &self.0.readers {
            Some(readers) => readers.read(length, look).await,
            None => self.0.writer.write(look).await,
        }
    }
}

/// The verbs.
impl Documents {
    /// A document.
    pub async fn get(&self, space: Space, key: String) -> Result<Option<Document>> {
        self.read(move |tx| get::one(tx, &space, &key)).await
    }
    /// Several of one cut, each with its key, in the order asked.
    pub async fn get_many(&self, space: Space, keys: Vec<String>) -> Result<Pieces<Sought>> {
        self.pieces(move |tx, found| get::many(tx, &space, keys, found)).await
    }
    /// Writes documents in one step, each in place of what was there: value, tags and deadline.
    pub async fn set(&self, space: Space, sets: Vec<DocumentSet>) -> Result<()> {
        self.write(move |tx| set::all(tx, &space, &sets)).await
    }
    /// Deletes documents in one step; how many were there.
    pub async fn delete(&self, space: Space, keys: Vec<String>) -> Result<u64> {
        self.write(move |tx| delete::keys(tx, &space, &keys)).await
    }
    /// Deletes every document that has one of these tags; how many there were.
    pub async fn delete_tagged(&self, within: Within, tags: Vec<String>) -> Result<u64> {
        self.write(move |tx| delete::tagged(tx, &within, &tags)).await
    }
    /// Deletes all documents, expired ones too.
    pub async fn clear(&self, within: Within) -> Result<()> {
        self.write(move |tx| delete::all(tx, &within)).await
    }
    /// A page of the documents that fit.
    pub async fn query(&self, query: DocumentQuery) -> Result<Pieces<Document>> {
        self.pieces(move |tx, found| query::page(tx, &query, found)).await
    }
    /// The keys that match, in byte order; a key that is in several spaces is there as often.
    pub async fn keys(&self, keys: DocumentKeys) -> Result<Pieces<String>> {
        self.pieces(move |tx, found| keys::matching(tx, &keys, found)).await
    }
    /// What there is.
    pub async fn stats(&self) -> Result<DocumentStats> {
        self.read_long(stats::look).await
    }
    /// Removes every row whose deadline has passed, a piece at a time; how many of them were documents.
    pub async fn purge(&self) -> Result<u64> {
        let due = self.write(|tx| Ok(tx.now_ms())).await?;
        let mut documents = 0;
        loop {
            let piece = self.write(move |tx| purge::piece(tx, due)).await?;
            documents += piece.documents;
            if !piece.more {
                return Ok(documents);
            }
        }
    }
}
