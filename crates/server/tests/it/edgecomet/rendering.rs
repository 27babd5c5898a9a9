//! Pages that a headless browser renders.

use std::{
    fs::Permissions,
    io::ErrorKind,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    slice,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    daemon::{Daemon, USER_AGENT, VIEWPORT},
    origin::{Answer, Origin},
};
use crate::harness::{Response, Settings, browser_program, eventually};

/// A browser that starts, on a machine that is busy with other tests, and a page in it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings of a daemon that renders; none where there is no browser and none is required.
fn settings() -> Option<Settings> {
    let program = browser_program()?;
    let path = std::env::var_os("PATH").and_then(|path| path.into_string().ok()).expect("a PATH");
    let settings = Daemon::settings().env("PATH", path).set("edgecomet.worker.render", true);
    Some(settings.set("edgecomet.worker.chromium", program.to_str().expect("UTF-8")))
}

/// Waits until a page is stored.
#[track_caller]
fn stored(daemon: &Daemon, url: &str) -> Response {
    eventually(url, PATIENCE, || Some(daemon.content(url)).filter(|stored| stored.status == 200))
}

/// The processes that are a descendant of one.
fn descendants(of: i32) -> Vec<i32> {
    let parent = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse::<i32>().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let (_, rest) = stat.rsplit_once(") ")?;
        let (state, rest) = rest.split_once(' ')?;
        Some((pid, rest.split(' ').next()?.parse::<i32>().ok()?)).filter(|_| state != "Z")
    };
    let all: Vec<(i32, i32)> = std::fs::read_dir("/proc").expect("/proc").flatten().filter_map(parent).collect();
    let mut found = vec![of];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(all.iter().filter(|(_, its)| *its == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found.split_off(1)
}

fn is_running(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn command_line(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
}

/// The browser's processes, and its profile.
fn browser(daemon: &Daemon) -> (Vec<i32>, PathBuf) {
    let processes = descendants(daemon.server.process_id().as_raw_nonzero().get());
    let lines = processes.iter().map(|pid| command_line(*pid));
    let mut profiles = lines.filter_map(|line| line.split(" --user-data-dir=").nth(1).map(str::to_owned));
    let profile = profiles.next().expect("a browser runs");
    (processes, PathBuf::from(profile.split(' ').next().expect("a path")))
}

#[track_caller]
fn wait_gone(processes: &[i32], profile: &Path) {
    eventually("the browser is gone", PATIENCE, || (!processes.iter().any(|pid| is_running(*pid))).then_some(()));
    eventually("its profile is gone", PATIENCE, || (!profile.exists()).then_some(()));
}

#[test]
fn what_scripts_write_is_stored_and_the_browser_ends_with_the_process() {
    let Some(settings) = settings() else { return };
    let origin = Origin::start(|request| match request.path() {
        "/page" => Answer::html(
            "<!DOCTYPE html><title>Empty</title><p id=p>nothing</p><script>
            setTimeout(() => fetch('/text').then(answer => answer.text()).then(text => {
                document.title = 'Full';
                p.textContent = `${text} ${navigator.userAgent} ${innerWidth}x${innerHeight}`;
            }), 200);
            </script>",
        ),
        "/text" => Answer::status(200, "Only a script knows this.").after(Duration::from_millis(200)),
        "/data" => Answer::status(200, "{}").header("Content-Type", "application/json"),
        _ => Answer::redirect(301, "/page"),
    });
    let mut daemon = Daemon::start(settings);
    let (page, data, moved) = (origin.url("/page"), origin.url("/data"), origin.url("/moved"));
    daemon.recache(&[page.clone(), data.clone(), moved.clone()]);

    let rendered = stored(&daemon, &page);
    let expected = format!(
        r#"<!DOCTYPE html><html><head><title>Full</title></head><body><p id="p">Only a script knows this. {USER_AGENT} {}x{}</p>"#,
        VIEWPORT.0, VIEWPORT.1
    );
    assert!(rendered.text().starts_with(&expected), "{}", rendered.text());
    assert_eq!(rendered.header("X-Cache-Source"), Some("render"));
    assert_eq!(rendered.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(origin.count_of("/page"), 1, "the page is asked for once");
    assert_eq!(origin.count_of("/favicon.ico"), 0);
    let asked = origin.received_for("/text").remove(0);
    assert_eq!(asked.header("user-agent"), Some(USER_AGENT));

    // There is nothing to render in these.
    assert_eq!(stored(&daemon, &data).text(), "{}");
    assert_eq!(stored(&daemon, &moved).header("X-Cache-Location"), Some("/page"));

    // What was rendered here is rendered anew.
    daemon.recache(slice::from_ref(&page));
    origin.wait_for("/text", 2, PATIENCE);

    let (processes, profile) = browser(&daemon);
    daemon.server.kill();
    wait_gone(&processes, &profile);
    daemon.server.start_again();
    daemon.recache(&[page]);
    origin.wait_for("/text", 3, PATIENCE);
    let (processes, profile) = browser(&daemon);
    daemon.server.stop();
    // It was killed before the process ended, and is gone when the system has got round to it.
    wait_gone(&processes, &profile);
}

#[test]
fn a_page_that_is_never_quiet_is_stored_at_the_end_of_its_time() {
    let Some(settings) = settings() else { return };
    let origin = Origin::start(|request| match request.path() {
        "/restless" => {
            Answer::html("<!DOCTYPE html><p>Here I am.</p><script>setInterval(() => fetch('/more'), 50)</script>")
        }
        _ => Answer::status(200, ""),
    });
    let daemon = Daemon::start(settings.set("edgecomet.worker.timeout", "4s"));
    let url = origin.url("/restless");
    daemon.recache(slice::from_ref(&url));
    assert!(stored(&daemon, &url).text().contains("<p>Here I am.</p>"));
    assert_eq!(origin.count_of("/restless"), 1, "the first attempt was enough");
}

#[test]
fn a_page_whose_tab_crashes_is_tried_again() {
    let Some(settings) = settings() else { return };
    let origin = Origin::start(|request| match request.path() {
        "/fragile" => Answer::html(
            "<!DOCTYPE html><p id=p></p><script>
            fetch('/text').then(answer => answer.text()).then(text => p.textContent = text)
            </script>",
        ),
        _ => Answer::status(200, "It held.").after(Duration::from_millis(800)),
    });
    let daemon = Daemon::start(settings);
    let url = origin.url("/fragile");
    daemon.recache(slice::from_ref(&url));
    origin.wait_for("/text", 1, PATIENCE);
    for pid in browser(&daemon).0 {
        if command_line(pid).contains("--type=renderer") {
            // An error means that it came to its end by itself.
            kill_process(Pid::from_raw(pid).expect("a process"), Signal::KILL).ok();
        }
    }
    assert!(stored(&daemon, &url).text().contains(r#"<p id="p">It held.</p>"#));
    assert_eq!(origin.count_of("/fragile"), 2);
    assert_eq!(daemon.failed(), [] as [serde_json::Value; 0]);
}

#[test]
fn a_page_reaches_nothing_that_the_worker_may_not() {
    let Some(settings) = settings() else { return };
    let origin = Origin::start(|request| match request.path() {
        "/page" => {
            let port = request.header("host").and_then(|host| host.split(':').nth(1)).expect("a port").to_owned();
            Answer::html(format!(
                "<!DOCTYPE html><p id=p></p><script>
                const said = [];
                for (const url of ['/own', 'http://127.0.0.2:{port}/other'])
                    fetch(url).then(() => 'reached', () => 'refused').then(text => {{
                        said.push(text);
                        p.textContent = said.sort().join(' ');
                    }});
                </script>"
            ))
        }
        _ => Answer::status(200, "").header("Access-Control-Allow-Origin", "*"),
    });
    let other = TcpListener::bind(("127.0.0.2", origin.address().port())).expect("the port at another address");
    other.set_nonblocking(true).expect("a socket option");
    let settings = settings.set("edgecomet.worker.allow_private", false);
    let daemon = Daemon::start(settings.set("edgecomet.worker.allow_networks", vec!["127.0.0.1/32".to_owned()]));
    let url = origin.url("/page");
    daemon.recache(slice::from_ref(&url));
    let page = stored(&daemon, &url).text();
    assert!(page.contains(r#"<p id="p">reached refused</p>"#), "{page}");
    assert_eq!(origin.count_of("/own"), 1);
    assert_eq!(
        other.accept().map(drop).map_err(|error| error.kind()),
        Err(ErrorKind::WouldBlock),
        "it was connected to"
    );
}

#[test]
fn there_are_no_more_tabs_than_jobs_are_allowed() {
    let Some(settings) = settings() else { return };
    let origin = Origin::start(|request| match request.path() {
        "/text" => Answer::status(200, "there").after(Duration::from_millis(300)),
        _ => Answer::html(
            "<!DOCTYPE html><p id=p></p><script>
            fetch('/text').then(answer => answer.text()).then(text => p.textContent = text)
            </script>",
        ),
    });
    let daemon = Daemon::start(settings.set("edgecomet.worker.concurrency", 2));
    let urls: Vec<String> = (0..5).map(|page| origin.url(&format!("/page/{page}"))).collect();
    daemon.recache(&urls);
    for url in &urls {
        assert!(stored(&daemon, url).text().contains(r#"<p id="p">there</p>"#));
    }
    assert_eq!(origin.most_at_once(), 2);
}

#[test]
fn without_a_browser_nothing_starts() {
    let Some(settings) = settings() else { return };
    let folder = tempfile::tempdir().expect("a temporary directory");
    let program = folder.path().join("browser");
    std::fs::write(&program, "#!/bin/sh\nexit 1\n").expect("write a program");
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("make it a program");
    let shown = program.to_str().expect("UTF-8").to_owned();
    let mut daemon = Daemon::start(settings.set("edgecomet.worker.chromium", shown.clone()));
    daemon.server.stop();
    std::fs::remove_file(&program).expect("remove the program");
    let refused = daemon.server.start_refused();
    assert_eq!(refused.status.code(), Some(78), "{}", refused.output);
    let line = format!("no browser to render with: {shown} is no file");
    assert!(refused.output.contains(&line), "{}", refused.output);
}
