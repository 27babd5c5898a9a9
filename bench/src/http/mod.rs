//! Unison against a bare hyper server: same runtime, same load generator, same number of keep-alive connections, answers
//! of the same size. The two take turns of a second or so on connections that stay open.

use std::{path::Path, path::PathBuf, rc::Rc, time::Duration};

pub mod bare;
pub mod case;
pub mod client;
pub mod compare;
pub mod server;

use client::{Connection, Round};
use compare::{Contestant, Turns, compare};
use server::{Dialect, Server};

use crate::{Result, measure::section};

/// What to measure over HTTP.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Keep-alive connections, one comparison for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 50, 500])]
    connections: Vec<usize>,
    /// Turns of each server.
    #[arg(long, default_value_t = 8)]
    turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 1000)]
    turn_ms: u64,
    /// Durability levels.
    #[arg(long, value_delimiter = ',', default_values_t = ["os", "interval", "always"].map(str::to_owned))]
    levels: Vec<String>,
    /// Only `get` or only `put`.
    #[arg(long)]
    only: Option<Verb>,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    manifold: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        Args {
            connections: vec![1, 50, 500],
            turns: 8,
            turn_ms: 1000,
            levels: ["os", "interval", "always"].map(str::to_owned).to_vec(),
            only: None,
            manifold: None,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Verb {
    /// Reads.
    Get,
    /// Writes.
    Put,
}

/// Keys that are read and written, round and round.
const KEYS: usize = 1000;
/// Bytes of a value, quotes included.
const VALUE_BYTES: usize = 128;

/// Prints a block per level: GET, which no level changes, once.
pub fn run(args: &Args, scratch: &Path) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let wanted = |verb| args.only.is_none_or(|only| only == verb);
    for (n, level) in args.levels.iter().enumerate() {
        let manifold = Server::manifold(&binary, Dialect::Unison, level, scratch)?;
        let body_bytes = runtime.block_on(prepare(&manifold))?;
        let bare = Server::bare(body_bytes)?;
        if n == 0 && wanted(Verb::Get) {
            block(args, "GET", &requests(Verb::Get), &runtime, &bare, &manifold)?;
        }
        if wanted(Verb::Put) {
            block(args, &format!("PUT, level {level}"), &requests(Verb::Put), &runtime, &bare, &manifold)?;
        }
    }
    Ok(())
}

fn requests(verb: Verb) -> Rc<[Vec<u8>]> {
    (0..KEYS).map(|n| request(verb, n)).collect()
}

fn request(verb: Verb, n: usize) -> Vec<u8> {
    let (method, body) = match verb {
        Verb::Get => ("GET", String::new()),
        Verb::Put => ("PUT", format!("{{\"value\":\"{}\"}}", "v".repeat(VALUE_BYTES - 2))),
    };
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!(
        "{method} /api/v1/kv/bench/key-{n:04} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\n{length}\r\n{body}",
        server::API_KEY
    )
    .into_bytes()
}

/// Waits until Manifold answers a GET of `path` with 200. The key is there for a dialect that wants one for everything.
pub async fn ready(manifold: &Server, path: &str) -> Result<Connection> {
    const PATIENCE: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(100);
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-internal-auth: {}\r\n\r\n", server::API_KEY);
    for _ in 0..PATIENCE {
        if let Ok(mut connection) = Connection::open(manifold.address).await
            && connection.exchange(request.as_bytes()).await.is_ok()
        {
            return Ok(connection);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err("manifold does not become ready".into())
}

/// Waits until Manifold serves and writes every key once; the length of an answer's body.
async fn prepare(manifold: &Server) -> Result<usize> {
    let mut connection = ready(manifold, "/api/v1/ready").await?;
    let mut body_bytes = 0;
    for n in 0..KEYS {
        body_bytes = connection.exchange(&request(Verb::Put, n)).await?.len();
    }
    Ok(body_bytes)
}

fn block(
    args: &Args,
    title: &str,
    requests: &Rc<[Vec<u8>]>,
    runtime: &tokio::runtime::Runtime,
    bare: &Server,
    manifold: &Server,
) -> Result<()> {
    section(&format!("http: {title}, {} turns of {} ms each", args.turns, args.turn_ms));
    compare::print_head("connections", "bare");
    let turns = Turns { count: args.turns, length: Duration::from_millis(args.turn_ms) };
    let script = |connection| Round::script(requests, connection);
    for &connections in &args.connections {
        let contestants = [("bare hyper", bare), ("manifold", manifold)];
        let contestants = contestants.map(|(name, server)| Contestant { name, server, script: &script });
        let sides = runtime.block_on(compare(turns, connections, &contestants))?;
        compare::print(&connections.to_string(), &sides);
    }
    Ok(())
}
