//! A listener: binds, accepts up to its cap, and drains.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    AnyService, Budget, Connections, Hosts,
    connection::{self, Below, Shared},
    connections::Permit,
    pulse::Patience,
    tls::{HANDSHAKE_RECORD, Handshake, Tls},
};

/// Connections that wait in the kernel to be accepted.
const BACKLOG: i32 = 4096;
/// A peer that vanished without a word is noticed after about this long.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Pause after an accept that failed for want of descriptors or memory, doubled up to the maximum: such a failure
/// lasts, and a loop without pause would take the processor from those who could end it.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
pub(super) const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// How a listener treats its connections.
#[derive(Debug, Clone)]
pub struct Options {
    /// Most connections at one time.
    pub connections: usize,
    /// Time for a request's head, and before that for a new connection's first byte.
    pub head_timeout: Duration,
    /// Where set, a head with a longer header block is cut and answered by the service, and so is one that does not come
    /// in time. Without it the former has the bounds and the answer of hyper, and the latter none.
    pub head_bytes: Option<usize>,
    /// Names that requests may be for.
    pub hosts: Hosts,
    /// Time a connection may rest between two requests.
    pub idle_timeout: Duration,
    /// Time that running requests are given when the shutdown begins.
    pub drain: Duration,
    /// Accept sockets on the same address (SO_REUSEPORT); one is enough for one runtime.
    pub sockets: usize,
    /// What it may hold together with others.
    pub budget: Arc<Budget>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            connections: 20_000,
            head_timeout: Duration::from_secs(10),
            head_bytes: None,
            hosts: Hosts::Any,
            idle_timeout: Duration::from_secs(75),
            drain: Duration::from_secs(9),
            sockets: 1,
            budget: Budget::unbounded(),
        }
    }
}

/// Bound sockets that nobody serves yet.
#[derive(Debug)]
pub struct Listener {
    name: &'static str,
    address: SocketAddr,
    sockets: Vec<TcpListener>,
    options: Options,
    connections: Arc<Connections>,
    tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Binds `address`. The kernel queues connections from here on.
    pub fn bind(name: &'static str, address: SocketAddr, options: Options) -> io::Result<Listener> {
        let first = open(address, options.sockets > 1)?;
        let address = first.local_addr()?;
        let mut sockets = vec![first];
        while sockets.len() < options.sockets {
            sockets.push(open(address, true)?);
        }
        let connections = Connections::new(options.connections, options.budget.clone());
        Ok(Listener { name, address, sockets, options, connections, tls: None })
    }

    /// The same, speaking TLS.
    #[must_use]
    pub fn over_tls(self, tls: Arc<Tls>) -> Listener {
        Listener { tls: Some(tls), ..self }
    }

    /// Where it listens, with the port that was chosen if it was asked for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What logs and metrics call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its count of connections.
    pub fn connections(&self) -> Arc<Connections> {
        self.connections.clone()
    }

    /// Its TLS, if it speaks that.
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }

    /// Serves until `shutdown` turns true, then stops accepting, lets running requests finish, and returns when the
    /// last connection is gone or the time for that is over.
    pub async fn serve(self, service: Arc<dyn AnyService>, mut shutdown: watch::Receiver<bool>) {
        let patience = Patience { head: self.options.head_timeout, idle: self.options.idle_timeout };
        let (head_bytes, hosts) = (self.options.head_bytes, self.options.hosts);
        let (connections, tls, down) = (self.connections, self.tls, shutdown.clone());
        let shared = Shared { service, connections, patience, head_bytes, hosts, tls, shutdown: down };
        let shared = Arc::new(shared);
        let mut accepting = JoinSet::new();
        for socket in self.sockets {
            accepting.spawn(accept(self.name, socket, shared.clone()));
        }
        // A sender that is gone counts as a shutdown too.
        drop(shutdown.wait_for(|down| *down).await);
        accepting.shutdown().await;
        if timeout(self.options.drain, shared.connections.all_gone()).await.is_err() {
            let open = shared.connections.open();
            tracing::warn!(listener = self.name, open, "connections were cut: their requests did not end in time");
        }
    }
}

fn open(address: SocketAddr, shared_port: bool) -> io::Result<TcpListener> {
    // All interfaces are those of both protocols, on machines without IPv6 those of IPv4.
    let everywhere = address.ip() == Ipv6Addr::UNSPECIFIED;
    let (address, socket) = match Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)) {
        Err(_) if everywhere => {
            let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            (address, Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?)
        }
        socket => (address, socket?),
    };
    if address.is_ipv6() && everywhere {
        socket.set_only_v6(false)?;
    }
    // A restarted server must not wait for the old connections' last packets.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared_port)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(name: &'static str, socket: TcpListener, shared: Arc<Shared>) {
    let mut pause = ACCEPT_PAUSE;
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                pause = ACCEPT_PAUSE;
                // A client of IPv4 on a socket for both is one of IPv4.
                begin(stream, peer.ip().to_canonical(), &shared);
            }
            // That connection failed, not the socket.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::error!(listener = name, %error, "no connection can be accepted; trying again");
                sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

fn begin(stream: TcpStream, peer: IpAddr, shared: &Arc<Shared>) {
    let Some(permit) = shared.connections.admit() else { return };
    // A connection whose options cannot be set is already dead, and its first read will say so.
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4);
    stream.set_nodelay(true).ok();
    socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive).ok();
    let shared = shared.clone();
    tokio::spawn(async move {
        // Until its client speaks, a connection is a socket and this small task, without the buffers of the rest.
        match first_byte(&stream, &shared).await {
            Some(byte) if shared.tls.is_some() => Box::pin(encrypted(byte, stream, peer, permit, shared)).await,
            Some(_) => Box::pin(connection::serve(stream, Below::Plain, peer, permit, shared)).await,
            None => {}
        }
    });
}

/// What the client sends first, if it does before it goes, and before the patience or the process is over. A peek, because
/// a fresh socket may be called readable before anything was sent.
async fn first_byte(stream: &TcpStream, shared: &Shared) -> Option<u8> {
    let mut shutdown = shared.shutdown.clone();
    let mut byte = [0];
    tokio::select! {
        biased;
        peeked = stream.peek(&mut byte) => peeked.is_ok_and(|bytes| bytes > 0).then_some(byte[0]),
        () = sleep(shared.patience.head) => None,
        _ = shutdown.wait_for(|down| *down) => None,
    }
}

/// A connection to a listener that speaks TLS.
async fn encrypted(first: u8, stream: TcpStream, peer: IpAddr, permit: Permit, shared: Arc<Shared>) {
    let Some(tls) = shared.tls.clone() else { return };
    if first != HANDSHAKE_RECORD {
        tls.count(Handshake::Plaintext);
        return connection::serve(stream, Below::PlainForTls, peer, permit, shared).await;
    }
    let patience = connection::patience(permit.admission(), Below::Tls, shared.patience);
    let mut shutdown = shared.shutdown.clone();
    let stream = tokio::select! {
        biased;
        stream = tls.handshake(stream, patience.head) => stream,
        _ = shutdown.wait_for(|down| *down) => None,
    };
    if let Some(stream) = stream {
        connection::serve(stream, Below::Tls, peer, permit, shared).await;
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
