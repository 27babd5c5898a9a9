//! A listener on a Unix socket: for programs on this machine that run as the same user, or as root.

use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io,
    net::{IpAddr, Ipv4Addr},
    os::{fd::AsRawFd, unix::ffi::OsStrExt, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::process::geteuid;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    AnyService, Connections, Options,
    connection::{self, Below, Shared},
    listen::{ACCEPT_PAUSE, ACCEPT_PAUSE_MAX},
    pulse::Patience,
    socket::Stream,
};

/// Connections that wait in the kernel to be accepted.
const BACKLOG: i32 = 64;
/// The longest path the kernel takes for a socket.
const PATH_MAX_BYTES: usize = 107;
/// What services are told a peer's address is.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A bound socket that nobody serves yet.
#[derive(Debug)]
pub struct LocalListener {
    name: &'static str,
    path: PathBuf,
    socket: UnixListener,
    options: Options,
}

impl LocalListener {
    /// Binds the path in the place of whatever socket a killed process left there: who calls this knows that none of the
    /// others is alive. Only the process's own user can connect, from the first moment on.
    pub fn bind(name: &'static str, path: &Path, options: Options) -> io::Result<LocalListener> {
        let mut unfinished = OsString::from(path);
        unfinished.push(".new");
        let unfinished = PathBuf::from(unfinished);
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        with_short(&unfinished, |path| socket.bind(&SockAddr::unix(path)?))?;
        // Nobody gets through before it listens.
        fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
        socket.listen(BACKLOG)?;
        fs::rename(&unfinished, path)?;
        let socket = UnixListener::from_std(std::os::fd::OwnedFd::from(socket).into())?;
        Ok(LocalListener { name, path: path.to_owned(), socket, options })
    }

    /// Serves until `shutdown` turns true; then the socket's name goes at once, running requests are finished, and it
    /// returns when the last connection is gone or the time for that is over.
    pub async fn serve(self, service: Arc<dyn AnyService>, mut shutdown: watch::Receiver<bool>) {
        let LocalListener { name, path, socket, options } = self;
        let patience = Patience { head: options.head_timeout, idle: options.idle_timeout };
        let connections = Connections::new(options.connections, options.budget);
        let (head_bytes, hosts, tls) = (None, options.hosts, None);
        let shared = Shared { service, connections, patience, head_bytes, hosts, tls, shutdown: shutdown.clone() };
        let shared = Arc::new(shared);
        tokio::select! {
            never = accept(name, &socket, &shared) => match never {},
            // A sender that is gone counts as a shutdown too.
            _ = shutdown.wait_for(|down| *down) => {}
        }
        drop(socket);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(listener = name, %error, "the socket stays behind");
        }
        if timeout(options.drain, shared.connections.all_gone()).await.is_err() {
            let open = shared.connections.open();
            tracing::warn!(listener = name, open, "connections were cut: their requests did not end in time");
        }
    }
}

impl Stream for UnixStream {}

/// Connects to a socket that a [`LocalListener`] bound. `None` when there is none, or only one that a process left
/// behind when it was killed.
pub async fn connect(path: &Path) -> io::Result<Option<UnixStream>> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    match with_short(path, |path| socket.connect(&SockAddr::unix(path)?)) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    socket.set_nonblocking(true)?;
    UnixStream::from_std(std::os::fd::OwnedFd::from(socket).into()).map(Some)
}

/// Runs `act` with a path that fits into the address of a socket: a longer one is named by way of its open directory.
fn with_short<T>(path: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().as_bytes().len() <= PATH_MAX_BYTES {
        return act(path);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let directory = File::open(directory)?;
    act(&PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name))
}

async fn accept(name: &'static str, socket: &UnixListener, shared: &Arc<Shared>) -> std::convert::Infallible {
    let mut pause = ACCEPT_PAUSE;
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                pause = ACCEPT_PAUSE;
                begin(name, stream, shared);
            }
            Err(error) => {
                tracing::error!(listener = name, %error, "no connection can be accepted; trying again");
                sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

fn begin(name: &'static str, stream: UnixStream, shared: &Arc<Shared>) {
    // The mode of the file keeps others out already; a descriptor can be handed on, and a mode be changed.
    let peer = stream.peer_cred().map(|peer| peer.uid());
    if !matches!(peer, Ok(uid) if uid == 0 || uid == geteuid().as_raw()) {
        tracing::warn!(listener = name, "a connection of another user was closed");
        return;
    }
    let Some(permit) = shared.connections.admit() else { return };
    tokio::spawn(Box::pin(connection::serve(stream, Below::Plain, PEER, permit, shared.clone())));
}
