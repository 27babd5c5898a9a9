//! The EdgeComet dialect: what one large call costs, how fast the queue drains through a gateway that answers at once, and
//! what a tick costs when a thousand hosts have nothing to do. The bare hyper server reads the same calls, and is the
//! gateway.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tokio::{runtime::Builder, time::sleep};

use crate::{
    Result,
    load::{
        client::{Client, Connection, Protocol, load},
        ready,
        script::Round,
        server::{self, Dialect, Server},
    },
    measure::{median, now},
    sheet::{Sheet, Wanted, number},
};

/// What to measure of the EdgeComet dialect.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Only cases with this in their title.
    #[arg(long, default_value = "")]
    pub case: String,
    /// Addresses of a call, each in three dimensions.
    #[arg(long, default_value_t = 10_000)]
    pub urls: usize,
    /// Calls of each side.
    #[arg(long, default_value_t = 8)]
    pub turns: usize,
    /// Jobs at a time.
    #[arg(long, default_value_t = 64)]
    pub jobs: usize,
    /// Hosts that have nothing to do.
    #[arg(long, default_value_t = 1000)]
    pub hosts: usize,
    /// Durability levels.
    #[arg(long, value_delimiter = ',', default_values_t = ["interval", "always"].map(str::to_owned))]
    pub levels: Vec<String>,
    /// The server's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    pub manifold: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        let levels = ["interval", "always"].map(str::to_owned).to_vec();
        Args { case: String::new(), urls: 10_000, turns: 8, jobs: 64, hosts: 1000, levels, manifold: None }
    }
}

/// Dimensions of a host that are asked for.
const DIMENSIONS: usize = 3;
/// Bytes of the bare server's answers.
const ANSWER_BYTES: usize = 110;
/// How long an idle server is watched.
const IDLE: Duration = Duration::from_secs(10);
/// Ticks of an idle server a second.
const TICKS_PER_SECOND: f64 = 10.0;
/// What is beside the cases the same in all of them.
const SETTINGS: &str = "http_api = { scheduler_control_api = true }\nscheduler = { tick_interval = \"100ms\" }\n\
     recache = { rs_capacity_reserved = 0.0, gateway_concurrency = JOBS }\ninternal_queue = { max_size = 10000 }\n";

/// Measures a block for each case.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let client = Builder::new_current_thread().enable_all().build()?;
    let bare = Server::bare(ANSWER_BYTES)?;
    for level in &args.levels {
        let gateway = format!("gateways = [\"{}\"]\n", bare.address);
        let settings = SETTINGS.replace("JOBS", &args.jobs.to_string()) + &gateway + &hosts(1);
        let manifold = Server::configured(&binary, Dialect::EdgeComet, level, &settings, scratch)?;
        client.block_on(async {
            let mut connection = ready(&manifold, "/status").await?;
            if "enqueue".contains(&args.case) {
                enqueue(args, level, &mut connection, &manifold, &bare, sheet).await?;
            }
            if "drain".contains(&args.case) {
                drain(args, level, &mut connection, &manifold, &bare, sheet).await?;
            }
            Result::Ok(())
        })?;
    }
    if "idle".contains(&args.case) {
        client.block_on(idle(args, &binary, scratch, sheet))?;
    }
    Ok(())
}

/// One call with many addresses while nothing is pulled; the bare server reads the same bytes.
async fn enqueue(
    args: &Args,
    level: &str,
    connection: &mut Connection,
    manifold: &Server,
    bare: &Server,
    sheet: &mut Sheet,
) -> Result<()> {
    let entries = args.urls * DIMENSIONS;
    sheet.section(&format!(
        "EdgeComet: {} addresses in {DIMENSIONS} dimensions in one call, level {level}, {} calls",
        args.urls, args.turns
    ));
    connection.exchange(&post("/internal/scheduler/pause", "")).await?;
    let mut plain = Connection::open(bare.address, Protocol::Http).await?;
    let (mut took, mut plain_took) = (Vec::new(), Vec::new());
    let (before, cpu) = (manifold.resident(), manifold.cpu());
    for turn in 0..args.turns {
        let call = recache(turn, args.urls);
        let start = now();
        connection.exchange(&call).await?;
        took.push(start.elapsed().as_secs_f64() * 1e3);
        let start = now();
        plain.exchange(&call).await?;
        plain_took.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = (manifold.cpu().saturating_sub(cpu)).as_secs_f64() * 1e6 / (entries * args.turns) as f64;
    let bytes = manifold.resident().saturating_sub(before) as f64 / (entries * args.turns) as f64;
    let (ms, plain_ms) = (median(took.iter().copied()), median(plain_took.iter().copied()));
    let worst = took.iter().copied().fold(0.0, f64::max);
    sheet.head(&["", "ms a call", "worst", "bare", "entries/s", "CPU µs an entry", "bytes of memory an entry"]);
    let times = [ms, worst, plain_ms].map(|ms| number(ms, 1));
    let rest = [number(entries as f64 / ms * 1e3, 0), number(cpu, 2), number(bytes, 0)];
    sheet.row([level.to_owned()].into_iter().chain(times).chain(rest));
    let what =
        format!("EdgeComet, {} addresses in {DIMENSIONS} dimensions in one call at {level}, ms at worst", args.urls);
    sheet.goal(what, Wanted::AtMost(1000.0), worst);
    connection.exchange(&post("/internal/cache/queue/purge", r#"{"host_id":1}"#)).await?;
    Ok(())
}

/// A call's entries until all of them are done by a gateway that answers at once; and how many calls of the gateway's
/// protocol the bench itself gets answered.
async fn drain(
    args: &Args,
    level: &str,
    connection: &mut Connection,
    manifold: &Server,
    bare: &Server,
    sheet: &mut Sheet,
) -> Result<()> {
    let entries = args.urls * DIMENSIONS;
    sheet.section(&format!(
        "EdgeComet: {entries} entries through a gateway that answers at once, {} jobs, level {level}",
        args.jobs
    ));
    let jobs = Round::scripts((0..args.urls).map(job).collect());
    sheet.head(&["turn", "entries/s", "the bench alone, calls/s", "of that", "CPU µs an entry"]);
    for turn in 0..args.turns.min(4) {
        let clients = Client::open(bare.address, bare.protocol, args.jobs, &jobs, 1).await?;
        let (_, tally) = load(clients, Duration::from_secs(1)).await?;
        let alone = tally.requests as f64 / tally.elapsed.as_secs_f64();

        connection.exchange(&post("/internal/scheduler/pause", "")).await?;
        connection.exchange(&recache(args.turns + turn, args.urls)).await?;
        let (start, cpu) = (now(), manifold.cpu());
        connection.exchange(&post("/internal/scheduler/resume", "")).await?;
        while left(connection).await? > 0 {
            sleep(Duration::from_millis(20)).await;
        }
        let rate = entries as f64 / start.elapsed().as_secs_f64();
        let cpu = (manifold.cpu().saturating_sub(cpu)).as_secs_f64() * 1e6 / entries as f64;
        let figures = [number(rate, 0), number(alone, 0), number(rate / alone, 2), number(cpu, 2)];
        sheet.row([format!("{level}, {}", turn + 1)].into_iter().chain(figures));
    }
    Ok(())
}

/// Entries that wait or are in flight.
async fn left(connection: &mut Connection) -> Result<u64> {
    let answer: Value =
        serde_json::from_slice(connection.exchange(&get("/internal/cache/queue/summary?host_id=1")).await?)?;
    let number = |name: &str| answer["data"][name].as_u64().ok_or_else(|| format!("no {name} in {answer}"));
    Ok(number("pending")? + number("processing")?)
}

/// Processor time of a server that has nothing to do, with one host and with many.
async fn idle(args: &Args, binary: &Path, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let seconds = IDLE.as_secs();
    sheet.section(&format!("EdgeComet: a tick with nothing to do, {TICKS_PER_SECOND} a second for {seconds} s"));
    sheet.head(&["hosts", "CPU µs a tick"]);
    for count in [1, args.hosts] {
        let settings = SETTINGS.replace("JOBS", "4") + &hosts(count);
        let manifold = Server::configured(binary, Dialect::EdgeComet, "interval", &settings, scratch)?;
        ready(&manifold, "/status").await?;
        let cpu = manifold.cpu();
        sleep(IDLE).await;
        let ticks = IDLE.as_secs_f64() * TICKS_PER_SECOND;
        let each = (manifold.cpu().saturating_sub(cpu)).as_secs_f64() * 1e6 / ticks;
        sheet.row([number(count as f64, 0), number(each, 0)]);
    }
    Ok(())
}

/// The configuration of so many hosts, each with three dimensions: the one that all have, and two more.
fn hosts(count: usize) -> String {
    let dimension = |name: &str, id: usize| {
        format!("{name} = {{ id = {id}, width = 1920, height = 1080, render_ua = \"{name}\" }}")
    };
    let dimensions = format!("{}, {}", dimension("desktop", 1), dimension("mobile", 2));
    let host = |id: usize| {
        format!("[[edgecomet.hosts]]\nid = {id}\ndomain = \"host-{id}.test\"\ndimensions = {{ {dimensions} }}\n")
    };
    (1..=count).map(host).collect()
}

/// Enqueues addresses that no other turn has.
fn recache(turn: usize, urls: usize) -> Vec<u8> {
    let urls: Vec<String> = (0..urls).map(|n| format!("\"{}\"", url(turn, n))).collect();
    post("/internal/cache/recache", &format!(r#"{{"host_id":1,"urls":[{}],"priority":"high"}}"#, urls.join(",")))
}

/// What a gateway is asked.
fn job(n: usize) -> Vec<u8> {
    post("/internal/cache/recache", &format!(r#"{{"url":"{}","host_id":1,"dimension_id":1}}"#, url(0, n)))
}

fn url(turn: usize, n: usize) -> String {
    format!("https://host-1.test/section-{turn}/articles/a-page-with-a-usual-name-{n:05}")
}

fn get(target: &str) -> Vec<u8> {
    request("GET", target, "")
}

fn post(target: &str, body: &str) -> Vec<u8> {
    request("POST", target, body)
}

fn request(method: &str, target: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-internal-auth: {}\r\ncontent-length: {}\r\n\r\n{body}",
        server::API_KEY,
        body.len()
    )
    .into_bytes()
}
