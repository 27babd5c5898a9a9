//! SQLite files.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::Proxied;
use crate::harness::{self, Request, Settings};

/// A file with a table, as an application would have made it.
fn file(folder: &Path) -> String {
    let path = folder.join("shop.db");
    let connection = Connection::open(&path).expect("a new database");
    connection
        .execute_batch(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'Alice'), (2, 'Bob');",
        )
        .expect("fill the database");
    path.display().to_string()
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("manifold-sqlite-").tempdir().expect("a temporary directory")
}

#[test]
fn values_and_parameters_keep_their_types() {
    let (proxied, folder) = (Proxied::start(), folder());
    proxied.register("lite", "sqlite", &format!("sqlite:{}", file(folder.path())), false);
    for (query, params, expected) in [
        ("SELECT id, name FROM t WHERE id = ?", "[1]", r#"[{"id":1,"name":"Alice"}]"#),
        (
            "SELECT 9223372036854775807 AS a, 1.5 AS b, 2.0 AS c, NULL AS d",
            "[]",
            r#"[{"a":9223372036854775807,"b":1.5,"c":2.0,"d":null}]"#,
        ),
        ("SELECT x'00ff' AS a, '' AS b, 'ä\"' AS c", "[]", r#"[{"a":{"$base64":"AP8="},"b":"","c":"ä\""}]"#),
        ("SELECT 9e999 AS a, -9e999 AS b", "[]", r#"[{"a":"Infinity","b":"-Infinity"}]"#),
        ("SELECT 1 AS a, 2 AS b, 3 AS a", "[]", r#"[{"a":3,"b":2}]"#),
        ("SELECT id FROM t WHERE false", "[]", "[]"),
        (
            "SELECT typeof(?) AS a, typeof(?) AS b, typeof(?) AS c, typeof(?) AS d",
            r#"[1, 1.0, "1", null]"#,
            r#"[{"a":"integer","b":"real","c":"text","d":"null"}]"#,
        ),
        (
            "SELECT ? AS a, ? AS b, ? AS c, ? AS d",
            r#"[true, false, [1, "x"], {"k": null}]"#,
            r#"[{"a":1,"b":0,"c":"[1, \"x\"]","d":"{\"k\": null}"}]"#,
        ),
        (
            "SELECT ? AS a, ? AS b",
            "[9223372036854775807, 9223372036854775808]",
            r#"[{"a":9223372036854775807,"b":9.223372036854776e+18}]"#,
        ),
        ("SELECT ?2 AS a, ?1 AS b", "[1, 2]", r#"[{"a":2,"b":1}]"#),
        ("SELECT $2 AS a, $1 AS b, $2 AS c", "[1, 2]", r#"[{"a":2,"b":1,"c":2}]"#),
        ("SELECT count(*) AS n FROM t WHERE name = ?", r#"["' OR ''='"]"#, r#"[{"n":0}]"#),
        ("INSERT INTO t (name) VALUES (?)", r#"["O'Hara'); DROP TABLE t; --"]"#, r#"{"rowsAffected":1}"#),
        ("SELECT name FROM t WHERE id = 3;", "[]", r#"[{"name":"O'Hara'); DROP TABLE t; --"}]"#),
        ("UPDATE t SET name = name WHERE id < 3", "[]", r#"{"rowsAffected":2}"#),
        ("INSERT INTO t (name) VALUES ('x') RETURNING id", "[]", r#"[{"id":4}]"#),
        ("CREATE TABLE u (x)", "[]", r#"{"rowsAffected":0}"#),
        ("SELECT 1 AS a; -- and nothing more", "[]", r#"[{"a":1}]"#),
        ("VACUUM", "[]", r#"{"rowsAffected":0}"#),
    ] {
        assert_eq!(proxied.ask("lite", query, params).as_deref(), Ok(expected), "{query}");
    }
}

#[test]
fn one_statement_on_one_file() {
    let (proxied, folder) = (Proxied::start(), folder());
    let path = file(folder.path());
    let elsewhere = folder.path().join("elsewhere.db").display().to_string();
    proxied.register("lite", "sqlite", &format!("sqlite://{path}"), false);
    for (query, params, expected) in [
        ("SELECT 1; SELECT 2", "[]", "only one statement is allowed"),
        ("SELECT 1; DROP TABLE t", "[]", "only one statement is allowed"),
        ("CREATE TABLE v (x); INSERT INTO v VALUES (1)", "[]", "only one statement is allowed"),
        ("-- nothing", "[]", "the query is empty"),
        ("SELECT ?", "[]", "the query takes 1 parameters, not 0"),
        ("SELECT 1", "[1]", "the query takes 0 parameters, not 1"),
        ("SELEC 1", "[]", "near \"SELEC\": syntax error"),
        ("SELECT * FROM missing", "[]", "no such table: missing"),
        ("SELECT load_extension('x')", "[]", "not authorized"),
        (&format!("ATTACH '{elsewhere}' AS other"), "[]", "not authorized"),
        ("ATTACH ? AS other", &format!("[\"{elsewhere}\"]"), "not authorized"),
        (&format!("VACUUM INTO '{elsewhere}'"), "[]", "authorization denied"),
        ("PRAGMA hard_heap_limit(1)", "[]", "not authorized"),
        ("PRAGMA Temp_Store_Directory = '/'", "[]", "not authorized"),
        ("PRAGMA database_list", "[]", "not authorized"),
        ("SELECT file FROM pragma_database_list", "[]", "not authorized"),
        ("INSERT INTO t (id) VALUES (1)", "[]", "UNIQUE constraint failed: t.id"),
    ] {
        assert_eq!(proxied.ask("lite", query, params), Err(format!("sqlite query failed: {expected}")), "{query}");
    }
    assert!(!Path::new(&elsewhere).exists());
    proxied.ask("lite", "PRAGMA writable_schema = on", "[]").ok();
    assert!(proxied.ask("lite", "DELETE FROM sqlite_schema", "[]").is_err());
    for statement in ["BEGIN IMMEDIATE", "CREATE TEMP TABLE leak (x)", "PRAGMA query_only = on"] {
        proxied.ask("lite", statement, "[]").unwrap();
        assert_eq!(
            proxied.ask("lite", "INSERT INTO t (name) VALUES ('y')", "[]").as_deref(),
            Ok(r#"{"rowsAffected":1}"#)
        );
        assert!(proxied.ask("lite", "SELECT * FROM leak", "[]").is_err(), "{statement}");
    }
}

#[test]
fn a_read_only_connector_cannot_write() {
    let (proxied, folder) = (Proxied::start(), folder());
    let path = file(folder.path());
    proxied.register("flag", "sqlite", &format!("sqlite:{path}"), true);
    proxied.register("mode", "sqlite", &format!("sqlite:{path}?mode=ro"), false);
    for (name, expected) in [
        ("flag", "Connector \"flag\" is read-only"),
        ("mode", "sqlite query failed: attempt to write a readonly database"),
    ] {
        let refused = proxied.ask(name, "WITH x AS (SELECT 1) INSERT INTO t (name) VALUES ('x')", "[]").unwrap_err();
        assert_eq!(refused, expected);
        assert_eq!(proxied.ask(name, "SELECT count(*) AS n FROM t", "[]").as_deref(), Ok(r#"[{"n":2}]"#));
    }
}

#[test]
fn a_statement_ends_with_its_time_and_its_size() {
    let (proxied, folder) = (Proxied::limited(500, 100_000), folder());
    let path = file(folder.path());
    proxied.register("lite", "sqlite", &format!("sqlite:{path}"), false);
    let endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r";
    let start = Instant::now();
    // More than may run at a time: were one of the first five still running, the sixth would not get its turn.
    for _ in 0..6 {
        assert_eq!(proxied.ask("lite", endless, "[]").unwrap_err(), "Upstream timed out");
    }
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    let wide = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n, zeroblob(1000) FROM r";
    let brief = Proxied::limited(30_000, 100_000);
    brief.register("lite", "sqlite", &format!("sqlite:{path}"), false);
    assert_eq!(brief.ask("lite", wide, "[]").unwrap_err(), "Upstream response too large");
    assert_eq!(brief.ask("lite", "SELECT hex(zeroblob(60000)) AS h", "[]").unwrap_err(), "Upstream response too large");
    // A statement that waited for a lock until its caller was gone does not write when the lock is free.
    let writer = Connection::open(&path).expect("open the file");
    writer.execute_batch("BEGIN IMMEDIATE").expect("take the lock");
    assert!(proxied.ask("lite", "INSERT INTO t VALUES (77, 'late')", "[]").is_err());
    writer.execute_batch("ROLLBACK").expect("release the lock");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(proxied.ask("lite", "SELECT count(*) AS n FROM t", "[]").as_deref(), Ok(r#"[{"n":2}]"#));
}

#[test]
fn only_files_that_may_be_opened_are() {
    let folder = folder();
    let path = file(folder.path());
    let missing = folder.path().join("missing.db");
    let proxied = Proxied::start();
    for (path, expected) in [
        (missing.display().to_string(), "sqlite query failed: the file does not exist"),
        (folder.path().display().to_string(), "sqlite query failed: not a regular file"),
        ("/dev/zero".to_owned(), "sqlite query failed: not a regular file"),
        ("/etc/passwd".to_owned(), "sqlite query failed: file is not a database"),
    ] {
        proxied.register("x", "sqlite", &format!("sqlite:{path}"), false);
        assert_eq!(proxied.ask("x", "SELECT * FROM sqlite_schema", "[]").unwrap_err(), expected, "{path}");
    }
    assert!(!missing.exists());
    let link = folder.path().join("link.db");
    symlink(&path, &link).expect("a link");
    proxied.register("link", "sqlite", &format!("sqlite:{}", link.display()), false);
    assert_eq!(proxied.ask("link", "SELECT count(*) AS n FROM t", "[]").as_deref(), Ok(r#"[{"n":2}]"#));
    fs::remove_file(&path).expect("remove the file");
    let refused = proxied.ask("link", "SELECT count(*) AS n FROM t", "[]").unwrap_err();
    assert!(!refused.contains(&path), "{refused}");
}

#[test]
fn our_own_files_are_refused_and_directories_hold_what_may_be_opened() {
    let folder = folder();
    let path = file(folder.path());
    let other = tempfile::tempdir().expect("a temporary directory");
    let outside = file(other.path());
    let dirs = vec![folder.path().display().to_string()];
    let proxied = Proxied::with(Settings::default().set("dunena.proxy_sqlite_dirs", dirs));
    proxied.register("x", "sqlite", &format!("sqlite:{outside}"), false);
    assert_eq!(proxied.ask("x", "SELECT 1", "[]").unwrap_err(), "Upstream address not allowed");
    proxied.register("x", "sqlite", &format!("sqlite:{path}"), false);
    assert_eq!(proxied.ask("x", "SELECT 1 AS a", "[]").as_deref(), Ok(r#"[{"a":1}]"#));
    drop(proxied);

    let proxied = Proxied::start();
    let own = proxied.server.data_dir().join("dunena.db");
    let (soft, hard) = (folder.path().join("soft.db"), folder.path().join("hard.db"));
    symlink(&own, &soft).expect("a link");
    fs::hard_link(&own, &hard).expect("a second name");
    for path in [&own, &soft, &hard, &own.with_file_name("dunena.db-wal"), &own.with_file_name("LOCK")] {
        proxied.register("x", "sqlite", &format!("sqlite:{}", path.display()), false);
        let refused = proxied.ask("x", "SELECT * FROM sqlite_schema", "[]").unwrap_err();
        assert_eq!(refused, "Upstream address not allowed", "{}", path.display());
    }
}

#[test]
fn a_connector_survives_a_restart_and_shows_its_string_to_nobody() {
    let folder = folder();
    let path = file(folder.path());
    let mut proxied = Proxied::start();
    proxied.register("lite", "sqlite", &format!("sqlite:{path}"), false);
    proxied.server.restart();
    let connectors =
        harness::Connection::open(proxied.server.dunena()).send(&Request::get("/db-proxy/connectors").key(None));
    let expected = r#"{"connectors":[{"name":"lite","type":"sqlite","readOnly":false}]}"#;
    assert_eq!(connectors.expect("an answer").text(), expected);
    let insert = r#"{"connector":"lite","query":"INSERT INTO t (name) VALUES ('again')"}"#;
    for _ in 0..2 {
        let answer = proxied.post("/db-proxy/query", insert).text();
        assert!(
            answer.starts_with(r#"{"data":{"rowsAffected":1},"cached":false,"connector":"lite","durationMs":"#),
            "{answer}"
        );
    }
    let count = proxied.ask("lite", "SELECT count(*) AS n FROM t WHERE name = ?", r#"["again"]"#);
    assert_eq!(count.as_deref(), Ok(r#"[{"n":2}]"#));
    assert!(!proxied.server.log.text().contains(&path), "{}", proxied.server.log.text());
}
