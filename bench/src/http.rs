//! Unison against a bare hyper server: same runtime, same load generator, same number of keep-alive connections, answers
//! of the same size. The two take turns of a second or so on connections that stay open.

use std::{path::Path, path::PathBuf, rc::Rc, time::Duration};

use crate::{
    Result,
    load::{
        case::Case,
        compare::{self, Contestant, Turns, compare},
        ready,
        script::Round,
        server::{self, Dialect, Server},
    },
    sheet::{Sheet, Wanted},
};

/// What to measure over HTTP.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Keep-alive connections, one comparison for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 50, 500])]
    pub connections: Vec<usize>,
    /// Turns of each server.
    #[arg(long, default_value_t = 8)]
    pub turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 1000)]
    pub turn_ms: u64,
    /// Durability levels.
    #[arg(long, value_delimiter = ',', default_values_t = ["os", "interval", "always"].map(str::to_owned))]
    pub levels: Vec<String>,
    /// Only `get` or only `put`.
    #[arg(long)]
    pub only: Option<Verb>,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    pub manifold: Option<PathBuf>,
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
pub enum Verb {
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
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let wanted = |verb| args.only.is_none_or(|only| only == verb);
    for (n, level) in args.levels.iter().enumerate() {
        let manifold = Server::manifold(&binary, Dialect::Unison, level, scratch)?;
        let body_bytes = runtime.block_on(prepare(&manifold))?;
        let bare = Server::bare(body_bytes)?;
        if n == 0 && wanted(Verb::Get) {
            runtime.block_on(block(args, "GET", &requests(Verb::Get), &bare, &manifold, sheet))?;
        }
        if wanted(Verb::Put) {
            let title = format!("PUT, level {level}");
            runtime.block_on(block(args, &title, &requests(Verb::Put), &bare, &manifold, sheet))?;
        }
    }
    Ok(())
}

/// Connections at which goals are set.
const GOAL_AT: usize = 50;
/// Of the bare server's rate.
const GOALS: [(&str, f64); 3] = [("GET", 0.85), ("PUT, level interval", 0.75), ("PUT, level always", 0.4)];

fn requests(verb: Verb) -> Rc<[Vec<u8>]> {
    (0..KEYS).map(|n| request(verb, n)).collect()
}

/// A request for a key out of [`KEYS`].
pub fn request(verb: Verb, n: usize) -> Vec<u8> {
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

/// Waits until Manifold serves and writes every key once; the length of an answer's body.
async fn prepare(manifold: &Server) -> Result<usize> {
    let mut connection = ready(manifold, "/api/v1/ready").await?;
    let mut body_bytes = 0;
    for n in 0..KEYS {
        body_bytes = connection.exchange(&request(Verb::Put, n)).await?.len();
    }
    Ok(body_bytes)
}

async fn block(
    args: &Args,
    title: &str,
    requests: &Rc<[Vec<u8>]>,
    bare: &Server,
    manifold: &Server,
    sheet: &mut Sheet,
) -> Result<()> {
    sheet.section(&format!("Unison {title}, {} turns of {} ms each", args.turns, args.turn_ms));
    Case::head(sheet, "connections");
    let turns = Turns { count: args.turns, length: Duration::from_millis(args.turn_ms) };
    let scripts = Round::scripts(requests.clone());
    for &connections in &args.connections {
        let contestants = [Contestant::new("bare", bare, &scripts), Contestant::new("Manifold", manifold, &scripts)];
        let sides = compare(turns, connections, &contestants).await?;
        let ratio = compare::versus(sheet, &connections.to_string(), &sides)?;
        let goal = GOALS.iter().find(|(goal, _)| *goal == title && connections == GOAL_AT);
        if let Some((_, least)) = goal {
            let what = format!("Unison {title}, {connections} connections, of bare");
            sheet.goal(what, Wanted::AtLeast(*least), ratio);
        }
    }
    Ok(())
}
