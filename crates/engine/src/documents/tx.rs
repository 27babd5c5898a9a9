//! What a step of a verb sees: one transaction, and the one time it is judged by.

use std::{
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rusqlite::{Connection, Row, types::ValueRef};

use crate::{Error, Kind, Result, Timestamp};

/// An open transaction: of the writer, which commits when the step is done, or of a reader, which sees one cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tx<'a> {
    conn: &'a Connection,
    now_ms: i64,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a Connection, now: Timestamp) -> Self {
        Tx { conn, now_ms: to_sql(now.0) }
    }
    /// Statements prepared on it live as long as the transaction.
    pub(super) fn connection(self) -> &'a Connection {
        self.conn
    }
    /// Now, as columns have it.
    pub(crate) fn now_ms(self) -> i64 {
        self.now_ms
    }
    /// Now.
    pub(crate) fn now(self) -> Timestamp {
        Timestamp(self.now_ms.unsigned_abs())
    }
    /// When something ends that lives so long, as columns have it; 0 = never.
    pub(crate) fn deadline_ms(self, ttl_ms: u64) -> Option<i64> {
        self.now().deadline(ttl_ms).map(|at| to_sql(at.0))
    }
}

/// Statements are prepared on the connection.
impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}

/// Runs a step; a defect in it must not take the thread along that serves everybody.
pub(super) fn run<T>(tx: Tx<'_>, step: impl FnOnce(Tx<'_>) -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| step(tx)))
        .unwrap_or_else(|_| Err(Error::new(Kind::Bug, "a step on the database panicked")))
}

/// A statement that is used over and over and gives nothing back.
pub(super) fn execute(conn: &Connection, statement: &str) -> Result<()> {
    conn.prepare_cached(statement)?.execute([])?;
    Ok(())
}

fn to_sql(ms: u64) -> i64 {
    ms.min(Timestamp::LAST.0).cast_signed()
}

/// A text column. Other programs write the file too, so bytes that are no UTF-8 are replaced.
pub(crate) fn text(row: &Row<'_>, column: usize) -> Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Null => String::new(),
    })
}

/// A column of milliseconds, if it is not null. Fractions are rounded up: nothing ends too early.
pub(crate) fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Integer(ms) => Some(Timestamp(u64::try_from(ms).unwrap_or(0))),
        // The cast saturates, and what lies before 1970 becomes 0.
        ValueRef::Real(ms) => Some(Timestamp(ms.ceil() as u64)),
        ValueRef::Null => None,
        ValueRef::Text(_) | ValueRef::Blob(_) => return Err(Error::unreadable("a time in the database")),
    })
}
