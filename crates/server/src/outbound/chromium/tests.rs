//! With the real browser, where there is one.

use std::{env, sync::atomic::AtomicBool};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
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
    let guard = Guard::new(AllowList::parse(["127.0.0.0/8"]));
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
            tokio::time::sleep(Duration::from_millis(20)).await;
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
