//! The requests of a connection that are not answered yet: one whose turn it is, and those that wait for a message, which
//! hold up nobody.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::super::place::Place;
use crate::net::Receipt;

#[cfg(test)]
mod tests;

/// Most that wait at one time; one more is refused.
const MOST_WAITING: usize = 1000;
/// The same for the bytes of their texts.
const MOST_WAITING_BYTES: usize = 16 << 20;

/// A request on its way to its answer.
pub(super) struct Call<'a> {
    place: Option<Arc<Place<'a>>>,
    /// Of its text, which is kept until it is answered.
    bytes: usize,
    answer: BoxFuture<'a, Reply>,
}

/// An answer, and who must know whether it was written.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) text: Vec<u8>,
    pub(super) receipt: Option<Receipt>,
}

impl<'a> Call<'a> {
    /// One with a text of so many bytes whose answer takes time.
    pub(super) fn new(place: Arc<Place<'a>>, bytes: usize, answer: BoxFuture<'a, Reply>) -> Self {
        Call { place: Some(place), bytes, answer }
    }

    /// One that is answered already.
    pub(super) fn answered(text: Vec<u8>) -> Self {
        Call { place: None, bytes: 0, answer: Box::pin(std::future::ready(Reply { text, receipt: None })) }
    }

    fn has_waited(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.has_waited())
    }
}

impl Future for Call<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply> {
        self.answer.poll_unpin(cx)
    }
}

/// The requests of one connection.
#[derive(Default)]
pub(super) struct Calls<'a> {
    in_turn: Option<Call<'a>>,
    waiting: FuturesUnordered<Call<'a>>,
}

impl<'a> Calls<'a> {
    /// Whether the next request may begin: those before it are answered, or wait.
    pub(super) fn turn_is_free(&self) -> bool {
        self.in_turn.is_none()
    }

    /// Whether the next request may wait.
    pub(super) fn may_wait(&self) -> bool {
        let bytes: usize = self.waiting.iter().map(|call| call.bytes).sum();
        self.waiting.len() < MOST_WAITING && bytes < MOST_WAITING_BYTES
    }

    /// Whether every request is answered.
    pub(super) fn are_done(&self) -> bool {
        self.in_turn.is_none() && self.waiting.is_empty()
    }

    /// Begins the next request.
    pub(super) fn begin(&mut self, call: Call<'a>) {
        self.in_turn = Some(call);
    }

    /// Lets those that wait do so no longer.
    pub(super) fn let_go(&self) {
        let places = self.in_turn.iter().chain(self.waiting.iter()).filter_map(|call| call.place.as_ref());
        places.for_each(|place| place.let_go());
    }

    /// The next answer; none when the request whose turn it was has begun to wait. Pending while there is nothing to
    /// answer. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> Option<Reply> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Reply>> {
        if let Some(call) = &mut self.in_turn {
            match call.poll_unpin(cx) {
                Poll::Ready(answer) => {
                    self.in_turn = None;
                    return Poll::Ready(Some(answer));
                }
                Poll::Pending if call.has_waited() => {
                    self.waiting.extend(self.in_turn.take());
                    return Poll::Ready(None);
                }
                Poll::Pending => {}
            }
        }
        match self.waiting.poll_next_unpin(cx) {
            Poll::Ready(Some(answer)) => Poll::Ready(Some(answer)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
