//! With the real browser, where there is one.

use std::{env, sync::atomic::AtomicUsize};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::sleep,
};

use super::*;
use crate::outbound::AllowList;

const BOUNDS: Bounds = Bounds {
    tabs: 2,
    pages_per_process: 100,
    document_bytes: 1 << 20,
    page_bytes: 1 << 20,
    page_connections: 8,
    connect: Duration::from_secs(5),
};
/// Enough for any page here on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// The browser; none, and a line that says so, where there is none and none is required.
fn chromium(bounds: Bounds) -> Option<Chromium> {
    let guard = Guard::new(AllowList::parse(["127.0.0.1"]));
    match find("") {
        Ok(program) => Some(Chromium::new(program, guard, bounds)),
        Err(missing) => {
            assert!(env::var_os("MANIFOLD_BROWSER").is_none_or(|wanted| wanted != "required"), "{missing}");
            println!("skipped: {missing}");
            None
        }
    }
}

fn visit(url: &str, html: &str) -> Visit {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "text/html; charset=utf-8".parse().expect("a value"));
    Visit {
        url: Url::parse(url).expect("an address"),
        status: StatusCode::OK,
        headers,
        body: Bytes::from(html.to_owned()),
        user_agent: "Looker/1.0".to_owned(),
        width: 777,
        height: 555,
    }
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

async fn render(chromium: &Chromium, html: &str) -> Result<String, Failed> {
    let rendered = chromium.render(&visit("http://127.0.0.1:9/", html), soon()).await?;
    Ok(String::from_utf8(rendered.to_vec()).expect("UTF-8"))
}

/// Processes below one, itself included, that are no zombies.
fn family(root: i32) -> Vec<i32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let mut rest = rest.split(' ');
        let (state, parent) = (rest.next(), rest.next().and_then(|parent| parent.parse::<i32>().ok()));
        if let (Some(state), Some(parent)) = (state, parent)
            && state != "Z"
        {
            parents.push((pid, parent));
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.retain(|pid| parents.iter().any(|(known, _)| known == pid));
    found
}

/// The process that watches over the browser, and the browser.
fn processes(chromium: &Chromium) -> (i32, Vec<i32>) {
    let current = chromium.0.current.lock();
    let browser = current.as_ref().and_then(|generation| generation.browser.peek()).expect("runs");
    let supervisor = browser.as_ref().expect("runs").supervisor().expect("runs");
    (supervisor, family(supervisor))
}

fn command_line(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("a process"), signal).expect("runs");
}

fn main_process(family: &[i32]) -> i32 {
    let is_main = |pid: &&i32| {
        let line = command_line(**pid);
        line.contains("--remote-debugging-pipe") && !line.contains("--type=") && !line.starts_with("/bin/sh")
    };
    *family.iter().find(is_main).expect("the browser itself")
}

async fn gone(processes: &[i32]) {
    let gone = async {
        while processes.iter().any(|pid| family(*pid).contains(pid)) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout_at(soon(), gone).await.expect("all of them end");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_run_and_nothing_is_left_of_the_browser() {
    let Some(chromium) = chromium(BOUNDS) else { return };
    let html = "<!DOCTYPE html><title>t</title><body><p id=p>before</p><script>
        setTimeout(() => { p.textContent = `${navigator.userAgent} ${innerWidth}x${innerHeight} ä\\ud800`; }, 100);
        alert('nobody reads this'); window.open('/popup');
        location = '/elsewhere';
        Object.defineProperty(Element.prototype, 'outerHTML', { get: () => 'forged' });
    </script>";
    let rendered = render(&chromium, html).await.expect("renders");
    assert!(rendered.starts_with("<!DOCTYPE html><html><head><title>t</title></head><body>"), "{rendered}");
    assert!(rendered.contains("<p id=\"p\">Looker/1.0 777x555 ä\u{fffd}</p>"), "{rendered}");

    let (supervisor, family) = processes(&chromium);
    let profile = profile_of(supervisor);
    assert!(profile.is_dir() && family.len() > 3, "{} {family:?}", profile.display());
    chromium.close().await;
    gone(&family).await;
    assert!(!profile.exists(), "the profile is still there");
    assert_eq!(render(&chromium, html).await, Err(Failed::Crashed("the browser was closed")));
}

fn profile_of(supervisor: i32) -> PathBuf {
    let line = command_line(supervisor);
    let given = line.split(" --user-data-dir=").nth(1).and_then(|rest| rest.split(' ').next());
    PathBuf::from(given.expect("a profile"))
}

/// A server that answers everything with its path, after a while, and counts.
#[derive(Default)]
struct Site {
    port: u16,
    requests: AtomicUsize,
    running: AtomicUsize,
    most_at_once: AtomicUsize,
}

async fn site(address: &str, wait: Duration) -> Arc<Site> {
    let listener = TcpListener::bind(address).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let site = Arc::new(Site { port, ..Site::default() });
    let counts = Arc::clone(&site);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counts = Arc::clone(&counts);
            tokio::spawn(async move {
                let mut head = [0; 4096];
                while stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                    counts.requests.fetch_add(1, Ordering::SeqCst);
                    let running = counts.running.fetch_add(1, Ordering::SeqCst) + 1;
                    counts.most_at_once.fetch_max(running, Ordering::SeqCst);
                    sleep(wait).await;
                    counts.running.fetch_sub(1, Ordering::SeqCst);
                    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nreached";
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            });
        }
    });
    site
}

/// A page that is never done: its tab is there as long as its time.
const ENDLESS: &str = "<!DOCTYPE html><p>here</p><script>setInterval(() => fetch('/more').catch(() => 0), 50)</script>";

/// Renders a page that is never done and waits until it has a process.
async fn begin_endless(chromium: &Chromium) -> tokio::task::JoinHandle<Result<String, Failed>> {
    let site = site("127.0.0.1:0", Duration::ZERO).await;
    let url = format!("http://127.0.0.1:{}/", site.port);
    let renders = chromium.clone();
    let rendering = tokio::spawn(async move {
        let rendered = renders.render(&visit(&url, ENDLESS), soon()).await?;
        Ok(String::from_utf8(rendered.to_vec()).expect("UTF-8"))
    });
    while site.requests.load(Ordering::SeqCst) == 0 {
        assert!(!rendering.is_finished(), "{:?}", rendering.await);
        sleep(Duration::from_millis(10)).await;
    }
    rendering
}

const PLAIN: &str = "<!DOCTYPE html><p>plain</p>";

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_that_crashes_fails_its_own_page() {
    let Some(chromium) = chromium(BOUNDS) else { return };
    let rendering = begin_endless(&chromium).await;
    let (supervisor, family) = processes(&chromium);
    for pid in family.iter().filter(|pid| command_line(**pid).contains("--type=renderer")) {
        kill(*pid, Signal::KILL);
    }
    assert_eq!(rendering.await.expect("ends"), Err(Failed::Crashed("the tab crashed")));
    assert!(render(&chromium, PLAIN).await.expect("renders").contains("<p>plain</p>"));
    assert_eq!(processes(&chromium).0, supervisor, "the browser goes on");
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_crashes_is_started_anew() {
    let Some(chromium) = chromium(BOUNDS) else { return };
    let rendering = begin_endless(&chromium).await;
    let (supervisor, family) = processes(&chromium);
    let profile = profile_of(supervisor);
    kill(main_process(&family), Signal::KILL);
    assert_eq!(rendering.await.expect("ends"), Err(Failed::Crashed("the browser ended")));
    assert!(render(&chromium, PLAIN).await.expect("renders").contains("<p>plain</p>"));
    assert_ne!(processes(&chromium).0, supervisor);
    gone(&family).await;
    chromium.close().await;
    assert!(!profile.exists(), "the profile is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_hangs_is_killed() {
    let Some(chromium) = chromium(BOUNDS) else { return };
    render(&chromium, PLAIN).await.expect("renders");
    // When its tab is closed nobody else is left who would notice.
    drop(chromium.0.tabs.acquire_many(u32::try_from(BOUNDS.tabs).expect("a few")).await);
    let (_, family) = processes(&chromium);
    kill(main_process(&family), Signal::STOP);
    let at_once = Instant::now() + Duration::from_millis(500);
    assert_eq!(chromium.render(&visit("http://127.0.0.1/", PLAIN), at_once).await, Err(Failed::TimedOut));
    gone(&family).await;
    // The system knows of its end a moment before we do.
    let next = async {
        loop {
            match render(&chromium, PLAIN).await {
                Err(Failed::Crashed("the browser ended")) => sleep(Duration::from_millis(20)).await,
                other => break other,
            }
        }
    };
    let rendered = timeout_at(soon(), next).await.expect("another browser starts");
    assert!(rendered.expect("renders").contains("<p>plain</p>"));
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_take_too_long_are_taken_as_they_are_or_not_at_all() {
    let Some(chromium) = chromium(BOUNDS) else { return };
    render(&chromium, PLAIN).await.expect("renders");
    let site = site("127.0.0.1:0", Duration::ZERO).await;
    let url = format!("http://127.0.0.1:{}/", site.port);
    let until = Instant::now() + Duration::from_millis(2500);
    let restless = chromium.render(&visit(&url, ENDLESS), until).await.expect("is taken as it is");
    assert!(restless.starts_with(b"<!DOCTYPE html><html><head></head><body><p>here</p>"), "{restless:?}");
    let until = Instant::now() + Duration::from_millis(1500);
    let busy = "<!DOCTYPE html><script>for (;;);</script>";
    assert_eq!(chromium.render(&visit(&url, busy), until).await, Err(Failed::TimedOut));
    assert!(render(&chromium, PLAIN).await.expect("renders").contains("<p>plain</p>"));
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_connects_to_nothing_that_is_not_allowed() {
    let Some(chromium) = chromium(BOUNDS) else { return };
    let allowed = site("127.0.0.1:0", Duration::ZERO).await;
    let forbidden = site("127.0.0.2:0", Duration::ZERO).await;
    let html = format!(
        "<!DOCTYPE html><p id=p></p><iframe src='http://127.0.0.2:{0}/f'></iframe><img src='http://127.0.0.2:{0}/i'>
        <iframe src='file:///etc/passwd'></iframe><link rel=preconnect href='http://127.0.0.2:{0}/'><script>
        const said = [];
        const tell = text => {{ said.push(text); p.textContent = said.sort().join(' '); }};
        new WebSocket('ws://127.0.0.2:{0}/').onerror = () => tell('socket');
        navigator.serviceWorker?.register('http://127.0.0.2:{0}/s.js').catch(() => 0);
        for (const url of ['/a', 'http://127.0.0.2:{0}/b', 'http://localhost:{0}/c', 'file:///etc/passwd'])
            fetch(url).then(answer => answer.text()).then(tell, () => tell('refused'));
        </script>",
        forbidden.port
    );
    let url = format!("http://127.0.0.1:{}/", allowed.port);
    let rendered = chromium.render(&visit(&url, &html), soon()).await.expect("renders");
    let rendered = String::from_utf8(rendered.to_vec()).expect("UTF-8");
    assert!(rendered.contains("<p id=\"p\">reached refused refused refused socket</p>"), "{rendered}");
    assert_eq!((allowed.requests.load(Ordering::SeqCst), forbidden.requests.load(Ordering::SeqCst)), (1, 0));
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_more_tabs_than_allowed() {
    let Some(chromium) = chromium(BOUNDS) else { return };
    // Longer than it takes to open another tab.
    let site = site("127.0.0.1:0", Duration::from_secs(2)).await;
    let url = format!("http://127.0.0.1:{}/", site.port);
    let visit = visit(
        &url,
        "<!DOCTYPE html><p id=p></p><script>
        fetch('/').then(answer => answer.text()).then(text => p.textContent = text)</script>",
    );
    let one = || async { chromium.render(&visit, soon()).await.expect("renders") };
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    for rendered in [a, b, c, d] {
        assert!(rendered.windows(7).any(|window| window == b"reached"), "{rendered:?}");
    }
    assert_eq!(site.most_at_once.load(Ordering::SeqCst), BOUNDS.tabs);
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_takes_only_so_many_pages() {
    let Some(chromium) = chromium(Bounds { pages_per_process: 1, ..BOUNDS }) else { return };
    render(&chromium, PLAIN).await.expect("renders");
    let (first, family) = processes(&chromium);
    render(&chromium, PLAIN).await.expect("renders");
    assert_ne!(processes(&chromium).0, first);
    gone(&family).await;
    chromium.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_grows_too_long_is_refused() {
    let Some(chromium) = chromium(Bounds { document_bytes: 1000, ..BOUNDS }) else { return };
    // 900 characters are 1,800 bytes.
    for grown in ["'x'.repeat(1000)", "'ä'.repeat(900)"] {
        let html = format!("<!DOCTYPE html><p id=p></p><script>p.textContent = {grown}</script>");
        assert_eq!(render(&chromium, &html).await, Err(Failed::TooLarge), "{grown}");
    }
    chromium.close().await;
}

#[tokio::test]
async fn what_is_no_browser_says_so() {
    let guard = Guard::new(None);
    let chromium = Chromium::new(PathBuf::from("/bin/false"), guard, BOUNDS);
    let Err(Failed::NotStarted(said)) = render(&chromium, PLAIN).await else { panic!("it started") };
    assert_eq!(said, "it said nothing");
    assert_eq!(find("/no/such/file"), Err("no browser to render with: /no/such/file is no file".to_owned()));
    let no_name = find("no-such-browser").expect_err("none");
    assert_eq!(no_name, "no browser to render with: no-such-browser is not in PATH");
}
