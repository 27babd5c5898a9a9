//! The server under load, over all of its lives.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    Result,
    load::server::{API_KEY, free_port},
    measure::{cpu, now, resident},
};

/// Longest start, with a log to replay.
const START: Duration = Duration::from_secs(60);
/// Longest orderly end: what the server promises.
const STOP: Duration = Duration::from_secs(11);

/// Where the listeners are.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// The dialect of keys and changes.
    pub unison: u16,
    /// The dialect of queues, streams and points.
    pub flo: u16,
    /// The dialect of commands.
    pub synap: u16,
    /// The dialect of the cache.
    pub dunena: u16,
    /// The dialect of pages.
    pub edgecomet: u16,
    /// Metrics and health.
    pub metrics: u16,
}

impl Ports {
    /// The address of one of them.
    pub fn address(&self, port: fn(&Ports) -> u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port(self)).into()
    }
}

/// A running server.
pub struct Process {
    binary: PathBuf,
    home: tempfile::TempDir,
    child: Child,
    /// The same in all lives.
    pub ports: Ports,
}

impl Process {
    /// Starts it with an empty data directory. What it keeps is bounded, so that it can stop growing: `site` is where its
    /// pages come from.
    pub fn start(binary: &Path, site: SocketAddr, scratch: &Path) -> Result<Process> {
        let home = tempfile::Builder::new().prefix("manifold-soak-").tempdir_in(scratch)?;
        let ports = Ports {
            unison: free_port()?,
            flo: free_port()?,
            synap: free_port()?,
            dunena: free_port()?,
            edgecomet: free_port()?,
            metrics: free_port()?,
        };
        let Ports { unison, flo, synap, dunena, edgecomet, metrics } = ports;
        let config = format!(
            r#"host = "127.0.0.1"
[durability]
level = "interval"
[log]
level = "warn"
[unison]
port = {unison}
api_key = "{API_KEY}"
changes_max_records = 20000
tombstones_max = 5000
[flo]
port = {flo}
metrics_port = {metrics}
queue.max_attempts = 1000
stream.retention = "60s"
timeseries.retention = "2m"
[synap]
port = {synap}
event_stream.max_events_per_room = 1000
[dunena]
port = {dunena}
rate_max = 0
max_entries = 20000
query_cache_ttl = 30000
query_cache_max_entries = 1000
[edgecomet]
port = {edgecomet}
internal_auth_key = "{API_KEY}"
worker = {{ allow_private = true }}
scheduler = {{ tick_interval = "250ms" }}
[[edgecomet.hosts]]
id = 1
domain = "localhost"
"#
        );
        std::fs::write(home.path().join("manifold.toml"), config)?;
        println!("load on {} with pages of {site}", binary.display());
        let child = spawn(binary, home.path())?;
        Ok(Process { binary: binary.to_owned(), home, child, ports })
    }

    /// As rude as can be.
    pub fn kill_and_start_again(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.child = spawn(&self.binary, self.home.path())?;
        Ok(())
    }

    /// How long it took until writes are accepted.
    pub async fn ready(&self) -> Result<Duration> {
        let begin = now();
        while begin.elapsed() < START {
            if is_ready(self.ports.address(|ports| ports.unison)).await.unwrap_or(false) {
                return Ok(begin.elapsed());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err("the server does not become ready".into())
    }

    /// Fails when it ended by itself.
    pub fn assert_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the server ended with {status}").into()),
        }
    }

    /// In order, and in time.
    pub fn stop(mut self) -> Result<()> {
        let begin = now();
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        while begin.elapsed() < STOP {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the server ended with {status}").into()),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        Err("the server did not end in time".into())
    }

    /// Bytes of memory it has.
    pub fn resident(&self) -> u64 {
        resident(self.child.id())
    }

    /// Time it has spent on processors.
    pub fn cpu(&self) -> Duration {
        cpu(self.child.id())
    }

    /// Descriptors it has open.
    pub fn descriptors(&self) -> Result<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Bytes of the data directory.
    pub fn disk(&self) -> u64 {
        size(&self.home.path().join("data"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already is ended too.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(binary: &Path, home: &Path) -> Result<Child> {
    let started = Command::new(binary)
        .args(["serve".as_ref(), "--config".as_ref(), home.join("manifold.toml").as_os_str()])
        .args(["--data-dir".as_ref(), home.join("data").as_os_str()])
        .spawn();
    started.map_err(|error| format!("{} does not start: {error}", binary.display()).into())
}

async fn is_ready(address: SocketAddr) -> Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /api/v1/ready HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

/// Files come and go meanwhile.
fn size(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => size(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}
