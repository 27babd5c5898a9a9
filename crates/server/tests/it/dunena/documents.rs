//! The file of documents from outside: taken over, locked by others, unusable; answers that are longer than a piece.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection as Sqlite;

use crate::{
    export::{expect, verb},
    harness::{Connection, Request, Server, Settings, now_ms},
};

const SCHEMA: &str = "
CREATE TABLE kv (key TEXT NOT NULL, namespace TEXT NOT NULL DEFAULT '', value TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER, PRIMARY KEY (namespace, key));
CREATE TABLE kv_tags (namespace TEXT NOT NULL, key TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (namespace, key, tag),
    FOREIGN KEY (namespace, key) REFERENCES kv (namespace, key) ON DELETE CASCADE);
CREATE INDEX idx_kv_expires ON kv (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX idx_kv_tags_tag ON kv_tags (tag);
CREATE INDEX idx_kv_ns ON kv (namespace);
";

fn post(server: &Server, target: &str, body: &str) -> crate::harness::Response {
    let mut connection = Connection::open(server.dunena());
    connection.send(&Request::post(target, body).key(None)).expect("an answer")
}

fn get(server: &Server, target: &str) -> crate::harness::Response {
    Connection::open(server.dunena()).send(&Request::get(target).key(None)).expect("an answer")
}

#[test]
fn a_file_of_the_original_is_taken_over_and_can_be_taken_back() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("original.db");
    let sqlite = Sqlite::open(&path).expect("a database");
    sqlite.execute_batch(SCHEMA).expect("a schema");
    let soon = now_ms() as f64 + 3_600_000.5;
    let row = "INSERT INTO kv VALUES (?1, ?2, 'v', 1690000000000, 1690000000001, ?3)";
    sqlite.execute(row, ("user:1", "", None::<f64>)).expect("a row");
    sqlite.execute(row, ("half", "s", soon)).expect("a row");
    sqlite.execute(row, ("due", "s", 1_690_000_000_000_i64)).expect("a row");
    sqlite.execute_batch("INSERT INTO kv_tags VALUES ('', 'user:1', 'users'), ('', 'user:1', 'active')").expect("tags");
    drop(sqlite);
    let settings = Settings::default().set("dunena.db_path", path.display().to_string());
    let mut server = Server::at(home.path(), settings);
    assert_eq!(
        get(&server, "/db/user:1").expect(200).text(),
        r#"{"key":"user:1","value":"v","namespace":"","createdAt":1690000000000,"updatedAt":1690000000001,"expiresAt":null,"tags":["active","users"]}"#
    );
    let half = get(&server, "/db/half?ns=s").expect(200).json();
    assert_eq!(half["expiresAt"].as_f64(), Some(soon.ceil()));
    get(&server, "/db/due?ns=s").expect(404);
    assert_eq!(get(&server, "/db-keys").expect(200).text(), r#"{"keys":["half","user:1"],"count":2}"#);
    assert_eq!(post(&server, "/db-purge", "").expect(200).text(), r#"{"purged":1}"#);
    post(&server, "/db/ours", r#"{"value":"v","tags":["t"]}"#).expect(201);
    server.stop();
    let sqlite = Sqlite::open(&path).expect("a database");
    let text = |sql: &str| sqlite.query_row(sql, [], |row| row.get::<_, String>(0)).expect(sql);
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert_eq!(text("SELECT group_concat(key) FROM (SELECT key FROM kv ORDER BY key)"), "half,ours,user:1");
}

#[test]
fn a_file_that_another_program_has_locked_delays_writes_and_nothing_else() {
    let mut server = Server::with(Settings::default().set("dunena.rate_max", 0));
    post(&server, "/db/k", r#"{"value":"before"}"#).expect(201);
    let other = Sqlite::open(server.data_dir().join("dunena.db")).expect("the database");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    std::thread::scope(|scope| {
        let writes: Vec<_> = (0..40)
            .map(|n| {
                scope.spawn({
                    let server = &server;
                    move || post(server, &format!("/db/w{n}"), r#"{"value":"v"}"#).status
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        let mut connection = Connection::open(server.dunena());
        let begin = Instant::now();
        for n in 0..100 {
            let set = Request::post(format!("/cache/k{n}"), r#"{"value":"v"}"#).key(None);
            connection.send(&set).expect("an answer").expect(201);
            connection.send(&Request::get("/db/k").key(None)).expect("an answer").expect(200);
        }
        let took = begin.elapsed();
        assert!(writes.iter().all(|write| !write.is_finished()), "the lock was none");
        assert!(took < Duration::from_secs(3), "{took:?} for what no lock concerns");
        other.execute_batch("ROLLBACK").expect("the lock is given back");
        for write in writes {
            assert_eq!(write.join().expect("a client"), 201);
        }
    });
    assert_eq!(get(&server, "/db-stats").expect(200).json()["totalEntries"], 41);
    server.stop();
}

#[test]
fn an_answer_may_be_longer_than_memory_should_be() {
    let mut server = Server::with(Settings::fast().set("dunena.rate_max", 0));
    let value = "x".repeat(2 << 20);
    let body = format!(r#"{{"value":"{value}","tags":["large"]}}"#);
    for n in 0..40 {
        post(&server, &format!("/db/k{n:02}"), &body).expect(201);
    }
    // A new process has no memory left over that it could use for the answer.
    server.restart();
    let process = format!("/proc/{}", server.process_id().as_raw_nonzero());
    // From now on the peak is that of the answer.
    std::fs::write(format!("{process}/clear_refs"), "5").expect("the peak is forgotten");
    let before = server.resident_bytes();
    let page = post(&server, "/db", r#"{"action":"query","tags":["large"],"orderBy":"key"}"#).expect(200);
    let status = std::fs::read_to_string(format!("{process}/status")).expect("/proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("VmHWM in KiB");
    let grown = (peak_kib << 10).saturating_sub(before);
    assert_eq!(page.header("transfer-encoding"), Some("chunked"));
    let page = page.json();
    assert_eq!(page["count"], 40);
    let entries = page["entries"].as_array().expect("entries");
    assert!(entries.iter().enumerate().all(|(n, entry)| entry["key"] == format!("k{n:02}") && entry["value"] == value));
    assert!(grown < 45 << 20, "80 MiB took {} MiB more", grown >> 20);
    let many = post(&server, "/db", r#"{"action":"mget","keys":["none","k03","k19"]}"#).expect(200).json();
    assert!(many["result"]["none"].is_null() && many["result"]["k19"]["value"] == value);
    server.stop();
}

#[test]
fn lists_are_bounded_by_the_body_only() {
    let mut server = Server::with(Settings::fast());
    let numbers: Vec<String> = (0..150_000).map(|n| format!("\"{n}\"")).collect();
    let list = numbers.join(",");
    post(&server, "/db/7", r#"{"value":"v","tags":["149999"]}"#).expect(201);
    let found = post(&server, "/db", &format!(r#"{{"action":"mget","keys":[{list}]}}"#)).expect(200);
    assert!(found.text().contains(r#""6":null,"7":{"key":"7""#));
    let found = post(&server, "/db", &format!(r#"{{"action":"query","tags":[{list}]}}"#)).expect(200);
    assert_eq!(found.json()["count"], 1);
    let deleted = post(&server, "/db", &format!(r#"{{"action":"deleteByTags","tags":[{list}]}}"#)).expect(200);
    assert_eq!(deleted.text(), r#"{"deleted":1}"#);
    let deleted = post(&server, "/db", &format!(r#"{{"action":"mdelete","keys":[{list}]}}"#)).expect(200);
    assert_eq!(deleted.text(), r#"{"deleted":0}"#);
    server.stop();
}

#[test]
fn a_file_that_is_no_database_is_refused_in_one_line() {
    let mut server = Server::start();
    server.stop();
    let path = server.data_dir().join("dunena.db");
    std::fs::write(&path, "this is no database, however long it may be".repeat(100)).expect("a file");
    refused(&server, &path, "file is not a database", 65);
    let export = path.with_extension("jsonl");
    expect(&verb("export", &export, &server.data_dir(), &[]), 65);
    assert!(!export.exists());
    std::fs::remove_file(&path).expect("removed");
    std::fs::create_dir(&path).expect("a directory");
    refused(&server, &path, "Is a directory", 74);
}

fn refused(server: &Server, path: &Path, why: &str, code: i32) {
    let finished = server.start_refused();
    assert_eq!(finished.status.code(), Some(code), "{}", finished.output);
    let sentence = format!("manifold: dunena: the database {}", path.display());
    let said: Vec<&str> = finished.output.lines().filter(|line| line.starts_with("manifold:")).collect();
    assert!(said.len() == 1 && said[0].starts_with(&sentence) && said[0].contains(why), "{}", finished.output);
}

#[test]
fn in_memory_nothing_is_kept() {
    let mut server = Server::with(Settings::default().set("dunena.db_path", ":memory:"));
    post(&server, "/db/k", r#"{"value":"v","tags":["t"]}"#).expect(201);
    assert_eq!(post(&server, "/db", r#"{"action":"query","tags":["t"]}"#).expect(200).json()["count"], 1);
    server.restart();
    get(&server, "/db/k").expect(404);
    server.stop();
}
