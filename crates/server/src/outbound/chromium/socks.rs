//! A proxy before one page: what the page connects to goes through here, and only here names are looked up and addresses
//! judged. SOCKS 5 (RFC 1928) without authentication, only CONNECT; it listens on loopback for as long as the page is open.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::outbound::{Denied, Guard};

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const NO_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Longest time for a client on this machine to say what it wants.
const GREETING: Duration = Duration::from_secs(5);
/// When no connection can be taken, usually because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);
const BUFFER: usize = 16 << 10;

/// What one page may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// At a time; more of them wait.
    pub(super) connections: usize,
    /// In both directions, over all connections.
    pub(super) bytes: u64,
    /// Time until a connection stands, the look-up included.
    pub(super) connect: Duration,
}

/// The proxy of one page. Its connections end with it.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

/// Answers of RFC 1928, section 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Succeeded = 0,
    NotAllowed = 2,
    HostUnreachable = 4,
    ConnectionRefused = 5,
    CommandNotSupported = 7,
    AddressNotSupported = 8,
}

struct Shared {
    guard: Guard,
    limits: Limits,
    bytes_left: AtomicU64,
}

impl Proxy {
    /// Listens on a port of its own.
    pub(super) async fn open(guard: Guard, limits: Limits) -> io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { guard, limits, bytes_left: AtomicU64::new(limits.bytes) });
        Ok(Proxy { address, serving: tokio::spawn(serve(listener, shared)) })
    }

    /// As a browser is told about it.
    pub(super) fn url(&self) -> String {
        format!("socks5://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Takes connections. They end with this future.
async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((client, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let _held_while_it_lasts = place;
                    // Whoever is at either end sees that it broke.
                    converse(client, &shared).await.ok();
                });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn converse(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let asked = timeout(GREETING, greet(&mut client)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    let connected = match asked {
        Ok((host, port)) => shared.connect(&host, port).await,
        Err(reply) => Err(reply),
    };
    let reply = connected.as_ref().map_or_else(|reply| *reply, |_| Reply::Succeeded);
    // The address it is connected from is nobody's business.
    client.write_all(&[VERSION, reply as u8, 0, IPV4, 0, 0, 0, 0, 0, 0]).await?;
    match connected {
        Ok(upstream) => relay(client, upstream, &shared.bytes_left).await,
        Err(_) => Ok(()),
    }
}

/// Where the client wants to go, or what to answer.
async fn greet(client: &mut TcpStream) -> io::Result<Result<(String, u16), Reply>> {
    let [version, methods] = read(client).await?;
    if version != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut offered = vec![0; usize::from(methods)];
    client.read_exact(&mut offered).await?;
    if !offered.contains(&NO_AUTHENTICATION) {
        client.write_all(&[VERSION, NO_METHOD]).await?;
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    client.write_all(&[VERSION, NO_AUTHENTICATION]).await?;

    let [version, command, _reserved, kind] = read(client).await?;
    if version != VERSION {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let host = match kind {
        IPV4 => IpAddr::from(Ipv4Addr::from(read(client).await?)).to_string(),
        IPV6 => IpAddr::from(Ipv6Addr::from(read::<16>(client).await?)).to_string(),
        NAME => {
            let [length] = read(client).await?;
            let mut name = vec![0; usize::from(length)];
            client.read_exact(&mut name).await?;
            match String::from_utf8(name) {
                Ok(name) => name,
                Err(_) => return Ok(Err(Reply::HostUnreachable)),
            }
        }
        _ => return Ok(Err(Reply::AddressNotSupported)),
    };
    let port = u16::from_be_bytes(read(client).await?);
    Ok(if command == CONNECT { Ok((host, port)) } else { Err(Reply::CommandNotSupported) })
}

async fn read<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

impl Shared {
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Reply> {
        let connecting = timeout(self.limits.connect, self.connect_to_checked(host, port));
        connecting.await.unwrap_or(Err(Reply::HostUnreachable))
    }

    /// One of exactly the addresses that were checked.
    async fn connect_to_checked(&self, host: &str, port: u16) -> Result<TcpStream, Reply> {
        let addresses = self.guard.resolve(host, port).await.map_err(|denied| {
            tracing::debug!(host, port, %denied, "a page may not connect");
            refusal(&denied)
        })?;
        match TcpStream::connect(&addresses[..]).await {
            Ok(upstream) => {
                upstream.set_nodelay(true).map_err(|_| Reply::HostUnreachable)?;
                Ok(upstream)
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(Reply::ConnectionRefused),
            Err(_) => Err(Reply::HostUnreachable),
        }
    }
}

fn refusal(denied: &Denied) -> Reply {
    match denied {
        Denied::NotAllowed | Denied::NotPublic(_) => Reply::NotAllowed,
        Denied::Unresolved => Reply::HostUnreachable,
    }
}

/// Carries bytes both ways until both ends have said all, one of them breaks, or the page has had its share.
async fn relay(mut client: TcpStream, mut upstream: TcpStream, bytes_left: &AtomicU64) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_upstream, mut to_upstream) = upstream.split();
    let there = carry(&mut from_client, &mut to_upstream, bytes_left);
    let back = carry(&mut from_upstream, &mut to_client, bytes_left);
    tokio::try_join!(there, back).map(|_| ())
}

async fn carry(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    bytes_left: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let taken = bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(read as u64));
        if taken.is_err() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        to.write_all(&buffer[..read]).await?;
    }
}

#[cfg(test)]
mod tests;
