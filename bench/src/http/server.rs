//! The servers under test, each in a process of its own that ends with its handle.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{Result, measure::cpu};

/// The key Unison is configured with.
pub const API_KEY: &str = "bench";

/// Which of Manifold's listeners is talked to.
#[derive(Debug, Clone, Copy)]
pub enum Dialect {
    /// The dialect of the comparison with the bare server.
    Unison,
    /// The dialect of queues and streams.
    Flo,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Holds its data.
    _dir: Option<tempfile::TempDir>,
}

impl Server {
    /// The bare server.
    pub fn bare(body_bytes: usize) -> Result<Server> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["bare", "--body-bytes", &body_bytes.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, line.trim().parse()?));
        Ok(Server { process, address, _dir: None })
    }

    /// Manifold at a durability level, with an empty data directory; its address is that of the dialect.
    pub fn manifold(binary: &Path, dialect: Dialect, level: &str, scratch: &Path) -> Result<Server> {
        let dir = tempfile::tempdir_in(scratch)?;
        let (unison, flo, metrics_port) = (free_port()?, free_port()?, free_port()?);
        let config = dir.path().join("manifold.toml");
        let text = format!(
            "host = \"127.0.0.1\"\n[durability]\nlevel = \"{level}\"\n[log]\nlevel = \"warn\"\n\
             [unison]\nport = {unison}\napi_key = \"{API_KEY}\"\n[flo]\nport = {flo}\nmetrics_port = {metrics_port}\n"
        );
        std::fs::write(&config, text)?;
        let process = Command::new(binary)
            .args(["serve".as_ref(), "--config".as_ref(), config.as_os_str()])
            .args(["--data-dir".as_ref(), dir.path().join("data").as_os_str()])
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", binary.display()))?;
        let port = match dialect {
            Dialect::Unison => unison,
            Dialect::Flo => flo,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Server { process, address, _dir: Some(dir) })
    }

    /// `redis-server` with the append-only file that comes closest to a durability level, if it is installed.
    pub fn redis(level: &str, scratch: &Path) -> Result<Option<Server>> {
        let dir = tempfile::tempdir_in(scratch)?;
        let port = free_port()?;
        let fsync = match level {
            "always" => "always",
            "interval" => "everysec",
            _ => "no",
        };
        let started = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--daemonize", "no", "--loglevel", "warning"])
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", fsync])
            .args(["--dir".as_ref(), dir.path().as_os_str()])
            .stdout(Stdio::null())
            .spawn();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match started {
            Ok(process) => Ok(Some(Server { process, address, _dir: Some(dir) })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("redis-server does not start: {error}").into()),
        }
    }

    /// Time the process has spent on processors.
    pub fn cpu(&self) -> Duration {
        cpu(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already is ended too.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The binary beside this one.
pub fn sibling() -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("manifold"))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
