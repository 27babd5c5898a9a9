//! A headless Chromium that a test drives over the DevTools protocol: one process, one page.

use std::{
    ffi::OsString,
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Socket, SocketOptions, eventually};

/// `required` makes a missing browser a failure.
const WANTED: &str = "MANIFOLD_BROWSER";
const NAMES: [&str; 2] = ["chromium", "chromium-browser"];
/// A first start fills a profile, on a machine that may be busy with other tests.
const START: Duration = Duration::from_secs(60);
/// Longest time for a page to become what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A page in a browser of its own. The browser ends with the value.
pub struct Page {
    browser: Browser,
    session: String,
    /// The address of every request, in order.
    pub requests: Vec<String>,
    /// What a user would find in the console: errors, exceptions, what the content policy refused.
    pub complaints: Vec<String>,
}

struct Browser {
    socket: Socket,
    last_call: u64,
    /// Dropped for what that does: the process ends, then the folder goes that it writes into.
    _running: (Process, TempDir),
}

struct Process(Child);

impl Page {
    /// Opens `url` in a fresh browser; none, and a line that says so, where there is no browser and none is required.
    pub fn open(url: &str) -> Option<Page> {
        let mut browser = Browser::start(&program()?);
        let target = browser.call(None, "Target.createTarget", json!({ "url": "about:blank" }), |_| {});
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call(None, "Target.attachToTarget", attach, |_| {});
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let mut page = Page { browser, session, requests: Vec::new(), complaints: Vec::new() };
        for domain in ["Page.enable", "Network.enable", "Runtime.enable", "Log.enable"] {
            page.call(domain, json!({}));
        }
        let size = json!({ "width": 1280, "height": 1600, "deviceScaleFactor": 1, "mobile": false });
        page.call("Emulation.setDeviceMetricsOverride", size);
        let navigated = page.call("Page.navigate", json!({ "url": url }));
        assert_eq!(navigated.get("errorText"), None, "{url}");
        Some(page)
    }

    /// The value of a JavaScript expression in the page.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert_eq!(answer.get("exceptionDetails"), None, "{expression}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait_until(&mut self, expression: &str) {
        let start = Instant::now();
        while self.evaluate(expression) != Value::Bool(true) {
            let complaints = &self.complaints;
            assert!(start.elapsed() < PATIENCE, "not so after {PATIENCE:?}: {expression}\n{complaints:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for an element.
    #[track_caller]
    pub fn wait_for(&mut self, selector: &str) {
        self.wait_until(&format!("document.querySelector({}) !== null", Value::from(selector)));
    }

    /// Waits for an element and clicks it where it is to be seen.
    #[track_caller]
    pub fn click(&mut self, selector: &str) {
        self.wait_for(selector);
        let place = self.evaluate(&format!(
            "(element => {{
                element.scrollIntoView({{ block: 'center' }});
                const {{ x, y, width, height }} = element.getBoundingClientRect();
                return [x + width / 2, y + height / 2];
            }})(document.querySelector({}))",
            Value::from(selector)
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Waits for a field and replaces what is in it.
    #[track_caller]
    pub fn fill(&mut self, selector: &str, text: &str) {
        self.click(selector);
        self.evaluate(&format!("document.querySelector({}).select()", Value::from(selector)));
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Waits for an element and gives its text.
    #[track_caller]
    pub fn text(&mut self, selector: &str) -> String {
        self.wait_for(selector);
        let text = self.evaluate(&format!("document.querySelector({}).innerText", Value::from(selector)));
        text.as_str().unwrap_or_else(|| panic!("{selector} has no text")).to_owned()
    }

    /// Keeps a picture of what is to be seen, as `<name>.png` beside those of other tests.
    pub fn screenshot(&mut self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-artifacts");
        std::fs::create_dir_all(&folder).expect("a folder for artefacts");
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let picture = BASE64_STANDARD.decode(picture["data"].as_str().expect("a picture")).expect("base64");
        assert!(picture.starts_with(b"\x89PNG"), "the picture is no PNG");
        std::fs::write(folder.join(name).with_added_extension("png"), picture).expect("keep the picture");
    }

    #[track_caller]
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        let Page { browser, session, requests, complaints } = self;
        browser.call(Some(session), method, parameters, |event| {
            let about = &event["params"];
            match event["method"].as_str() {
                Some("Network.requestWillBeSent") => {
                    requests.push(about["request"]["url"].as_str().expect("an address").to_owned());
                }
                Some("Runtime.exceptionThrown") => complaints.push(about.to_string()),
                Some("Runtime.consoleAPICalled") if about["type"] == "error" => complaints.push(about.to_string()),
                Some("Log.entryAdded") if about["entry"]["level"] == "error" => complaints.push(about.to_string()),
                _ => {}
            }
        })
    }
}

impl Browser {
    fn start(program: &Path) -> Browser {
        let profile = tempfile::Builder::new().prefix("manifold-browser-").tempdir().expect("a temporary directory");
        let log = File::create(profile.path().join("log")).expect("a log");
        let mut command = Command::new(program);
        command.arg("--headless=new").arg("--remote-debugging-port=0").arg("about:blank");
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        // Nothing of its own on the network, and a small /dev/shm is enough.
        command.args(["--no-first-run", "--disable-background-networking", "--disable-component-update"]);
        command.args(["--disable-sync", "--disable-extensions", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1").arg("--no-proxy-server");
        if rustix::process::geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        command.env_clear().env("HOME", profile.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // A group of its own, so that its helpers end with it.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut process = Process(process);
        let (port, path) = eventually("the browser listens", START, || {
            let ended = process.0.try_wait().expect("wait for the browser");
            let log = || std::fs::read_to_string(profile.path().join("log")).unwrap_or_default();
            assert!(ended.is_none(), "the browser ended: {ended:?}\n{}", log());
            let written = std::fs::read_to_string(profile.path().join("DevToolsActivePort")).ok()?;
            let (port, path) = written.split_once('\n')?;
            Some((port.parse::<u16>().ok()?, path.trim().to_owned())).filter(|(_, path)| !path.is_empty())
        });
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = Socket::open(at, &SocketOptions::to(&path)).expect("the browser takes a WebSocket");
        Browser { socket, last_call: 0, _running: (process, profile) }
    }

    /// Calls a method and waits for its result; what happens meanwhile goes to `event`.
    #[track_caller]
    fn call(&mut self, session: Option<&str>, method: &str, parameters: Value, mut event: impl FnMut(&Value)) -> Value {
        self.last_call += 1;
        let mut call = json!({ "id": self.last_call, "method": method, "params": parameters });
        if let Some(session) = session {
            call["sessionId"] = session.into();
        }
        self.socket.send(&call.to_string());
        loop {
            let mut message = self.socket.expect_json();
            if message["id"] == self.last_call {
                assert_eq!(message.get("error"), None, "{method}");
                return message["result"].take();
            }
            event(&message);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        // An error means that it is gone already, which is what we want.
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        self.0.wait().ok();
    }
}

/// The browser of this machine; none, and a line that says so, where there is none and none is required.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let found = folders.iter().flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|program| program.is_file());
    if found.is_none() {
        assert_ne!(std::env::var_os(WANTED), Some(OsString::from("required")), "none of {NAMES:?} is installed");
        println!("skipped: none of {NAMES:?} is installed; `make packages` installs one");
    }
    found
}
