//! Redis as the home, through the real process and by looking into Redis.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ::redis::Commands;
use serde_json::json;

use super::{
    gateway::{Gateway, done, job},
    redis_server::{self, RedisServer},
};
use crate::harness::{Connection, Request, Response, Server, Settings, eventually};

const SOON: Duration = Duration::from_secs(20);

/// A process whose home is this Redis, with the host 1 of the contract's examples.
fn settings(redis: &RedisServer, daemon_id: &str) -> Settings {
    let hosts: toml::Value = toml::from_str::<toml::Table>(
        r#"hosts = [{ id = 1, domain = "example.com", dimensions = {
             desktop = { id = 1, width = 1920, height = 1080 }, mobile = { id = 2, width = 375, height = 667 } } }]"#,
    )
    .expect("a host")["hosts"]
        .clone();
    Settings::fast()
        .set("edgecomet.redis.addr", redis.address())
        .set("edgecomet.daemon_id", daemon_id)
        .set("edgecomet.hosts", hosts)
        .set("edgecomet.scheduler.tick_interval", "100ms")
        .set("edgecomet.scheduler.normal_check_interval", "200ms")
        .set("edgecomet.internal_queue.retry_base_delay", "100ms")
        .set("edgecomet.http_api.scheduler_control_api", true)
}

fn send(server: &Server, request: Request) -> Response {
    let request = request.header("X-Internal-Auth", "dev");
    let answer = Connection::open(server.edgecomet()).send(&request);
    answer.unwrap_or_else(|error| panic!("no answer: {error}\n{}", server.log.tail()))
}

fn recache(server: &Server, priority: &str, paths: &[&str]) -> Response {
    let urls: Vec<String> = paths.iter().map(|path| format!("https://example.com/{path}")).collect();
    let body = json!({"host_id": 1, "urls": urls, "dimension_ids": [1], "priority": priority});
    send(server, Request::post("/internal/cache/recache", body.to_string()))
}

fn pause(server: &Server) {
    send(server, Request::post("/internal/scheduler/pause", "")).expect(200);
}

fn direct(redis: &RedisServer) -> ::redis::Connection {
    let client = ::redis::Client::open(format!("redis://{}/", redis.address())).expect("an address");
    client.get_connection().expect("redis answers")
}

fn member(path: &str) -> String {
    format!(r#"{{"url":"https://example.com/{path}","dimension_id":1}}"#)
}

/// How often each page was asked for.
fn counted(gateways: &[&Gateway]) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for job in gateways.iter().flat_map(|gateway| gateway.jobs()) {
        *counted.entry(job.url.trim_start_matches("https://example.com/").to_owned()).or_default() += 1;
    }
    counted
}

fn each_once(paths: &[&str]) -> BTreeMap<String, usize> {
    paths.iter().map(|path| ((*path).to_owned(), 1)).collect()
}

/// A render service and gateways as they register themselves: each second for three, whether Redis is there or not.
struct Registered {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Registered {
    fn new(redis: &RedisServer, gateways: &[&Gateway], free_tabs: u64) -> Registered {
        let address = redis.address();
        let gateways: Vec<String> = gateways.iter().map(|gateway| gateway.address()).collect();
        let ended = Arc::<AtomicBool>::default();
        let end = ended.clone();
        let (first, registered) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            while !end.load(SeqCst) {
                // A server that is gone is asked again, as every gateway does.
                register(&address, &gateways, free_tabs).ok();
                first.send(()).ok();
                std::thread::park_timeout(Duration::from_secs(1));
            }
        });
        registered.recv().expect("the first time");
        Registered { ended, thread: Some(thread) }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.ended.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().ok();
        }
    }
}

fn register(redis: &str, gateways: &[String], free_tabs: u64) -> ::redis::RedisResult<()> {
    let client = ::redis::Client::open(format!("redis://{redis}/"))?;
    let mut connection = client.get_connection_with_timeout(Duration::from_millis(500))?;
    let now = jiff::Timestamp::now().to_string();
    let service =
        json!({"id": "rs1", "address": "127.0.0.1", "port": 1, "capacity": free_tabs + 2, "load": 2, "last_seen": now});
    let _: () = connection.set_ex("service:render:rs1", service.to_string(), 3)?;
    for (number, address) in gateways.iter().enumerate() {
        let id = format!("eg{number}");
        let gateway = json!({"eg_id": id, "address": address, "last_heartbeat": now, "sharding_enabled": true});
        let _: () = connection.set_ex(format!("registry:eg:{id}"), gateway.to_string(), 3)?;
    }
    Ok(())
}

#[test]
fn queues_hold_the_bytes_that_gateways_know() {
    let Some(redis) = RedisServer::start() else { return };
    let server = Server::with(settings(&redis, "a"));
    pause(&server);
    let before = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs() as f64;
    recache(&server, "high", &["page?b=2&a=1", "page?a=1&b=2", "bad url\u{7f}"]).expect(200);
    let queue: Vec<(String, f64)> = direct(&redis).zrange_withscores("recache:1:high", 0, -1).expect("a queue");
    let [(found, due)] = &queue[..] else { panic!("{queue:?}") };
    assert_eq!(found, r#"{"url":"https://example.com/page?a=1\u0026b=2","dimension_id":1}"#);
    assert!((before..before + 5.0).contains(due) && due.fract() == 0.0, "{due}");
    let status = send(&server, Request::get("/status")).expect(200).json();
    assert_eq!(status["queues"]["1"]["high"], json!({"total": 1, "due_now": 1}));
}

#[test]
fn registered_gateways_get_each_entry_once() {
    let Some(redis) = RedisServer::start() else { return };
    let gateways = [Gateway::start(), Gateway::start()];
    let registered = Registered::new(&redis, &[&gateways[0], &gateways[1]], 10);
    let server = Server::with(settings(&redis, "a"));
    let names: Vec<String> = (0..60).map(|number| format!("p{number}?a=1&b=2")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    recache(&server, "high", &names[..30]).expect(200);
    recache(&server, "normal", &names[30..]).expect(200);
    let gateways = [&gateways[0], &gateways[1]];
    eventually("all are delivered", SOON, || (counted(&gateways).len() == 60).then_some(()));
    let mut redis_now = direct(&redis);
    eventually("no lease is left", SOON, || {
        (!redis_now.exists::<_, bool>("manifold:ec:lease:a").expect("an answer")).then_some(())
    });
    assert_eq!(counted(&gateways), each_once(&names));
    assert!(gateways.iter().all(|gateway| gateway.count() > 0), "both have their share");
    assert!(gateways.iter().all(|gateway| gateway.most_in_flight() <= 7), "the online reserve of 30 % is kept");
    let request = &gateways[0].received()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/internal/cache/recache"));
    assert_eq!(request.header("x-internal-auth"), Some("dev"));
    assert!(request.body.starts_with(r#"{"url":"https://example.com/p"#), "{}", request.body);
    assert!(request.body.ends_with(r#"?a=1\u0026b=2","host_id":1,"dimension_id":1}"#), "{}", request.body);
    drop(registered);
}

#[test]
fn while_redis_is_gone_nothing_is_accepted_and_nothing_is_slow() {
    let Some(mut redis) = RedisServer::start() else { return };
    let mut server = Server::with(settings(&redis, "a"));
    pause(&server);
    recache(&server, "high", &["a"]).expect(200);
    redis.stop();
    for _ in 0..2 {
        let begun = Instant::now();
        let refused = recache(&server, "high", &["b"]).expect(503);
        assert_eq!(refused.text(), r#"{"status":"error","message":"queue store unavailable"}"#);
        let body = json!({"host_id": 1, "urls": ["https://example.com/a"]}).to_string();
        let refused = send(&server, Request::post("/internal/cache/invalidate", body)).expect(503);
        assert_eq!(refused.text(), r#"{"status":"error","message":"cache store unavailable"}"#);
        let status = send(&server, Request::get("/status")).expect(200);
        assert_eq!(status.header("X-Manifold-Degraded"), Some("store"));
        assert_eq!(status.json()["queues"]["1"]["high"], json!({"total": 0, "due_now": 0}));
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    }
    redis.run();
    recache(&server, "high", &["c"]).expect(200);
    let status = send(&server, Request::get("/status")).expect(200);
    assert_eq!(status.header("X-Manifold-Degraded"), None);
    assert_eq!(status.json()["queues"]["1"]["high"]["total"], 2);
    redis.stop();
    redis.run_empty();
    recache(&server, "high", &["d"]).expect(200);
    assert_eq!(direct(&redis).zrange::<_, Vec<String>>("recache:1:high", 0, -1).expect("a queue"), [member("d")]);
    server.assert_alive();
}

#[test]
fn while_redis_is_frozen_nobody_waits_for_long() {
    let Some(redis) = RedisServer::start() else { return };
    let server = Server::with(settings(&redis, "a"));
    recache(&server, "high", &["a"]).expect(200);
    redis.freeze();
    for _ in 0..2 {
        let begun = Instant::now();
        recache(&server, "high", &["b"]).expect(503);
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    redis.thaw();
    recache(&server, "high", &["c"]).expect(200);
}

#[test]
fn a_password_and_a_numbered_database_are_used() {
    let Some(redis) = RedisServer::start() else { return };
    let mut connection = direct(&redis);
    let password = ["CONFIG", "SET", "requirepass", redis_server::PASSWORD];
    let _: () = ::redis::cmd(password[0]).arg(&password[1..]).query(&mut connection).expect("set");
    let with = settings(&redis, "a").set("edgecomet.redis.password", redis_server::PASSWORD);
    let server = Server::with(with.set("edgecomet.redis.db", 3));
    recache(&server, "high", &["a"]).expect(200);
    let _: () = ::redis::cmd("SELECT").arg(3).query(&mut connection).expect("select");
    assert!(connection.exists::<_, bool>("manifold:ec:daemon:a").expect("an answer"));
    assert!(!server.log.text().contains(redis_server::PASSWORD));
}

#[test]
fn a_busy_redis_is_told_apart() {
    let Some(redis) = RedisServer::start() else { return };
    let server = Server::with(settings(&redis, "a"));
    send(&server, Request::get("/internal/cache/urls?host_id=1")).expect(200);
    let (mut connection, mut killer) = (direct(&redis), direct(&redis));
    let _: () = ::redis::cmd("CONFIG").arg("SET").arg("lua-time-limit").arg(20).query(&mut connection).expect("set");
    let endless = std::thread::spawn(move || {
        let script = "while true do end";
        ::redis::cmd("EVAL").arg(script).arg(0).query::<()>(&mut connection).expect_err("it is killed");
    });
    eventually("it says that redis is busy", SOON, || {
        let answer = send(&server, Request::get("/internal/cache/urls?host_id=1"));
        let busy = answer.text() == r#"{"status":"error","message":"redis busy, try again later"}"#;
        (answer.status == 503 && busy).then_some(())
    });
    let _: () = ::redis::cmd("SCRIPT").arg("KILL").query(&mut killer).expect("kill the script");
    endless.join().expect("its connection ends well");
    send(&server, Request::get("/internal/cache/urls?host_id=1")).expect(200);
}

#[test]
fn pulled_entries_survive_a_kill() {
    let Some(redis) = RedisServer::start() else { return };
    let gateway = Gateway::start();
    let registered = Registered::new(&redis, &[&gateway], 4);
    let mut server = Server::with(settings(&redis, "a"));
    let names: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    gateway.hold();
    recache(&server, "high", &names).expect(200);
    eventually("jobs are in flight", SOON, || (gateway.in_flight() > 0).then_some(()));
    server.kill();
    let cut = gateway.jobs();
    gateway.release();
    server.start_again();
    eventually("all are delivered", SOON, || (counted(&[&gateway]).len() == names.len()).then_some(()));
    eventually("nothing is left", SOON, || {
        let keys: Vec<String> = direct(&redis).keys("[rm]*").expect("keys");
        keys.iter().all(|key| key.starts_with("registry:") || key.starts_with("manifold:ec:daemon:")).then_some(())
    });
    let again: Vec<_> = counted(&[&gateway]).into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(again.len() <= cut.len(), "only what was in flight may come twice: {again:?}");
    drop(registered);
}

#[test]
fn another_daemon_takes_over_what_one_left() {
    let Some(redis) = RedisServer::start() else { return };
    let gateway = Gateway::start();
    let registered = Registered::new(&redis, &[&gateway], 4);
    let mut first = Server::with(settings(&redis, "first"));
    gateway.hold();
    recache(&first, "high", &["a", "b", "c"]).expect(200);
    eventually("jobs are in flight", SOON, || (gateway.in_flight() > 0).then_some(()));
    first.kill();
    let cut = gateway.count();
    gateway.release();
    let second = Server::with(settings(&redis, "second"));
    let mut connection = direct(&redis);
    assert!(connection.exists::<_, bool>("manifold:ec:lease:first").expect("an answer"), "its heartbeat still counts");
    // As fifteen seconds do.
    let _: () = connection.del("manifold:ec:daemon:first").expect("delete");
    eventually("all are delivered", SOON, || {
        (gateway.count() >= 3 + cut && counted(&[&gateway]).len() == 3).then_some(())
    });
    eventually("no lease is left", SOON, || {
        let left: Vec<String> = connection.keys("manifold:ec:lease:*").expect("keys");
        left.is_empty().then_some(())
    });
    drop((registered, second));
}

#[test]
fn a_stop_gives_back_what_was_taken() {
    let Some(redis) = RedisServer::start() else { return };
    let gateway = Gateway::start();
    let registered = Registered::new(&redis, &[&gateway], 4);
    let mut server = Server::with(settings(&redis, "a").set("edgecomet.shutdown_grace", "100ms"));
    let mut connection = direct(&redis);
    gateway.hold();
    recache(&server, "high", &["a", "b", "c"]).expect(200);
    eventually("jobs are in flight", SOON, || (gateway.in_flight() > 0).then_some(()));
    server.stop();
    assert_eq!(connection.zcard::<_, u64>("recache:1:high").expect("a queue"), 3);
    let left: Vec<String> = connection.keys("manifold:ec:*").expect("keys");
    assert_eq!(left, [""; 0], "neither leases nor a heartbeat");
    gateway.release();
    server.start_again();
    gateway.hold();
    recache(&server, "high", &["d"]).expect(200);
    eventually("jobs are in flight", SOON, || (gateway.in_flight() > 0).then_some(()));
    let _: () = connection.flushall().expect("flush");
    server.stop();
    assert!(!connection.exists::<_, bool>("recache:1:high").expect("an answer"), "what was flushed stays away");
    drop(registered);
}

#[test]
fn pulled_entries_outlive_a_flush() {
    let Some(redis) = RedisServer::start() else { return };
    let gateway = Gateway::start();
    let registered = Registered::new(&redis, &[&gateway], 10);
    let server = Server::with(settings(&redis, "a"));
    gateway.hold();
    recache(&server, "high", &["a", "b", "c", "d"]).expect(200);
    eventually("jobs are in flight", SOON, || (gateway.in_flight() == 4).then_some(()));
    let _: () = direct(&redis).flushall().expect("flush");
    gateway.release();
    recache(&server, "high", &["e"]).expect(200);
    eventually("all are delivered", SOON, || (gateway.count() == 5).then_some(()));
    assert_eq!(counted(&[&gateway]), each_once(&["a", "b", "c", "d", "e"]));
    drop(registered);
}

#[test]
fn garbage_in_queues_is_in_nobodys_way() {
    let Some(redis) = RedisServer::start() else { return };
    let gateway = Gateway::start();
    let registered = Registered::new(&redis, &[&gateway], 10);
    let mut connection = direct(&redis);
    for number in 0..50 {
        let _: () = connection.zadd("recache:1:high", format!("garbage {number}"), 0).expect("add");
    }
    let lenient = r#"{ "dimension_id": 2, "more": [1], "URL": "https://example.com/lenient" }"#;
    let _: () = connection.zadd("recache:1:high", lenient, 1).expect("add");
    let _: () = connection.set("recache:1:normal", "of another type").expect("set");
    let _: () = connection.set("manifold:ec:lease:a", "of another type").expect("set");
    let _: () = connection.hset("manifold:ec:attempts:1", "x", "many").expect("set");
    for key in ["registry:eg:odd", "service:render:odd"] {
        let _: () = connection.set(key, "{").expect("set");
    }
    let mut server = Server::with(settings(&redis, "a"));
    eventually("the entry is delivered", SOON, || (gateway.count() == 1).then_some(()));
    let only = job(&gateway.received()[0]);
    assert_eq!((only.url.as_str(), only.dimension), ("https://example.com/lenient", 2));
    eventually("nothing is left", SOON, || {
        let left: u64 = connection.zcard("recache:1:high").expect("a queue");
        (left == 0 && !connection.exists::<_, bool>("manifold:ec:lease:a").expect("an answer")).then_some(())
    });
    recache(&server, "normal", &["a"]).expect(503);
    let status = send(&server, Request::get("/status")).expect(200).json();
    assert_eq!(status["queues"]["1"]["normal"]["total"], 0);
    server.assert_alive();
    drop(registered);
}

#[test]
fn without_redis_there_is_no_start() {
    let Some(mut redis) = RedisServer::start() else { return };
    let mut server = Server::with(settings(&redis, "a"));
    server.stop();
    redis.stop();
    let refused = server.start_refused();
    assert!(!refused.status.success());
    let why: Vec<&str> = refused.output.lines().filter(|line| line.contains("does not answer PING")).collect();
    assert_eq!(why.len(), 1, "{}", refused.output);
}

/// The whole of it: pages at both priorities through two gateways, of which some answer slowly and some jobs fail once,
/// while Redis is stopped and started again.
#[test]
fn two_thousand_pages_are_recached_while_redis_is_restarted() {
    const PAGES: usize = 2_000;
    let Some(mut redis) = RedisServer::start() else { return };
    let failing_once = || {
        let seen = std::sync::Mutex::new(std::collections::HashSet::new());
        Gateway::answering(move |received| {
            let job = job(received);
            let number: usize = job.url.rsplit('p').next().and_then(|number| number.parse().ok()).expect("a number");
            if number % 100 == 7 {
                std::thread::sleep(Duration::from_millis(50));
            }
            let fails = number % 50 == 3 && seen.lock().expect("no panic").insert(job.url);
            if fails { super::gateway::failed("503 Service Unavailable", "no tab") } else { done() }
        })
    };
    let gateways = [failing_once(), failing_once()];
    let gateways = [&gateways[0], &gateways[1]];
    let registered = Registered::new(&redis, &gateways, 40);
    let mut server = Server::with(settings(&redis, "a"));
    let names: Vec<String> = (0..PAGES).map(|number| format!("p{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (high, normal) = names.split_at(PAGES / 2);
    recache(&server, "high", high).expect(200);
    recache(&server, "normal", normal).expect(200);
    for part in 1..=2 {
        let delivered = || gateways.iter().map(|gateway| gateway.count()).sum::<usize>();
        eventually("a third is delivered", SOON, || (delivered() > PAGES * part / 4).then_some(()));
        let before = counted(&gateways).len();
        assert!(before < PAGES, "redis is stopped on the way");
        redis.stop();
        recache(&server, "high", &["while-it-is-gone"]).expect(503);
        redis.run();
    }
    eventually("all are delivered", Duration::from_secs(50), || (counted(&gateways).len() == PAGES).then_some(()));
    let mut connection = direct(&redis);
    eventually("nothing is left", SOON, || {
        let left: Vec<String> = connection.keys("[rm][ea][cn]*").expect("keys");
        left.iter().all(|key| key == "manifold:ec:daemon:a").then_some(())
    });
    let counted = counted(&gateways);
    let fails = |page: &str| page.trim_start_matches('p').parse::<usize>().expect("a number") % 50 == 3;
    let more: Vec<_> = counted.iter().filter(|(page, times)| **times > 1 && !fails(page)).collect();
    println!("{} pages, {} of them more often than they had to: {more:?}", counted.len(), more.len());
    assert!(more.len() <= 4 * 40, "only what was in flight when redis went may come twice: {more:?}");
    assert!(gateways.iter().map(|gateway| gateway.most_in_flight()).sum::<usize>() <= 28, "the reserve is kept");
    server.assert_alive();
    drop(registered);
}
