//! GET /changes/stream: the feed as server-sent events.
//!
//! The body is pulled: a piece is read from the feed when the socket can take it, so a slow client holds one piece and
//! delays nobody but itself.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use hyper::{
    Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use manifold_engine::feed::{Follower, Start, Step};
use tokio::sync::watch;

use super::{
    call::Call,
    changes,
    error::Error,
    model::{self, Form},
    reply::Reply,
    streams::{PROGRESS_AFTER, stopping},
};
use crate::{
    http::{json, query},
    telemetry::{StreamGuard, StreamKind, UnisonMetrics},
};

/// Most changes of one piece.
const PIECE_CHANGES: usize = 256;
/// Stored bytes of one piece; a single record may be longer.
const PIECE_BYTES: usize = 1 << 20;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// GET /changes/stream.
pub(super) fn get(call: Call<'_>, metrics: &Arc<UnisonMetrics>, shutdown: watch::Receiver<bool>) -> Reply {
    let query = call.query()?;
    let filter = changes::filter_tenant(&query);
    let after = changes::after(&query)?;
    let (filter, form) = changes::filters(&query, filter)?;
    changes::check_mode(&query)?;
    let after = last_event_id(&call.parts.headers)?.or(after);

    let follower = call.engine.follow(after.map_or(Start::Head, Start::After), filter)?;
    let phase = Phase::Ready { catch_up: after.is_some() };
    let events =
        Events { follower, form, phase, shutdown, metrics: metrics.clone(), _client: metrics.stream(StreamKind::Sse) };
    let pieces = stream::unfold(events, |mut events| async move {
        let piece = events.next().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(piece)), events))
    });

    let mut response = Response::new(Body::from_stream(pieces));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Where a client that was cut off goes on.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let seq = value.to_str().ok().and_then(query::integer);
    let seq = seq.ok_or(Error::invalid("Last-Event-ID must be an integer"))?;
    Ok(Some(u64::try_from(seq).unwrap_or(0)))
}

/// One client's stream.
struct Events {
    follower: Follower,
    form: Form,
    phase: Phase,
    shutdown: watch::Receiver<bool>,
    metrics: Arc<UnisonMetrics>,
    _client: StreamGuard,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Ready { catch_up: bool },
    CatchingUp,
    Live,
}

impl Events {
    /// The next events; `None` ends the stream: the server stops, or the feed can no longer be read.
    async fn next(&mut self) -> Option<Vec<u8>> {
        if *self.shutdown.borrow() {
            return None;
        }
        match self.phase {
            Phase::Ready { catch_up } => {
                self.phase = if catch_up { Phase::CatchingUp } else { Phase::Live };
                Some(self.position_event("ready"))
            }
            Phase::CatchingUp => match self.ahead()? {
                Some(piece) => Some(piece),
                None => {
                    self.phase = Phase::Live;
                    Some(self.position_event("synced"))
                }
            },
            Phase::Live => self.live().await,
        }
    }

    /// Waits for events, or for the silence to last long enough to be worth a word.
    async fn live(&mut self) -> Option<Vec<u8>> {
        let silence = tokio::time::sleep(PROGRESS_AFTER);
        tokio::pin!(silence);
        loop {
            let step = tokio::select! {
                step = self.follower.next(PIECE_CHANGES, PIECE_BYTES) => step.ok()?,
                () = &mut silence => break,
                () = stopping(&mut self.shutdown) => return None,
            };
            if let Some(piece) = self.piece(&step) {
                return Some(piece);
            }
        }
        // Nothing that matches came, but the head moved: the client's cursor may follow it.
        match self.ahead()? {
            Some(piece) => Some(piece),
            None => Some(self.position_event("progress")),
        }
    }

    /// What is there without waiting: `Some(None)` when the follower has arrived at the head.
    fn ahead(&mut self) -> Option<Option<Vec<u8>>> {
        loop {
            let Some(step) = self.follower.try_next(PIECE_CHANGES, PIECE_BYTES).ok()? else { return Some(None) };
            if let Some(piece) = self.piece(&step) {
                return Some(Some(piece));
            }
        }
    }

    /// The events of a step, if it has any.
    fn piece(&self, step: &Step) -> Option<Vec<u8>> {
        match step {
            Step::Changes { changes, .. } if changes.is_empty() => None,
            Step::Changes { changes, .. } => {
                let mut out = Vec::with_capacity(changes.len() * 256);
                for change in changes {
                    write_event(&mut out, "change", change.seq, |out| model::write_change(out, change, self.form));
                }
                Some(out)
            }
            Step::Reset { oldest_seq, head } => {
                self.metrics.stream_reset();
                let mut out = Vec::with_capacity(96);
                write_event(&mut out, "reset", self.follower.position(), |out| {
                    out.extend_from_slice(b"{\"oldestSeq\":");
                    json::write_u64(out, *oldest_seq);
                    out.extend_from_slice(b",\"seq\":");
                    json::write_u64(out, *head);
                    out.push(b'}');
                });
                Some(out)
            }
        }
    }

    /// An event that says where the client is.
    fn position_event(&self, event: &str) -> Vec<u8> {
        let position = self.follower.position();
        let mut out = Vec::with_capacity(64);
        write_event(&mut out, event, position, |out| {
            out.extend_from_slice(b"{\"seq\":");
            json::write_u64(out, position);
            out.push(b'}');
        });
        out
    }
}

/// Appends an event whose data is one line.
fn write_event(out: &mut Vec<u8>, event: &str, id: u64, data: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\nid: ");
    json::write_u64(out, id);
    out.extend_from_slice(b"\ndata: ");
    let start = out.len();
    data(out);
    // A line break in JSON can only stand between tokens, where a space means the same.
    let mut data = &mut out[start..];
    while let Some(at) = memchr::memchr2(b'\n', b'\r', data) {
        data[at] = b' ';
        data = &mut data[at + 1..];
    }
    out.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests;
