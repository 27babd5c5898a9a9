//! A Redis server of the tests' own: in a temporary directory, on a free port of loopback. Unit tests of the home include
//! this file too, so it needs nothing but the programs.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Set where a missing server is a failure; without it, tests that need one are skipped.
const REQUIRED: &str = "MANIFOLD_DATABASES";
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(20);
/// Starts that are tried again because another program took the port in between.
const PORT_CLASHES: usize = 5;
pub const PASSWORD: &str = "s3cret/p@ss w%rd";

/// A running server. It ends with the value.
pub struct RedisServer {
    home: TempDir,
    pub port: u16,
    running: Option<Child>,
}

impl RedisServer {
    /// A server that writes everything to its log of commands, so that it comes back with all it had; none, and a line that
    /// says so, where it is not installed.
    pub fn start() -> Option<RedisServer> {
        let Some(_) = find("redis-server") else {
            assert!(std::env::var_os(REQUIRED).is_none(), "redis-server is missing; `make packages` installs it");
            println!("skipped: there is no redis-server on this machine; `make packages` installs it");
            return None;
        };
        let home = tempfile::Builder::new().prefix("manifold-redis-").tempdir().expect("a temporary directory");
        let mut server = RedisServer { home, port: free_port(), running: None };
        for clash in 1.. {
            match server.try_run() {
                Ok(()) => break,
                Err(_) if clash < PORT_CLASHES && server.log().contains("in use") => server.port = free_port(),
                Err(why) => panic!("{why}\n{}", server.log()),
            }
        }
        Some(server)
    }

    /// `host:port`, as configurations have it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the process; what it has stays.
    pub fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        kill_process(Pid::from_child(&child), Signal::TERM).expect("signal redis");
        let begun = Instant::now();
        while child.try_wait().expect("wait for redis").is_none() {
            if begun.elapsed() > STOP {
                child.kill().expect("kill redis");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again on the same port, with what it had.
    pub fn run(&mut self) {
        self.try_run().unwrap_or_else(|why| panic!("{why}\n{}", self.log()));
    }

    /// The same, with nothing.
    pub fn run_empty(&mut self) {
        for entry in fs::read_dir(self.home.path()).expect("the directory").flatten() {
            let removed =
                if entry.path().is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
            removed.expect("remove what redis kept");
        }
        self.run();
    }

    /// Stops all threads of the process, which then keeps its connections and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.running.as_ref().expect("redis runs");
        kill_process(Pid::from_child(child), signal).expect("signal redis");
    }

    fn try_run(&mut self) -> Result<(), String> {
        let log = fs::File::options().create(true).append(true).open(self.log_file()).expect("the log of redis");
        let mut command = Command::new(find("redis-server").expect("it was there"));
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "everysec", "--dir"]).arg(self.home.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("the log")).stderr(log);
        let mut child = command.spawn().expect("start redis");
        let begun = Instant::now();
        while !answers(self.port) {
            if let Some(status) = child.try_wait().expect("wait for redis") {
                return Err(format!("redis ended with {status}"));
            }
            assert!(begun.elapsed() < START, "redis does not answer after {START:?}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.running = Some(child);
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("log")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.running {
            // Nothing of it is needed any more, frozen or not. An error means that it is gone already.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn answers(port: u16) -> bool {
    let ping = || -> std::io::Result<[u8; 5]> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    ping().is_ok_and(|answer| &answer == b"+PONG")
}

/// A port that nobody listens on, from below the range that the kernel uses for outgoing connections, so that it is still
/// free after a stop.
fn free_port() -> u16 {
    const FIRST: u16 = 10_300;
    const COUNT: u16 = 4_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id().wrapping_mul(89) % u32::from(COUNT)) as u16;
    let mut ports = std::iter::repeat_with(|| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT);
    let free =
        ports.by_ref().take(usize::from(COUNT)).find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.expect("a free port")
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|found| found.is_file())
}
