//! The verbs against a real server, which is also looked at directly.

use std::{collections::BTreeSet, sync::Arc};

use manifold_engine::recache::{
    DeadLetter, Depth, DimensionId, Enqueue, Entry, HostId, Lease, PageKey, Priority, Pull, Pulled, Queued, Record,
    Selection,
};
use redis::Commands;

use super::*;
use crate::dialects::edgecomet::{config, home::HomeError};

#[allow(clippy::disallowed_methods, reason = "it looks at a process from outside, with the real clock")]
#[path = "../../../../../tests/it/edgecomet/redis_server.rs"]
mod redis_server;

mod outages;
mod reading;
mod recovering;

use redis_server::RedisServer;

const HOST: HostId = HostId(1);
const NOW: u64 = 1_737_196_200;

/// A server with homes on it.
struct Shared {
    server: RedisServer,
}

impl Shared {
    fn start() -> Option<Shared> {
        RedisServer::start().map(|server| Shared { server })
    }

    async fn home(&self, daemon_id: &str) -> Redis {
        Redis::open(&self.config(daemon_id), Clock::manual(Timestamp(NOW * 1000)), Arc::default())
            .await
            .expect("redis answers")
    }

    fn config(&self, daemon_id: &str) -> Config {
        let redis = config::Redis { addr: Some(self.server.address()), ..config::Redis::default() };
        Config { daemon_id: daemon_id.to_owned(), redis, ..Config::default() }
    }

    /// A connection past the home.
    fn direct(&self) -> redis::Connection {
        let client = redis::Client::open(format!("redis://{}/", self.server.address())).unwrap();
        client.get_connection().unwrap()
    }
}

fn entry(path: &str) -> Entry {
    Entry { url: Arc::from(format!("https://example.com/{path}")), dimension: DimensionId(1) }
}

fn member(path: &str) -> String {
    String::from_utf8(entry(path).member()).unwrap()
}

fn enqueue(priority: Priority, paths: &[&str], due: u64) -> Enqueue {
    Enqueue { host: HOST, priority, entries: paths.iter().map(|path| entry(path)).collect(), due, most: 0 }
}

fn pull(priority: Priority, most: usize) -> Pull {
    Pull { host: HOST, priority, most }
}

async fn pull_high(home: &Redis, most: usize, now: u64) -> Pulled {
    home.pull(&[pull(Priority::High, most)], now).await.unwrap().pop().unwrap()
}

fn paths(leases: &[Lease]) -> Vec<&str> {
    leases.iter().map(|lease| lease.entry.url.trim_start_matches("https://example.com/")).collect()
}

fn queue_of(direct: &mut redis::Connection, name: &str) -> Vec<(String, f64)> {
    direct.zrange_withscores(name, 0, -1).unwrap()
}

#[tokio::test]
async fn an_entry_is_a_member_with_its_due_time() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    home.enqueue(enqueue(Priority::High, &["page?a=1&b=2", "page?a=1&b=2"], NOW)).await.unwrap();
    let expected = r#"{"url":"https://example.com/page?a=1\u0026b=2","dimension_id":1}"#;
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(expected.to_owned(), NOW as f64)]);
    home.enqueue(enqueue(Priority::High, &["page?a=1&b=2"], NOW + 5)).await.unwrap();
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(expected.to_owned(), (NOW + 5) as f64)]);
    assert_eq!(direct.ttl::<_, i64>("recache:1:high").unwrap(), -1);
}

#[tokio::test]
async fn thousands_of_entries_need_few_commands() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    let _: () = redis::cmd("CONFIG").arg("RESETSTAT").query(&mut direct).unwrap();
    let names: Vec<String> = (0..2_500).map(|number| format!("page{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    home.enqueue(enqueue(Priority::Normal, &names, NOW)).await.unwrap();
    assert_eq!(direct.zcard::<_, u64>("recache:1:normal").unwrap(), 2_500);
    let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut direct).unwrap();
    assert!(stats.contains("cmdstat_zadd:calls=3,"), "{stats}");
}

#[tokio::test]
async fn a_full_queue_takes_none() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let limited = |paths: &[&str]| Enqueue { most: 3, ..enqueue(Priority::High, paths, NOW) };
    home.enqueue(limited(&["a", "b", "b"])).await.unwrap();
    assert_eq!(home.enqueue(limited(&["c", "d"])).await, Err(HomeError::Full));
    home.enqueue(limited(&["a", "b", "c", "c"])).await.unwrap();
    assert_eq!(home.enqueue(limited(&["d"])).await, Err(HomeError::Full));
    assert_eq!(
        home.depths(&[HOST], NOW).await.unwrap(),
        [[Depth { total: 3, due: 3 }, Depth::default(), Depth::default()]]
    );
}

#[tokio::test]
async fn due_entries_are_pulled_in_order_and_leased() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    home.enqueue(enqueue(Priority::High, &["c", "b"], NOW)).await.unwrap();
    home.enqueue(enqueue(Priority::High, &["z"], NOW - 1)).await.unwrap();
    home.enqueue(enqueue(Priority::High, &["later"], NOW + 1)).await.unwrap();
    let pulled = pull_high(&home, 2, NOW).await;
    assert_eq!(paths(&pulled.leases), ["z", "b"]);
    assert!(pulled.due_left);
    assert_eq!(pulled.leases[0].due, NOW - 1);
    let rest = pull_high(&home, 2, NOW).await;
    assert_eq!(paths(&rest.leases), ["c"]);
    assert!(!rest.due_left);
    assert_eq!(direct.zcard::<_, u64>("recache:1:high").unwrap(), 1);
    let mut leases: Vec<String> = direct.hvals("manifold:ec:lease:a").unwrap();
    leases.sort();
    assert_eq!(leases[1], format!("1 high {NOW} 0 0 {}", member("b")));
    home.finish(&pulled.leases).await.unwrap();
    home.finish(&rest.leases).await.unwrap();
    assert!(!direct.exists::<_, bool>("manifold:ec:lease:a").unwrap());
    home.finish(&rest.leases).await.expect("ending twice is no error");
}

#[tokio::test]
async fn many_queues_are_pulled_by_one_call() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    for host in 1..=300 {
        let one = Enqueue { host: HostId(host), ..enqueue(Priority::High, &["x"], NOW) };
        home.enqueue(one).await.unwrap();
    }
    let pulls: Vec<Pull> = (1..=301).map(|host| Pull { host: HostId(host), ..pull(Priority::High, 1) }).collect();
    let pulled = home.pull(&pulls, NOW).await.unwrap();
    assert_eq!(pulled.iter().map(|pulled| pulled.pull).collect::<Vec<_>>(), pulls);
    assert!(pulled[..300].iter().all(|pulled| pulled.leases.len() == 1 && pulled.leases[0].host == pulled.pull.host));
    assert!(pulled[300].leases.is_empty());
    let ids: BTreeSet<u64> = pulled.iter().flat_map(|pulled| pulled.leases.iter().map(|lease| lease.id)).collect();
    assert_eq!(ids.len(), 300);
}

#[tokio::test]
async fn what_is_no_entry_is_removed_and_uses_up_no_turn() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    for number in 0..2_500 {
        let _: () = direct.zadd("recache:1:high", format!("garbage {number}"), 5).unwrap();
    }
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let pulled = pull_high(&home, 1, NOW).await;
    assert_eq!(paths(&pulled.leases), ["a"]);
    assert!(pulled.due_left);
    assert_eq!(home.malformed_members(), 2_500);
    assert_eq!(direct.zcard::<_, u64>("recache:1:high").unwrap(), 1);
    assert_eq!(direct.hlen::<_, u64>("manifold:ec:lease:a").unwrap(), 1);
}

#[tokio::test]
async fn a_lenient_member_is_given_back_as_it_was() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    let odd = "{\n \"Dimension_ID\": 1, \"URL\": \"https://example.com/x\", \"more\": true }";
    let _: () = direct.zadd("recache:1:high", odd, 1.5).unwrap();
    let pulled = pull_high(&home, 1, NOW).await;
    assert_eq!(pulled.leases[0].entry, entry("x"));
    assert_eq!(pulled.leases[0].due, 1);
    home.give_back(&pulled.leases).await.unwrap();
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(odd.to_owned(), 1.5)]);
}

#[tokio::test]
async fn what_is_given_back_keeps_its_attempts_until_it_is_asked_for_anew() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let mut leases = pull_high(&home, 2, NOW).await.leases;
    home.wait_for_retry(&leases[0], 2, NOW + 7).await.unwrap();
    leases[1].attempts = 1;
    home.give_back(&leases).await.unwrap();
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(member("b"), NOW as f64), (member("a"), (NOW + 7) as f64)]);
    assert_eq!(direct.hlen::<_, u64>("manifold:ec:attempts:1").unwrap(), 2);
    let again = pull_high(&home, 2, NOW + 7).await.leases;
    assert_eq!(again.iter().map(|lease| lease.attempts).collect::<Vec<_>>(), [1, 2]);
    assert!(!direct.exists::<_, bool>("manifold:ec:attempts:1").unwrap(), "the leases have them");
    home.give_back(&again).await.unwrap();
    home.enqueue(enqueue(Priority::High, &["a"], NOW)).await.unwrap();
    let anew = pull_high(&home, 2, NOW + 7).await.leases;
    assert_eq!(anew.iter().map(|lease| (lease.attempts, lease.due)).collect::<Vec<_>>(), [(0, NOW), (1, NOW)]);
}

#[tokio::test]
async fn of_two_due_times_the_earlier_stays() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let leases = pull_high(&home, 2, NOW).await.leases;
    home.enqueue(enqueue(Priority::High, &["a"], NOW + 50)).await.unwrap();
    home.enqueue(enqueue(Priority::High, &["b"], NOW - 50)).await.unwrap();
    home.give_back(&leases).await.unwrap();
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(member("b"), (NOW - 50) as f64), (member("a"), NOW as f64)]);
}

#[tokio::test]
async fn only_leases_that_still_exist_are_given_back() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let leases = pull_high(&home, 2, NOW).await.leases;
    let _: () = direct.flushall().unwrap();
    home.wait_for_retry(&leases[0], 1, NOW + 7).await.expect("a lease that is gone is no error");
    home.give_back(&leases[..1]).await.expect("a lease that is gone is no error");
    home.finish(&leases[1..]).await.expect("a lease that is gone is no error");
    assert_eq!(direct.keys::<_, Vec<String>>("recache:*").unwrap(), [""; 0]);
    assert_eq!(direct.keys::<_, Vec<String>>("manifold:ec:[al]*").unwrap(), [""; 0]);
}
