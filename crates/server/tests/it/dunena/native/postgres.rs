//! PostgreSQL.

use std::time::{Duration, Instant};

use super::{Database, Proxied};
use crate::harness::eventually;

/// An expression and what it is in JSON.
const VALUES: &[(&str, &str)] = &[
    ("NULL", "null"),
    ("true", "true"),
    ("'f'::bool", "false"),
    ("32767::int2", "32767"),
    ("(-2147483648)::int4", "-2147483648"),
    ("9223372036854775807::int8", "9223372036854775807"),
    ("4294967295::oid", "4294967295"),
    ("0.1::float4", "0.1"),
    ("1e300::float8", "1e+300"),
    ("'NaN'::float8", "\"NaN\""),
    ("'infinity'::float4", "\"Infinity\""),
    ("'-infinity'::float8", "\"-Infinity\""),
    ("1.50::numeric", "\"1.50\""),
    ("0::numeric", "\"0\""),
    ("-0.000123::numeric", "\"-0.000123\""),
    ("12345678901234567890.12345678901234567890::numeric", "\"12345678901234567890.12345678901234567890\""),
    ("1e20::numeric", "\"100000000000000000000\""),
    ("10000.00010001::numeric", "\"10000.00010001\""),
    ("'NaN'::numeric", "\"NaN\""),
    ("'-Infinity'::numeric", "\"-Infinity\""),
    ("'ä\"\\'::text", r#""ä\"\\""#),
    ("''::varchar", "\"\""),
    ("'ab'::char(4)", "\"ab  \""),
    ("'pg'::name", "\"pg\""),
    ("'a literal'", "\"a literal\""),
    (r#"'{"b" : [1, 2.50 ], "a b":null}'::json"#, r#"{"b":[1,2.50],"a b":null}"#),
    (r#"'{"b" : [1, 2.50], "a": "x  \" y"}'::jsonb"#, r#"{"a":"x  \" y","b":[1,2.50]}"#),
    ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\""),
    (r"'\xdeadbeef'::bytea", r#"{"$base64":"3q2+7w=="}"#),
    ("''::bytea", r#"{"$base64":""}"#),
    ("'2024-02-29'::date", "\"2024-02-29\""),
    ("'infinity'::date", "\"infinity\""),
    ("'0044-03-15 BC'::date", "\"-000043-03-15\""),
    ("'13:14:15.5'::time", "\"13:14:15.5\""),
    ("'24:00'::time", "\"24:00:00\""),
    ("'01:30:00+02'::timetz", "\"23:30:00Z\""),
    ("'2024-02-29 13:14:15.123456'::timestamp", "\"2024-02-29T13:14:15.123456\""),
    ("'1969-12-31 23:59:59.5'::timestamp", "\"1969-12-31T23:59:59.5\""),
    ("'2024-03-01 01:30:00+02'::timestamptz", "\"2024-02-29T23:30:00Z\""),
    ("'-infinity'::timestamptz", "\"-infinity\""),
    ("'1 year 2 days 03:04:05'::interval", "\"1 year 2 days 03:04:05\""),
    ("'10.1.2.3/24'::inet", "\"10.1.2.3/24\""),
    ("'10.1.2.3'::inet::text", "\"10.1.2.3/32\""),
    ("'10.1.0.0/16'::cidr", "\"10.1.0.0/16\""),
    ("'08:00:2b:01:02:03'::macaddr", "\"08:00:2b:01:02:03\""),
    ("B'1011'::varbit", "\"1011\""),
    ("'12.34'::money", "\"$12.34\""),
    ("'<a>1</a>'::xml", "\"<a>1</a>\""),
    ("'fat & rat'::tsquery", "\"'fat' & 'rat'\""),
    ("point(1.5,-2)", "\"(1.5,-2)\""),
    ("int4range(1,5)", "\"[1,5)\""),
    ("'{[1,3),[5,7)}'::int4multirange", "\"{[1,3),[5,7)}\""),
    ("'pg_class'::regclass", "\"pg_class\""),
    ("'a'::\"char\"", "\"a\""),
    ("'$.a'::jsonpath", r#""$.\"a\"""#),
    ("ARRAY[1,NULL,3]", "[1,null,3]"),
    ("ARRAY[[1,2],[3,4]]", "[[1,2],[3,4]]"),
    ("'{}'::text[]", "[]"),
    ("ARRAY['a\"b','c']", r#"["a\"b","c"]"#),
    ("ARRAY['{\"a\": 1}'::jsonb]", r#"[{"a":1}]"#),
    ("ARRAY['2024-01-01'::date]", "[\"2024-01-01\"]"),
    ("ARRAY[int4range(1,2),int4range(3,4)]", "[\"[1,2)\",\"[3,4)\"]"),
    ("'1 2 3'::int2vector", "[1,2,3]"),
    ("'happy'::mood", "\"happy\""),
    ("ARRAY['sad','happy']::mood[]", "[\"sad\",\"happy\"]"),
    ("7::positive", "7"),
    ("ROW(1,'x y',true)::item", "\"(1,\\\"x y\\\",t)\""),
    ("ROW(1,'a,b',NULL,ROW(2.5,'q'))", r#""(1,\"a,b\",,\"(2.5,q)\")""#),
    ("ARRAY[ROW(1,2)]", "[\"(1,2)\"]"),
    ("pg_sleep(0)", "\"\""),
];

const SCHEMA: &[&str] = &[
    "CREATE TYPE mood AS ENUM ('sad','happy')",
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
    "CREATE TYPE item AS (n int, name text, good bool)",
    "CREATE TABLE t (id int PRIMARY KEY, name text, n int8, price numeric(10,2), u uuid, d date, ts timestamptz, \
     j jsonb, ok bool, raw bytea, ratio float8)",
    "INSERT INTO t (id, name) VALUES (1, 'Alice')",
];

fn prepared(proxied: &Proxied, database: &Database) {
    proxied.register("pg", "postgresql", &format!("postgres://{}", database.authority()), false);
    proxied.register("ro", "postgresql", &format!("postgresql://{}?sslmode=disable", database.authority()), true);
    eventually("the database answers", Duration::from_secs(30), || proxied.ask("pg", "SELECT 1", "[]").ok());
    for statement in SCHEMA {
        assert_eq!(proxied.ask("pg", statement, "[]").as_deref(), Ok(affected(statement)), "{statement}");
    }
}

fn affected(statement: &str) -> &'static str {
    if statement.starts_with("INSERT") { r#"{"rowsAffected":1}"# } else { r#"{"rowsAffected":0}"# }
}

#[test]
fn every_type_has_a_json_form_and_parameters_fit_every_type() {
    let Some(database) = Database::postgres(&[]) else { return };
    let proxied = Proxied::start();
    prepared(&proxied, &database);
    let mut wrong = Vec::new();
    for (expression, expected) in VALUES {
        let found = proxied.ask("pg", &format!("SELECT {expression} AS v"), "[]");
        let expected = format!(r#"[{{"v":{expected}}}]"#);
        if found.as_ref() != Ok(&expected) {
            wrong.push(format!("{expression}\n  expected {expected}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    bound(&proxied);
    shapes(&proxied);
    refusals(&proxied);
}

/// Strings and numbers alike fit whatever type the server infers.
fn bound(proxied: &Proxied) {
    let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    let insert = "INSERT INTO t VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)";
    let params = format!(
        r#"["2", "O'Hara; DROP TABLE t; --", 9223372036854775807, 12.5, "{uuid}", "2024-02-29",
            "2024-02-29T12:00:00+01:00", {{"a":[1,"x"]}}, true, "\\x00ff", 1.5e3]"#
    );
    assert_eq!(proxied.ask("pg", insert, &params).as_deref(), Ok(r#"{"rowsAffected":1}"#));
    let params = format!(r#"[3.0, null, "17", "0.10", "{uuid}", null, null, "[1]", "false", null, "-2"]"#);
    assert_eq!(proxied.ask("pg", insert, &params).as_deref(), Ok(r#"{"rowsAffected":1}"#));
    let expected = format!(
        "[{}{uuid}{}{}{uuid}{}]",
        r#"{"id":2,"name":"O'Hara; DROP TABLE t; --","n":9223372036854775807,"price":"12.50","u":""#,
        r#"","d":"2024-02-29","ts":"2024-02-29T11:00:00Z","j":{"a":[1,"x"]},"ok":true,"raw":{"$base64":"AP8="},"ratio":1500.0},"#,
        r#"{"id":3,"name":null,"n":17,"price":"0.10","u":""#,
        r#"","d":null,"ts":null,"j":[1],"ok":false,"raw":null,"ratio":-2.0}"#,
    );
    let found = proxied.ask("pg", "SELECT * FROM t WHERE id > $1 ORDER BY id", "[1]");
    assert_eq!(found.as_deref(), Ok(expected.as_str()));
    let injected = r#"["1 OR 1=1"]"#;
    let refused = proxied.ask("pg", "SELECT * FROM t WHERE id = $1", injected).unwrap_err();
    assert_eq!(refused, "postgresql query failed: invalid input syntax for type integer: \"1 OR 1=1\"");
    let quoted = r#"["' OR ''='"]"#;
    assert_eq!(proxied.ask("pg", "SELECT id FROM t WHERE name = $1", quoted).as_deref(), Ok("[]"));
}

fn shapes(proxied: &Proxied) {
    for (query, expected) in [
        ("SELECT 1 AS a, 2 AS b, 3 AS a", r#"[{"a":3,"b":2}]"#),
        ("SELECT id AS \"an \"\"id\" FROM t ORDER BY 1 LIMIT 2", r#"[{"an \"id":1},{"an \"id":2}]"#),
        ("SELECT 1 AS a WHERE false", "[]"),
        ("UPDATE t SET ok = true WHERE id > 1", r#"{"rowsAffected":2}"#),
        ("UPDATE t SET ok = false WHERE id > 2 RETURNING id", r#"[{"id":3}]"#),
        ("SELECT 1 AS a; ", r#"[{"a":1}]"#),
        ("VALUES (1),(2)", r#"[{"column1":1},{"column1":2}]"#),
        ("SHOW default_transaction_read_only", r#"[{"default_transaction_read_only":"off"}]"#),
    ] {
        assert_eq!(proxied.ask("pg", query, "[]").as_deref(), Ok(expected), "{query}");
    }
    let many = proxied.ask("pg", "SELECT g AS n, int4range(g, g + 1) AS r FROM generate_series(1, 1234) g", "[]");
    let rows: serde_json::Value = serde_json::from_str(&many.unwrap()).unwrap();
    for (place, row) in (1..).zip(rows.as_array().unwrap()) {
        assert_eq!(row, &serde_json::json!({"n": place, "r": format!("[{place},{})", place + 1)}));
    }
    assert_eq!(rows.as_array().unwrap().len(), 1234);
}

fn refusals(proxied: &Proxied) {
    for (query, params, expected) in [
        ("SELECT 1; SELECT 2", "[]", "only one statement is allowed"),
        ("SELECT 1; DROP TABLE t", "[]", "only one statement is allowed"),
        ("SELECT $1::int", "[]", "the query takes 1 parameters, not 0"),
        ("SELECT 1", "[1]", "the query takes 0 parameters, not 1"),
        ("SELEC 1", "[]", "syntax error at or near \"SELEC\""),
        ("SELECT * FROM missing", "[]", "relation \"missing\" does not exist"),
        ("SELECT 1/0", "[]", "division by zero"),
        ("SELECT '\0'", "[]", "the query contains a NUL character"),
        ("SELECT $1::text", "[\"\\u0000\"]", "invalid byte sequence for encoding \"UTF8\": 0x00"),
    ] {
        let expected = format!("postgresql query failed: {expected}");
        assert_eq!(proxied.ask("pg", query, params), Err(expected), "{query}");
    }
    for query in ["COPY t TO STDOUT", "COPY t FROM STDIN"] {
        let refused = proxied.ask("pg", query, "[]").unwrap_err();
        assert!(refused.starts_with("postgresql query failed: "), "{refused}");
    }
    for query in ["INSERT INTO t (id) VALUES (99)", "CREATE TABLE x ()", "COMMIT", "SELECT 1 INTO x"] {
        assert_eq!(proxied.ask("ro", query, "[]").unwrap_err(), "Connector \"ro\" is read-only", "{query}");
    }
    // What cannot be told from its words is refused by the database.
    let function = "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t'";
    proxied.ask("pg", function, "[]").unwrap();
    let refused = proxied.ask("ro", "SELECT f()", "[]").unwrap_err();
    assert_eq!(refused, "postgresql query failed: cannot execute DELETE in a read-only transaction");
    let way_out = "SELECT set_config('transaction_read_only', 'off', false), f()";
    assert!(proxied.ask("ro", way_out, "[]").is_err());
    assert_eq!(proxied.ask("ro", "SELECT count(*) AS n FROM t", "[]").as_deref(), Ok(r#"[{"n":3}]"#));
}

#[test]
fn a_session_keeps_nothing_of_a_request_and_a_connector_has_five_at_most() {
    let Some(mut database) = Database::postgres(&[]) else { return };
    let proxied = Proxied::start();
    prepared(&proxied, &database);
    leaks(&proxied);
    five(&proxied);
    healed(&proxied, &mut database);
}

fn leaks(proxied: &Proxied) {
    for statement in [
        "SET work_mem = '77MB'",
        "SELECT set_config('app.user', 'mallory', false)",
        "CREATE TEMP TABLE leak (x int)",
        "SELECT pg_advisory_lock(7)",
        "PREPARE leak AS SELECT 1",
        "LISTEN leak",
        "BEGIN",
        "DISCARD ALL",
        "DEALLOCATE ALL",
    ] {
        proxied.ask("pg", statement, "[]").unwrap();
        for (query, expected) in [
            ("SELECT current_setting('work_mem') = '77MB' AS v", "false"),
            ("SELECT coalesce(current_setting('app.user', true), '') AS v", "\"\""),
            ("SELECT to_regclass('leak') IS NULL AS v", "true"),
            ("SELECT count(*) AS v FROM pg_locks WHERE locktype = 'advisory'", "0"),
            ("SELECT count(*) AS v FROM pg_prepared_statements WHERE from_sql", "0"),
            ("SELECT count(*) AS v FROM pg_listening_channels()", "0"),
            ("SELECT 'happy'::mood AS v", "\"happy\""),
        ] {
            let expected = format!(r#"[{{"v":{expected}}}]"#);
            assert_eq!(proxied.ask("pg", query, "[]"), Ok(expected), "after {statement}: {query}");
        }
        let open = "SELECT count(*) AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
        eventually("no transaction stays open", Duration::from_secs(5), || {
            (proxied.ask("pg", open, "[]").unwrap() == r#"[{"n":0}]"#).then_some(())
        });
    }
}

fn five(proxied: &Proxied) {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| proxied.ask("ro", "SELECT pg_sleep(0.5)", "[]").unwrap());
        }
        let most =
            "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
        eventually("five are busy", Duration::from_secs(5), || {
            (proxied.ask("pg", most, "[]").unwrap() == r#"[{"n":5}]"#).then_some(())
        });
    });
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(1000), "ten of half a second took {took:?} with five sessions");
}

fn healed(proxied: &Proxied, database: &mut Database) {
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| proxied.ask("pg", "SELECT pg_sleep(0.2)", "[]").unwrap());
        }
    });
    let cut = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'idle'";
    proxied.ask("ro", cut, "[]").unwrap();
    for _ in 0..6 {
        assert_eq!(proxied.ask("pg", "SELECT 1 AS a", "[]").as_deref(), Ok(r#"[{"a":1}]"#));
    }
    database.stop();
    let refused = proxied.ask("pg", "SELECT 1 AS a", "[]").unwrap_err();
    assert_eq!(refused, "Cannot reach upstream: connection refused");
    database.restart();
    eventually("the server answers again", Duration::from_secs(30), || proxied.ask("pg", "SELECT 1 AS a", "[]").ok());
}

#[test]
fn a_statement_that_takes_too_long_or_says_too_much_is_stopped_on_the_server() {
    let Some(database) = Database::postgres(&[]) else { return };
    let (hasty, brief) = (Proxied::limited(700, 16 << 20), Proxied::limited(30_000, 100_000));
    let watcher = Proxied::start();
    prepared(&watcher, &database);
    for proxied in [&hasty, &brief] {
        proxied.register("pg", "postgresql", &format!("postgres://{}", database.authority()), false);
    }
    let gone = |query: &str| {
        let running = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE $1 AND state <> 'idle' AND pid <> pg_backend_pid()";
        let params = format!("[\"{query}%\"]");
        eventually("the statement is stopped", Duration::from_secs(5), || {
            (watcher.ask("pg", running, &params).unwrap() == r#"[{"n":0}]"#).then_some(())
        });
    };
    for _ in 0..6 {
        assert_eq!(hasty.ask("pg", "SELECT pg_sleep(60)", "[]").unwrap_err(), "Upstream timed out");
    }
    gone("SELECT pg_sleep");
    for query in [
        "SELECT generate_series(1, 1000000) AS g, repeat('x', 1000) AS x",
        "SELECT repeat('y', 8000000) AS y",
        "SELECT int4range(g, g + 1) AS r FROM (SELECT generate_series(1, 1000000) AS g) AS s",
    ] {
        let start = Instant::now();
        assert_eq!(brief.ask("pg", query, "[]").unwrap_err(), "Upstream response too large", "{query}");
        assert!(start.elapsed() < Duration::from_secs(10), "{query}: {:?}", start.elapsed());
    }
    gone("SELECT generate_series");
    for proxied in [&hasty, &brief] {
        eventually("the connector works", Duration::from_secs(10), || proxied.ask("pg", "SELECT 1", "[]").ok());
    }
}

#[test]
fn nothing_of_the_connection_string_is_ever_told() {
    let Some(database) = Database::postgres(&[]) else { return };
    let proxied = Proxied::start();
    prepared(&proxied, &database);
    let port = database.port;
    for dsn in [
        format!("postgres://tester:wrong-password@127.0.0.1:{port}/postgres"),
        format!("postgres://tester:wrong-password@127.0.0.1:{port}/missing"),
        format!("postgres://tester:wrong-password@127.0.0.1:{port}/postgres?sslmode=require"),
        "postgres://tester:wrong-password@127.0.0.1:1/postgres".to_owned(),
        format!("postgres://tester@127.0.0.1:{port}/postgres"),
    ] {
        proxied.register("other", "postgresql", &dsn, false);
        let refused = proxied.ask("other", "SELECT 1", "[]").unwrap_err();
        assert!(!refused.contains("wrong-password") && !refused.contains("postgres://"), "{dsn}: {refused}");
    }
    let log = proxied.server.log.text();
    assert!(!log.contains("wrong-password") && !log.contains("s3cret"), "{log}");
}

#[test]
fn a_connection_is_encrypted_as_the_connection_string_says() {
    let Some(database) = Database::postgres_with_tls() else { return };
    let proxied = Proxied::start();
    let ca = database.authority_file().display().to_string();
    let port = database.port;
    let at = |host: &str, options: &str| {
        format!(
            "postgres://{}?{options}",
            database.authority().replace(&format!("127.0.0.1:{port}"), &format!("{host}:{port}"))
        )
    };
    let encrypted = |dsn: &str| {
        proxied.register("tls", "postgresql", dsn, false);
        proxied.ask("tls", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "[]")
    };
    eventually("the database answers", Duration::from_secs(30), || encrypted(&at("127.0.0.1", "sslmode=disable")).ok());
    for (host, options, expected) in [
        ("127.0.0.1", "sslmode=disable".to_owned(), Ok("false")),
        ("127.0.0.1", String::new(), Ok("true")),
        ("127.0.0.1", "sslmode=require".to_owned(), Ok("true")),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ca}"), Ok("true")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={ca}"), Ok("true")),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={ca}"), Err("certificate not accepted")),
        ("localhost", "sslmode=verify-full".to_owned(), Err("certificate not accepted")),
        ("localhost", "sslmode=verify-ca".to_owned(), Err("certificate not accepted")),
        (
            "localhost",
            "sslmode=verify-full&sslrootcert=/missing".to_owned(),
            Err("the file of root certificates cannot be read"),
        ),
    ] {
        let expected = match expected {
            Ok(encrypted) => Ok(format!(r#"[{{"ssl":{encrypted}}}]"#)),
            Err(reason) => Err(format!("Cannot reach upstream: {reason}")),
        };
        assert_eq!(encrypted(&at(host, &options)), expected, "{host} {options}");
    }
    // The word that stops a statement is encrypted, too.
    let hasty = Proxied::limited(500, 100_000);
    hasty.register("tls", "postgresql", &at("127.0.0.1", "sslmode=require"), false);
    assert_eq!(hasty.ask("tls", "SELECT pg_sleep(60)", "[]").unwrap_err(), "Upstream timed out");
    let running = "SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state <> 'idle'";
    proxied.register("plain", "postgresql", &at("127.0.0.1", "sslmode=disable"), false);
    eventually("the statement is stopped", Duration::from_secs(5), || {
        (proxied.ask("plain", running, "[]").unwrap() == r#"[{"n":0}]"#).then_some(())
    });
}
