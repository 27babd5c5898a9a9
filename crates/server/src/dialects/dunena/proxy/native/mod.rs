//! Connectors that speak a database's own protocol: PostgreSQL and MySQL over TCP, SQLite as a file. A query is exactly one
//! statement with bound parameters; what it gives back is the JSON text of `data`.
//!
//! All three keep the same promises: an address is checked before it is connected to, nothing a request does to its session
//! outlives the request, a result is written row by row and refused as soon as it is too long, and a statement whose caller
//! ran out of time is stopped where it runs.

use std::sync::Arc;

use serde_json::value::RawValue;

use self::{param::Param, pool::Pool, sqlite::Sqlite};
use super::{Failure, Kind};
use crate::outbound::{self, Guard};

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod json;
mod mysql;
mod param;
mod pool;
mod postgres;
mod roots;
mod rows;
mod session;
mod sqlite;

pub use sqlite::Files;

/// What is said of a query with more than one statement.
const ONE_STATEMENT: &str = "only one statement is allowed";

/// What a native call may cost, and which files it may open.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Times and sizes; the size is that of the JSON text of `data`.
    pub outbound: outbound::Limits,
    /// For SQLite.
    pub files: Arc<Files>,
}

/// The connection string has not the form that its type asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection string is not valid")]
pub struct InvalidDsn;

/// The native side of one connector.
#[derive(Debug)]
pub struct Native {
    kind: Kind,
    database: Database,
}

#[derive(Debug)]
enum Database {
    Postgres(Pool<postgres::Connector>),
    MySql(Pool<mysql::Connector>),
    Sqlite(Sqlite),
}

impl Native {
    /// Reads the connection string; nothing is contacted before the first query.
    pub fn open(kind: Kind, dsn: &str, read_only: bool, guard: Guard, limits: Limits) -> Result<Native, InvalidDsn> {
        let outbound = limits.outbound;
        let database = match kind {
            Kind::PostgreSql => Database::Postgres(postgres::open(dsn, read_only, guard, outbound)?),
            Kind::MySql => Database::MySql(mysql::open(dsn, read_only, guard, outbound)?),
            Kind::Sqlite => Database::Sqlite(Sqlite::open(dsn, read_only, outbound, limits.files)?),
            Kind::Http | Kind::Elasticsearch => return Err(InvalidDsn),
        };
        Ok(Native { kind, database })
    }

    /// Runs one statement and returns the JSON text of `data`: an array of row objects, or `{"rowsAffected":n}` when the
    /// statement has no result set. Dropping the future stops the statement on the server too.
    pub async fn query(&self, query: &str, params: &[&RawValue]) -> Result<Vec<u8>, Failure> {
        if query.contains('\0') {
            // Databases end the query there, and would not look at what follows.
            return Err(Failure::Database { kind: self.kind, message: "the query contains a NUL character".into() });
        }
        let params: Vec<Param<'_>> = params.iter().map(|param| Param::read(param)).collect();
        match &self.database {
            Database::Postgres(postgres) => postgres.query(query, &params).await,
            Database::MySql(mysql) => mysql.query(query, &params).await,
            Database::Sqlite(sqlite) => sqlite.query(query, &params).await,
        }
    }

    /// Closes all connections; those that are in use when their statements end.
    pub async fn close(&self) {
        match &self.database {
            Database::Postgres(postgres) => postgres.close().await,
            Database::MySql(mysql) => mysql.close().await,
            Database::Sqlite(sqlite) => sqlite.close().await,
        }
    }
}
