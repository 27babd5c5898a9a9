//! When entries are pulled, begun, tried again and given up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    daemon::{DESKTOP, Daemon, HOST},
    origin::{Answer, Origin},
};
use crate::harness::{Request, Response, Settings, eventually, now_ms};

const PATIENCE: Duration = Duration::from_secs(30);

fn urls(origin: &Origin, pages: usize) -> Vec<String> {
    (0..pages).map(|page| origin.url(&format!("/{page}"))).collect()
}

#[track_caller]
fn post(daemon: &Daemon, path: &str, body: &Value) -> Response {
    daemon.send(&Request::post(path, body.to_string())).expect(200)
}

#[track_caller]
fn recache(daemon: &Daemon, priority: &str, urls: &[String]) {
    let body = json!({"host_id": HOST, "urls": urls, "dimension_ids": [DESKTOP], "priority": priority});
    post(daemon, "/internal/cache/recache", &body);
}

#[track_caller]
fn pause(daemon: &Daemon) {
    post(daemon, "/internal/scheduler/pause", &Value::Null);
}

#[track_caller]
fn resume(daemon: &Daemon) {
    post(daemon, "/internal/scheduler/resume", &Value::Null);
}

#[track_caller]
fn queue(daemon: &Daemon, priority: &str) -> (u64, u64) {
    let queue = &daemon.status()["queues"]["1"][priority];
    (queue["total"].as_u64().expect("a number"), queue["due_now"].as_u64().expect("a number"))
}

/// Waits until nothing is queued, pulled or in flight.
#[track_caller]
fn is_done(daemon: &Daemon) -> bool {
    let answer = daemon.send(&Request::get("/internal/cache/queue/summary?host_id=1")).expect(200).json();
    answer["data"] == json!({"pending": 0, "processing": 0})
}

fn wait_done(daemon: &Daemon) {
    eventually("all done", PATIENCE, || is_done(daemon).then_some(()));
}

fn quick() -> Origin {
    Origin::start(|_| Answer::html("<p>page</p>"))
}

#[test]
fn a_share_of_the_workers_slots_is_kept() {
    let daemon = Daemon::start(Daemon::settings().unset("edgecomet.recache.rs_capacity_reserved"));
    let expected = json!({
        "total_free_tabs": 10, "reserved_for_online": 3, "available_for_recache": 7, "reservation_percent": 30.0
    });
    assert_eq!(daemon.status()["rs_capacity"], expected);
}

#[test]
fn no_more_jobs_run_than_there_is_capacity_for() {
    let origin = Origin::start(|_| Answer::html("slow").after(Duration::from_millis(50)));
    let settings = Daemon::settings().set("edgecomet.recache.rs_capacity_reserved", 0.5);
    let daemon = Daemon::start(settings.set("edgecomet.worker.concurrency", 6));
    daemon.recache(&urls(&origin, 40));
    eventually("all jobs of the budget run", PATIENCE, || {
        (daemon.status()["rs_capacity"]["total_free_tabs"] == 3).then_some(())
    });
    wait_done(&daemon);
    assert_eq!((origin.count(), origin.most_at_once()), (40, 3));
    assert_eq!(daemon.status()["rs_capacity"]["total_free_tabs"], 6);
}

#[test]
fn without_the_control_api_there_is_no_pause() {
    let daemon = Daemon::start(Daemon::settings().unset("edgecomet.http_api.scheduler_control_api"));
    for path in ["/internal/scheduler/pause", "/internal/scheduler/resume"] {
        let refused = daemon.send(&Request::post(path, "")).expect(403);
        assert_eq!(refused.text(), r#"{"status":"error","message":"Scheduler control API not enabled"}"#);
        let request = Request::post(path, "").header("X-Internal-Auth", "wrong");
        daemon.connect().send(&request).expect("an answer").expect(401);
    }
}

#[test]
fn a_pause_keeps_entries_where_they_are_while_ticks_go_on() {
    let (origin, daemon) = (quick(), Daemon::start(Daemon::settings()));
    pause(&daemon);
    pause(&daemon);
    let before = daemon.status()["daemon"]["last_tick"].clone();
    daemon.recache(&urls(&origin, 5));
    let ticks = Instant::now();
    eventually("ticks go on", PATIENCE, || (daemon.status()["daemon"]["last_tick"] != before).then_some(()));
    while ticks.elapsed() < Duration::from_millis(2000) {
        assert_eq!(queue(&daemon, "high"), (5, 5));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!((origin.count(), daemon.status()["internal_queue"]["size"].clone()), (0, json!(0)));
    resume(&daemon);
    wait_done(&daemon);
    assert_eq!(origin.count(), 5);
}

#[test]
fn what_runs_when_a_pause_begins_comes_to_its_end() {
    let origin = Origin::start(|_| Answer::html("slow").after(Duration::from_millis(400)));
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.worker.concurrency", 1));
    daemon.recache(&urls(&origin, 3));
    eventually("a job runs", PATIENCE, || (origin.count() == 1).then_some(()));
    pause(&daemon);
    eventually("the job ended", PATIENCE, || (daemon.status()["rs_capacity"]["total_free_tabs"] == 1).then_some(()));
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(origin.count(), 1, "nothing begins in a pause");
    resume(&daemon);
    wait_done(&daemon);
    assert_eq!(origin.count(), 3);
}

#[test]
fn less_urgent_queues_are_looked_at_at_every_nth_tick() {
    let (origin, daemon) =
        (quick(), Daemon::start(Daemon::settings().set("edgecomet.scheduler.normal_check_interval", "2s")));
    // Right after a look there is time until the next one.
    recache(&daemon, "normal", &[origin.url("/first")]);
    origin.wait_for("/first", 1, PATIENCE);
    recache(&daemon, "normal", &[origin.url("/normal")]);
    recache(&daemon, "high", &[origin.url("/high")]);
    origin.wait_for("/high", 1, Duration::from_secs(1));
    assert_eq!((queue(&daemon, "high").0, queue(&daemon, "normal").0), (0, 1));
    origin.wait_for("/normal", 1, PATIENCE);
    let at = |target: &str| origin.received_for(target)[0].at;
    let between = at("/normal") - at("/first");
    assert!((Duration::from_millis(1500)..Duration::from_millis(3500)).contains(&between), "{between:?}");
}

#[test]
fn what_is_due_later_waits() {
    let (origin, daemon) = (quick(), Daemon::start(Daemon::settings()));
    let at = now_ms() / 1000 + 2;
    let body = json!({
        "host_id": HOST, "urls": [origin.url("/later")], "dimension_ids": [DESKTOP], "priority": "high",
        "schedule_at": at
    });
    post(&daemon, "/internal/cache/recache", &body);
    daemon.recache(&[origin.url("/now")]);
    origin.wait_for("/now", 1, PATIENCE);
    assert_eq!(queue(&daemon, "high"), (1, 0));
    origin.wait_for("/later", 1, PATIENCE);
    assert!(now_ms() >= at * 1000, "too early");
}

#[test]
fn a_page_that_fails_is_tried_three_times_and_given_up() {
    let (origin, daemon) = (Origin::start(|_| Answer::status(500, "no")), Daemon::start(Daemon::settings()));
    daemon.recache(&[origin.url("/broken")]);
    wait_done(&daemon);
    let at: Vec<Instant> = origin.received().iter().map(|request| request.at).collect();
    assert_eq!(at.len(), 3);
    let gaps = (at[1] - at[0], at[2] - at[1]);
    assert!(gaps.0 >= Duration::from_millis(100) && gaps.1 >= Duration::from_millis(200), "{gaps:?}");
    let failed = daemon.failed();
    assert_eq!(failed.len(), 1);
    assert_eq!((&failed[0]["attempts"], &failed[0]["priority"]), (&json!(3), &json!("high")));
    assert_eq!(failed[0]["url"], origin.url("/broken"));
}

#[test]
fn an_entry_that_is_just_being_pulled_is_counted() {
    let origin = Origin::start(|_| Answer::html("page").after(Duration::from_millis(50)));
    let daemon = Daemon::start(Daemon::settings());
    for page in 0..20 {
        daemon.recache(&[origin.url(&format!("/{page}"))]);
        while origin.count() == page {
            assert!(!is_done(&daemon) || origin.count() > page, "page {page} is neither pending nor processing");
        }
        wait_done(&daemon);
    }
}

#[test]
fn a_page_that_gets_well_is_no_dead_letter() {
    let well = AtomicBool::new(false);
    let origin =
        Origin::start(
            move |_| {
                if well.swap(true, SeqCst) { Answer::html("well") } else { Answer::status(503, "not now") }
            },
        );
    let daemon = Daemon::start(Daemon::settings());
    daemon.recache(&[origin.url("/ill")]);
    wait_done(&daemon);
    assert_eq!((origin.count(), daemon.failed().len()), (2, 0));
}

#[test]
fn a_page_that_hangs_stops_neither_others_nor_ticks() {
    let looked = Arc::new(AtomicBool::new(false));
    let origin = Origin::start({
        let looked = looked.clone();
        move |request| {
            while request.path() == "/0" && !looked.load(SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            Answer::html("page")
        }
    });
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.worker.concurrency", 2));
    daemon.recache(&urls(&origin, 1));
    origin.wait_for("/0", 1, PATIENCE);
    let before = daemon.status()["daemon"]["last_tick"].clone();
    let more: Vec<String> = (1..30).map(|page| origin.url(&format!("/{page}"))).collect();
    daemon.recache(&more);
    eventually("the others are fetched", PATIENCE, || (origin.count() == 30).then_some(()));
    eventually("ticks go on", PATIENCE, || (daemon.status()["daemon"]["last_tick"] != before).then_some(()));
    assert_eq!(origin.received_for("/0").len(), 1, "nobody gave it up meanwhile");
    looked.store(true, SeqCst);
    wait_done(&daemon);
    assert_eq!(origin.count(), 30);
}

#[test]
fn a_thousand_pages_of_one_host_are_done_soon() {
    let (origin, daemon) = (quick(), Daemon::start(Daemon::settings()));
    let began = Instant::now();
    daemon.recache(&urls(&origin, 1000));
    wait_done(&daemon);
    let took = began.elapsed();
    assert_eq!((origin.count(), daemon.failed().len()), (1000, 0));
    // One entry per tick would take 100 seconds.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_page_of_two_queues_is_never_fetched_twice_at_once() {
    let origin = Origin::start(|_| Answer::html("slow").after(Duration::from_millis(600)));
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.scheduler.normal_check_interval", "100ms"));
    recache(&daemon, "normal", &[origin.url("/page")]);
    origin.wait_for("/page", 1, PATIENCE);
    recache(&daemon, "high", &[origin.url("/page")]);
    wait_done(&daemon);
    assert_eq!((origin.count(), origin.most_at_once()), (2, 1));
}

#[test]
fn one_host_keeps_to_its_part_of_the_worker() {
    let origin = Origin::start(|_| Answer::html("slow").after(Duration::from_millis(30)));
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.worker.host_concurrency", 2));
    daemon.recache(&urls(&origin, 20));
    wait_done(&daemon);
    assert_eq!((origin.count(), origin.most_at_once()), (20, 2));
}

#[test]
fn without_a_target_entries_wait_and_nothing_is_tried() {
    let (origin, daemon) = (quick(), Daemon::start(Daemon::settings().set("edgecomet.worker.enabled", "false")));
    daemon.recache(&urls(&origin, 3));
    eventually("one is pulled at every tick", PATIENCE, || {
        (daemon.status()["internal_queue"]["size"] == 3).then_some(())
    });
    let status = daemon.status();
    assert_eq!(status["rs_capacity"]["total_free_tabs"], 0);
    assert_eq!(status["internal_queue"], json!({"size": 3, "max_size": 1000, "capacity_used_percent": 0.3}));
    assert_eq!((origin.count(), daemon.failed().len()), (0, 0));
}

#[test]
fn the_internal_queue_has_a_bound() {
    let settings = Daemon::settings().set("edgecomet.worker.enabled", "false");
    let (origin, daemon) = (quick(), Daemon::start(settings.set("edgecomet.internal_queue.max_size", 2)));
    daemon.recache(&urls(&origin, 5));
    eventually("it is full", PATIENCE, || {
        (daemon.status()["internal_queue"]["capacity_used_percent"] == 100.0).then_some(())
    });
    let before = daemon.status()["daemon"]["last_tick"].clone();
    eventually("some ticks later", PATIENCE, || (daemon.status()["daemon"]["last_tick"] != before).then_some(()));
    assert_eq!((daemon.status()["internal_queue"]["size"].clone(), queue(&daemon, "high")), (json!(2), (3, 3)));
}

#[test]
fn an_idle_process_ends_at_once() {
    let mut daemon = Daemon::start(Daemon::settings());
    let began = Instant::now();
    daemon.server.stop();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn what_runs_at_the_end_is_waited_for() {
    let origin = Origin::start(|_| Answer::html("slow").after(Duration::from_millis(700)));
    let mut daemon = Daemon::start(Daemon::settings());
    daemon.recache(&[origin.url("/slow")]);
    origin.wait_for("/slow", 1, PATIENCE);
    daemon.server.restart();
    wait_done(&daemon);
    assert_eq!((origin.count(), daemon.failed().len()), (1, 0));
}

#[test]
fn what_does_not_end_in_time_goes_back_without_an_attempt() {
    let hangs = AtomicBool::new(true);
    let origin =
        Origin::start(move |_| if hangs.swap(false, SeqCst) { Answer::silence() } else { Answer::html("at last") });
    let settings = Daemon::settings().set("edgecomet.shutdown_grace", "200ms");
    let mut daemon = Daemon::start(settings.set("edgecomet.internal_queue.max_retries", 1));
    daemon.recache(&[origin.url("/hangs")]);
    origin.wait_for("/hangs", 1, PATIENCE);
    let began = Instant::now();
    daemon.server.stop();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    daemon.server.start_again();
    wait_done(&daemon);
    assert_eq!((origin.count(), daemon.failed().len()), (2, 0));
}

#[test]
fn attempts_survive_a_restart() {
    let origin = Origin::start(|_| Answer::status(500, "no"));
    let settings = Daemon::settings().set("edgecomet.internal_queue.retry_base_delay", "1s");
    let mut daemon = Daemon::start(settings.set("edgecomet.internal_queue.max_retries", 2));
    daemon.recache(&[origin.url("/broken")]);
    origin.wait_for("/broken", 1, PATIENCE);
    eventually("it waits for a retry", PATIENCE, || (daemon.status()["internal_queue"]["size"] == 1).then_some(()));
    daemon.server.restart();
    wait_done(&daemon);
    assert_eq!(origin.count(), 2);
    assert_eq!(daemon.failed()[0]["attempts"], 2);
    let at: Vec<Instant> = origin.received().iter().map(|request| request.at).collect();
    assert!(at[1] - at[0] >= Duration::from_secs(1), "too early: {:?}", at[1] - at[0]);
}

#[test]
fn entries_of_a_host_that_was_removed_stay_queued() {
    let origin = Origin::start(|_| Answer::html("slow").after(Duration::from_millis(100)));
    let settings: Settings = Daemon::settings();
    let mut daemon = Daemon::start(settings);
    pause(&daemon);
    daemon.recache(&urls(&origin, 4));
    daemon.server.stop();
    let config = daemon.server.data_dir().parent().expect("a directory").join("manifold.toml");
    let kept = std::fs::read_to_string(&config).expect("the configuration");
    assert!(kept.contains("id = 1"), "{kept}");
    daemon.server.start_again();
    std::fs::write(
        &config,
        kept.replace("127.0.0.1\", \"localhost", "other.example\", \"another.example").replacen("id = 1", "id = 7", 1),
    )
    .expect("writes");
    pause(&daemon);
    daemon.server.signal(rustix::process::Signal::HUP);
    eventually("the host is gone", PATIENCE, || daemon.status()["queues"]["1"].is_null().then_some(()));
    let fetched = origin.count();
    resume(&daemon);
    std::thread::sleep(Duration::from_millis(500));
    assert!(origin.count() <= fetched + 1, "a removed host was pulled");
    std::fs::write(&config, kept).expect("writes");
    daemon.server.signal(rustix::process::Signal::HUP);
    eventually("the host is back", PATIENCE, || (!daemon.status()["queues"]["1"].is_null()).then_some(()));
    wait_done(&daemon);
    assert!(origin.count() >= 4);
    assert_eq!(daemon.failed().len(), 0);
}
