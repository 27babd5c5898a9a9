//! Answers of any size: all of one cut, held in memory a piece at a time.

use tokio::sync::{Semaphore, mpsc};

use crate::{Error, Kind, Result};

/// A piece is handed on when it has as many bytes, or items.
const PIECE_BYTES: usize = 1 << 20;
const PIECE_ITEMS: usize = 1 << 14;
/// Pieces that wait to be taken; then the read waits too.
const WAITING: usize = 2;

/// The answer. Whoever drops it ends the read.
#[derive(Debug)]
pub struct Pieces<T>(mpsc::Receiver<Result<Piece<T>>>);

/// A part of it.
#[derive(Debug)]
pub struct Piece<T> {
    /// In their order.
    pub items: Vec<T>,
    /// Nothing follows.
    pub last: bool,
}

impl<T> Pieces<T> {
    /// The next piece; not to be asked after the last one.
    pub async fn next(&mut self) -> Result<Piece<T>> {
        let ended = || Err(Error::new(Kind::Storage, "a read of the database ended before its last piece"));
        self.0.recv().await.unwrap_or_else(ended)
    }
}

/// Where a read puts what it finds.
pub(super) struct Sink<T> {
    items: Vec<T>,
    bytes: usize,
    pieces: mpsc::Sender<Result<Piece<T>>>,
}

impl<T> Sink<T> {
    /// For a read that may wait until its pieces are taken.
    pub(super) fn bounded() -> (Self, Pieces<T>) {
        Sink::holding(WAITING)
    }
    /// For a read that everybody else would wait for.
    pub(super) fn unbounded() -> (Self, Pieces<T>) {
        Sink::holding(Semaphore::MAX_PERMITS)
    }

    fn holding(waiting: usize) -> (Self, Pieces<T>) {
        let (pieces, taken) = mpsc::channel(waiting);
        (Sink { items: Vec::new(), bytes: 0, pieces }, Pieces(taken))
    }

    /// Adds an item of about so many bytes. `Err` = nobody wants any more.
    pub(super) fn put(&mut self, item: T, bytes: usize) -> Result<()> {
        self.items.push(item);
        self.bytes += bytes;
        if self.bytes < PIECE_BYTES && self.items.len() < PIECE_ITEMS { Ok(()) } else { self.hand_on(false) }
    }

    /// Tells how the read went.
    pub(super) fn end(mut self, read: Result<()>) {
        let told = match read {
            Ok(()) => self.hand_on(true),
            Err(error) => self.pieces.blocking_send(Err(error)).map_err(|_| gone()),
        };
        if told.is_err() {
            tracing::debug!("nobody took the end of a read");
        }
    }

    fn hand_on(&mut self, last: bool) -> Result<()> {
        self.bytes = 0;
        let piece = Piece { items: std::mem::take(&mut self.items), last };
        self.pieces.blocking_send(Ok(piece)).map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error::new(Kind::Closed, "nobody waits for the answer any more")
}
