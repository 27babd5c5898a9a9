//! The byte stream under hyper: tells the [`Pulse`] what passes, cuts a request line without end, and lingers before it
//! closes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Account, NoRoom,
    connections::Permit,
    pulse::{Belongs, Pulse},
};

/// Ends a request line that is already too long, so that the rest of it is never read: the request that results is
/// answered with 414 in the dialect's form.
const LINE_END: &[u8] = b" HTTP/1.1\r\nhost: cut\r\n\r\n";

/// What is read at a time of a head that may have to be cut.
const HEAD_PIECE: usize = 8 << 10;

/// hyper closes without a word on the whole of the HTTP/2 preface; on its first part it answers 400, as to any other bytes
/// that are no HTTP/1 request.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\n";

/// A client that is still sending when we close would get a reset instead of our answer. So we stop writing, read and
/// forget for this long at most, or until it has been silent for the shorter time.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_SILENCE: Duration = Duration::from_millis(500);
const LINGER_MAX_BYTES: usize = 64 << 20;

/// The bytes below a connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Says that the end is meant, where there is a word for that, and does not wait until it is said.
    fn farewell(&mut self) {}
}

impl Stream for TcpStream {}

/// A connection's stream and its place among the open connections.
pub(super) struct Socket<T: Stream> {
    io: T,
    pulse: Pulse,
    /// Nothing was read yet.
    fresh: bool,
    line: Line,
    linger: Option<Linger>,
    account: Account,
    _permit: Permit,
}

/// What hyper is given to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// What the client sends.
    Open,
    /// The end we put to its request line, or to its head.
    Ending(&'static [u8]),
    /// Nothing more.
    Cut,
}

struct Linger {
    until: Instant,
    silence: Pin<Box<Sleep>>,
    left_bytes: usize,
}

impl<T: Stream> Socket<T> {
    pub(super) fn new(io: T, pulse: Pulse, account: Account, permit: Permit) -> Self {
        Socket { io, pulse, fresh: true, line: Line::Open, linger: None, account, _permit: permit }
    }
}

impl<T: Stream> Drop for Socket<T> {
    fn drop(&mut self) {
        if self.pulse.ends_between_answers() {
            self.io.farewell();
        }
    }
}

impl<T: Stream> AsyncRead for Socket<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(end) = this.pulse.ending().filter(|_| this.line == Line::Open) {
            this.line = Line::Ending(end);
        }
        match this.line {
            Line::Open => {}
            Line::Ending(end) if buf.remaining() >= end.len() => {
                buf.put_slice(end);
                this.line = Line::Cut;
                return Poll::Ready(Ok(()));
            }
            // Nobody has to be woken: the refusal closes the connection.
            Line::Ending(_) | Line::Cut => return Poll::Pending,
        }
        let before = buf.filled().len();
        if this.pulse.may_cut() {
            // In steps, so that hyper's own bound is never reached between two of them.
            let mut piece = [0; HEAD_PIECE];
            let room = buf.remaining().min(HEAD_PIECE);
            let mut piece = ReadBuf::new(&mut piece[..room]);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut piece))?;
            buf.put_slice(piece.filled());
        } else {
            ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        }
        if std::mem::take(&mut this.fresh) && buf.filled()[before..].starts_with(HTTP2_PREFACE) {
            buf.set_filled(before + HTTP2_PREFACE.len());
        }
        if this.pulse.received(&buf.filled()[before..]) == Belongs::Elsewhere {
            // Whoever has the connection now says when a message is complete.
            let counted = this.account.charge(buf.filled().len() - before);
            counted.map_err(|NoRoom| io::Error::from(io::ErrorKind::QuotaExceeded))?;
        }
        if this.pulse.target_too_long() {
            this.line = Line::Ending(LINE_END);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Stream> AsyncWrite for Socket<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.pulse.sent();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bytes))?;
        self.pulse.sent();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        // hyper comes here when it has written all it had.
        self.pulse.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            if !this.pulse.unread_input_is_possible() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(Linger::start);
        linger.poll(&mut this.io, cx).map(Ok)
    }
}

impl Linger {
    fn start() -> Self {
        let now = Instant::now();
        let silence = Box::pin(sleep_until(now + LINGER_SILENCE));
        Linger { until: now + LINGER, silence, left_bytes: LINGER_MAX_BYTES }
    }

    /// Reads and forgets until the client has closed or a bound is reached.
    fn poll<T: AsyncRead + Unpin>(&mut self, io: &mut T, cx: &mut Context<'_>) -> Poll<()> {
        let mut scratch = [0u8; 16 << 10];
        loop {
            let mut buf = ReadBuf::new(&mut scratch);
            match Pin::new(&mut *io).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() && self.left_bytes > 0 => {
                    self.left_bytes = self.left_bytes.saturating_sub(buf.filled().len());
                    self.silence.as_mut().reset(self.until.min(Instant::now() + LINGER_SILENCE));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.silence.as_mut().poll(cx),
            }
        }
    }
}
