//! `GET /backup`: the engine's cut as a stream. When its reader goes away, so does the backup.

use std::{
    io::{self, Write},
    sync::Arc,
};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use manifold_engine::{Engine, Error, Kind, backup::Beside};
use tokio::sync::{Semaphore, mpsc};

use super::Refusal;

/// Backups made at one time.
const AT_ONCE: usize = 4;
/// Bytes sent in one piece.
const PIECE: usize = 256 << 10;
/// Pieces that wait for the reader; then the copying does.
const PIECES: usize = 4;

/// What backups need.
#[derive(Debug)]
pub(super) struct Backups {
    beside: Vec<Arc<dyn Beside>>,
    permits: Arc<Semaphore>,
}

impl Backups {
    pub(super) fn new(beside: Vec<Arc<dyn Beside>>) -> Self {
        Backups { beside, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Makes a cut and answers with all of it. An error after the beginning breaks the connection off: what came is no
    /// backup, and can be told from one by its missing end.
    pub(super) async fn make(&self, engine: &Engine) -> Result<Response<Body>, Refusal> {
        let busy = |_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many backups are being made");
        let permit = self.permits.clone().try_acquire_owned().map_err(busy)?;
        let backup = engine.backup(&self.beside).await.map_err(refuse)?;
        let sequence = backup.sequence();
        let (pieces, sent) = mpsc::channel(PIECES);
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut out = Pieces { pieces: pieces.clone(), piece: BytesMut::new() };
            match backup.write_to(&mut out) {
                Ok(manifest) => {
                    tracing::info!(sequence, files = manifest.files.len(), bytes = manifest.bytes(), "backup sent");
                }
                Err(error) => {
                    tracing::error!(sequence, %error, "a backup ended before it was whole");
                    // The reader may be what ended it.
                    pieces.blocking_send(Err(io::Error::other(error))).ok();
                }
            }
        });
        let body = stream::unfold(sent, |mut sent| async { sent.recv().await.map(|piece| (piece, sent)) });
        let mut response = Response::new(Body::from_stream(body));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
        Ok(response)
    }
}

fn refuse(error: Error) -> Refusal {
    let status = match error.kind() {
        Kind::Full => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Closed | Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, error)
}

/// Bytes on their way to the reader, in pieces worth sending.
struct Pieces {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    piece: BytesMut,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = self.piece.split().freeze();
        self.pieces.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
