//! Exports and imports through the real binary: of a process that serves and writes meanwhile, and of a directory nobody
//! has open.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tempfile::TempDir;

use crate::harness::{Connection, Finished, Request, Server, Settings, run_to_exit};

mod examples;
mod files;

/// Runs a verb on a data directory.
pub(crate) fn verb(verb: &str, file: &Path, data: &Path, more: &[&str]) -> Finished {
    let (file, data) = (file.to_str().expect("a path"), data.to_str().expect("a path"));
    let args = [&[verb, file, "--data-dir", data][..], more].concat();
    run_to_exit(&args, &[], Path::new(data).parent().expect("a directory above"))
}

#[track_caller]
pub(crate) fn expect(finished: &Finished, code: i32) {
    assert_eq!(finished.status.code(), Some(code), "{}", finished.output);
}

/// Everything a server has goes through a file to a fresh one, which takes its place.
pub(crate) fn move_to_a_fresh_one(server: &mut Server) {
    let file = Exported::of(server, &[]);
    *server = Server::start();
    expect(&verb("import", &file.path, &server.data_dir(), &[]), 0);
}

/// An export in a directory of its own.
struct Exported {
    path: PathBuf,
    _home: TempDir,
}

impl Exported {
    fn of(server: &Server, more: &[&str]) -> Exported {
        let home = tempfile::tempdir().expect("a temporary directory");
        let path = home.path().join("export.jsonl");
        expect(&verb("export", &path, &server.data_dir(), more), 0);
        Exported { path, _home: home }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).expect("an export")
    }

    /// Lines of this type.
    fn lines(&self, of: &str) -> Vec<String> {
        let begins = format!("{{\"type\":\"{of}\"");
        self.text().lines().filter(|line| line.starts_with(&begins)).map(str::to_owned).collect()
    }
}

/// Requests of a dialect that write, and requests that read what they wrote.
struct Dialect {
    at: fn(&Server) -> std::net::SocketAddr,
    key: Option<&'static str>,
    writes: &'static [(&'static str, &'static str, &'static str)],
    reads: &'static [(&'static str, &'static str, &'static str)],
}

const DIALECTS: &[Dialect] = &[
    Dialect {
        at: Server::unison,
        key: Some(crate::harness::FULL_KEY),
        writes: &[
            ("PUT", "/api/v1/kv/shop/cart", r#"{"value":{"items" : [1, 2.50]}}"#),
            ("PUT", "/api/v1/kv/shop/cart", r#"{"value":null,"ttlMs":3600000}"#),
            ("PUT", "/api/v1/kv/shop/gone", r#"{"value":1}"#),
            ("DELETE", "/api/v1/kv/shop/gone", ""),
            ("PUT", "/api/v1/kv/tenant:a/k", r#"{"value":"zähl"}"#),
        ],
        reads: &[
            ("GET", "/api/v1/kv/shop/cart", ""),
            ("GET", "/api/v1/kv/tenant:a/k", ""),
            ("GET", "/api/v1/kv/shop", ""),
            // The versions of a removed key go on.
            ("DELETE", "/api/v1/kv/shop/gone?cas=7", ""),
        ],
    },
    Dialect {
        at: Server::flo,
        key: None,
        writes: &[
            ("PUT", "/api/v1/kv/default/user:1", r#"{"value":"AP8="}"#),
            ("POST", "/api/v1/queue/default/tasks/enqueue", r#"{"payload":"aGVsbG8=","priority":10,"dedup_key":"k1"}"#),
            ("POST", "/api/v1/queue/default/tasks/enqueue", r#"{"payload":"d29ybGQ="}"#),
            ("POST", "/api/v1/queue/default/tasks/dequeue", r#"{"count":1,"visibility_timeout_ms":3600000}"#),
            ("POST", "/api/v1/stream/default/events/append", r#"{"records":[{"payload":"YQ=="},{"payload":"Yg=="}]}"#),
            (
                "POST",
                "/api/v1/stream/default/events/groups/g/read",
                r#"{"consumer":"c","count":1,"ack_timeout_ms":3600000}"#,
            ),
            (
                "POST",
                "/api/v1/ts/default/write",
                "cpu,host=a load=0.5,on=true 1700000000000000000\ncpu,host=b n=3i 1700000000000000001\n",
            ),
        ],
        reads: &[
            ("GET", "/api/v1/kv/default/user:1", ""),
            ("GET", "/api/v1/queue/default/tasks/stats", ""),
            ("POST", "/api/v1/queue/default/tasks/enqueue", r#"{"payload":"aGVsbG8=","dedup_key":"k1"}"#),
            ("POST", "/api/v1/queue/default/tasks/ack", r#"{"sequences":[1]}"#),
            ("GET", "/api/v1/ts/default", ""),
            ("POST", "/api/v1/ts/default/query", r#"{"query":"cpu[0..1700000009000] | field(load)"}"#),
            ("GET", "/api/v1/stream/default/events?offset=0", ""),
            ("POST", "/api/v1/stream/default/events/groups/g/ack", r#"{"consumer":"c","offsets":[0]}"#),
        ],
    },
    Dialect {
        at: Server::dunena,
        key: None,
        writes: &[
            ("POST", "/db/user:42", r#"{"value":"{\"name\":\"Alice\"}","tags":["users","active"],"ttl":3600000}"#),
            ("POST", "/db/k?ns=a", r#"{"value":"a\u0000b\u001f\"\\é"}"#),
        ],
        reads: &[("GET", "/db/user:42", ""), ("GET", "/db/k?ns=a", "")],
    },
    Dialect {
        at: Server::edgecomet,
        key: None,
        writes: &[
            ("POST", "/internal/scheduler/pause", ""),
            (
                "POST",
                "/internal/cache/recache",
                r#"{"host_id":1,"urls":["https://example.com/1","https://example.com/2"],"dimension_ids":[1],"priority":"high"}"#,
            ),
        ],
        reads: &[("GET", "/internal/cache/queue?host_id=1", "")],
    },
];

fn settings() -> Settings {
    let hosts: toml::Value = toml::from_str::<toml::Table>(
        "hosts = [{ id = 1, domain = 'example.com', dimensions = { desktop = { id = 1, width = 800, height = 600, render_ua = 'Desk' } } }]",
    )
    .expect("a table")["hosts"]
        .clone();
    Settings::default().set("edgecomet.http_api.scheduler_control_api", true).set("edgecomet.hosts", hosts)
}

fn ask(server: &Server, dialect: &Dialect, (method, target, body): (&str, &str, &str)) -> (u16, String) {
    let request = Request::new(method, target).key(dialect.key);
    let request = if body.is_empty() { request } else { request.body(body) };
    let request = if dialect.key.is_none() { request.header("X-Internal-Auth", "dev") } else { request };
    let answer = Connection::open((dialect.at)(server)).send(&request).expect("an answer");
    (answer.status, answer.text())
}

fn write_everywhere(server: &Server) {
    for dialect in DIALECTS {
        for write in dialect.writes {
            let (status, text) = ask(server, dialect, *write);
            assert!((200..300).contains(&status), "{write:?}: {status} {text}");
        }
    }
}

/// What all dialects say, asked in turn: some questions change what is asked about.
fn read_everywhere(server: &Server) -> Vec<(u16, String)> {
    DIALECTS.iter().flat_map(|dialect| dialect.reads.iter().map(|read| ask(server, dialect, *read))).collect()
}

#[test]
fn what_every_dialect_wrote_is_exported_under_load_and_read_back_elsewhere() {
    let server = Server::with(settings());
    write_everywhere(&server);
    let stop = AtomicBool::new(false);
    let file = thread::scope(|scope| {
        scope.spawn(|| {
            let mut connection = server.connect();
            for i in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let put = Request::put(format!("/api/v1/kv/load/{i:06}"), format!(r#"{{"value":{i}}}"#));
                connection.send(&put).expect("an answer").expect(200);
            }
        });
        let file = Exported::of(&server, &[]);
        stop.store(true, Ordering::Relaxed);
        file
    });
    assert_eq!(fs::metadata(&file.path).expect("a file").permissions().mode() & 0o777, 0o600);
    // One instant: of keys that were written one after the other there are the first ones, without a gap.
    let load: Vec<_> = file.lines("kv").into_iter().filter(|line| line.contains("\"namespace\":\"load\"")).collect();
    for (i, line) in load.iter().enumerate() {
        assert!(line.contains(&format!("\"key\":\"{i:06}\"")), "{line}");
    }

    let fresh = Server::with(settings());
    // The scheduler would fetch what it is given.
    ask(&fresh, &DIALECTS[3], DIALECTS[3].writes[0]);
    let imported = verb("import", &file.path, &fresh.data_dir(), &[]);
    expect(&imported, 0);
    assert!(imported.output.contains("0 skipped, 0 expired"), "{}", imported.output);
    let again = Exported::of(&fresh, &[]);
    let records = |file: &Exported| file.text().lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    // The last line hashes the first one, which is another.
    let (before, after) = (records(&file), records(&again));
    assert_eq!(before[..before.len() - 1], after[..after.len() - 1]);
    let load = load.len();
    assert_eq!(fresh.get("/api/v1/kv/load?limit=1000").json()["items"].as_array().map(Vec::len), Some(load.min(1000)));
    assert_eq!(read_everywhere(&fresh), read_everywhere(&server));
}

#[test]
fn a_directory_that_nobody_serves_is_exported_and_imported_too() {
    let mut server = Server::with(settings());
    write_everywhere(&server);
    let online = Exported::of(&server, &[]);
    server.stop();
    let offline = Exported::of(&server, &[]);
    let kinds = ["namespace", "kv", "tombstone", "queue", "message", "points", "recache_entry", "document"];
    for kind in kinds {
        assert_eq!(online.lines(kind), offline.lines(kind));
        assert!(!online.lines(kind).is_empty(), "{kind}");
    }
    let home = tempfile::tempdir().expect("a temporary directory");
    let data = home.path().join("data");
    expect(&verb("import", &offline.path, &data, &[]), 0);
    let copy = home.path().join("copy.jsonl");
    expect(&verb("export", &copy, &data, &["--only", "kv,document"]), 0);
    let copy = fs::read_to_string(copy).expect("an export");
    for line in online.lines("kv").iter().chain(&online.lines("document")) {
        assert!(copy.contains(line), "{line}");
    }
    assert!(!copy.contains("\"type\":\"queue\""));
    expect(&verb("export", &home.path().join("x"), &home.path().join("absent"), &[]), 74);
}

#[test]
fn conflicts_are_decided_by_the_rule_that_is_named() {
    let server = Server::start();
    server.put("/api/v1/kv/n/a", "1").expect(200);
    server.put("/api/v1/kv/n/b", "1").expect(200);
    let file = Exported::of(&server, &["--namespace", "n"]);
    server.put("/api/v1/kv/n/b", "2").expect(200);
    let refused = verb("import", &file.path, &server.data_dir(), &[]);
    expect(&refused, 65);
    assert!(refused.output.contains("line 4: key \"b\" holds a string already"), "{}", refused.output);
    expect(&verb("import", &file.path, &server.data_dir(), &["--on-conflict", "skip"]), 0);
    assert_eq!(server.get("/api/v1/kv/n/b").json()["value"], 2);
    expect(&verb("import", &file.path, &server.data_dir(), &["--on-conflict", "replace"]), 0);
    let entry = server.get("/api/v1/kv/n/b").json();
    assert_eq!((&entry["value"], &entry["version"]), (&1.into(), &3.into()));
    expect(&verb("import", &file.path, &server.data_dir(), &["--on-conflict", "perhaps"]), 2);
    expect(&verb("export", &file.path, &server.data_dir(), &["--only", "everything"]), 2);
}
