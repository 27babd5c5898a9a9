//! Answers of any size: what fits into one piece of the engine's has a length, anything longer is sent as it is read.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use hyper::Response;
use manifold_engine::documents::Pieces;

use super::super::{answer, error::Error};

/// How items become text.
pub(super) trait Spell<T>: Send + 'static {
    /// What stands before the first.
    const OPEN: &'static [u8];
    /// Appends an item.
    fn item(&mut self, out: &mut Vec<u8>, item: T);
    /// What stands behind the last; so many came.
    fn close(&mut self, out: &mut Vec<u8>, count: u64);
}

/// 200 with all items. An error before the first of them is an answer of its own.
pub(super) async fn answer<T: Send + 'static, S: Spell<T>>(
    pieces: Pieces<T>,
    spell: S,
) -> Result<Response<Body>, Error> {
    let mut text = Text { pieces, spell, count: 0, ended: false };
    let mut start = S::OPEN.to_vec();
    start.append(&mut text.next().await?);
    if text.ended {
        return Ok(answer::ok(start));
    }
    let mut response = answer::ok(Bytes::new());
    *response.body_mut() = streamed(start, text);
    Ok(response)
}

/// An error in the middle cuts the connection: half an answer must not look like a whole one.
fn streamed<T: Send + 'static, S: Spell<T>>(start: Vec<u8>, text: Text<T, S>) -> Body {
    Body::from_stream(stream::unfold((Some(start), Some(text)), |(start, text)| async {
        let mut text = text?;
        if let Some(start) = start {
            return Some((Ok(Bytes::from(start)), (None, Some(text))));
        }
        match text.next().await {
            Ok(piece) => Some((Ok(Bytes::from(piece)), (None, (!text.ended).then_some(text)))),
            Err(error) => {
                tracing::warn!(%error, "an answer was cut off");
                Some((Err(std::io::Error::other(error)), (None, None)))
            }
        }
    }))
}

struct Text<T, S> {
    pieces: Pieces<T>,
    spell: S,
    count: u64,
    ended: bool,
}

impl<T, S: Spell<T>> Text<T, S> {
    async fn next(&mut self) -> manifold_engine::Result<Vec<u8>> {
        let piece = self.pieces.next().await?;
        let mut text = Vec::new();
        for item in piece.items {
            if self.count > 0 {
                text.push(b',');
            }
            self.count += 1;
            self.spell.item(&mut text, item);
        }
        if piece.last {
            self.ended = true;
            self.spell.close(&mut text, self.count);
        }
        Ok(text)
    }
}
