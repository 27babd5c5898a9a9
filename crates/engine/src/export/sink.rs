//! Where a walk puts what it finds: lines in pieces, a few of which wait for whoever takes them.

use bytes::Bytes;
use tokio::{runtime::Handle, sync::mpsc};

use super::{Record, file::Counts, line::Header};
use crate::{Error, Kind, Result};

/// A piece is handed on when it has as many bytes.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces that wait to be taken; then the walk waits too.
const WAITING: usize = 4;

/// A piece of the file, or why there is no more.
pub(super) type Taken = Result<Bytes>;

/// The end that a walk writes to, on a thread that may wait.
pub(crate) struct Sink {
    piece: Vec<u8>,
    counts: Counts,
    pieces: mpsc::Sender<Taken>,
    runtime: Handle,
}

impl Sink {
    /// Call it on the runtime whose task takes the pieces.
    pub(super) fn new() -> (Sink, mpsc::Receiver<Taken>) {
        let (pieces, taken) = mpsc::channel(WAITING);
        let runtime = Handle::current();
        (Sink { piece: Vec::with_capacity(PIECE_BYTES), counts: Counts::default(), pieces, runtime }, taken)
    }

    pub(super) fn header(&mut self, header: &Header) {
        header.write(&mut self.piece);
    }

    /// Adds a line. `Closed` when nobody takes it any more: the walk ends then, and lets its cut go.
    pub(crate) fn put(&mut self, record: &Record) -> Result<()> {
        self.counts.record(record);
        record.write(&mut self.piece);
        if self.piece.len() < PIECE_BYTES { Ok(()) } else { self.hand_on() }
    }

    /// Tells how the walk went.
    pub(super) fn end(mut self, walked: Result<()>) {
        let told = walked.and_then(|()| {
            let hashed = std::mem::take(&mut self.piece);
            self.counts.bytes(&hashed);
            let mut last = hashed;
            self.counts.trailer().write(&mut last);
            self.send(Ok(last.into()))
        });
        if let Err(error) = told
            && self.send(Err(error)).is_err()
        {
            tracing::debug!("nobody took the end of an export");
        }
    }

    fn hand_on(&mut self) -> Result<()> {
        self.counts.bytes(&self.piece);
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        self.send(Ok(piece.into()))
    }

    fn send(&self, piece: Taken) -> Result<()> {
        let sent = self.runtime.block_on(self.pieces.send(piece));
        sent.map_err(|_| Error::new(Kind::Closed, "nobody takes the export any more"))
    }
}
