//! One `manifold` process with its own data directory: start, stop, kill, start again.

use std::{
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{Connection, Endpoint, Request, Response, Settings, ports::free_port};

/// A process must be gone this long after SIGTERM; the promise of the contract.
const DRAIN: Duration = Duration::from_secs(10);
/// Longest start: a debug build that replays the log of a crash test on a busy machine.
const START: Duration = Duration::from_secs(60);
/// Starts that are tried again because another program took the port in between.
const PORT_CLASHES: usize = 5;

/// A running server. Its process ends with the value.
pub struct Server {
    settings: Settings,
    home: Home,
    ports: Ports,
    running: Option<Running>,
    /// Everything the processes of this server printed, all starts together.
    pub log: Log,
}

/// Where the listeners of one process are.
#[derive(Clone, Copy)]
struct Ports {
    unison: u16,
    flo: u16,
    synap: u16,
    dunena: u16,
    edgecomet: u16,
    metrics: u16,
}

impl Ports {
    fn free() -> Ports {
        Ports {
            unison: free_port(),
            flo: free_port(),
            synap: free_port(),
            dunena: free_port(),
            edgecomet: free_port(),
            metrics: free_port(),
        }
    }
}

struct Running {
    child: Child,
    readers: Vec<JoinHandle<()>>,
}

enum Home {
    Temporary(TempDir),
    Given(PathBuf),
}

/// How a process ended and what it printed.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub output: String,
}

impl Server {
    /// A server with the default settings of the tests, ready for requests.
    pub fn start() -> Server {
        Server::with(Settings::default())
    }

    /// A server with these settings, ready for requests.
    pub fn with(settings: Settings) -> Server {
        let home =
            Home::Temporary(tempfile::Builder::new().prefix("manifold-it-").tempdir().expect("a temporary directory"));
        Server::in_home(settings, home)
    }

    /// A server whose data directory is `home/data`, for tests that bring their own file system.
    pub fn at(home: &Path, settings: Settings) -> Server {
        Server::in_home(settings, Home::Given(home.to_owned()))
    }

    fn in_home(settings: Settings, home: Home) -> Server {
        let mut server = Server { settings, home, ports: Ports::free(), running: None, log: Log::default() };
        for clash in 1.. {
            server.spawn();
            match server.wait_ready() {
                Ok(()) => break,
                Err(why) if clash < PORT_CLASHES && server.log.text().to_lowercase().contains("in use") => {
                    drop(why);
                    server.ports = Ports::free();
                }
                Err(why) => panic!("{why}\n{}", server.log.text()),
            }
        }
        server
    }

    /// Where Unison listens.
    pub fn unison(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.unison).into()
    }

    /// Where Flo listens.
    pub fn flo(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.flo).into()
    }

    /// Where Synap listens.
    pub fn synap(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.synap).into()
    }

    /// Where Dunena listens.
    pub fn dunena(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.dunena).into()
    }

    /// Where EdgeComet listens.
    pub fn edgecomet(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.edgecomet).into()
    }

    /// Where the metrics are.
    pub fn metrics(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.metrics).into()
    }

    /// One of its listeners, with what is needed to reach it.
    pub fn endpoint(&self, address: SocketAddr) -> Endpoint {
        Endpoint { address, tls: self.settings.tls.clone() }
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// A new keep-alive connection to Unison.
    pub fn connect(&self) -> Connection {
        Connection::open(self.endpoint(self.unison()))
    }

    /// One request on a connection of its own.
    pub fn send(&self, request: &Request) -> Response {
        self.connect().send(request).unwrap_or_else(|error| panic!("{request}: {error}\n{}", self.log.tail()))
    }

    /// `GET target` with the full key.
    pub fn get(&self, target: &str) -> Response {
        self.send(&Request::get(target))
    }

    /// `PUT target` with the full key; `value` is JSON text.
    pub fn put(&self, target: &str, value: &str) -> Response {
        self.send(&Request::put(target, format!(r#"{{"value":{value}}}"#)))
    }

    /// Everything the metrics listener shows.
    pub fn metrics_text(&self) -> String {
        let response = Connection::open(self.endpoint(self.metrics()))
            .send(&Request::get("/metrics").key(None))
            .expect("metrics answer");
        assert_eq!(response.status, 200, "{}", response.text());
        response.text()
    }

    /// Fails the test when the process does not answer any more.
    pub fn assert_alive(&mut self) {
        if let Some(status) = self.running.as_mut().and_then(|r| r.child.try_wait().expect("wait for the process")) {
            panic!("the process ended with {status}\n{}", self.log.text());
        }
        let health = self.send(&Request::get("/api/v1/health").key(None));
        assert_eq!((health.status, health.text().as_str()), (200, r#"{"ok":true}"#));
    }

    /// SIGTERM; the process must end with 0 in time.
    pub fn stop(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        self.expect_clean_exit();
    }

    /// Waits for the end of a process that was told to stop: 0, in time.
    pub fn expect_clean_exit(&mut self) {
        self.expect_exit(0);
    }

    /// Waits for the end of a process that was told to stop.
    pub fn expect_exit(&mut self, code: i32) {
        let status = self.wait_exit(DRAIN);
        assert_eq!(status.code(), Some(code), "the process ended with {status}\n{}", self.log.tail());
    }

    /// Sends a signal and does not wait.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("signal the process");
    }

    /// SIGKILL, and the process is gone when this returns.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("a running process");
        running.child.kill().expect("kill the process");
        running.child.wait().expect("wait for the process");
        running.join();
    }

    /// Starts the process again on the same directory and ports.
    pub fn start_again(&mut self) {
        self.spawn();
        self.wait_ready().unwrap_or_else(|why| panic!("{why}\n{}", self.log.tail()));
    }

    /// Starts the process again and does not wait until it is ready.
    pub fn spawn_again(&mut self) {
        self.spawn();
    }

    /// Sets one key of the configuration for the starts that follow.
    pub fn set(&mut self, path: &str, value: &str) {
        self.settings = self.settings.clone().set(path, value);
    }

    /// Starts the process again without the limit on its files.
    pub fn start_again_unlimited(&mut self) {
        self.settings.file_size_limit_kib = None;
        self.start_again();
    }

    /// Stops and starts again.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Starts a process on the same directory and ports that is expected to refuse; the server itself must be stopped.
    pub fn start_refused(&self) -> Finished {
        finish(&mut self.command())
    }

    /// A process on the directory and ports of this stopped server, with the configuration file that is there. For file
    /// systems that cannot be written; the caller ends it.
    pub fn process_without_new_config(&self) -> Child {
        command(&self.home.path().join("manifold.toml"), &self.data_dir(), &self.settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start the binary")
    }

    /// A second process on the directory of this one, with ports of its own.
    pub fn second_process(&self) -> Finished {
        let settings = self.settings.clone();
        let config = self.home.path().join("second.toml");
        write_config(&config, &settings, Ports::free());
        finish(&mut command(&config, &self.data_dir(), &settings))
    }

    /// Memory of the process now.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid().as_raw_nonzero())).expect("/proc");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("VmRSS in KiB") * 1024
    }

    /// Files and sockets that the process has open.
    pub fn open_files(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.pid().as_raw_nonzero());
        std::fs::read_dir(folder).expect("/proc").count()
    }

    /// The sum of a metric's samples.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.metrics_text();
        let of_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        let samples: Vec<&str> = text.lines().filter(of_it).collect();
        assert!(!samples.is_empty(), "there is no {name}");
        samples.iter().map(|line| line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok()).expect("a number")).sum()
    }

    /// Waits until `/api/v1/ready` says so.
    pub fn wait_ready(&mut self) -> Result<(), String> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.running.as_mut().and_then(|r| r.child.try_wait().ok().flatten()) {
                self.running.take().expect("it was just there").join();
                return Err(format!("the process ended with {status} before it was ready"));
            }
            let answer = Connection::try_open(self.endpoint(self.unison()))
                .and_then(|mut connection| connection.send(&Request::get("/api/v1/ready").key(None)));
            // Its control socket opens a moment after it answers.
            if answer.is_ok_and(|response| response.status == 200) && self.data_dir().join("control.sock").exists() {
                return Ok(());
            }
            if start.elapsed() > START {
                return Err(format!("the process is not ready after {START:?}"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The process, for tests that kill it while others use the server.
    pub fn process_id(&self) -> rustix::process::Pid {
        self.pid()
    }

    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.running.as_ref().expect("a running process").child)
    }

    fn command(&self) -> Command {
        let config = self.home.path().join("manifold.toml");
        write_config(&config, &self.settings, self.ports);
        command(&config, &self.data_dir(), &self.settings)
    }

    fn spawn(&mut self) {
        assert!(self.running.is_none(), "the process is running already");
        let mut child = self.command().spawn().expect("start the binary");
        let readers = vec![
            self.log.follow(child.stdout.take().expect("stdout is piped")),
            self.log.follow(child.stderr.take().expect("stderr is piped")),
        ];
        self.running = Some(Running { child, readers });
    }

    fn wait_exit(&mut self, within: Duration) -> ExitStatus {
        let mut running = self.running.take().expect("a running process");
        let start = Instant::now();
        loop {
            if let Some(status) = running.child.try_wait().expect("wait for the process") {
                running.join();
                return status;
            }
            if start.elapsed() > within {
                running.child.kill().expect("kill the process");
                running.child.wait().expect("wait for the process");
                panic!("the process still runs {within:?} after the signal\n{}", self.log.tail());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // An error means that it is gone already, which is what we want.
            running.child.kill().ok();
            running.child.wait().ok();
        }
    }
}

impl Running {
    fn join(self) {
        for reader in self.readers {
            reader.join().expect("the log reader ends with its pipe");
        }
    }
}

impl Home {
    fn path(&self) -> &Path {
        match self {
            Home::Temporary(dir) => dir.path(),
            Home::Given(path) => path,
        }
    }
}

/// What a process printed so far.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    /// All of it.
    pub fn text(&self) -> String {
        self.0.lock().expect("no reader panics").clone()
    }

    /// The last lines, for messages.
    pub fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    pub(super) fn follow(&self, pipe: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let mut text = log.0.lock().expect("no reader panics");
                text.push_str(&String::from_utf8_lossy(&line));
                text.push('\n');
            }
        })
    }
}

/// Runs the binary with these arguments to its end, which must come by itself.
pub fn run_to_exit(args: &[&str], env: &[(&str, &str)], directory: &Path) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manifold"));
    command.args(args).current_dir(directory).env_clear().envs(env.iter().copied());
    finish(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

fn finish(command: &mut Command) -> Finished {
    let mut child = command.spawn().expect("start the binary");
    let log = Log::default();
    let readers = [
        log.follow(child.stdout.take().expect("stdout is piped")),
        log.follow(child.stderr.take().expect("stderr is piped")),
    ];
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("wait for the process") {
            break status;
        }
        if start.elapsed() > DRAIN {
            child.kill().expect("kill the process");
            child.wait().expect("wait for the process");
            panic!("a process that should have ended by itself goes on\n{}", log.text());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    for reader in readers {
        reader.join().expect("the log reader ends with its pipe");
    }
    Finished { status, output: log.text() }
}

fn command(config: &Path, data_dir: &Path, settings: &Settings) -> Command {
    let mut command = match settings.file_size_limit_kib {
        None => Command::new(env!("CARGO_BIN_EXE_manifold")),
        Some(kib) => {
            // The shell becomes the process: an ignored signal and a limit are inherited, `ulimit` counts 512 bytes.
            let mut shell = Command::new("/bin/sh");
            let script = r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#;
            shell.args(["-c", script, &(2 * kib).to_string(), env!("CARGO_BIN_EXE_manifold")]);
            shell
        }
    };
    command.arg("serve").arg("--config").arg(config).arg("--data-dir").arg(data_dir);
    command.current_dir(config.parent().expect("the file is in a directory"));
    command.env_clear().envs(settings.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn write_config(path: &Path, settings: &Settings, ports: Ports) {
    let settings = settings.clone().set("unison.port", i64::from(ports.unison));
    // Every dialect is on unless it is told otherwise, so that each needs a port of its own also where it is not asked.
    let settings = settings.set("flo.port", i64::from(ports.flo)).set("flo.metrics_port", i64::from(ports.metrics));
    let settings = settings.set("synap.port", i64::from(ports.synap)).set("dunena.port", i64::from(ports.dunena));
    let settings = settings.set("edgecomet.port", i64::from(ports.edgecomet));
    std::fs::write(path, settings.file.to_string()).expect("write the configuration");
}
