//! What is kept in memory and on disk for a key, a queued message, a record of a stream and a point of a series: what a
//! server has more when it holds many of them, by their number. A server of its own for each, of Redis too.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{runtime::Builder, time::sleep};

use crate::{
    Result,
    flo::http as flo,
    load::{
        answering,
        client::Connection,
        ready, resp,
        server::{self, Dialect, Server},
    },
    measure::scramble,
    series::load::Load,
    sheet::{Sheet, number},
    synap::request::command as synap,
};

/// What to count.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Keys, messages, records and points.
    #[arg(long, default_value_t = 500_000)]
    pub items: usize,
    /// Manifold's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    pub manifold: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        Args { items: 500_000, manifold: None }
    }
}

/// Bytes of a value, a message and a record; a multiple of three, so that their base64 needs no padding.
const PAYLOAD: usize = 126;
/// Of what is written by many, so many in a request, or so many requests at once.
const TOGETHER: usize = 500;
/// Hosts of the series; each has as many points.
const HOSTS: usize = 500;
/// Lines of a request.
const LINES: usize = 5_000;

/// Measures a line for each kind of thing and each server.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let count = number(args.items as f64, 0);
    sheet.section(&format!("Memory and disk of {count} of each, {PAYLOAD} bytes of payload, level interval"));
    sheet.head(&["", "server", "bytes of memory each", "bytes on disk each", "resident MB before", "after"]);
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        for kind in kinds(args.items) {
            let manifold = Server::manifold(&binary, kind.dialect, "interval", scratch)?;
            ready(&manifold, kind.ready).await?;
            fill(args, kind.what, kind.name, &manifold, &kind.requests, sheet).await?;
            drop(manifold);
            if let Some(requests) = &kind.of_redis {
                match Server::redis("interval", scratch)? {
                    Some(redis) => {
                        answering(&redis, &resp::command(&["PING"])).await?;
                        fill(args, kind.what, "Redis", &redis, requests, sheet).await?;
                    }
                    None => sheet.row([kind.what.to_owned(), "Redis: not installed".to_owned()]),
                }
            }
        }
        Ok(())
    })
}

/// Something that a server holds many of.
struct Kind {
    what: &'static str,
    name: &'static str,
    dialect: Dialect,
    ready: &'static str,
    requests: Requests,
    /// The same for Redis, where it has such a thing.
    of_redis: Option<Requests>,
}

/// All of them as bytes, so many requests to send at once.
struct Requests {
    at_once: usize,
    batches: usize,
    batch: Box<dyn Fn(usize) -> Vec<u8>>,
}

fn kinds(items: usize) -> Vec<Kind> {
    let of_redis = |words: fn(usize) -> Vec<String>| {
        let command = move |n| resp::command(&words(n).iter().map(String::as_str).collect::<Vec<_>>());
        let batch = move |at: usize| (at * TOGETHER..(at + 1) * TOGETHER).flat_map(command).collect();
        Some(Requests { at_once: TOGETHER, batches: items / TOGETHER, batch: Box::new(batch) })
    };
    let requests =
        |at_once, batch: Box<dyn Fn(usize) -> Vec<u8>>| Requests { at_once, batches: items / TOGETHER, batch };
    let points = Load::single(HOSTS, items / HOSTS).batches(LINES);
    vec![
        Kind {
            what: "key",
            name: "Synap",
            dialect: Dialect::Synap,
            ready: "/health",
            requests: requests(
                1,
                Box::new(move |at| {
                    let pair = |n| format!("{{\"key\":\"{}\",\"value\":\"{}\"}}", key(n), text(n));
                    let pairs: Vec<String> = (at * TOGETHER..(at + 1) * TOGETHER).map(pair).collect();
                    synap("kv.mset", &format!("{{\"pairs\":[{}]}}", pairs.join(",")))
                }),
            ),
            of_redis: of_redis(|n| vec!["SET".to_owned(), key(n), text(n)]),
        },
        Kind {
            what: "queued message",
            name: "Flo",
            dialect: Dialect::Flo,
            ready: "/api/v1/status",
            requests: requests(
                TOGETHER,
                Box::new(move |at| {
                    let enqueue = |n| flo::post("queue/bench/q/enqueue", &payload(n));
                    (at * TOGETHER..(at + 1) * TOGETHER).flat_map(enqueue).collect()
                }),
            ),
            of_redis: of_redis(|n| vec!["LPUSH".to_owned(), "q".to_owned(), text(n)]),
        },
        Kind {
            what: "stream record",
            name: "Flo",
            dialect: Dialect::Flo,
            ready: "/api/v1/status",
            requests: requests(
                1,
                Box::new(move |at| {
                    let records: Vec<String> = (at * TOGETHER..(at + 1) * TOGETHER).map(payload).collect();
                    flo::post("stream/bench/s/append", &format!("{{\"records\":[{}]}}", records.join(",")))
                }),
            ),
            of_redis: of_redis(|n| ["XADD", "s", "*", "p"].map(str::to_owned).into_iter().chain([text(n)]).collect()),
        },
        Kind {
            what: "point of a series",
            name: "Flo",
            dialect: Dialect::Flo,
            ready: "/api/v1/status",
            requests: Requests {
                at_once: 1,
                batches: points.len(),
                batch: Box::new(move |at| {
                    let lines = String::from_utf8_lossy(&points[at].body);
                    flo::post("ts/bench/write", &lines)
                }),
            },
            of_redis: None,
        },
    ]
}

fn key(n: usize) -> String {
    format!("key-{n:08}")
}

fn text(n: usize) -> String {
    letters(n, PAYLOAD)
}

/// The member of a request to Flo: base64 of as many bytes.
fn payload(n: usize) -> String {
    format!("{{\"payload\":\"{}\"}}", letters(n, PAYLOAD / 3 * 4))
}

/// The same for the same number; nobody can make them much shorter.
fn letters(n: usize, count: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |at: usize| char::from(ALPHABET[scramble((n << 8 | at) as u64) as usize % ALPHABET.len()]);
    (0..count).map(letter).collect()
}

/// Writes all of it and prints what the server has more by then.
async fn fill(
    args: &Args,
    what: &str,
    name: &str,
    server: &Server,
    requests: &Requests,
    sheet: &mut Sheet,
) -> Result<()> {
    let before = settled(server).await;
    let mut connection = Connection::open(server.address, server.protocol).await?;
    for at in 0..requests.batches {
        connection.pipeline(&(requests.batch)(at), requests.at_once).await?;
    }
    let after = settled(server).await;
    let each = |after: u64, before: u64| after.saturating_sub(before) as f64 / args.items as f64;
    sheet.row([
        what.to_owned(),
        name.to_owned(),
        number(each(after.resident, before.resident), 1),
        number(each(after.disk, before.disk), 1),
        number(before.resident as f64 / 1e6, 1),
        number(after.resident as f64 / 1e6, 1),
    ]);
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Used {
    resident: u64,
    disk: u64,
}

/// What a server uses once that hardly changes, or at the end of patience.
async fn settled(server: &Server) -> Used {
    const PAUSE: Duration = Duration::from_millis(500);
    const PATIENCE: u32 = 20;
    /// Pauses in a row without a change.
    const STILL: u32 = 4;
    /// A change is more than this share.
    const SHARE: u64 = 200;
    let used = || Used { resident: server.resident(), disk: server.disk_bytes() };
    let close = |a: u64, b: u64| a.abs_diff(b) <= a.max(b) / SHARE;
    let (mut last, mut still) = (used(), 0);
    for _ in 0..PATIENCE {
        sleep(PAUSE).await;
        let now = used();
        still = if close(now.resident, last.resident) && close(now.disk, last.disk) { still + 1 } else { 0 };
        last = now;
        if still == STILL {
            break;
        }
    }
    last
}
