//! A request's body as services get it: what arrives is counted among the bodies of all requests.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::budget::{Account, NoRoom};

/// A body that has not been read.
#[derive(Debug)]
pub struct Incoming {
    inner: hyper::body::Incoming,
    account: Account,
}

/// Why there is no more of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// All bodies together would be too large.
    NoRoom,
    /// The connection ended, or the framing was broken, before the body did.
    Aborted,
}

impl Incoming {
    pub(super) fn new(inner: hyper::body::Incoming, account: Account) -> Self {
        Incoming { inner, account }
    }

    /// Where bytes are counted that its reader keeps besides.
    pub fn account(&self) -> Account {
        self.account.clone()
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(frame) = ready!(Pin::new(&mut self.inner).poll_frame(cx)) else { return Poll::Ready(None) };
        let frame = frame.map_err(|_| Broken::Aborted)?;
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        self.account.charge(bytes).map_err(|NoRoom| Broken::NoRoom)?;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
