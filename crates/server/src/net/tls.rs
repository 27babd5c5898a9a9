//! TLS of a listener: what it shows now, the handshake, and what came of handshakes.
//!
//! `options` is what an operator says about it, `identity` what comes of the files. Versions and ciphers are those that
//! rustls calls safe; only HTTP/1.1 is offered (ALPN), and nothing is sent or taken before a handshake is complete.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use parking_lot::RwLock;
use tokio::{io::AsyncWrite, net::TcpStream, time::timeout};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::socket::Stream;

mod identity;
mod options;

pub use identity::Identity;
pub use options::{TlsFile, TlsFiles, TlsOptions, TlsVersion, Unusable};

/// The first byte of whoever speaks TLS: the type of a handshake record. No request begins with it.
pub(super) const HANDSHAKE_RECORD: u8 = 0x16;

/// The TLS of one listener, shared with whoever replaces its certificate.
#[derive(Debug)]
pub struct Tls {
    identity: RwLock<Identity>,
    handshakes: [AtomicU64; Handshake::ALL.len()],
}

/// What came of a connection to a listener that speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// It was completed.
    Completed,
    /// One side did not accept the other, or the client left.
    Failed,
    /// It took too long.
    TimedOut,
    /// The client sent something that is no TLS.
    Plaintext,
}

impl Handshake {
    /// All of them.
    pub const ALL: [Handshake; 4] =
        [Handshake::Completed, Handshake::Failed, Handshake::TimedOut, Handshake::Plaintext];

    /// What metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Handshake::Completed => "completed",
            Handshake::Failed => "failed",
            Handshake::TimedOut => "timed_out",
            Handshake::Plaintext => "plaintext",
        }
    }
}

impl Tls {
    /// Shows `identity` until it is replaced.
    pub fn new(identity: Identity) -> Arc<Tls> {
        Arc::new(Tls { identity: RwLock::new(identity), handshakes: Default::default() })
    }

    /// From now on new connections see this one; those that are open keep what they have. No session of the former is
    /// resumed, so nobody comes in by a rule that is gone.
    pub fn replace(&self, identity: Identity) {
        *self.identity.write() = identity;
    }

    /// What is shown now.
    pub fn identity(&self) -> Identity {
        self.identity.read().clone()
    }

    /// How many connections ended their handshake like this.
    pub fn handshakes(&self, result: Handshake) -> u64 {
        self.handshakes[result as usize].load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, result: Handshake) {
        self.handshakes[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Completes the handshake; none when there is nobody to serve.
    pub(super) async fn handshake(&self, stream: TcpStream, patience: Duration) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.identity.read().config.clone());
        let (result, stream) = match timeout(patience, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => (Handshake::Completed, Some(stream)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                (Handshake::Failed, None)
            }
            Err(_) => (Handshake::TimedOut, None),
        };
        self.count(result);
        stream
    }
}

impl Stream for TlsStream<TcpStream> {
    /// An end without this is one that somebody on the way may have made. What the socket does not take now is lost.
    fn farewell(&mut self) {
        let mut nobody = Context::from_waker(Waker::noop());
        drop(Pin::new(self).poll_shutdown(&mut nobody));
    }
}
