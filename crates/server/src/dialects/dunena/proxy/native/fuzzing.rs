//! What the fuzz targets ask of connection strings, of SQLite, and of values.

use std::cell::LazyCell;

use rusqlite::Connection;

use super::{mysql, postgres, sqlite};
use crate::fuzzing::input::Input;

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

/// A value of PostgreSQL and one of MySQL: whatever a server sends is JSON, or malformed.
pub(in crate::dialects::dunena) fn values(data: &[u8]) {
    let mut input = Input::new(data);
    let of_mysql = input.byte() & 1 == 1;
    let json = if of_mysql {
        mysql::fuzzing::value(&mut input)
    } else {
        // All types that clients know by number have one below this.
        let oid = input.number() as u32;
        postgres::fuzzing::value(oid, input.rest())
    };
    if let Some(json) = json {
        let read = serde_json::from_slice::<serde::de::IgnoredAny>(&json);
        assert!(read.is_ok(), "{}", json.escape_ascii());
    }
}
