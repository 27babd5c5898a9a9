//! Configuration: original files, the command line, reloading.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use rustix::process::Signal;
use tempfile::TempDir;

use super::origin::{Answer, Origin};
use crate::harness::{Connection, Process, Request, Response, Server, Settings, eventually, free_port, run_to_exit};

/// What a daemon of the original is started with, every section of it.
const DAEMON: &str = r#"
eg_config: "edge-gateway.yaml"
daemon_id: "cache-daemon-01"
scheduler:
  tick_interval: 100ms
  normal_check_interval: 1m
internal_queue:
  max_size: 500
  max_retries: 3
  retry_base_delay: 5s
recache:
  rs_capacity_reserved: 0.30
  timeout_per_url: 60s
http_api:
  enabled: true
  listen: "127.0.0.1:PORT"
  request_timeout: 30s
  scheduler_control_api: true
logging:
  level: "info"
  console:
    enabled: true
    format: "console"
  file:
    enabled: true
    path: "logs/cache-daemon.log"
    format: "json"
    rotation: { max_size: 100, max_age: 30, max_backups: 10, compress: true }
metrics:
  enabled: false
  listen: ""
"#;

/// What its gateway is started with: much of it is not for the daemon.
const GATEWAY: &str = r#"
eg_id: "eg-1"
server: { listen: ":10070", timeout: 120s, tls: { enabled: false } }
internal: { listen: "127.0.0.1:10071", auth_key: "shared-key" }
redis: { addr: "localhost:6379", db: 0 }
storage:
  base_path: "/nowhere/cache"
  cleanup: { enabled: true, interval: 1h, safety_margin: 2h }
render: &render
  cache: { ttl: 1h, status_codes: [200, 301, 404], expired: { strategy: "serve_stale", stale_ttl: 24h } }
  events: { wait_for: "networkIdle", additional_wait: 0s }
  blocked_resource_types: [Image, Media]
bypass: { timeout: 30s, user_agent: "Crawler/1.0", cache: { enabled: false, ttl: 30m } }
dimensions:
  desktop: { id: 1, width: 1920, height: 1080, render_ua: "Desktop", match_ua: [$SearchBots, "*Chrome*"] }
  mobile: { id: 2, width: 412, height: 915, render_ua: "Phone", match_ua: [$GooglebotSearchMobile] }
  scrapers: { id: 3, action: "block", match_ua: ["*Scraper*", "~*^bad"] }
unmatched_dimension: "bypass"
tracking_params: { strip: true, params_add: ["sid", "session_*"] }
bothit_recache: { enabled: true, interval: 12h, match_ua: [$SearchBots] }
registry: { selection_strategy: "least_loaded" }
cache_sharding: { enabled: false, replication_factor: 2 }
log: { level: "info", console: { enabled: true } }
metrics: { enabled: true, listen: ":10079" }
client_ip: { headers: ["X-Real-IP"] }
event_logging: { file: { enabled: false } }
hosts: { include: "hosts.d" }
"#;

const FIRST_HOSTS: &str = r#"
hosts:
  - id: 1
    domain: ["example.com", "www.example.com"]
    render_key: "k1"
    enabled: true
    render: { timeout: 45s, cache: { ttl: 2h }, strip_scripts: true }
    url_rules:
      - { match: ["/blog/*", "/news/*"], action: "render", render: { cache: { ttl: 4h } } }
      - { match: "~/api/v[0-9]+/", action: "bypass", bypass: { timeout: 10s, cache: { enabled: true, ttl: 5m } } }
      - { match: "/old", action: "status", status: { code: 410, reason: "gone" } }
      - { match: "/search", match_query: { q: "*" }, action: "block" }
"#;

const SECOND_HOSTS: &str = r#"
hosts:
  - id: 2
    domain: "shop.example.org"
    render_key: "k2"
    dimensions: { all: { id: 7, width: 800, height: 600, render_ua: "All" } }
"#;

/// A directory with files of the original, and the port of its daemon.
struct Original {
    home: TempDir,
    port: u16,
}

impl Original {
    fn with(files: &[(&str, &str)]) -> Original {
        let original = Original { home: tempfile::tempdir().expect("a temporary directory"), port: free_port() };
        files.iter().for_each(|(name, text)| original.write(name, text));
        original
    }

    /// The whole of it.
    fn complete() -> Original {
        Original::with(&[
            ("conf/cache-daemon.yaml", DAEMON),
            ("conf/edge-gateway.yaml", GATEWAY),
            ("conf/hosts.d/01-example.yaml", FIRST_HOSTS),
            ("conf/hosts.d/02-shop.yaml", SECOND_HOSTS),
        ])
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a directory")).expect("make a directory");
        fs::write(path, text.replace("PORT", &self.port.to_string())).expect("write a file");
    }

    fn start(&self, env: &[(&str, &str)]) -> Process {
        let args = ["edgecomet", "-c", "conf/cache-daemon.yaml", "--data-dir", "data"];
        let process = Process::start(&args, env, self.home.path());
        process.wait_for("ready", 1);
        process
    }

    /// How a start that should not succeed ends: its status and what it prints.
    fn refused(&self, args: &[&str]) -> (Option<i32>, String) {
        let args = [&["edgecomet", "-c", "conf/cache-daemon.yaml"][..], args].concat();
        let finished = run_to_exit(&args, &[], self.home.path());
        (finished.status.code(), finished.output)
    }

    fn ask(&self, request: Request) -> Response {
        ask(([127, 0, 0, 1], self.port).into(), request.header("X-Internal-Auth", "shared-key"))
    }

    fn recache(&self, body: &str) -> Response {
        self.ask(Request::post("/internal/cache/recache", body))
    }

    /// The status of recaching a page of a host.
    fn knows(&self, host: u64) -> u16 {
        self.recache(&format!(r#"{{"host_id":{host},"urls":["https://a.b/"],"priority":"normal"}}"#)).status
    }
}

fn ask(at: SocketAddr, request: Request) -> Response {
    Connection::open(at).send(&request.key(None)).expect("an answer")
}

#[test]
fn files_of_the_original_are_enough() {
    let original = Original::complete();
    assert_eq!(original.refused(&["-t"]), (Some(0), "manifold: conf/cache-daemon.yaml is fine\n".to_owned()));
    let process = original.start(&[]);
    original.ask(Request::post("/internal/scheduler/pause", "")).expect(200);
    let status = original.ask(Request::get("/status")).expect(200).json();
    assert_eq!(status["daemon"]["daemon_id"], "cache-daemon-01");
    assert_eq!(status["internal_queue"]["max_size"], 500);
    assert_eq!(status["queues"].as_object().expect("an object").keys().collect::<Vec<_>>(), ["1", "2"]);

    let all =
        original.recache(r#"{"host_id":1,"urls":["https://example.com/?sid=1&session_x=2&id=3"],"priority":"high"}"#);
    assert_eq!(all.expect(200).json()["data"]["dimension_ids_count"], 3, "bypass, desktop and mobile");
    let queue = original.ask(Request::get("/internal/cache/queue?host_id=1")).expect(200).json();
    let items = queue["data"]["items"].as_array().expect("items");
    assert!(items.iter().all(|item| item["url"] == "https://example.com/?id=3"), "{queue}");
    let names: Vec<_> = items.iter().filter_map(|item| item["dimension"].as_str()).collect();
    assert_eq!(names, ["bypass", "desktop", "mobile"]);
    let blocked = original.recache(r#"{"host_id":1,"urls":["https://a.b"],"dimension_ids":[3],"priority":"high"}"#);
    let expected = r#"{"status":"error","message":"dimension_id 3 not configured for host 'example.com'"}"#;
    assert_eq!(blocked.expect(400).text(), expected);
    let own = original.recache(r#"{"host_id":2,"urls":["https://a.b"],"dimension_ids":[0,7],"priority":"high"}"#);
    assert_eq!(own.expect(200).json()["data"]["entries_enqueued"], 2);
    let process_log = process.log.clone();
    process.stop();

    assert_eq!(process_log.text().matches("listens on").count(), 1, "no other listener: {}", process_log.text());
    let log = fs::read_to_string(original.home.path().join("logs/cache-daemon.log")).expect("the log file");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.iter().any(|line| line["message"] == "stopped"), "{log}");
    assert!(!log.contains("shared-key"), "{log}");
    assert!(!original.home.path().join("conf/cache").exists());
}

#[test]
fn what_a_file_does_not_say_has_the_documented_default() {
    let metrics = free_port();
    let daemon = format!(
        "daemon_id: d\nhosts: [{{id: 1, domain: a.b}}]\ninternal_auth_key: shared-key\n\
         http_api: {{listen: '127.0.0.1:PORT'}}\nmetrics: {{enabled: true, listen: '127.0.0.1:{metrics}'}}\n"
    );
    let original = Original::with(&[("conf/cache-daemon.yaml", &daemon)]);
    let process = original.start(&[]);
    original.ask(Request::get("/status")).expect(200);
    let pause = original.ask(Request::post("/internal/scheduler/pause", "")).expect(403);
    assert!(pause.text().contains("Scheduler control API not enabled"), "{}", pause.text());
    let shown = ask(([127, 0, 0, 1], metrics).into(), Request::get("/metrics")).expect(200).text();
    assert!(shown.contains("edgecomet_cd_queue_depth"), "{shown}");
    process.stop();
}

#[test]
fn the_environment_goes_before_the_file() {
    let original = Original::complete();
    let other = free_port();
    let listen = format!("127.0.0.1:{other}");
    let env = [
        ("MANIFOLD_EDGECOMET_HTTP_API_LISTEN", listen.as_str()),
        ("MANIFOLD_EDGECOMET_INTERNAL_QUEUE_MAX_SIZE", "77"),
        ("MANIFOLD_EDGECOMET_INTERNAL_AUTH_KEY", "from-env"),
        ("MANIFOLD_EDGECOMET_HTTP_API_RESPONSE_FORMAT", "legacy"),
    ];
    let process = original.start(&env);
    let at: SocketAddr = listen.parse().expect("an address");
    let status = ask(at, Request::get("/status").header("X-Internal-Auth", "from-env")).expect(200).json();
    assert_eq!(status["internal_queue"]["max_size"], 77);
    let refused = ask(at, Request::get("/status").header("X-Internal-Auth", "shared-key")).expect(401);
    assert_eq!(refused.text(), r#"{"success":false,"message":"unauthorized"}"#);
    process.stop();
}

#[test]
fn what_is_wrong_ends_the_start_with_1_and_one_line() {
    let original = Original::complete();
    for (change, wanted) in [
        (("tick_interval: 100ms", "tick_interval: 50ms"), "scheduler.tick_interval must be >= 100ms"),
        (("tick_interval: 100ms", "tick_intervall: 1s"), "tick_intervall"),
        (("recache:", "recaching:"), "recaching"),
        (("1m", "61"), "scheduler.normal_check_interval"),
        (("1m", "150ms"), "must be a multiple of tick_interval"),
        (("max_size: 500", "max_size: 0"), "internal_queue.max_size must be > 0"),
        (("max_retries: 3", "max_retries: 0"), "internal_queue.max_retries must be >= 1"),
        (("reserved: 0.30", "reserved: 1.1"), "recache.rs_capacity_reserved must be between 0.0 and 1.0"),
        (("per_url: 60s", "per_url: 0"), "recache.timeout_per_url must be > 0"),
        (("request_timeout: 30s", "request_timeout: 0"), "http_api.request_timeout must be > 0"),
        (("127.0.0.1:PORT", "127.0.0.1:0"), "http_api.listen port must be between 1 and 65535"),
        (("false\n  listen: \"\"", "true\n  listen: \":PORT\""), "must differ from http_api.listen port"),
        (("scheduler:", "redis: {addr: 'x:1', db: -1}\nscheduler:"), "redis.db must be >= 0"),
        (("scheduler:", "redis: {addr: 'nohost'}\nscheduler:"), "redis.addr must be host:port"),
        (("scheduler:", "redis: {addr: 'localhost:99999'}\nscheduler:"), "redis.addr must be host:port"),
        (("false\n  listen: \"\"", "true\n  listen: \":1\"\n  path: \"/readyz\""), "metrics.path must not be"),
        (("eg_config: \"edge-gateway.yaml\"", "eg_config: \"\""), "eg_config must be specified"),
        (("daemon_id: \"cache-daemon-01\"", "daemon_id: \"\""), "daemon_id must be specified"),
        (("edge-gateway.yaml", "nowhere.yaml"), "nowhere.yaml"),
        (("scheduler:", "scheduler: ["), "cache-daemon.yaml"),
    ] {
        original.write("conf/cache-daemon.yaml", &DAEMON.replace(change.0, change.1));
        for args in [&["-t"][..], &[]] {
            let (code, output) = original.refused(args);
            assert_eq!((code, output.lines().count()), (Some(1), 1), "{change:?}: {output}");
            assert!(output.contains(wanted), "{wanted}: {output}");
        }
    }
    original.write("conf/cache-daemon.yaml", DAEMON);
    original.write("conf/hosts.d/02-shop.yaml", &SECOND_HOSTS.replace("shop.example.org", "EXAMPLE.com."));
    let (code, output) = original.refused(&[]);
    assert_eq!((code, output.lines().count()), (Some(1), 1), "{output}");
    assert!(output.contains("02-shop.yaml") && output.contains("'example.com' belongs to host 1"), "{output}");
    assert!(!original.home.path().join("data").exists(), "nothing was opened");
}

#[test]
fn hosts_are_read_again_at_sighup_and_stay_when_they_cannot_be() {
    let original = Original::complete();
    let process = original.start(&[]);
    assert_eq!((original.knows(2), original.knows(3)), (200, 400));
    original.write("conf/hosts.d/02-shop.yaml", &SECOND_HOSTS.replace("id: 2", "id: 3"));
    process.signal(Signal::HUP);
    process.wait_for("the hosts were read again", 1);
    assert_eq!((original.knows(1), original.knows(2), original.knows(3)), (200, 400, 200));

    original.write("conf/hosts.d/02-shop.yaml", &SECOND_HOSTS.replace("id: 2", "id: 1"));
    process.signal(Signal::HUP);
    process.wait_for("the hosts stay as they were", 1);
    assert!(process.log.text().contains("02-shop.yaml"), "{}", process.log.tail());
    assert_eq!((original.knows(1), original.knows(3)), (200, 200));

    original.write("conf/hosts.d/02-shop.yaml", SECOND_HOSTS);
    process.signal(Signal::HUP);
    process.wait_for("the hosts were read again", 2);
    assert_eq!((original.knows(2), original.knows(3)), (200, 400));
    let status = original.ask(Request::get("/status")).expect(200).json();
    assert_eq!(status["queues"].as_object().expect("an object").keys().collect::<Vec<_>>(), ["1", "2"]);
    process.stop();
}

#[test]
fn the_other_verb_reads_hosts_again_too() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let hosts = files.path().join("hosts.yaml");
    fs::write(&hosts, "hosts: [{id: 1, domain: a.b}]").expect("write the hosts");
    let settings = Settings::default().set("edgecomet.hosts_include", hosts.display().to_string());
    let mut server = Server::with(settings);
    let known = |host: u64| {
        let body = format!(r#"{{"host_id":{host},"urls":["https://a.b/"],"priority":"high"}}"#);
        let request = Request::post("/internal/cache/recache", body).header("X-Internal-Auth", "dev");
        ask(server.edgecomet(), request).status == 200
    };
    assert!(known(1) && !known(2));
    fs::write(&hosts, "hosts: [{id: 2, domain: a.b}]").expect("write the hosts");
    server.signal(Signal::HUP);
    eventually("the new hosts", Duration::from_secs(10), || (known(2) && !known(1)).then_some(()));
    server.stop();
}

#[test]
fn a_port_alone_means_every_interface_and_wants_a_key() {
    let daemon = "daemon_id: d\nhosts: []\ninternal_auth_key: shared-key\nhttp_api: {listen: ':PORT'}\n";
    let original = Original::with(&[("conf/cache-daemon.yaml", daemon)]);
    let process = original.start(&[]);
    original.ask(Request::get("/status")).expect(200);
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        let v6 = format!("[::1]:{}", original.port).parse().expect("an address");
        ask(v6, Request::get("/status").header("X-Internal-Auth", "shared-key")).expect(200);
    }
    process.stop();

    original.write("conf/cache-daemon.yaml", &daemon.replace("internal_auth_key: shared-key\n", ""));
    for args in [&["-t"][..], &["--data-dir", "untouched"]] {
        let (code, output) = original.refused(args);
        assert_eq!(code, Some(1), "{output}");
        assert!(output.contains("MANIFOLD_EDGECOMET_INTERNAL_AUTH_KEY"), "{output}");
    }
    let listen = format!(":{}", original.port);
    let env = [("MANIFOLD_EDGECOMET_HTTP_API_LISTEN", listen.as_str()), ("MANIFOLD_DATA_DIR", "untouched")];
    let finished = run_to_exit(&["serve"], &env, original.home.path());
    assert_eq!(finished.status.code(), Some(78), "{}", finished.output);
    assert!(!original.home.path().join("untouched").exists(), "nothing was opened");
}

#[test]
fn on_loopback_no_key_is_wanted_and_one_line_tells_the_key() {
    let daemon = "daemon_id: d\nhosts: []\ninternal_auth_key: ''\nhttp_api: {listen: 'localhost:PORT'}\n";
    let original = Original::with(&[("conf/cache-daemon.yaml", daemon)]);
    let process = original.start(&[]);
    let at = ([127, 0, 0, 1], original.port).into();
    ask(at, Request::get("/status").header("X-Internal-Auth", "dev")).expect(200);
    ask(at, Request::get("/status").header("X-Internal-Auth", "")).expect(401);
    assert_eq!(process.log.text().matches("no internal_auth_key is set").count(), 1, "{}", process.log.text());
    process.stop();
}

#[test]
fn a_port_that_is_taken_ends_the_start_with_1() {
    let original = Original::complete();
    let taken = std::net::TcpListener::bind(("127.0.0.1", original.port)).expect("the port is free");
    let (code, output) = original.refused(&[]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("cannot listen on"), "{output}");
    drop(taken);
}

#[test]
fn without_its_listener_the_scheduler_still_works() {
    let origin = Origin::start(|_| Answer::html("<p>here</p>"));
    let daemon = |more: &str| {
        format!(
            "daemon_id: d\nhosts: [{{id: 1, domain: localhost}}]\ninternal_auth_key: shared-key\n\
             scheduler: {{tick_interval: 100ms}}\n{more}"
        )
    };
    let idle = daemon("http_api: {listen: '127.0.0.1:PORT'}\nworker: {enabled: false}\n");
    let original = Original::with(&[("conf/cache-daemon.yaml", &idle)]);
    let process = original.start(&[]);
    let url = format!("http://localhost:{}/page", origin.address().port());
    let body = format!(r#"{{"host_id":1,"urls":["{url}"],"dimension_ids":[1],"priority":"high"}}"#);
    original.recache(&body).expect(200);
    process.stop();

    original.write("conf/cache-daemon.yaml", &daemon("http_api: {enabled: false}\nworker: {allow_private: true}\n"));
    let process = original.start(&[]);
    let fetched = || origin.received().iter().any(|request| request.path() == "/page").then_some(());
    eventually("the page is fetched", Duration::from_secs(20), fetched);
    let closed = std::net::TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], original.port)));
    assert!(closed.is_err(), "there is no listener");
    process.stop();
}

#[test]
fn check_shows_the_section_without_its_secrets_and_reads_its_own_output() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = r#"
        [edgecomet]
        internal_auth_key = "sesame"
        gateways = ["10.0.0.1:10071"]
        redis = { password = "sesame" }
        worker = { enabled = true, max_redirects = 2 }
        render = { cache = { ttl = "90s" }, timeout = "5s" }
        [[edgecomet.hosts]]
        id = 1
        domain = "a.b"
        render_key = "sesame"
        url_rules = [{ match = "/x", action = "block" }]
    "#;
    let own = home.path().join("manifold.toml");
    fs::write(&own, file).expect("write the file");
    let first = run_to_exit(&["check"], &[("MANIFOLD_EDGECOMET_RECACHE_TIMEOUT_PER_URL", "7s")], home.path());
    assert!(first.status.success(), "{}", first.output);
    for text in
        ["timeout_per_url = \"7s\"", "ttl = \"1m30s\"", "enabled = \"true\"", "domain = \"a.b\"", "match = \"/x\""]
    {
        assert!(first.output.contains(text), "no {text} in\n{}", first.output);
    }
    assert!(!first.output.contains("sesame"), "{}", first.output);
    fs::write(&own, &first.output).expect("write the file");
    let second = run_to_exit(&["check"], &[], home.path());
    assert_eq!(second.output, first.output);
}

#[test]
fn a_file_of_the_original_counts_below_our_own() {
    let original = Original::complete();
    let daemon = original.home.path().join("conf/cache-daemon.yaml");
    let settings = Settings::default()
        .set("edgecomet.config_file", path(daemon))
        .set("edgecomet.http_api.listen", "")
        .set("edgecomet.internal_queue.max_size", 9);
    let mut server = Server::with(settings);
    let status = Request::get("/status").header("X-Internal-Auth", "shared-key");
    let status = ask(server.edgecomet(), status).expect(200).json();
    assert_eq!(
        (&status["daemon"]["daemon_id"], &status["internal_queue"]["max_size"]),
        (&"cache-daemon-01".into(), &9.into())
    );
    server.stop();
}

fn path(path: PathBuf) -> String {
    path.display().to_string()
}
