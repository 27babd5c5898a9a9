//! What is never told: in the log at its finest level, in answers, in metrics, and where the configuration is shown.

use std::{
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Client;
use crate::harness::{Request, Server, Settings, Socket, SocketOptions, free_port, run_to_exit};

/// A secret of each kind. Some are short, some have signs that logs, JSON and addresses write in another way.
const UNISON: &str = "unison-full-5f1c";
const AGENT: &str = "unison-agent-77ab";
const FLO: &str = "flo \"token\" \\ 19c4";
const FLO_JWT: &str = "flo-jwt-secret-b03d";
const SYNAP: &str = "Zq9~";
const SYNAP_JWT: &str = "synap-jwt-secret-e1f2";
const USER: &str = "pass:w\u{f6}rd/9d31";
const DUNENA: &str = "dunena'token%2541";
const EDGECOMET: &str = "edgecomet-key-c8c8";
const DSN: &str = "dsn-p4ss-{}-0b7e";
const WRONG: &str = "wr0ng-credential-6a6a";
const ALL: [&str; 11] = [UNISON, AGENT, FLO, FLO_JWT, SYNAP, SYNAP_JWT, USER, DUNENA, EDGECOMET, DSN, WRONG];

/// The ways a text may be written.
fn spellings(secret: &str) -> Vec<String> {
    let debug = format!("{secret:?}");
    let json = serde_json::Value::from(secret).to_string();
    vec![
        secret.to_owned(),
        debug.trim_matches('"').to_owned(),
        json.trim_matches('"').to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD.encode(format!("root:{secret}")),
        BASE64_STANDARD.encode(format!("app:{secret}")),
    ]
}

#[track_caller]
fn assert_untold(place: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        for spelling in spellings(secret) {
            if let Some(at) = text.find(&spelling) {
                let line = text[..at].lines().count();
                let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                panic!("{place} tells {spelling:?}: {}", shown.chars().take(600).collect::<String>());
            }
        }
    }
}

fn table(members: &[(&str, &str)]) -> toml::Table {
    members.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect()
}

fn settings() -> Settings {
    let host: toml::Table = "id = 1\ndomain = \"example.com\"\n".parse().expect("a host");
    Settings::fast()
        .set("log.level", "trace")
        .set("unison.api_key", UNISON)
        .set("unison.agent_api_key", AGENT)
        .set("flo.auth.enabled", true)
        .set("flo.auth.tokens", toml::Value::from(vec![FLO]))
        .set("flo.auth.jwt_secret", FLO_JWT)
        .set("synap.auth.api_keys", toml::Value::from(vec![table(&[("key", SYNAP), ("name", "shown")])]))
        .set("synap.auth.jwt.secret", SYNAP_JWT)
        .set("synap.auth.users", toml::Value::from(vec![table(&[("username", "root"), ("password", USER)])]))
        .set("dunena.auth_token", DUNENA)
        .set("dunena.proxy_connect_timeout", 300)
        .set("edgecomet.internal_auth_key", EDGECOMET)
        .set("edgecomet.scheduler.tick_interval", "100ms")
        .set("edgecomet.scheduler.normal_check_interval", "100ms")
        .set("edgecomet.hosts", toml::Value::from(vec![host]))
}

/// Everything that answers said.
struct Heard(String);

impl Heard {
    fn ask(&mut self, client: &mut Client, request: Request) {
        let answer = client.send(&request);
        self.0 += &format!("{request} -> {}\n", answer.status);
        for (name, value) in &answer.headers {
            self.0 += &format!("{name}: {value}\n");
        }
        self.0 += &format!("{}\n", answer.text());
    }
}

/// A gateway or a database that takes a request and hangs up.
fn rude() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let mut some = [0; 1024];
            // Whatever it was, this is no answer to it.
            stream.read(&mut some).and_then(|_| stream.write_all(b"what?\n")).ok();
        }
    });
    port
}

#[test]
fn secrets_are_in_no_log_no_answer_and_no_metric() {
    let (closed, rude) = (free_port(), rude());
    let settings = settings().set("edgecomet.gateways", toml::Value::from(vec![format!("127.0.0.1:{rude}")]));
    let mut server = Server::with(settings);
    let mut heard = Heard(String::new());
    let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));

    let mut unison = Client::to(server.unison());
    for key in [UNISON, AGENT, WRONG] {
        for (method, path, body) in [
            ("GET", "/api/v1/changes", ""),
            ("PUT", "/api/v1/kv/n/k", r#"{"value":1}"#),
            ("PUT", "/api/v1/kv/n/k", "[broken"),
            ("DELETE", "/api/v1/kv/n/k?cas=77", ""),
            ("GET", "/api/v1/openapi.json", ""),
            ("GET", "/nothing/here", ""),
        ] {
            heard.ask(&mut unison, Request::new(method, path).key(Some(key)).body(body));
        }
        let protocols = Some(format!("unison.v1, bearer.{key}"));
        Socket::open(server.unison(), &SocketOptions { protocols, ..SocketOptions::to("/stream") }).ok();
    }

    let mut flo = Client::to(server.flo());
    for key in [FLO, WRONG, "a.b.c"] {
        for request in [
            Request::put("/api/v1/kv/n/k", r#"{"value":"eA=="}"#),
            Request::put("/api/v1/kv/n/k", "[broken"),
            Request::get("/api/v1/status"),
            Request::post("/write?db=n", "cpu v=1").header("X-Api-Key", key),
            Request::get("/api/v1/nothing"),
        ] {
            heard.ask(&mut flo, request.key(Some(key)));
        }
        let encoded = utf8_percent_encode(key, NON_ALPHANUMERIC);
        heard.0 += &flo.send(&Request::post(format!("/write?db=n&u=x&p={encoded}"), "broken line").key(None)).text();
        heard.ask(
            &mut flo,
            Request::post("/write?db=n", "cpu v=1").key(None).header("Authorization", basic(&format!("u:{key}"))),
        );
    }

    let mut synap = Client::to(server.synap());
    let credentials = [
        ("X-API-Key", SYNAP.to_owned()),
        ("X-API-Key", WRONG.to_owned()),
        ("Authorization", format!("Bearer {SYNAP}")),
        ("Authorization", format!("Bearer {WRONG}")),
        ("Authorization", basic(&format!("root:{USER}"))),
        ("Authorization", basic(&format!("root:{WRONG}"))),
    ];
    for (header, value) in &credentials {
        for body in [
            r#"{"command":"admin.config"}"#,
            r#"{"command":"admin.stats"}"#,
            r#"{"command":"kv.set","payload":{"key":"k","value":1}}"#,
            r#"{"command":"no.such"}"#,
            "[broken",
        ] {
            heard.ask(&mut synap, Request::post("/api/v1/command", body).key(None).header(header, value));
        }
        for path in ["/metrics", "/kv/stats", "/nothing", "/queue/list"] {
            heard.ask(&mut synap, Request::get(path).key(None).header(header, value));
        }
    }
    for key in [SYNAP, WRONG] {
        let target = format!("/api/v1/ws?api_key={}", utf8_percent_encode(key, NON_ALPHANUMERIC));
        if let Ok(mut socket) = Socket::open(server.synap(), &SocketOptions::to(&target)) {
            heard.0 += &socket.call(r#"{"command":"admin.config"}"#).to_string();
        }
    }

    let mut dunena = Client::to(server.dunena());
    let password = utf8_percent_encode(DSN, NON_ALPHANUMERIC).to_string();
    for (name, kind, address) in [
        ("http", "http", format!("http://app:{password}@127.0.0.1:{closed}/x")),
        ("rude", "http", format!("http://app:{password}@127.0.0.1:{rude}/x?key={password}")),
        ("elastic", "elasticsearch", format!("https://app:{password}@127.0.0.1:{rude}/")),
        ("pg", "postgresql", format!("postgres://app:{password}@127.0.0.1:{rude}/db")),
        ("pg2", "postgresql", format!("host=127.0.0.1 port={closed} user=app password={password}")),
        ("my", "mysql", format!("mysql://app:{password}@127.0.0.1:{rude}/db")),
        ("bad", "postgresql", format!("postgres://app:{password}@[broken/db")),
        ("bad2", "mysql", format!("nonsense app:{password}")),
        ("bad3", "http", format!("http://app:{password}@/")),
        ("bad4", "sqlite", format!("/nowhere/{password}")),
        ("bad5", "redis", format!("redis://:{password}@127.0.0.1:1/")),
    ] {
        let register = serde_json::json!({ "name": name, "type": kind, "connectionString": address });
        heard.ask(&mut dunena, Request::post("/db-proxy/register", register.to_string()).key(Some(DUNENA)));
        let query = serde_json::json!({ "connector": name, "query": "SELECT 1" });
        heard.ask(&mut dunena, Request::post("/db-proxy/query", query.to_string()).key(Some(DUNENA)));
    }
    for key in [DUNENA, WRONG] {
        for path in ["/db-proxy/connectors", "/info", "/stats", "/metrics", "/health", "/nothing", "/docs/openapi.json"]
        {
            heard.ask(&mut dunena, Request::get(path).key(Some(key)));
        }
        heard.ask(&mut dunena, Request::post("/cache/k", "[broken").key(Some(key)));
        let target = format!("/ws?token={}", utf8_percent_encode(key, NON_ALPHANUMERIC));
        Socket::open(server.dunena(), &SocketOptions::to(&target)).ok();
    }

    let mut edgecomet = Client::to(server.edgecomet());
    for key in [EDGECOMET, WRONG] {
        let with = |request: Request| request.key(None).header("X-Internal-Auth", key);
        let body = r#"{"host_id":1,"urls":["https://example.com/a"],"priority":"high"}"#;
        heard.ask(&mut edgecomet, with(Request::post("/internal/cache/recache", body)));
        heard.ask(&mut edgecomet, with(Request::post("/internal/cache/recache", "[broken")));
        heard.ask(&mut edgecomet, with(Request::get("/status")));
        heard.ask(&mut edgecomet, with(Request::get("/nothing")));
    }
    // The gateway is sent the key, and hangs up: what is said of that comes with the next ticks.
    crate::harness::eventually("a job was given to the gateway", std::time::Duration::from_secs(20), || {
        server.log.text().contains("an attempt failed").then_some(())
    });
    heard.0 += &server.metrics_text();
    server.stop();
    assert!(heard.0.contains("***"), "the configuration that a command shows has no stars");
    assert_untold("an answer", &heard.0, &ALL);
    assert_untold("the log", &server.log.text(), &ALL);
    // A restart reads the connectors again; those that cannot be used are named without what they hold.
    server.start_again();
    let query = r#"{"connector":"pg","query":"SELECT 1"}"#;
    heard.ask(&mut Client::to(server.dunena()), Request::post("/db-proxy/query", query).key(Some(DUNENA)));
    server.stop();
    assert_untold("the log of the second start", &server.log.text(), &ALL);
}

#[test]
fn a_password_of_redis_is_not_told_when_nobody_answers() {
    const REDIS: &str = "redis-p4ss \"71fe\"";
    for port in [free_port(), rude()] {
        let settings =
            settings().set("edgecomet.redis.addr", format!("127.0.0.1:{port}")).set("edgecomet.redis.password", REDIS);
        let off = ["unison", "flo", "synap", "dunena", "flo.metrics"];
        let settings = off.iter().fold(settings, |settings, name| settings.set(&format!("{name}.enabled"), false));
        let settings = settings.set("edgecomet.port", i64::from(free_port()));
        let home = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(home.path().join("manifold.toml"), settings.file.to_string()).expect("write the file");
        let finished = run_to_exit(&["serve"], &[], home.path());
        assert_eq!(finished.status.code(), Some(78), "{}", finished.output);
        assert_untold("the log", &finished.output, &[REDIS, EDGECOMET]);
    }
}

/// Another user of the machine reads no value out of the files; stored pages are for the web server that serves them.
#[test]
fn files_of_the_data_directory_are_for_their_owner_alone() {
    fn files(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let mut server = Server::with(Settings::fast().set("dunena.persist", true));
    server.put("/api/v1/kv/n/k", "1").expect(200);
    let mut dunena = Client::to(server.dunena());
    dunena.send(&Request::post("/cache/k", r#"{"value":"v"}"#).key(None)).expect(201);
    dunena.send(&Request::post("/db/k", r#"{"value":"v"}"#).key(None)).expect(201);
    for state in ["running", "stopped"] {
        let mut found = Vec::new();
        files(&server.data_dir(), &mut found);
        for path in &found {
            let mode = std::fs::symlink_metadata(path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{state}: {} has the mode {mode:o}", path.display());
        }
        for name in ["dunena.db", "LOCK"] {
            assert!(found.iter().any(|path| path.ends_with(name)), "{state}: no {name} among {found:?}");
        }
        if state == "running" {
            server.stop();
        }
    }
}

#[test]
fn the_configuration_is_shown_without_secrets_and_complaints_do_not_quote_them() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = home.path().join("manifold.toml");
    std::fs::write(&file, settings().set("edgecomet.redis.password", DSN).file.to_string()).expect("write the file");
    let shown = run_to_exit(
        &["check"],
        &[("SYNAP_AUTH_ROOT_USERNAME", "admin"), ("SYNAP_AUTH_ROOT_PASSWORD", WRONG)],
        home.path(),
    );
    assert!(shown.status.success() && shown.output.contains("***"), "{}", shown.output);
    assert_untold("check", &shown.output, &ALL);

    let secret = EDGECOMET;
    for (name, text, env) in [
        ("another type", format!("[unison]\napi_key = [\"{secret}\"]"), None),
        ("a table", format!("[unison]\napi_key = {{ a = \"{secret}\" }}"), None),
        ("an unclosed text", format!("[unison]\napi_key = \"{secret}"), None),
        ("a list of one", format!("[flo.auth]\ntokens = \"{secret}\""), None),
        ("a member too many", format!("[synap.auth]\napi_keys = [{{ key = \"{secret}\", colour = 1 }}]"), None),
        ("no list", format!("[synap.auth]\napi_keys = \"{secret}\""), None),
        ("a text among users", format!("[synap.auth]\nusers = [\"{secret}\"]"), None),
        ("a role that is none", format!("[synap.auth]\napi_keys = [{{ key = \"{secret}\", role = \"boss\" }}]"), None),
        ("a key too many", format!("[edgecomet]\ninternal_auth_kee = \"{secret}\""), None),
        ("a blank behind it", format!("[edgecomet]\ninternal_auth_key = \"{secret} \""), None),
        ("two lines", format!("[edgecomet]\ninternal_auth_key = \"{secret}\\nx\""), None),
        ("a password in an address", format!("[edgecomet.redis]\naddr = \"redis://:{secret}@127.0.0.1:1\""), None),
        ("a list in the environment", String::new(), Some(("MANIFOLD_SYNAP_AUTH_API_KEYS", secret.to_owned()))),
        ("users in the environment", String::new(), Some(("MANIFOLD_SYNAP_AUTH_USERS", secret.to_owned()))),
        ("below a key", String::new(), Some(("MANIFOLD_UNISON_API_KEY_X", secret.to_owned()))),
        ("a name nobody knows", String::new(), Some(("MANIFOLD_UNISON_API_KEE", secret.to_owned()))),
    ] {
        std::fs::write(&file, text).expect("write the file");
        let env: Vec<(&str, &str)> = env.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let finished = run_to_exit(&["check"], &env, home.path());
        assert!(!finished.output.contains("panicked"), "{name}: {}", finished.output);
        assert_untold(name, &finished.output, &[secret]);
    }
    std::fs::remove_file(&file).expect("remove the file");
    std::fs::write(home.path().join(".env"), format!("DUNENA_AUTH_TOKEN='{secret}\nDUNENA_PORT=1\n"))
        .expect("write the file");
    let finished = run_to_exit(&["check"], &[], home.path());
    assert_untold(".env", &finished.output, &[secret]);
    std::fs::remove_file(home.path().join(".env")).expect("remove the file");
    for yaml in [
        format!("internal_auth_key: [{secret}]\n"),
        format!("internal_auth_key: {{ a: {secret} }}\n"),
        format!("redis: {{ addr: \"127.0.0.1:1\", password: [{secret}] }}\n"),
        format!("internal:\n  auth_key: \"{secret}\n"),
        format!("redis: {{ addr: \"redis://:{secret}@127.0.0.1:1\" }}\n"),
    ] {
        let path = home.path().join("daemon.yaml");
        std::fs::write(&path, &yaml).expect("write the file");
        let finished = run_to_exit(&["edgecomet", "-t", "-c", "daemon.yaml"], &[], home.path());
        assert_untold(&yaml, &finished.output, &[secret]);
    }
}
