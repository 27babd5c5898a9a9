//! MySQL's protocol, spoken by MariaDB.

use std::time::{Duration, Instant};

use super::{Database, Proxied};
use crate::harness::eventually;

/// An expression and what it is in JSON.
const VALUES: &[(&str, &str)] = &[
    ("NULL", "null"),
    ("TRUE", "1"),
    ("-1", "-1"),
    ("9223372036854775807", "9223372036854775807"),
    ("CAST(18446744073709551615 AS UNSIGNED)", "18446744073709551615"),
    ("1.50", "\"1.50\""),
    ("CAST('-0.10' AS DECIMAL(30,20))", "\"-0.10000000000000000000\""),
    ("1.5e0", "1.5"),
    ("'ä\"'", r#""ä\"""#),
    ("''", "\"\""),
    ("x'00FF'", r#"{"$base64":"AP8="}"#),
    ("CAST('2024-02-29' AS DATE)", "\"2024-02-29\""),
    ("CAST('2024-02-29 13:14:15' AS DATETIME)", "\"2024-02-29T13:14:15\""),
    ("CAST('2024-02-29 13:14:15.120000' AS DATETIME(6))", "\"2024-02-29T13:14:15.12\""),
    ("CAST('13:14:15.5' AS TIME(1))", "\"13:14:15.5\""),
    ("CAST('-30:00:01' AS TIME)", "\"-30:00:01\""),
    ("FROM_UNIXTIME(1709212455)", "\"2024-02-29T13:14:15\""),
];

/// A column, a value, and what it is in JSON.
const COLUMNS: &[(&str, &str, &str)] = &[
    ("TINYINT(1)", "2", "2"),
    ("TINYINT UNSIGNED", "255", "255"),
    ("SMALLINT", "-32768", "-32768"),
    ("MEDIUMINT", "-8388608", "-8388608"),
    ("INT UNSIGNED", "4294967295", "4294967295"),
    ("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"),
    ("FLOAT", "0.1", "0.1"),
    ("DOUBLE", "0.1", "0.1"),
    ("DECIMAL(20,2)", "123456789012345678.90", "\"123456789012345678.90\""),
    ("BIT(12)", "b'100000000001'", r#"{"$base64":"CAE="}"#),
    ("YEAR", "2024", "2024"),
    ("DATE", "'2024-02-29'", "\"2024-02-29\""),
    ("TIMESTAMP", "'2024-02-29 13:14:15'", "\"2024-02-29T13:14:15Z\""),
    ("TIMESTAMP(3)", "'2024-02-29 13:14:15.25'", "\"2024-02-29T13:14:15.25Z\""),
    ("DATETIME(6)", "'2024-02-29 13:14:15.000001'", "\"2024-02-29T13:14:15.000001\""),
    ("TIME", "'838:59:59'", "\"838:59:59\""),
    ("CHAR(3)", "'a'", "\"a\""),
    ("VARCHAR(9) CHARACTER SET latin1", "'ä'", "\"ä\""),
    ("TEXT", "'x'", "\"x\""),
    ("BLOB", "'x'", r#"{"$base64":"eA=="}"#),
    ("VARBINARY(4)", "x'ff'", r#"{"$base64":"/w=="}"#),
    ("ENUM('a','b')", "'b'", "\"b\""),
    ("SET('a','b')", "'a,b'", "\"a,b\""),
    // MariaDB has no such type: it is text there.
    ("JSON", "'{\"a\": 1}'", r#""{\"a\": 1}""#),
];

fn prepared(proxied: &Proxied, database: &Database) {
    proxied.register("my", "mysql", &format!("mysql://{}", database.authority()), false);
    proxied.register("ro", "mysql", &format!("mysql://{}?ssl-mode=DISABLED", database.authority()), true);
    eventually("the database answers", Duration::from_secs(30), || proxied.ask("my", "SELECT 1", "[]").ok());
    let table = "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50), price DECIMAL(10,2), d DATETIME, ok TINYINT(1), \
                 big BIGINT UNSIGNED, ratio DOUBLE, doc LONGTEXT)";
    assert_eq!(proxied.ask("my", table, "[]").as_deref(), Ok(r#"{"rowsAffected":0}"#));
    let row = "INSERT INTO t (id, name) VALUES (1, 'Alice')";
    assert_eq!(proxied.ask("my", row, "[]").as_deref(), Ok(r#"{"rowsAffected":1}"#));
}

#[test]
fn every_type_has_a_json_form_and_parameters_fit_every_type() {
    let Some(database) = Database::mariadb(&[]) else { return };
    let proxied = Proxied::start();
    prepared(&proxied, &database);
    let mut wrong = Vec::new();
    let mut check = |what: &str, found: Result<String, String>, expected: &str| {
        let expected = format!(r#"[{{"v":{expected}}}]"#);
        if found.as_ref() != Ok(&expected) {
            wrong.push(format!("{what}\n  expected {expected}\n  found    {found:?}"));
        }
    };
    for (expression, expected) in VALUES {
        check(expression, proxied.ask("my", &format!("SELECT {expression} AS v"), "[]"), expected);
    }
    for (column, value, expected) in COLUMNS {
        for statement in [
            "DROP TABLE IF EXISTS c",
            &format!("CREATE TABLE c (v {column})"),
            &format!("INSERT INTO c VALUES ({value})"),
        ] {
            proxied.ask("my", statement, "[]").unwrap_or_else(|refused| panic!("{statement}: {refused}"));
        }
        check(column, proxied.ask("my", "SELECT v FROM c", "[]"), expected);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    bound(&proxied);
    shapes(&proxied);
    refusals(&proxied);
}

fn bound(proxied: &Proxied) {
    let insert = "INSERT INTO t VALUES (?,?,?,?,?,?,?,?)";
    let params = r#"[2, "O'Hara; DROP TABLE t; -- \\", "12.5", "2024-02-29 12:00:00", true, 18446744073709551615, 1.5e3, {"a":[1]}]"#;
    assert_eq!(proxied.ask("my", insert, params).as_deref(), Ok(r#"{"rowsAffected":1}"#));
    let params = r#"["3", null, 0.1, null, false, "17", "-2", [1, "x"]]"#;
    assert_eq!(proxied.ask("my", insert, params).as_deref(), Ok(r#"{"rowsAffected":1}"#));
    let expected = concat!(
        r#"[{"id":2,"name":"O'Hara; DROP TABLE t; -- \\","price":"12.50","d":"2024-02-29T12:00:00","ok":1,"#,
        r#""big":18446744073709551615,"ratio":1500.0,"doc":"{\"a\":[1]}"},"#,
        r#"{"id":3,"name":null,"price":"0.10","d":null,"ok":0,"big":17,"ratio":-2.0,"doc":"[1, \"x\"]"}]"#
    );
    let found = proxied.ask("my", "SELECT * FROM t WHERE id > ? ORDER BY id LIMIT ?", "[1, 10]");
    assert_eq!(found.as_deref(), Ok(expected));
    for hostile in [r#"["' OR ''='"]"#, r#"["\\' OR 1=1 -- "]"#] {
        assert_eq!(proxied.ask("my", "SELECT id FROM t WHERE name = ?", hostile).as_deref(), Ok("[]"));
    }
}

fn shapes(proxied: &Proxied) {
    for (query, expected) in [
        ("SELECT 1 AS a, 2 AS b, 3 AS a", r#"[{"a":3,"b":2}]"#),
        ("SELECT 1 AS a WHERE false", "[]"),
        ("UPDATE t SET ok = 5 WHERE id > 1", r#"{"rowsAffected":2}"#),
        ("SELECT 1 AS a;", r#"[{"a":1}]"#),
        ("SELECT 'a:b' AS `c:d` -- e:f", r#"[{"c:d":"a:b"}]"#),
        ("SHOW VARIABLES LIKE 'time_zone'", r#"[{"Variable_name":"time_zone","Value":"+00:00"}]"#),
        ("CREATE PROCEDURE p() BEGIN SELECT 1 AS a; SELECT 2 AS b; END", r#"{"rowsAffected":0}"#),
        ("CALL p()", r#"[{"a":1}]"#),
        ("SELECT 7 AS a", r#"[{"a":7}]"#),
    ] {
        assert_eq!(proxied.ask("my", query, "[]").as_deref(), Ok(expected), "{query}");
    }
}

fn refusals(proxied: &Proxied) {
    for (query, params, expected) in [
        ("SELECT 1; SELECT 2", "[]", "only one statement is allowed"),
        ("SELECT 1; DROP TABLE t", "[]", "only one statement is allowed"),
        ("SELECT ?", "[]", "the query takes 1 parameters, not 0"),
        ("SELECT 1", "[1]", "the query takes 0 parameters, not 1"),
        ("SELECT * FROM missing", "[]", "Table 'shop.missing' doesn't exist"),
        ("INSERT INTO t (id) VALUES (1)", "[]", "Duplicate entry '1' for key 'PRIMARY'"),
        ("SELECT '\0'", "[]", "the query contains a NUL character"),
    ] {
        assert_eq!(proxied.ask("my", query, params), Err(format!("mysql query failed: {expected}")), "{query}");
    }
    assert!(proxied.ask("my", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t", "[]").is_err());
    assert_eq!(proxied.ask("my", "SELECT COUNT(*) AS n FROM t", "[]").as_deref(), Ok(r#"[{"n":3}]"#));
    for query in ["INSERT INTO t (id) VALUES (99)", "CREATE TABLE x (i INT)", "COMMIT", "SELECT 1 INTO @x"] {
        assert_eq!(proxied.ask("ro", query, "[]").unwrap_err(), "Connector \"ro\" is read-only", "{query}");
    }
    // What cannot be told from its words is refused by the database.
    let function = "CREATE FUNCTION f() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM t; RETURN 1; END";
    proxied.ask("my", function, "[]").unwrap();
    let refused = proxied.ask("ro", "SELECT f()", "[]").unwrap_err();
    assert_eq!(refused, "mysql query failed: Cannot execute statement in a READ ONLY transaction");
    assert_eq!(proxied.ask("ro", "SELECT COUNT(*) AS n FROM t", "[]").as_deref(), Ok(r#"[{"n":3}]"#));
}

#[test]
fn a_session_keeps_nothing_of_a_request_and_a_connector_has_five_at_most() {
    let Some(mut database) = Database::mariadb(&[]) else { return };
    let proxied = Proxied::start();
    prepared(&proxied, &database);
    for statement in [
        "SET @leak = 1",
        "SET SESSION sql_mode = 'ANSI_QUOTES'",
        "SET time_zone = '+05:00'",
        "CREATE TEMPORARY TABLE leak (x INT)",
        "BEGIN",
        "SET autocommit = 0",
        "SELECT GET_LOCK('leak', 0)",
    ] {
        proxied.ask("my", statement, "[]").unwrap_or_else(|refused| panic!("{statement}: {refused}"));
        for (query, expected) in [
            ("SELECT @leak AS v", "null"),
            ("SELECT @@sql_mode LIKE '%ANSI_QUOTES%' AS v", "0"),
            ("SELECT @@time_zone AS v", "\"+00:00\""),
            ("SELECT @@in_transaction AS v", "0"),
            ("SELECT @@autocommit AS v", "1"),
            ("SELECT IS_FREE_LOCK('leak') AS v", "1"),
        ] {
            let expected = format!(r#"[{{"v":{expected}}}]"#);
            assert_eq!(proxied.ask("my", query, "[]"), Ok(expected), "after {statement}: {query}");
        }
        assert!(proxied.ask("my", "SELECT * FROM leak", "[]").is_err(), "after {statement}");
    }
    five(&proxied);
    healed(&proxied, &mut database);
}

fn five(proxied: &Proxied) {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| proxied.ask("ro", "SELECT SLEEP(0.5)", "[]").unwrap());
        }
        let most = "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info = 'SELECT SLEEP(0.5)'";
        eventually("five are busy", Duration::from_secs(5), || {
            (proxied.ask("my", most, "[]").unwrap() == r#"[{"n":5}]"#).then_some(())
        });
    });
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(1000), "ten of half a second took {took:?} with five sessions");
}

fn healed(proxied: &Proxied, database: &mut Database) {
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| proxied.ask("my", "SELECT SLEEP(0.2)", "[]").unwrap());
        }
    });
    database.stop();
    let refused = proxied.ask("my", "SELECT 1 AS a", "[]").unwrap_err();
    assert_eq!(refused, "Cannot reach upstream: connection refused");
    database.restart();
    eventually("the server answers again", Duration::from_secs(30), || proxied.ask("my", "SELECT 1 AS a", "[]").ok());
}

#[test]
fn a_statement_that_takes_too_long_or_says_too_much_is_stopped_on_the_server() {
    let Some(database) = Database::mariadb(&[]) else { return };
    let (hasty, brief) = (Proxied::limited(700, 16 << 20), Proxied::limited(30_000, 100_000));
    let watcher = Proxied::start();
    prepared(&watcher, &database);
    for proxied in [&hasty, &brief] {
        proxied.register("my", "mysql", &format!("mysql://{}", database.authority()), false);
    }
    for _ in 0..6 {
        assert_eq!(hasty.ask("my", "SELECT SLEEP(60)", "[]").unwrap_err(), "Upstream timed out");
    }
    for query in ["SELECT seq, REPEAT('x', 1000) AS x FROM seq_1_to_100000000", "SELECT REPEAT('y', 12000000) AS y"] {
        let start = Instant::now();
        assert_eq!(brief.ask("my", query, "[]").unwrap_err(), "Upstream response too large", "{query}");
        assert!(start.elapsed() < Duration::from_secs(10), "{query}: {:?}", start.elapsed());
    }
    let running = "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%' OR info LIKE 'SELECT seq%'";
    eventually("the statements are stopped", Duration::from_secs(5), || {
        (watcher.ask("my", running, "[]").unwrap() == r#"[{"n":0}]"#).then_some(())
    });
    for proxied in [&hasty, &brief] {
        eventually("the connector works", Duration::from_secs(10), || proxied.ask("my", "SELECT 1", "[]").ok());
    }
}

#[test]
fn a_connection_is_encrypted_as_the_connection_string_says() {
    let Some(database) = Database::mariadb_with_tls() else { return };
    let proxied = Proxied::start();
    let ca = database.authority_file().display().to_string();
    let port = database.port;
    let at = |host: &str, options: &str| {
        format!(
            "mysql://{}?{options}",
            database.authority().replace(&format!("127.0.0.1:{port}"), &format!("{host}:{port}"))
        )
    };
    let encrypted = |dsn: &str| {
        proxied.register("tls", "mysql", dsn, false);
        proxied
            .ask("tls", "SHOW STATUS WHERE Variable_name = 'Ssl_cipher' AND Value <> ''", "[]")
            .map(|rows| rows != "[]")
    };
    eventually("the database answers", Duration::from_secs(30), || {
        encrypted(&at("127.0.0.1", "ssl-mode=DISABLED")).ok()
    });
    for (host, options, expected) in [
        ("127.0.0.1", "ssl-mode=DISABLED".to_owned(), Ok(false)),
        ("127.0.0.1", String::new(), Ok(true)),
        ("127.0.0.1", "ssl-mode=REQUIRED".to_owned(), Ok(true)),
        ("localhost", format!("ssl-mode=VERIFY_CA&ssl-ca={ca}"), Ok(true)),
        ("localhost", format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"), Ok(true)),
        ("127.0.0.1", format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={ca}"), Err(())),
        ("localhost", "ssl-mode=VERIFY_IDENTITY".to_owned(), Err(())),
        ("localhost", "ssl-mode=VERIFY_CA".to_owned(), Err(())),
        ("localhost", "ssl-mode=VERIFY_CA&ssl-ca=/missing".to_owned(), Err(())),
    ] {
        let found = encrypted(&at(host, &options)).map_err(|refused| {
            assert!(refused.starts_with("Cannot reach upstream: "), "{refused}");
        });
        assert_eq!(found, expected, "{host} {options}");
    }
}

#[test]
fn a_server_without_encryption_is_only_used_where_it_may_be() {
    let Some(database) = Database::mariadb(&["--skip-ssl"]) else { return };
    let proxied = Proxied::start();
    prepared(&proxied, &database);
    proxied.register("strict", "mysql", &format!("mysql://{}?ssl-mode=REQUIRED", database.authority()), false);
    assert!(proxied.ask("strict", "SELECT 1", "[]").is_err());
    proxied.register(
        "other",
        "mysql",
        &format!("mysql://tester:wrong-password@127.0.0.1:{}/shop", database.port),
        false,
    );
    let refused = proxied.ask("other", "SELECT 1", "[]").unwrap_err();
    assert!(
        refused.starts_with("mysql query failed: Access denied") && !refused.contains("wrong-password"),
        "{refused}"
    );
}
