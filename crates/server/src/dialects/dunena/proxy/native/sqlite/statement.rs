//! One statement on a file, on a thread that may block.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rusqlite::{
    Batch, Connection, Error, ErrorCode, OpenFlags, Rows as Results,
    config::DbConfig,
    fallible_iterator::FallibleIterator,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
    types::{Value, ValueRef},
};

use super::{Files, bind, cancel::Cancel, refused};
use crate::{
    dialects::dunena::proxy::{
        Failure,
        native::{
            json as native_json,
            rows::{self, Rows},
        },
    },
    http::json,
    outbound::Limits,
};

/// The longest string or blob that a statement may make, as a multiple of the longest result, and at least.
const VALUE_FACTOR: usize = 4;
const VALUE_BYTES_LEAST: usize = 64 << 20;

/// Pragmas that are about the whole process, which has databases of its own, or that show where the file lies.
const FORBIDDEN_PRAGMAS: [&str; 5] =
    ["temp_store_directory", "data_store_directory", "soft_heap_limit", "hard_heap_limit", "database_list"];

/// A statement and all it needs.
pub(super) struct Statement {
    pub(super) path: PathBuf,
    pub(super) read_only: bool,
    pub(super) limits: Limits,
    pub(super) files: Arc<Files>,
    pub(super) query: String,
    pub(super) params: Vec<Value>,
    pub(super) cancel: Cancel,
}

impl Statement {
    pub(super) fn run(self) -> Result<Vec<u8>, Failure> {
        if self.cancel.is_wanted() {
            return Err(Failure::TimedOut);
        }
        let path = self.files.check(&self.path)?;
        let mut connection = Connection::open_with_flags(path, self.flags()).map_err(|error| explain(&error))?;
        self.configure(&mut connection).map_err(|error| explain(&error))?;
        self.execute(&connection)
    }

    /// The path has no links, so one that is met was put there after the path was checked.
    fn flags(&self) -> OpenFlags {
        let access = if self.read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW
    }

    fn configure(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        // SQLite counts milliseconds in 32 bits.
        connection.busy_timeout(self.limits.whole.min(Duration::from_millis(i32::MAX as u64)))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        let longest = self.limits.response_bytes.saturating_mul(VALUE_FACTOR).max(VALUE_BYTES_LEAST);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(longest).unwrap_or(i32::MAX))?;
        connection.authorizer(Some(authorize))?;
        self.cancel.watch(connection)
    }

    fn execute(&self, connection: &Connection) -> Result<Vec<u8>, Failure> {
        let mut batch = Batch::new(connection, &self.query);
        let Some(mut statement) = batch.next().map_err(|error| explain(&error))? else {
            return Err(refused("the query is empty"));
        };
        // What follows may fail to compile because it rests on the first statement; it is a second one all the same.
        if !matches!(batch.next(), Ok(None)) {
            return Err(refused(super::super::ONE_STATEMENT));
        }
        bind::all(&mut statement, &self.params)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut results = statement.raw_query();
        if names.is_empty() {
            while results.next().map_err(|error| explain(&error))?.is_some() {}
            return Ok(rows::affected(connection.changes()));
        }
        self.read(&names, &mut results)
    }

    fn read(&self, names: &[String], results: &mut Results<'_>) -> Result<Vec<u8>, Failure> {
        let mut rows = Rows::new(names.iter().map(String::as_str), self.limits.response_bytes);
        while let Some(row) = results.next().map_err(|error| explain(&error))? {
            rows.push(|column, out| {
                write(out, row.get_ref(column).map_err(|error| explain(&error))?);
                Ok::<_, Failure>(())
            })?;
        }
        rows.finish()
    }
}

fn write(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => out.extend_from_slice(b"null"),
        ValueRef::Integer(whole) => json::write_i64(out, whole),
        ValueRef::Real(number) => native_json::write_f64(out, number),
        ValueRef::Text(text) => json::write_bytes_as_str(out, text),
        ValueRef::Blob(bytes) => native_json::write_bytes(out, bytes),
    }
}

/// Other files stay out of reach: `ATTACH` is refused, also with a name that is only known when it runs. What `VACUUM`
/// attaches for itself has an empty name and ends with the statement.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename: "" } => Authorization::Allow,
        AuthAction::Attach { .. } | AuthAction::Unknown { .. } => Authorization::Deny,
        AuthAction::Pragma { pragma_name, .. }
            if FORBIDDEN_PRAGMAS.iter().any(|forbidden| pragma_name.eq_ignore_ascii_case(forbidden)) =>
        {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

/// What SQLite says, without what the driver adds to it: the path of the file is part of the connection string.
pub(super) fn explain(error: &Error) -> Failure {
    match error {
        Error::SqliteFailure(code, _) if code.code == ErrorCode::OperationInterrupted => Failure::TimedOut,
        Error::SqliteFailure(code, _) if code.code == ErrorCode::CannotOpen => refused("the file cannot be opened"),
        Error::SqliteFailure(_, Some(message)) => refused(message.as_str()),
        Error::SqliteFailure(code, None) => refused(code.to_string()),
        Error::SqlInputError { msg, .. } => refused(msg.as_str()),
        _ => refused("the statement cannot be run"),
    }
}
