//! One connection, from a clean state to a clean state.

use std::{io, time::Duration};

use mysql_async::{
    BinaryProtocol, Column, Conn, DriverError, Error, IoError, Opts, Params, QueryResult, Statement, Value,
    prelude::Queryable,
};
use tokio::time::timeout;

use super::{bind, refused, value};
use crate::{
    dialects::dunena::proxy::{
        Failure, Kind,
        native::{
            ONE_STATEMENT,
            param::{self, Param},
            pool::Errands,
            rows::{self, Rows},
            session::Fault,
        },
        secrets::Secrets,
        statement::may_be_several,
    },
    outbound,
};

/// One packet, which is ours, may hold two statements. The first holds should a statement get out of the transaction.
const BEGIN_READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY; START TRANSACTION READ ONLY";
/// What the driver says of a packet beyond the length that it was given.
const PACKET_TOO_LARGE: &str = "Packet is larger than max_allowed_packet";
const PARSE_ERROR: u16 = 1064;
/// The server ends the connection: it is going down, or somebody ended it.
const CONNECTION_ENDS: [u16; 3] = [1053, 1927, 4031];

/// A connection.
pub(in super::super) struct Session {
    /// Absent only while it is dropped.
    pub(super) connection: Option<Conn>,
    pub(super) response_bytes: usize,
    pub(super) read_only: bool,
    /// Whether a statement may be running.
    pub(super) busy: bool,
    /// To the same server, for a second connection that stops a statement.
    pub(super) options: Opts,
    pub(super) within: Duration,
    pub(super) errands: Errands,
    pub(super) secrets: Secrets,
}

impl super::super::session::Session for Session {
    type Statement = Statement;

    fn is_open(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.is_disconnected())
    }

    async fn prepare(&mut self, query: &str) -> Result<Statement, Fault> {
        self.busy = true;
        let secrets = self.secrets.clone();
        let explain = |error| fault(error, &secrets);
        if self.read_only {
            self.connection().query_drop(BEGIN_READ_ONLY).await.map_err(explain)?;
        }
        match self.connection().prep(query).await {
            // The server says only where it lost the thread.
            Err(Error::Server(said)) if said.code == PARSE_ERROR && may_be_several(Kind::MySql, query) => {
                Err(Fault::Refused(refused(ONE_STATEMENT)))
            }
            prepared => prepared.map_err(explain),
        }
    }

    async fn run(&mut self, statement: Statement, params: &[Param<'_>]) -> Result<Vec<u8>, Fault> {
        let wanted = usize::from(statement.num_params());
        if wanted != params.len() {
            return Err(Fault::Refused(param::mismatch(Kind::MySql, wanted, params.len())));
        }
        let params = Params::Positional(params.iter().map(bind::value).collect());
        let (secrets, limit) = (self.secrets.clone(), self.response_bytes);
        let explain = |error| fault(error, &secrets);
        let mut results = self.connection().exec_iter(statement, params).await.map_err(explain)?;
        let columns = results.columns().filter(|columns| !columns.is_empty());
        let data = match columns {
            None => rows::affected(results.affected_rows()),
            Some(columns) => read(&mut results, &columns, limit, explain).await?,
        };
        // A procedure may have more results; the first one is the answer.
        results.drop_result().await.map_err(explain)?;
        Ok(data)
    }

    /// The reset forgets variables, temporary tables and statements, too.
    async fn clean(&mut self) -> bool {
        let clean = matches!(self.connection().reset().await, Ok(true));
        self.busy = false;
        clean
    }
}

impl Session {
    fn connection(&mut self) -> &mut Conn {
        self.connection.as_mut().expect("is only taken when the session is dropped")
    }
}

async fn read(
    results: &mut QueryResult<'_, '_, BinaryProtocol>,
    columns: &[Column],
    limit: usize,
    explain: impl Fn(Error) -> Fault,
) -> Result<Vec<u8>, Fault> {
    let names: Vec<_> = columns.iter().map(|column| column.name_str().into_owned()).collect();
    let mut rows = Rows::new(names.iter().map(String::as_str), limit);
    while let Some(mut row) = results.next().await.map_err(&explain)? {
        rows.push(|column, out| {
            value::write(out, &columns[column], row.take(column).unwrap_or(Value::NULL));
            Ok::<_, Fault>(())
        })?;
    }
    Ok(rows.finish()?)
}

/// What an error of the driver means for the caller and for the connection.
pub(super) fn fault(error: Error, secrets: &Secrets) -> Fault {
    match error {
        Error::Server(said) => {
            let failure = refused(secrets.hide(&said.message));
            if CONNECTION_ENDS.contains(&said.code) { Fault::Broken(failure) } else { Fault::Refused(failure) }
        }
        Error::Io(IoError::Io(error)) if is_too_large(&error) => Fault::Broken(Failure::TooLarge),
        Error::Driver(DriverError::ConnectionClosed) => unreachable("connection broke"),
        Error::Io(IoError::Io(error)) => unreachable(outbound::io_reason(&error).unwrap_or("connection broke")),
        Error::Io(IoError::Tls(_)) => unreachable("TLS handshake failed"),
        // For instance a server that asks for a file.
        Error::Driver(_) | Error::Other(_) | Error::Url(_) => Fault::Broken(refused(secrets.hide(&error.to_string()))),
    }
}

/// The driver's codec has a type for that which cannot be named from here.
fn is_too_large(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|cause| cause.to_string() == PACKET_TOO_LARGE)
}

fn unreachable(reason: &str) -> Fault {
    Fault::Broken(Failure::Unreachable(reason.into()))
}

impl Drop for Session {
    /// The driver reads what is left of a result before it closes a connection, however much that is; so the server is
    /// told to end it.
    fn drop(&mut self) {
        let Some(connection) = self.connection.take().filter(|_| self.busy) else { return };
        let (options, within, id) = (self.options.clone(), self.within, connection.id());
        self.errands.run(async move {
            let kill = async {
                let mut other = Conn::new(options).await?;
                other.query_drop(format!("KILL {id}")).await?;
                other.disconnect().await
            };
            // A server that cannot be reached has other means to find out that its client is gone.
            timeout(within, kill).await.ok();
            drop(connection);
        });
    }
}
