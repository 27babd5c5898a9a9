//! A whole site is recached while the process is killed.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    daemon::{self, Daemon},
    origin::{Answer, Origin, Received},
};
use crate::harness::eventually;

const PAGES: usize = 2000;
const AT_ONCE: usize = 16;
const ATTEMPTS: usize = 3;
/// The process is killed whenever so many more requests have come.
const KILLS: [usize; 5] = [200, 600, 1000, 1400, 1900];
/// Long enough to be seen beside others.
const QUICK: Duration = Duration::from_millis(20);
const SLOW: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(120);

/// What is the matter with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Slow,
    /// Fails the first time.
    Healing,
    /// Fails every time.
    Broken,
    Redirect,
}

impl Kind {
    fn of(page: usize) -> Kind {
        match page % 100 {
            10 | 60 => Kind::Slow,
            20 | 70 => Kind::Healing,
            30 => Kind::Broken,
            40 | 90 => Kind::Redirect,
            _ => Kind::Plain,
        }
    }

    /// Requests until nothing more is to be done.
    fn attempts(self) -> usize {
        match self {
            Kind::Plain | Kind::Slow | Kind::Redirect => 1,
            Kind::Healing => 2,
            Kind::Broken => ATTEMPTS,
        }
    }

    fn answer(self, page: usize, earlier: usize) -> Answer {
        match self {
            Kind::Plain => Answer::html(text(page)).after(QUICK),
            Kind::Slow => Answer::html(text(page)).after(SLOW),
            Kind::Healing if earlier == 0 => Answer::status(503, "not now"),
            Kind::Healing => Answer::html(text(page)),
            Kind::Broken => Answer::status(500, "never"),
            Kind::Redirect => Answer::redirect(302, "/elsewhere"),
        }
    }
}

fn text(page: usize) -> String {
    format!("<!DOCTYPE html><title>Page {page}</title><p>{}</p>", "text ".repeat(page % 50))
}

fn page_of(request: &Received) -> usize {
    request.target.strip_prefix("/page/").and_then(|page| page.parse().ok()).expect("only pages are asked for")
}

/// The site, which remembers how often each page was asked for.
fn site() -> Origin {
    let seen = std::sync::Mutex::new(HashMap::<usize, usize>::new());
    Origin::start(move |request| {
        let page = page_of(request);
        let mut seen = seen.lock().expect("no panic");
        let count = seen.entry(page).or_default();
        *count += 1;
        Kind::of(page).answer(page, *count - 1)
    })
}

/// How many entries are in the daemon's hands: queued, pulled, or given to the worker.
fn entries(status: &Value) -> usize {
    let number = |pointer: &str| {
        let number = status.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} in {status}"));
        usize::try_from(number).expect("a small number")
    };
    let busy = AT_ONCE - number("/rs_capacity/total_free_tabs");
    number("/queues/1/high/total") + number("/internal_queue/size") + busy
}

#[test]
fn a_site_is_recached_whole_although_the_process_is_killed_five_times() {
    let origin = site();
    let settings = Daemon::settings()
        .set("edgecomet.worker.concurrency", AT_ONCE as i64)
        .set("edgecomet.internal_queue.max_retries", ATTEMPTS as i64);
    let mut daemon = Daemon::start(settings);
    let urls: Vec<String> = (0..PAGES).map(|page| origin.url(&format!("/page/{page}"))).collect();
    daemon.recache(&urls);

    let start = Instant::now();
    let mut killed_at = Vec::new();
    let mut before = PAGES;
    while before > 0 {
        let status = daemon.status();
        let now = entries(&status);
        let unfinished = PAGES - finished(&origin);
        assert!(now <= before, "entries were invented, {now} after {before}: {status}");
        assert!(now >= unfinished, "entries were lost, {now} of at least {unfinished}: {status}");
        assert!(start.elapsed() < PATIENCE, "not done: {status}\n{}", daemon.server.log.tail());
        before = now;
        if KILLS.get(killed_at.len()).is_some_and(|kill| origin.count() >= *kill) {
            daemon.server.kill();
            eventually("the site is at rest", PATIENCE, || (origin.running() == 0).then_some(()));
            killed_at.push(Instant::now());
            daemon.server.start_again();
        }
    }
    assert_eq!(killed_at.len(), KILLS.len(), "it was done before it was killed so often");

    check_requests(&origin, &killed_at);
    check_pages(&daemon, &urls);
    check_letters(&daemon, &urls);
}

/// Pages that may be done: all of their requests have come.
fn finished(origin: &Origin) -> usize {
    let counts = counts(&origin.received());
    counts.iter().filter(|(page, count)| **count >= Kind::of(**page).attempts()).count()
}

fn counts(received: &[Received]) -> HashMap<usize, usize> {
    let mut counts = HashMap::new();
    for request in received {
        *counts.entry(page_of(request)).or_default() += 1;
    }
    counts
}

/// Every entry was fetched once per attempt; only what a kill cut off was fetched again.
fn check_requests(origin: &Origin, killed_at: &[Instant]) {
    let received = origin.received();
    let counts = counts(&received);
    let mut again = 0;
    for page in 0..PAGES {
        let (count, attempts) = (counts.get(&page).copied().unwrap_or(0), Kind::of(page).attempts());
        assert!(count >= attempts, "page {page} was asked for {count} times");
        again += count - attempts;
    }
    assert!(again <= KILLS.len() * AT_ONCE, "{again} requests too many");

    let lives = received.chunk_by(|one, next| killed_at.iter().all(|kill| (one.at < *kill) == (next.at < *kill)));
    for life in lives {
        for (page, count) in self::counts(life) {
            assert!(count <= Kind::of(page).attempts(), "page {page} was asked for {count} times by one process");
        }
    }
    assert!(origin.most_at_once() <= AT_ONCE, "{} at once", origin.most_at_once());
    assert!(origin.most_at_once() > AT_ONCE / 2, "only {} at once", origin.most_at_once());
}

/// Every page can be read, but for those that always failed.
fn check_pages(daemon: &Daemon, urls: &[String]) {
    let mut connection = daemon.connect();
    for (page, url) in urls.iter().enumerate() {
        let stored = connection.send(&daemon::content(url)).expect("an answer");
        match Kind::of(page) {
            Kind::Broken => assert_eq!(stored.json()["message"], "no cache entry", "{url}"),
            Kind::Redirect => {
                assert_eq!((stored.status, stored.body.len()), (200, 0), "{url}");
                assert_eq!(stored.header("X-Cache-Location"), Some("/elsewhere"), "{url}");
            }
            Kind::Plain | Kind::Slow | Kind::Healing => {
                assert_eq!((stored.status, stored.text()), (200, text(page)), "{url}");
            }
        }
    }
}

/// Those that always failed are dead letters, once each.
fn check_letters(daemon: &Daemon, urls: &[String]) {
    let letters = daemon.failed();
    let mut dead: Vec<&str> = letters.iter().map(|letter| letter["url"].as_str().expect("an address")).collect();
    dead.sort_unstable();
    let broken = urls.iter().enumerate().filter(|(page, _)| Kind::of(*page) == Kind::Broken);
    let mut expected: Vec<&str> = broken.map(|(_, url)| url.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(dead, expected);
    for letter in &letters {
        assert_eq!(letter["attempts"], ATTEMPTS, "{letter}");
        assert_eq!(letter["reason"], "status 500 is not cacheable", "{letter}");
    }
}
