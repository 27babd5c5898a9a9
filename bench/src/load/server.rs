//! The servers under test, each in a process of its own that ends with its handle.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::client::Protocol;
use crate::{
    Result,
    measure::{cpu, disk_bytes, resident},
};

/// The key Unison and EdgeComet are configured with.
pub const API_KEY: &str = "bench";

/// Which of Manifold's listeners is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The dialect of the comparison with the bare server.
    Unison,
    /// The dialect of queues and streams.
    Flo,
    /// The dialect of commands.
    Synap,
    /// The dialect of the cache.
    Dunena,
    /// The dialect of pages.
    EdgeComet,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Child,
    program: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// How it is talked to there.
    pub protocol: Protocol,
    /// Where its metrics are, if that is elsewhere.
    pub metrics: Option<SocketAddr>,
    /// Ports of Manifold's dialects.
    ports: Vec<(Dialect, u16)>,
    /// Holds its data.
    dir: Option<tempfile::TempDir>,
    /// The server that it only passes requests on to.
    behind: Option<Box<Server>>,
}

impl Server {
    /// The bare server.
    pub fn bare(body_bytes: usize) -> Result<Server> {
        Server::answering(body_bytes, false)
    }

    /// The bare server, answering with a JSON string.
    pub fn bare_json(body_bytes: usize) -> Result<Server> {
        Server::answering(body_bytes, true)
    }

    fn answering(body_bytes: usize, json: bool) -> Result<Server> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["bare", "--body-bytes", &body_bytes.to_string()])
            .args(json.then_some("--json"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        Ok(Server::new(process, "the bare server", line.trim().parse()?, None))
    }

    fn new(process: Child, program: &str, port: u16, dir: Option<tempfile::TempDir>) -> Server {
        Server {
            process,
            program: program.to_owned(),
            address: local(port),
            protocol: Protocol::Http,
            metrics: None,
            ports: Vec::new(),
            dir,
            behind: None,
        }
    }

    /// Manifold at a durability level, with an empty data directory; its address is that of the dialect.
    pub fn manifold(binary: &Path, dialect: Dialect, level: &str, scratch: &Path) -> Result<Server> {
        Server::configured(binary, dialect, level, "", scratch)
    }

    /// The same with more text at the end of its configuration, where the section `[edgecomet]` is open.
    pub fn configured(binary: &Path, dialect: Dialect, level: &str, more: &str, scratch: &Path) -> Result<Server> {
        let dir = tempfile::tempdir_in(scratch)?;
        let (unison, flo, synap, metrics_port) = (free_port()?, free_port()?, free_port()?, free_port()?);
        let (dunena, edgecomet) = (free_port()?, free_port()?);
        let config = dir.path().join("manifold.toml");
        let text = format!(
            "host = \"127.0.0.1\"\n[durability]\nlevel = \"{level}\"\n[log]\nlevel = \"warn\"\n\
             [unison]\nport = {unison}\napi_key = \"{API_KEY}\"\n[flo]\nport = {flo}\nmetrics_port = {metrics_port}\n\
             [synap]\nport = {synap}\n[dunena]\nport = {dunena}\nrate_max = 0\n\
             [edgecomet]\nport = {edgecomet}\ninternal_auth_key = \"{API_KEY}\"\n{more}"
        );
        std::fs::write(&config, text)?;
        let process = Command::new(binary)
            .args(["serve".as_ref(), "--config".as_ref(), config.as_os_str()])
            .args(["--data-dir".as_ref(), dir.path().join("data").as_os_str()])
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", binary.display()))?;
        let mut server = Server::new(process, "manifold", unison, Some(dir));
        server.metrics = Some(local(metrics_port));
        server.ports = vec![
            (Dialect::Unison, unison),
            (Dialect::Flo, flo),
            (Dialect::Synap, synap),
            (Dialect::Dunena, dunena),
            (Dialect::EdgeComet, edgecomet),
        ];
        server.address = server.at(dialect)?;
        Ok(server)
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
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--daemonize", "no", "--loglevel", "warning"])
            .args(["--save", "", "--appendonly", "yes", "--appendfsync", fsync])
            .args(["--dir".as_ref(), dir.path().as_os_str()]);
        let mut server = Server::installed(&mut command, port, dir)?;
        server.iter_mut().for_each(|server| server.protocol = Protocol::Resp);
        Ok(server)
    }

    /// What `command` starts, which listens on `port` and has its data in `dir`; none where it is not installed.
    pub fn installed(command: &mut Command, port: u16, dir: tempfile::TempDir) -> Result<Option<Server>> {
        let program = command.get_program().to_string_lossy().into_owned();
        match command.stdout(Stdio::null()).spawn() {
            Ok(process) => Ok(Some(Server::new(process, &program, port, Some(dir)))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{program} does not start: {error}").into()),
        }
    }

    /// The same server, which only passes requests on to another.
    pub fn before(mut self, behind: Server) -> Server {
        self.behind = Some(Box::new(behind));
        self
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.program
    }

    /// Where a dialect of Manifold listens.
    pub fn at(&self, dialect: Dialect) -> Result<SocketAddr> {
        let port = self.ports.iter().find(|(listener, _)| *listener == dialect);
        port.map(|(_, port)| local(*port)).ok_or_else(|| format!("{} has no dialects", self.program).into())
    }

    /// Bytes of the files in its directory as `du` counts them.
    pub fn disk_bytes(&self) -> u64 {
        self.dir().map(disk_bytes).unwrap_or_default()
    }

    /// The directory that holds its data, and little else.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_ref().map(tempfile::TempDir::path)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Bytes of memory the process has.
    pub fn resident(&self) -> u64 {
        resident(self.process.id())
    }

    /// Time the process has spent on processors, and the one behind it.
    pub fn cpu(&self) -> Duration {
        cpu(self.process.id()) + self.behind.as_ref().map(|behind| behind.cpu()).unwrap_or_default()
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

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A port of this machine that nothing listens on.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
