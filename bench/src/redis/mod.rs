//! What people do with Redis, done with Redis over its own protocol, with Redis through Webdis over HTTP, and with each
//! dialect that offers it: the same connections, the same values, the append-only file that comes closest to the
//! durability level.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::runtime::Builder;

mod work;

use work::{At, Door, Work};

use crate::{
    Result,
    load::{
        answering,
        client::Connection,
        compare::{self, Contestant, Side, Turns, compare},
        ready, resp,
        server::{self, Dialect, Server},
        webdis::{self, webdis},
    },
    sheet::{Sheet, number},
};

/// What to measure beside Redis.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Only work with this in its title.
    #[arg(long, default_value = "")]
    pub work: String,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 50)]
    pub connections: usize,
    /// Turns of each side.
    #[arg(long, default_value_t = 6)]
    pub turns: usize,
    /// Length of a turn.
    #[arg(long, default_value_t = 300)]
    pub turn_ms: u64,
    /// Durability levels.
    #[arg(long, value_delimiter = ',', default_values_t = ["interval", "os", "always"].map(str::to_owned))]
    pub levels: Vec<String>,
    /// Manifold's binary; the one beside this program when absent.
    #[arg(long, value_name = "FILE")]
    pub manifold: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        let levels = ["interval", "os", "always"].map(str::to_owned).to_vec();
        Args { work: String::new(), connections: 50, turns: 6, turn_ms: 300, levels, manifold: None }
    }
}

/// What the others are compared with, as far as it is installed.
const REFERENCES: [&str; 2] = ["Redis", "Webdis"];

/// Measures a block for each durability level; work that only reads with the first level alone.
pub fn run(args: &Args, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    let binary = args.manifold.clone().map_or_else(server::sibling, Ok)?;
    let client = Builder::new_current_thread().enable_all().build()?;
    let mut bests = Vec::new();
    for (n, level) in args.levels.iter().enumerate() {
        client.block_on(async {
            let servers = Servers::start(&binary, level, scratch).await?;
            let Args { connections, turns, turn_ms, .. } = args;
            sheet.section(&format!(
                "Redis and Manifold at {level}, {connections} connections, {turns} turns of {turn_ms} ms each"
            ));
            servers.missing().into_iter().for_each(|missing| sheet.note(missing));
            compare::all_head(sheet, "", &REFERENCES);
            for work in work::all().into_iter().filter(|work| work.writes || n == 0) {
                if work.title.contains(&args.work) {
                    let sides = servers.compare(&work, args).await?;
                    compare::all(sheet, work.title, &sides, &REFERENCES);
                    bests.extend(Best::of(work.title, level, &sides));
                }
            }
            Result::Ok(())
        })?;
    }
    summary(&bests, sheet);
    Ok(())
}

/// The servers, each in a process of its own; none that is not installed.
struct Servers {
    redis: Option<Server>,
    webdis: Option<Server>,
    manifold: Server,
}

impl Servers {
    async fn start(binary: &Path, level: &str, scratch: &Path) -> Result<Servers> {
        let (redis, webdis) = (Server::redis(level, scratch)?, webdis(level, scratch).await?);
        let manifold = Server::manifold(binary, Dialect::Dunena, level, scratch)?;
        if let Some(redis) = &redis {
            answering(redis, &resp::command(&["PING"])).await?;
        }
        if let Some(webdis) = &webdis {
            answering(webdis, &webdis::get("PING")).await?;
        }
        ready(&manifold, "/health/ready").await?;
        let servers = Servers { redis, webdis, manifold };
        servers.prepare().await?;
        Ok(servers)
    }

    /// Writes what is read and counted later.
    async fn prepare(&self) -> Result<()> {
        for Door { at, requests, .. } in work::preparation() {
            let Some((server, address)) = self.at(at)? else { continue };
            let mut connection = Connection::open(address, server.protocol).await?;
            for request in &requests {
                connection.exchange(request).await?;
            }
        }
        Ok(())
    }

    fn at(&self, at: At) -> Result<Option<(&Server, std::net::SocketAddr)>> {
        Ok(match at {
            At::Redis => self.redis.as_ref().map(|redis| (redis, redis.address)),
            At::Webdis => self.webdis.as_ref().map(|webdis| (webdis, webdis.address)),
            At::Manifold(dialect) => Some((&self.manifold, self.manifold.at(dialect)?)),
        })
    }

    fn missing(&self) -> Vec<&'static str> {
        let redis = self.redis.is_none().then_some("Redis was not measured: `redis-server` is not installed.");
        let webdis =
            self.webdis.is_none().then_some("Webdis was not measured: `webdis` or `redis-server` is not installed.");
        redis.into_iter().chain(webdis).collect()
    }

    async fn compare(&self, work: &Work, args: &Args) -> Result<Vec<Side>> {
        let turns = Turns { count: args.turns, length: Duration::from_millis(args.turn_ms) };
        let mut contestants = Vec::new();
        for way in &work.ways {
            let Some((server, address)) = self.at(way.at)? else { continue };
            let contestant = Contestant::new(way.name, server, &way.scripts).at(address);
            contestants.push(contestant.at_once(way.at_once).in_steps(way.steps));
        }
        compare(turns, args.connections, &contestants).await
    }
}

/// The fastest dialect at some work.
struct Best {
    work: &'static str,
    level: String,
    dialect: &'static str,
    /// Of each reference.
    ratios: [Option<f64>; 2],
}

impl Best {
    fn of(work: &'static str, level: &str, sides: &[Side]) -> Option<Best> {
        let dialects = sides.iter().filter(|side| work::is_dialect(side.name));
        let best = dialects.max_by(|a, b| a.rate().total_cmp(&b.rate()))?;
        let ratios = REFERENCES.map(|reference| best.of_named(sides, reference));
        Some(Best { work, level: level.to_owned(), dialect: best.name, ratios })
    }
}

/// Who is faster, said plainly.
fn summary(bests: &[Best], sheet: &mut Sheet) {
    sheet.section("The fastest dialect that keeps what it is given, of Redis over its own protocol and through Webdis");
    sheet.head(&["", "level", "dialect", "of Redis", "of Webdis"]);
    for Best { work, level, dialect, ratios } in bests {
        let ratios = ratios.map(compare::shown);
        sheet.row([(*work).to_owned(), level.clone(), (*dialect).to_owned()].into_iter().chain(ratios));
    }
    for (at, reference) in REFERENCES.into_iter().enumerate() {
        let compared: Vec<&Best> = bests.iter().filter(|best| best.ratios[at].is_some()).collect();
        let slower: Vec<String> = compared
            .iter()
            .filter(|best| best.ratios[at].is_some_and(|ratio| ratio < 1.0))
            .map(|best| format!("{} at `{}`", best.work, best.level))
            .collect();
        if !compared.is_empty() {
            let count = number(slower.len() as f64, 0);
            let named = if slower.is_empty() { String::new() } else { format!(": {}", slower.join(", ")) };
            sheet.note(format!(
                "{reference} was faster than every dialect in {count} of {} lines{named}.",
                compared.len()
            ));
        }
    }
}
