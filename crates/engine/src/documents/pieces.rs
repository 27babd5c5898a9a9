//! Answers of any size: all of one cut, held in memory a piece at a time.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    sync::{
        Semaphore,
        mpsc::{self, error::TrySendError},
        watch,
    },
};

use crate::{Clock, Error, Kind, Result};

/// A piece is handed on when it has as many bytes, or items.
const PIECE_BYTES: usize = 1 << 20;
const PIECE_ITEMS: usize = 1 << 14;
/// Pieces that wait to be taken; then the read waits too.
const WAITING: usize = 4;
/// A read waits so long in all, then it ends: it has a connection that others wait for.
const PATIENCE_MS: u64 = 10_000;

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
    /// The next piece; not to be asked after the last one. `Closed` when the pieces before were not taken in time.
    pub async fn next(&mut self) -> Result<Piece<T>> {
        let ended = || Err(Error::new(Kind::Closed, "a read of the database ended before its last piece"));
        self.0.recv().await.unwrap_or_else(ended)
    }
}

/// Where a read puts what it finds.
pub(super) struct Sink<T> {
    items: Vec<T>,
    bytes: usize,
    pieces: mpsc::Sender<Result<Piece<T>>>,
    clock: Clock,
    patience_ms: u64,
    /// Turns true when nobody is waited for any more.
    closing: watch::Receiver<bool>,
}

impl<T> Sink<T> {
    /// For a read that may wait until its pieces are taken, on a thread that may.
    pub(super) fn bounded(clock: Clock, closing: watch::Receiver<bool>) -> (Self, Pieces<T>) {
        Sink::holding(WAITING, clock, closing)
    }
    /// For a read that everybody else would wait for.
    pub(super) fn unbounded(clock: Clock) -> (Self, Pieces<T>) {
        Sink::holding(Semaphore::MAX_PERMITS, clock, watch::channel(false).1)
    }

    fn holding(waiting: usize, clock: Clock, closing: watch::Receiver<bool>) -> (Self, Pieces<T>) {
        let (pieces, taken) = mpsc::channel(waiting);
        (Sink { items: Vec::new(), bytes: 0, pieces, clock, patience_ms: PATIENCE_MS, closing }, Pieces(taken))
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
            // Where there is no room for the error, the end without a last piece tells enough.
            Err(error) => self.pieces.try_send(Err(error)).map_err(|_| gone()),
        };
        if told.is_err() {
            tracing::debug!("nobody took the end of a read");
        }
    }

    fn hand_on(&mut self, last: bool) -> Result<()> {
        self.bytes = 0;
        let piece = Piece { items: std::mem::take(&mut self.items), last };
        match self.pieces.try_send(Ok(piece)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(gone()),
            Err(TrySendError::Full(piece)) => self.wait(piece),
        }
    }

    fn wait(&mut self, piece: Result<Piece<T>>) -> Result<()> {
        let runtime = Handle::try_current().map_err(|_| gone())?;
        let began_ms = self.clock.steady_ms();
        let patience = Duration::from_millis(self.patience_ms);
        let sent = runtime.block_on(async {
            tokio::select! {
                biased;
                // A sender that is gone means the same.
                _ = self.closing.wait_for(|closing| *closing) => None,
                sent = self.clock.timeout(patience, self.pieces.send(piece)) => sent,
            }
        });
        self.patience_ms = self.patience_ms.saturating_sub(self.clock.steady_ms().saturating_sub(began_ms));
        match sent {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(gone()),
        }
    }
}

fn gone() -> Error {
    Error::new(Kind::Closed, "nobody takes the answer any more")
}
