//! New connections to a PostgreSQL server, to addresses that were checked.

use std::{error::Error as _, fmt, io, net::SocketAddr, sync::Arc};

use tokio::net::TcpStream;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    dsn::{Dsn, Target},
    meter::{Meter, Metered},
    refused,
    session::{Session, Stop},
};
use crate::{
    dialects::dunena::proxy::{
        Failure,
        native::{pool::Errands, session::Connect},
    },
    outbound::{self, Guard, Limits},
};

/// What a server may send for a byte of the result: a value of a few digits comes with more of lengths than it has text.
const WIRE_FACTOR: usize = 4;
/// And before the first row: descriptions, notices, types.
const WIRE_BYTES_LEAST: usize = 1 << 20;

/// Makes sessions.
pub(in super::super) struct Connector {
    pub(super) dsn: Dsn,
    pub(super) read_only: bool,
    pub(super) guard: Guard,
    pub(super) limits: Limits,
    pub(super) errands: Errands,
}

impl Connect for Connector {
    type Session = Session;

    async fn connect(&self) -> Result<Session, Failure> {
        let mut failure = Failure::Unreachable("there is no host".into());
        for target in &self.dsn.targets {
            match self.connect_to(target).await {
                Ok(session) => return Ok(session),
                Err(found) => failure = found,
            }
        }
        Err(failure)
    }
}

impl Connector {
    async fn connect_to(&self, target: &Target) -> Result<Session, Failure> {
        let mut failure = Failure::Unreachable("there is no address".into());
        for address in self.guard.resolve(&target.address, target.port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return self.greet(stream, address, target).await,
                Err(error) => failure = unreachable(&error),
            }
        }
        Err(failure)
    }

    async fn greet(&self, stream: TcpStream, address: SocketAddr, target: &Target) -> Result<Session, Failure> {
        stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
        let tls = MakeRustlsConnect::new(self.dsn.trust.client().map_err(Failure::Unreachable)?);
        let meter = Arc::new(Meter::default());
        meter.allow(WIRE_BYTES_LEAST);
        let stream = Metered { stream, meter: Arc::clone(&meter) };
        let connected = self.dsn.config.connect_raw(stream, named(&tls, &target.name)).await;
        let (client, connection) = connected.map_err(|error| self.explain(&error))?;
        let stop = Stop {
            token: client.cancel_token(),
            address,
            tls,
            name: target.name.clone(),
            within: self.limits.connect,
            errands: self.errands.clone(),
        };
        let task = tokio::spawn(async move {
            // What broke it is told to whoever was waiting for an answer.
            connection.await.ok();
        });
        let response_bytes = self.limits.response_bytes;
        Ok(Session {
            client,
            task,
            meter,
            wire_bytes: response_bytes.saturating_mul(WIRE_FACTOR).saturating_add(WIRE_BYTES_LEAST),
            response_bytes,
            read_only: self.read_only,
            busy: false,
            stop: Some(stop),
            secrets: self.dsn.secrets.clone(),
        })
    }

    /// Why there is no connection: what the server said, or what broke.
    fn explain(&self, error: &tokio_postgres::Error) -> Failure {
        if let Some(said) = error.as_db_error() {
            return refused(self.dsn.secrets.hide(said.message()));
        }
        match error.source() {
            Some(cause) => match cause.downcast_ref::<io::Error>() {
                Some(broken) => unreachable(broken),
                None => Failure::Unreachable(self.dsn.secrets.hide(&format!("{error}: {cause}"))),
            },
            None => Failure::Unreachable(error.to_string()),
        }
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("dsn", &self.dsn).finish_non_exhaustive()
    }
}

/// TLS with one server.
type Encrypt = <MakeRustlsConnect as MakeTlsConnect<Metered>>::TlsConnect;

/// TLS with a server of this name.
pub(super) fn named(tls: &MakeRustlsConnect, name: &str) -> Encrypt {
    let Ok(connect) = MakeTlsConnect::<Metered>::make_tls_connect(&mut tls.clone(), name);
    connect
}

fn unreachable(error: &io::Error) -> Failure {
    Failure::Unreachable(outbound::io_reason(error).unwrap_or("connection failed").into())
}
