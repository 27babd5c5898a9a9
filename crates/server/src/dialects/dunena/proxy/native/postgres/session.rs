//! One connection, from a clean state to a clean state.

use std::{error::Error as _, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use futures_util::{TryStreamExt, future::try_join};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_postgres::{
    CancelToken, Client, SimpleQueryMessage, Statement,
    error::{DbError, Severity, SqlState},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    bind::Bound,
    connector::named,
    meter::{Meter, Metered},
    refused,
    texts::Texts,
    value::{self, Malformed, Raw},
};
use crate::dialects::dunena::proxy::{
    Failure, Kind,
    native::{
        ONE_STATEMENT,
        param::{self, Param},
        pool::Errands,
        rows::{self, Rows},
        session::Fault,
    },
    secrets::Secrets,
};

/// Tells whether the statement left something that only a new connection is free of: an open transaction, in which the
/// clock stands still, or a statement that was prepared. Then takes back everything else. `DISCARD ALL` would also take
/// away what the driver has prepared for itself.
const CLEAN: &str = "SELECT pg_catalog.now() = pg_catalog.statement_timestamp() \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql); \
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
    SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";
const ROLLBACK: &str = "ROLLBACK; ";
/// The default holds should a statement get out of the transaction.
const BEGIN_READ_ONLY: &str = "SET default_transaction_read_only = on; BEGIN TRANSACTION READ ONLY";
/// The part of the server that takes a query apart into statements. Its texts depend on the server's language.
const PARSER: &str = "exec_parse_message";

/// A connection.
pub(in super::super) struct Session {
    pub(super) client: Client,
    pub(super) task: JoinHandle<()>,
    pub(super) meter: Arc<Meter>,
    /// What the server may send for one statement.
    pub(super) wire_bytes: usize,
    pub(super) response_bytes: usize,
    pub(super) read_only: bool,
    /// Whether a statement may be running.
    pub(super) busy: bool,
    /// Absent only while it is dropped.
    pub(super) stop: Option<Stop>,
    pub(super) secrets: Secrets,
}

/// How a statement is stopped on the server: by a word over a second connection.
pub(super) struct Stop {
    pub(super) token: CancelToken,
    pub(super) address: SocketAddr,
    pub(super) tls: MakeRustlsConnect,
    pub(super) name: String,
    pub(super) within: Duration,
    pub(super) errands: Errands,
}

impl super::super::session::Session for Session {
    type Statement = Statement;

    fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    async fn prepare(&mut self, query: &str) -> Result<Statement, Fault> {
        self.busy = true;
        self.allow_more();
        let prepared = if self.read_only {
            // Both are sent before the first is answered.
            let both = try_join(self.client.batch_execute(BEGIN_READ_ONLY), self.client.prepare(query));
            both.await.map(|((), statement)| statement)
        } else {
            self.client.prepare(query).await
        };
        prepared.map_err(|error| self.fault(&error))
    }

    async fn run(&mut self, statement: Statement, params: &[Param<'_>]) -> Result<Vec<u8>, Fault> {
        let wanted = statement.params().len();
        if wanted != params.len() {
            return Err(Fault::Refused(param::mismatch(Kind::PostgreSql, wanted, params.len())));
        }
        let params: Vec<Bound<'_>> = params.iter().map(Bound).collect();
        if statement.columns().is_empty() {
            let affected = self.client.execute_raw(&statement, &params).await;
            return affected.map(rows::affected).map_err(|error| self.fault(&error));
        }
        let mut texts = Texts::default();
        let data = self.read(&statement, &params, &mut texts).await?;
        texts.insert(self, data, self.response_bytes).await
    }

    async fn clean(&mut self) -> bool {
        self.allow_more();
        let script = if self.read_only { [ROLLBACK, CLEAN].concat() } else { CLEAN.to_owned() };
        let told = self.client.simple_query(&script).await;
        self.busy = false;
        let first = told.iter().flatten().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        first == Some("t")
    }
}

impl Session {
    async fn read(&self, statement: &Statement, params: &[Bound<'_>], texts: &mut Texts) -> Result<Vec<u8>, Fault> {
        let results = self.client.query_raw(statement, params).await.map_err(|error| self.fault(&error))?;
        let mut results = pin!(results);
        let mut rows = Rows::new(statement.columns().iter().map(|column| column.name()), self.response_bytes);
        while let Some(row) = results.try_next().await.map_err(|error| self.fault(&error))? {
            rows.push(|column, out| {
                let raw: Option<Raw<'_>> = row.try_get(column).map_err(|error| self.fault(&error))?;
                let column_type = statement.columns()[column].type_();
                value::write(out, column_type, raw.map(|raw| raw.0), texts).map_err(|Malformed| {
                    Fault::Broken(refused(format!("a value of type {} cannot be read", column_type.name())))
                })?;
                rows::check(texts.size_bytes(), self.response_bytes)?;
                Ok::<_, Fault>(())
            })?;
        }
        Ok(rows.finish()?)
    }

    /// Lets the server send as much once more.
    pub(super) fn allow_more(&self) {
        self.meter.allow(self.wire_bytes);
    }

    /// What an error of the driver means for the caller and for the connection.
    pub(super) fn fault(&self, error: &tokio_postgres::Error) -> Fault {
        if self.meter.is_exceeded() {
            return Fault::Broken(Failure::TooLarge);
        }
        match error.as_db_error() {
            Some(said) if ends_connection(said) => Fault::Broken(self.said(said)),
            Some(said) => Fault::Refused(self.said(said)),
            None if error.is_closed() || error.source().is_some_and(|cause| cause.is::<io::Error>()) => {
                Fault::Broken(Failure::Unreachable("the connection broke".into()))
            }
            // For instance `COPY`, which wants to talk in another way.
            None => Fault::Broken(refused(error.to_string())),
        }
    }

    fn said(&self, said: &DbError) -> Failure {
        if *said.code() == SqlState::SYNTAX_ERROR && said.routine() == Some(PARSER) {
            return refused(ONE_STATEMENT);
        }
        refused(self.secrets.hide(said.message()))
    }
}

/// The server ends the connection, or no longer knows a statement that was prepared on it.
fn ends_connection(said: &DbError) -> bool {
    matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
        || *said.code() == SqlState::INVALID_SQL_STATEMENT_NAME
}

impl Drop for Session {
    /// A connection with nothing running says goodbye by itself when its client goes. Any other one is cut, so that no
    /// more rows come, and its statement is stopped.
    fn drop(&mut self) {
        if !self.busy || self.client.is_closed() {
            return;
        }
        self.task.abort();
        if let Some(stop) = self.stop.take() {
            let errands = stop.errands.clone();
            errands.run(async move {
                // A server that cannot be reached has other means to find out that its client is gone.
                timeout(stop.within, stop.send()).await.ok();
            });
        }
    }
}

impl Stop {
    async fn send(self) {
        let Ok(stream) = TcpStream::connect(self.address).await else { return };
        let meter = Arc::new(Meter::default());
        meter.allow(1 << 20);
        let tls = named(&self.tls, &self.name);
        self.token.cancel_query_raw(Metered { stream, meter }, tls).await.ok();
    }
}
