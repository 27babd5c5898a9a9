//! The Dunena dialect over HTTP against a bare hyper server: the cache, documents in SQLite, and proxied queries. A
//! second bare server is the database behind the proxy.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::runtime::Builder;

use crate::{
    Result,
    load::{
        case::Case,
        client::Connection,
        compare::Turns,
        ready,
        server::{self, Dialect, Server},
    },
    sheet::{Sheet, Wanted},
};

/// What to measure of the Dunena dialect.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Only cases with this in their title.
    #[arg(long, default_value = "")]
    pub case: String,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 50)]
    pub connections: usize,
    /// Turns of each side.
    #[arg(long, default_value_t = 8)]
    pub turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 400)]
    pub turn_ms: u64,
    /// Durability levels.
    #[arg(long, value_delimiter = ',', default_values_t = ["interval", "always"].map(str::to_owned))]
    pub levels: Vec<String>,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    pub manifold: Option<PathBuf>,
    /// Another binary of the server, to compare with in place of the bare one.
    #[arg(long, value_name = "FILE")]
    pub before: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        let levels = ["interval", "always"].map(str::to_owned).to_vec();
        Args { case: String::new(), connections: 50, turns: 8, turn_ms: 400, levels, manifold: None, before: None }
    }
}

/// Keys that are read and written, round and round.
const KEYS: usize = 1000;
/// Bytes of a value.
const VALUE_BYTES: usize = 128;
/// Keys of a request for many.
const MANY: usize = 100;

/// Of the bare server's rate.
const GOALS: [(&str, f64); 2] = [("cache get", 0.85), ("cache set", 0.75)];

/// Measures a block for each durability level.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let client = Builder::new_current_thread().enable_all().build()?;
    let turns = Turns { count: args.turns, length: Duration::from_millis(args.turn_ms) };
    let Args { connections, turn_ms, .. } = args;
    // Answers JSON, and has work as little as a database can have.
    let database = Server::bare_json(VALUE_BYTES)?;
    for (n, level) in args.levels.iter().enumerate() {
        let start = |binary: &Path| -> Result<Server> {
            let manifold = Server::manifold(binary, Dialect::Dunena, level, scratch)?;
            client.block_on(async {
                prepare(&mut ready(&manifold, "/health/ready").await?, database.address).await?;
                Ok(manifold)
            })
        };
        let manifold = start(&binary)?;
        let before = args.before.as_deref().map(start).transpose()?;
        let cases = cases().into_iter().filter(|case| (case.writes || n == 0) && case.title.contains(&args.case));
        sheet.section(&format!("Dunena at {level}, {connections} connections, {} turns of {turn_ms} ms", args.turns));
        match &before {
            None => Case::head(sheet, "request"),
            Some(_) => Case::beside_head(sheet, "request"),
        }
        for case in cases {
            if let Some(before) = &before {
                client.block_on(case.beside(turns, *connections, [before, &manifold], sheet))?;
                continue;
            }
            let ratio = client.block_on(case.run(turns, *connections, &manifold, sheet))?;
            if let Some((_, least)) = GOALS.iter().find(|(title, _)| *title == case.title) {
                sheet.goal(format!("Dunena {}, of bare", case.title), Wanted::AtLeast(*least), ratio);
            }
        }
    }
    Ok(())
}

/// What is measured. Only what ends in SQLite depends on the durability level.
fn cases() -> Vec<Case> {
    let value = "v".repeat(VALUE_BYTES);
    let keys =
        |from: usize| (0..MANY).map(|n| format!("\"key-{:04}\"", (from + n) % KEYS)).collect::<Vec<_>>().join(",");
    let entries = |from: usize| {
        let entry = |n: usize| format!(r#"{{"key":"key-{:04}","value":"{value}"}}"#, (from + n) % KEYS);
        (0..MANY).map(entry).collect::<Vec<_>>().join(",")
    };
    let query = |n: usize| format!(r#"{{"connector":"bench","query":"SELECT {n}"}}"#);
    vec![
        of("cache get", false, |n| get(&format!("/cache/key-{n:04}"))),
        of("cache set", false, |n| post(&format!("/cache/key-{n:04}"), &format!(r#"{{"value":"{value}"}}"#))),
        of("cache mget of 100", false, |n| post("/cache", &format!(r#"{{"action":"mget","keys":[{}]}}"#, keys(n)))),
        of("cache mset of 100", false, |n| {
            post("/cache", &format!(r#"{{"action":"mset","entries":[{}]}}"#, entries(n)))
        }),
        of("query hit", false, |n| post("/db-proxy/query", &query(n))),
        of("query without cache", false, |n| post("/db-proxy/query", &query(n).replace('}', r#","skipCache":true}"#))),
        of("db get", false, |n| get(&format!("/db/key-{n:04}"))),
        of("db set", true, |n| post(&format!("/db/key-{n:04}"), &format!(r#"{{"value":"{value}","tags":["a","b"]}}"#))),
        of("db mset of 100", true, |n| post("/db", &format!(r#"{{"action":"mset","entries":[{}]}}"#, entries(n)))),
        of("query cache put", true, |n| {
            post("/query-cache", &format!(r#"{{"key":"key-{n:04}","data":[{{"id":{n}}}],"tags":["a"]}}"#))
        }),
    ]
}

fn of(title: &'static str, writes: bool, request: impl Fn(usize) -> Vec<u8>) -> Case {
    Case::of(title, writes, (0..KEYS).map(request).collect())
}

/// Values under all keys, and a connector.
async fn prepare(connection: &mut Connection, database: SocketAddr) -> Result<()> {
    let body = format!(r#"{{"name":"bench","type":"http","connectionString":"http://{database}/"}}"#);
    connection.exchange(&post("/db-proxy/register", &body)).await?;
    let body = format!(r#"{{"value":"{}","tags":["a","b"]}}"#, "v".repeat(VALUE_BYTES));
    for n in 0..KEYS {
        connection.exchange(&post(&format!("/cache/key-{n:04}"), &body)).await?;
        connection.exchange(&post(&format!("/db/key-{n:04}"), &body)).await?;
    }
    Ok(())
}

/// A request without a body.
pub fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// A request with a body of JSON.
pub fn post(target: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {target} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    )
    .into_bytes()
}
