//! Redis that is gone, frozen, busy, or has other things under our names.

use std::time::Instant;

use super::*;

const BOUND: Duration = Duration::from_secs(2);

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(answer: Result<T>, begun: Instant) {
    assert!(matches!(answer, Err(HomeError::Unavailable(_))), "{answer:?}");
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
}

#[allow(clippy::disallowed_methods, reason = "how long a caller waits is what these tests are about")]
fn now() -> Instant {
    Instant::now()
}

#[tokio::test]
async fn the_first_call_after_a_restart_works() {
    let Some(mut shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let held = pull_high(&home, 1, NOW).await.leases;
    shared.server.stop();
    assert_unavailable(home.enqueue(enqueue(Priority::High, &["c"], NOW)).await, now());
    assert_unavailable(home.pull(&[pull(Priority::High, 1)], NOW).await, now());
    assert_unavailable(home.registry().await, now());
    assert_unavailable(home.finish(&held).await, now());
    shared.server.run();
    assert_eq!(paths(&pull_high(&home, 5, NOW).await.leases), ["b"], "it came back with what it had");
    home.finish(&held).await.unwrap();
    assert_eq!(shared.direct().hlen::<_, u64>("manifold:ec:lease:a").unwrap(), 1);
    shared.server.stop();
    shared.server.run_empty();
    home.ping().await.expect("the first call");
    assert_eq!(pull_high(&home, 5, NOW).await.leases, []);
}

#[tokio::test]
async fn a_frozen_server_keeps_nobody_waiting() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    home.enqueue(enqueue(Priority::High, &["a"], NOW)).await.unwrap();
    shared.server.freeze();
    let begun = now();
    let many = (0..20).map(|_| async { home.ping().await });
    for answer in futures_util::future::join_all(many).await {
        assert_unavailable(answer, begun);
    }
    let begun = now();
    assert_unavailable(home.pull(&[pull(Priority::High, 1)], NOW).await, begun);
    shared.server.thaw();
    home.ping().await.unwrap();
    // Whether the script of the pull ran before its connection was found closed or not, the entry is not lost.
    home.recover().await.unwrap();
    assert_eq!(paths(&pull_high(&home, 1, NOW).await.leases), ["a"]);
}

#[tokio::test]
async fn a_long_script_is_told_as_busy() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let (mut direct, mut killer) = (shared.direct(), shared.direct());
    let _: () = redis::cmd("CONFIG").arg("SET").arg("lua-time-limit").arg(50).query(&mut direct).unwrap();
    let endless = std::thread::spawn(move || {
        let script = "while true do end";
        redis::cmd("EVAL").arg(script).arg(0).query::<()>(&mut direct).unwrap_err();
    });
    let mut busy = home.ping().await;
    while busy != Err(HomeError::Busy) {
        busy = home.ping().await;
    }
    assert_eq!(home.enqueue(enqueue(Priority::High, &["a"], NOW)).await, Err(HomeError::Busy));
    assert_eq!(home.records(HOST, None, 3).await, Err(HomeError::Busy));
    let _: () = redis::cmd("SCRIPT").arg("KILL").query(&mut killer).unwrap();
    endless.join().unwrap();
    home.enqueue(enqueue(Priority::High, &["a"], NOW)).await.unwrap();
}

#[tokio::test]
async fn other_things_under_our_names_stop_only_what_they_are_in_the_way_of() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    let _: () = direct.set("recache:1:high", "x").unwrap();
    for ours in ["manifold:ec:lease:a", "manifold:ec:attempts:1", "manifold:ec:failed:1", "manifold:ec:lease:b"] {
        let _: () = direct.set(ours, "x").unwrap();
    }
    assert_unavailable(home.enqueue(enqueue(Priority::High, &["a"], NOW)).await, now());
    home.recover().await.unwrap();
    home.enqueue(enqueue(Priority::Normal, &["a"], NOW)).await.unwrap();
    let depth = Depth { total: 1, due: 1 };
    assert_eq!(home.depths(&[HOST], NOW).await.unwrap(), [[Depth::default(), depth, Depth::default()]]);
    let pulls = Priority::ALL.map(|priority| pull(priority, 1));
    let pulled = home.pull(&pulls, NOW).await.unwrap();
    assert_eq!(pulled.iter().map(|pulled| pulled.leases.len()).collect::<Vec<_>>(), [0, 1, 0]);
    let lease = pulled[1].leases[0].clone();
    let _: () = direct.set("manifold:ec:lease:a", "x").unwrap();
    home.finish(std::slice::from_ref(&lease)).await.expect("then there is no lease");
    let letter = DeadLetter {
        entry: entry("a"),
        priority: Priority::Normal,
        attempts: 1,
        reason: String::new(),
        failed_at: NOW,
    };
    home.bury(&lease, letter.clone(), 5).await.unwrap();
    assert_eq!(home.failed(HOST, 0, 5).await.unwrap().0, [letter]);
    assert_eq!(direct.get::<_, String>("recache:1:high").unwrap(), "x", "a queue may be somebody's");
}

#[tokio::test]
async fn a_start_needs_redis() {
    let Some(mut shared) = Shared::start() else { return };
    let refused = |config: Config| async move {
        Redis::open(&config, Clock::system(), Arc::default()).await.expect_err("there is nothing to work with")
    };
    let mut config = shared.config("a");
    config.redis.password = "wrong".into();
    let why = refused(config).await;
    assert!(why.starts_with("redis at 127.0.0.1:") && !why.contains('\n'), "{why}");
    let mut config = shared.config("a");
    config.redis.db = 99;
    refused(config).await;
    let mut config = shared.config("a");
    config.redis.addr = Some("nowhere".to_owned());
    assert_eq!(refused(config).await, "redis.addr must be host:port, and \"nowhere\" is not");
    shared.server.stop();
    let begun = now();
    let why = refused(shared.config("a")).await;
    assert!(why.contains("does not answer PING"), "{why}");
    assert!(begun.elapsed() < START + BOUND);
}

const START: Duration = Duration::from_secs(5);

#[tokio::test]
async fn passwords_and_numbered_databases_work() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    let set = ["CONFIG", "SET", "requirepass", redis_server::PASSWORD];
    let _: () = redis::cmd(set[0]).arg(&set[1..]).query(&mut direct).unwrap();
    let mut config = shared.config("a");
    config.redis.password = redis_server::PASSWORD.into();
    config.redis.db = 3;
    let home = Redis::open(&config, Clock::manual(Timestamp(NOW * 1000)), Arc::default()).await.unwrap();
    home.enqueue(enqueue(Priority::High, &["a"], NOW)).await.unwrap();
    let _: () = redis::cmd("SELECT").arg(3).query(&mut direct).unwrap();
    assert_eq!(direct.zcard::<_, u64>("recache:1:high").unwrap(), 1);
}
