use proptest::prelude::*;
use rusqlite::{Batch, Connection, fallible_iterator::FallibleIterator};

use super::*;

const SQL: [Kind; 3] = [Kind::PostgreSql, Kind::MySql, Kind::Sqlite];
const ALL: [Kind; 4] = [Kind::Http, Kind::PostgreSql, Kind::MySql, Kind::Sqlite];

#[track_caller]
fn check(kinds: &[Kind], mutation: bool, queries: &[&str]) {
    for kind in kinds {
        for query in queries {
            assert_eq!(is_mutation(*kind, query), mutation, "{} {query:?}", kind.as_str());
        }
    }
}

#[test]
fn queries_only_read() {
    check(
        &ALL,
        false,
        &[
            "SELECT 1",
            "select * from t where a = 'DELETE' or b = \"x; DROP TABLE t\"",
            "  \n\t( ( Select 1 ) )",
            "VALUES (1)",
            "TABLE t",
            "SHOW tables",
            "DESCRIBE t",
            "desc t",
            "EXPLAIN SELECT 1",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "SELECT 1;",
            "SELECT 1;;  ; SELECT 2 ; ",
            "/* DELETE */ SELECT 1 -- ; DELETE FROM t",
            "-- DELETE\nSELECT 1",
            "SELECT 'it''s; DELETE FROM t'",
            "SELECT updated_at, deleted, inserts, into_x FROM t",
            "WITH x AS (SELECT deleted, 'INSERT' AS i FROM t) SELECT * FROM x -- UPDATE",
            "SELECT * FROM t FOR UPDATE",
            "SELECT replace(a, 'b', 'c') FROM t",
            "",
            "   ",
            "-- nothing",
            "\u{feff}SELECT 1",
            "SELECT 'é' AS \"ü\"",
        ],
    );
}

#[test]
fn what_changes_something_is_noticed() {
    let mut queries = Vec::new();
    for word in WRITES {
        queries.push(format!("{word} x"));
        queries.push(format!("{}\nx", word.to_lowercase()));
        queries.push(format!("/*c*/ {word} FROM t"));
        queries.push(format!("-- c\n({word}(x))"));
        queries.push(format!("SELECT 1; {word} x"));
        queries.push(format!("SELECT ';' ;\n/**/;{word} x"));
        queries.push(format!("\u{feff}{word} x"));
    }
    for word in INNER_WRITES {
        queries.push(format!("WITH x AS ({word} t RETURNING *) SELECT * FROM x"));
        queries.push(format!("with x as (select 1) {} t", word.to_lowercase()));
        queries.push(format!("EXPLAIN ANALYZE {word} t"));
        queries.push(format!("EXPLAIN (ANALYZE) /* */ {word} t"));
        queries.push(format!("DESCRIBE {word} t"));
    }
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    check(&ALL, true, &queries);
    check(
        &ALL,
        true,
        &[
            "SELECT * INTO copy FROM t",
            "SELECT a INTO OUTFILE 'x' FROM t",
            "TABLE t INTO OUTFILE 'x'",
            "WITH x AS (SELECT 1) SELECT * INTO t FROM x",
            "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
            "EXPLAIN ANALYZE EXECUTE p",
            "SELECT 1INTO t",
            "(((DELETE FROM t)))",
        ],
    );
}

#[test]
fn what_is_not_known_is_a_mutation_for_databases_and_none_for_others() {
    let queries = ["BEGIN", "users.find", "{ users { id } }", "'text'", "COMMIT", "FLUSH TABLES", "HANDLER t OPEN"];
    check(&SQL, true, &queries);
    check(&[Kind::Http], false, &queries);
    check(&[Kind::Http], true, &["BEGIN NOT ATOMIC DELETE FROM t; END", "IF 1=1 DELETE FROM t"]);
    check(&[Kind::Elasticsearch], false, &["DELETE FROM t", "{}", "/_search"]);
}

#[test]
fn a_pragma_reads_when_it_gives_nothing_a_value() {
    check(
        &[Kind::Sqlite],
        false,
        &[
            "PRAGMA user_version",
            "pragma main.journal_mode;",
            "PRAGMA table_info(t)",
            "PRAGMA main.table_info('t')",
            "PRAGMA index_list(\"t\")",
            "PRAGMA table_info(optimize)",
        ],
    );
    check(
        &[Kind::Sqlite, Kind::Http],
        true,
        &[
            "PRAGMA user_version = 5",
            "PRAGMA user_version(5)",
            "PRAGMA journal_mode(WAL)",
            "PRAGMA main.journal_mode(WAL)",
            "PRAGMA optimize",
            "PRAGMA main.wal_checkpoint",
            "PRAGMA \"user_version\"(5)",
            "PRAGMA main.\"optimize\"",
            "SELECT 1; PRAGMA x=1",
        ],
    );
    check(&[Kind::PostgreSql, Kind::MySql], true, &["PRAGMA user_version"]);
}

#[test]
fn each_database_reads_text_in_its_own_way() {
    let (postgresql, mysql, sqlite) = (&[Kind::PostgreSql][..], &[Kind::MySql][..], &[Kind::Sqlite][..]);
    for (kinds, reads, changes) in [
        // A literal of one is code of another.
        (postgresql, "SELECT $$; DELETE FROM t$$", "SELECT a$$; DELETE FROM t --$$"),
        (postgresql, "SELECT $x$ $$ ; DELETE FROM t $x$", "SELECT $x$ $x$; DELETE FROM t --$x$"),
        (postgresql, "SELECT $1, $2", "SELECT $1; DELETE FROM t"),
        (postgresql, "SELECT $é$;DELETE FROM t$é$", "SELECT é$x$;DELETE FROM t --$x$"),
        (postgresql, "SELECT E'\\'; DELETE FROM t'", "SELECT E'\\''; DELETE FROM t"),
        (postgresql, "SELECT e'a'\n'\\'; DELETE FROM t'", "SELECT '\\', E'a' -- c\n'\\''; DELETE FROM t --'"),
        (mysql, "SELECT 1 # ; DELETE FROM t", "SELECT 1 # c\n; DELETE FROM t"),
        (mysql, "SELECT `a; DELETE FROM t`", "SELECT `a`; DELETE FROM t"),
        (mysql, "SELECT 1 -- ; DELETE FROM t", "SELECT 1--1; DELETE FROM t"),
        (mysql, "SELECT /* /* */ 1", "/* /* */ DELETE FROM t /* */"),
        (mysql, "SELECT /*! STRAIGHT_JOIN */ a FROM t", "/*! DELETE */ FROM t"),
        (mysql, "SELECT /*!50000 a, */ b FROM t", "/*!50001 DELETE FROM t */"),
        (mysql, "SELECT /*+ MAX_EXECUTION_TIME(9) */ 1", "SELECT /*+ SET_VAR(a='*/') */ 1; DELETE FROM t"),
        (sqlite, "SELECT [a; DELETE FROM t]", "SELECT [a]; DELETE FROM t"),
        (sqlite, "SELECT ?1, :a, @b, $c", "SELECT $a(');DELETE FROM t--')"),
        (sqlite, "SELECT 1 -- a\r; DELETE FROM t", "SELECT 1 -- a\n; DELETE FROM t"),
    ] {
        check(kinds, false, &[reads]);
        check(kinds, true, &[changes]);
        // What may be any database is judged by the strictest.
        check(&[Kind::Http], true, &[changes]);
    }
    check(&[Kind::PostgreSql, Kind::Http], true, &["SELECT 1 -- a\rDELETE FROM t; DELETE FROM t"]);
    check(&[Kind::PostgreSql], false, &["/* /* */ DELETE */ SELECT 1"]);
}

#[test]
fn settings_that_change_what_a_literal_is_hide_nothing() {
    // With backslashes a literal ends at the third quote, without at the second.
    for query in ["SELECT '\\'; DELETE FROM t; -- '", "SELECT '\\'' ; DELETE FROM t -- '"] {
        check(&[Kind::PostgreSql, Kind::MySql, Kind::Http], true, &[query]);
    }
    check(&[Kind::MySql, Kind::Http], true, &["SELECT \"\\\"; DELETE FROM t; -- \""]);
    // A server older than the version in the comment skips it, another takes it for code.
    check(
        &[Kind::MySql, Kind::Http],
        true,
        &[
            "/*!99999 SELECT */ DELETE FROM t",
            "/*!99999 WITH */ x AS (DELETE FROM t)",
            "SELECT 1 /*!99999 ; */ DELETE FROM t",
            "SELECT /*!99999 ' */ ; DELETE FROM t -- '",
            "/*M! DELETE FROM t */",
            "SELECT 1 /*! INTO */ t",
            "SELECT /*! unterminated",
        ],
    );
}

#[test]
fn a_second_statement_is_seen_and_an_empty_one_is_none() {
    for (query, several) in [
        ("SELECT 1", false),
        ("SELECT 1;", false),
        ("SELECT 1 ;; -- c\n ; /* d */", false),
        ("SELECT ';SELECT 2'", false),
        ("SELECT 1; SELECT 2", true),
        ("SELECT 1;'x'", true),
    ] {
        for kind in ALL {
            assert_eq!(may_be_several(kind, query), several, "{} {query}", kind.as_str());
        }
    }
    assert!(may_be_several(Kind::MySql, "SELECT '\\'; SELECT 2 -- '"));
}

#[test]
fn a_hostile_query_costs_linear_time() {
    // A second or two when it is linear, also on a busy machine; many minutes when it is not.
    let begun = tokio::time::Instant::now();
    for piece in ["/*", "(", "'\\", "$a", "$a$", "[", ";", "/*!", "E'\n'", "$a(", "-- \n", "a "] {
        let query = piece.repeat(30_000);
        for kind in ALL {
            is_mutation(kind, &query);
        }
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

/// Statements of known class, by pieces that anything may stand between.
const STATEMENTS: [(&[&str], bool); 9] = [
    (&["SELECT", "a", ",", "b", "FROM", "t"], false),
    (&["(", "SELECT", "1", ")"], false),
    (&["WITH", "x", "AS", "(", "SELECT", "1", ")", "SELECT", "*", "FROM", "x"], false),
    (&["EXPLAIN", "SELECT", "1"], false),
    (&["VALUES", "(", "1", ")"], false),
    (&["DELETE", "FROM", "t"], true),
    (&["(", "INSERT", "INTO", "t", ")"], true),
    (&["WITH", "x", "AS", "(", "DELETE", "FROM", "t", ")", "SELECT", "1"], true),
    (&["SELECT", "a", "INTO", "t"], true),
];

/// What changes nothing wherever it stands, for each kind of database.
fn fillers(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::PostgreSql => &[" ", "\n", "/* ' */", "-- \" ;\n", "/* /* DELETE */ ; */", "\t(/**/", "-- DELETE\r"],
        Kind::MySql => &[" ", "\n", "/* ' */", "-- \" ;\n", "# ' DELETE\n", "/* ; /* */", "--\t`\n"],
        _ => &[" ", "\n", "/* ' */", "-- \" ;\n", "/* ; /* */", "--;[\n"],
    }
}

/// Literals and quoted names that hold code.
fn literals(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::PostgreSql => &["'; DELETE'", "\"; DELETE\"", "$$; DELETE '$$", "E'\\'; DELETE'", "$q$'; DROP $$ $q$"],
        Kind::MySql => &["'; DELETE'", "\"; DELETE\"", "`; DELETE '`", "''''", "'\"'"],
        _ => &["'; DELETE'", "\"; DELETE\"", "`; DELETE '`", "[; DELETE ']", "x'00'"],
    }
}

proptest! {
    #[test]
    fn comments_and_literals_change_no_class(
        kind in prop::sample::select(SQL.to_vec()),
        statement in prop::sample::select(STATEMENTS.to_vec()),
        between in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<prop::sample::Index>>()), 12),
        before in any::<bool>(),
    ) {
        let (pieces, mutation) = statement;
        let mut query = String::new();
        if before {
            query.push_str("SELECT 1;");
        }
        for (at, piece) in pieces.iter().enumerate() {
            let (filler, literal) = &between[at];
            // An opening parenthesis among the fillers belongs before the first word.
            let filler = fillers(kind)[filler.index(fillers(kind).len())];
            let filler = if at > 0 { filler.replace('(', " ") } else { filler.to_owned() };
            query.push(' ');
            query.push_str(&filler);
            query.push_str(piece);
            if let Some(literal) = literal.as_ref().filter(|_| at > 1) {
                query.push(' ');
                query.push_str(literals(kind)[literal.index(literals(kind).len())]);
            }
        }
        prop_assert_eq!(is_mutation(kind, &query), mutation, "{} {}", kind.as_str(), query);
        if mutation {
            prop_assert!(is_mutation(Kind::Http, &query), "http {}", query);
        }
    }

    #[test]
    fn no_text_is_too_odd(query in ".{0,60}", kind in prop::sample::select(ALL.to_vec())) {
        is_mutation(kind, &query);
    }

    #[test]
    fn no_soup_is_too_odd(query in soup(), kind in prop::sample::select(ALL.to_vec())) {
        is_mutation(kind, &query);
    }

    /// SQLite itself says which of the statements write.
    #[test]
    fn what_sqlite_would_write_is_a_mutation(query in soup()) {
        let database = Connection::open_in_memory().expect("in memory");
        database.execute_batch("CREATE TABLE t (a, b); CREATE TABLE \"DELETE\" (a);").expect("tables");
        let mut statements = Batch::new(&database, &query);
        while let Ok(Some(statement)) = statements.next() {
            // What it explains it never executes.
            if !statement.readonly() && statement.is_explain() == 0 {
                prop_assert!(is_mutation(Kind::Sqlite, &query), "sqlite: {query:?}");
                prop_assert!(is_mutation(Kind::Http, &query), "http: {query:?}");
            }
        }
    }
}

/// Pieces of SQL in any order.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: [&str; 48] = [
        "SELECT 1",
        "SELECT a FROM t",
        "SELECT ",
        "DELETE FROM t",
        "INSERT INTO t(a) VALUES (1)",
        "UPDATE t SET a = 1",
        "WITH x AS (SELECT 1) ",
        "EXPLAIN ",
        "EXPLAIN QUERY PLAN ",
        "PRAGMA user_version",
        "= 5",
        "(5)",
        "REPLACE INTO t(a) ",
        "VALUES (1)",
        "DROP TABLE t",
        "CREATE TABLE n (a)",
        "'",
        "\"",
        "`",
        "[",
        "]",
        ";",
        ";",
        ";",
        " ",
        "\n",
        "\r",
        "--",
        "/*",
        "*/",
        "(",
        ")",
        "$a(",
        "$a",
        ":b",
        "::",
        "@c",
        "?1",
        "\\",
        "#",
        "\u{feff}",
        "é",
        "E'",
        "x'",
        "$$",
        ", ",
        "/*!",
        "PRAGMA table_info",
    ];
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..9).prop_map(|pieces| pieces.concat())
}
