//! The process under test and the clients that talk to it. All of it blocks: a test reads like the exchange it makes.

mod browser;
mod http;
mod ports;
mod process;
mod server;
mod settings;
mod sse;
mod tls;
mod websocket;

pub use browser::{Page, program as browser_program};
pub use http::{Connection, Request, Response, raw_exchange};
pub use ports::free_port;
pub use process::Process;
pub use server::{Finished, Log, Server, run_to_exit};
pub use settings::Settings;
pub use sse::{Event, EventStream};
pub use tls::{Authority, Endpoint, Pair, Wire};
pub use websocket::{Data, Frame, OpCode, Refused, Socket, SocketOptions};

use std::time::{Duration, Instant};

/// The full key of every server started here, unless a test sets another.
pub const FULL_KEY: &str = "dev";
/// The read-only key of every server started here.
pub const AGENT_KEY: &str = "ro";

/// Asks `probe` again and again until it gives a value. For states that nothing announces.
pub fn eventually<T>(what: &str, within: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < within, "{what}: still not so after {within:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Lets this process, and those it starts from now on, open so many files; whether the machine allows it.
pub fn may_open(files: usize) -> bool {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = getrlimit(Resource::Nofile);
    if limits.maximum.is_some_and(|maximum| maximum < files as u64) {
        println!("skipped: this machine allows only {:?} open files", limits.maximum);
        return false;
    }
    let wide = Rlimit { current: limits.maximum, maximum: limits.maximum };
    setrlimit(Resource::Nofile, wide).expect("raise the limit of open files");
    true
}

/// How many of something a test does: what the environment says, or what fits into every run.
pub fn scale(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}

/// Milliseconds since the epoch by the clock of this machine.
pub fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("the clock is past 1970");
    u64::try_from(since.as_millis()).expect("milliseconds since 1970 fit")
}
