//! What the fuzz targets ask of connection strings, and of SQLite.

use std::cell::LazyCell;

use rusqlite::Connection;

use super::{mysql, postgres, sqlite};

thread_local! {
    static CONNECTION: LazyCell<Connection> = LazyCell::new(|| {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch("CREATE TABLE t (a, b); CREATE TABLE u (a)").expect("tables");
        connection
    });
}

/// The first statement of a text that counts as one that only reads.
pub(in crate::dialects::dunena) fn prepared(text: &str) {
    CONNECTION.with(|connection| {
        // What a pragma may do is no matter of its statement: even those that ask count as writers.
        let is_pragma = text.to_ascii_lowercase().contains("pragma");
        let Ok(statement) = connection.prepare(text) else { return };
        assert!(is_pragma || statement.readonly(), "it writes: {text:?}");
    });
}

/// Never says more of itself than it may.
pub(in crate::dialects::dunena) fn connection_string(text: &str) {
    let shown = [
        postgres::dsn::Dsn::parse(text).map(|dsn| format!("{dsn:?}")),
        mysql::dsn::Dsn::parse(text).map(|dsn| format!("{dsn:?}")),
    ];
    for shown in shown.into_iter().flatten() {
        assert!(!shown.contains(text), "{shown}");
    }
    drop(sqlite::dsn::parse(text));
}
