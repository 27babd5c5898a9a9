//! New connections to a MySQL server, to addresses that were checked.

use std::{fmt, net::IpAddr, time::Duration};

use mysql_async::{Conn, DriverError, Error, Opts, OptsBuilder, SslOpts};

use super::{
    dsn::{Dsn, Tls},
    session::{Session, fault},
};
use crate::{
    dialects::dunena::proxy::{
        Failure,
        native::{
            pool::Errands,
            roots::{Roots, Trust},
            session::{Connect, Fault},
        },
    },
    outbound::{Guard, Limits},
};

/// Moments are told in UTC, texts in UTF-8. Said again after every reset.
const SETUP: &str = "SET NAMES utf8mb4, time_zone = '+00:00'";
/// What a packet may be longer than the longest result: a request, and what surrounds a row.
const PACKET_EXTRA_BYTES: usize = 8 << 20;
/// Only the driver's own pool, which is not used, would look at it; without a value it asks the server.
const WAIT_TIMEOUT_SECONDS: usize = 28_800;

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
        let mut failure = Failure::Unreachable("there is no address".into());
        for address in self.guard.resolve(&self.dsn.host, self.dsn.port).await? {
            match self.connect_to(address.ip()).await {
                Ok(session) => return Ok(session),
                Err(Fault::Refused(found)) => return Err(found),
                Err(Fault::Broken(found)) => failure = found,
            }
        }
        Err(failure)
    }
}

impl Connector {
    async fn connect_to(&self, address: IpAddr) -> Result<Session, Fault> {
        let tls = match &self.dsn.tls {
            Tls::Never => None,
            Tls::Preferred => Some(&Trust::Anyone),
            Tls::Always(trust) => Some(trust),
        };
        let mut options = self.options(address, tls);
        let mut connected = Conn::new(options.clone()).await;
        let lacks_tls = matches!(&connected, Err(Error::Driver(DriverError::NoClientSslFlagFromServer)));
        if lacks_tls && self.dsn.tls == Tls::Preferred {
            options = self.options(address, None);
            connected = Conn::new(options.clone()).await;
        }
        let connection = connected.map_err(|error| fault(error, &self.dsn.secrets))?;
        Ok(Session {
            connection: Some(connection),
            response_bytes: self.limits.response_bytes,
            read_only: self.read_only,
            busy: false,
            options,
            within: self.limits.connect,
            errands: self.errands.clone(),
            secrets: self.dsn.secrets.clone(),
        })
    }

    /// Never over a socket of the machine, and no file of ours for `LOAD DATA LOCAL`: without a handler the driver sends
    /// none. Statements are closed with the reset that follows each of them, so remembering any would be wrong.
    fn options(&self, address: IpAddr, tls: Option<&Trust>) -> Opts {
        let packet_bytes = self.limits.response_bytes.saturating_add(PACKET_EXTRA_BYTES);
        OptsBuilder::default()
            .ip_or_hostname(self.dsn.host.as_str())
            .tcp_port(self.dsn.port)
            .resolved_ips(Some(vec![address]))
            .user(self.dsn.user.as_deref())
            .pass(self.dsn.password.as_deref())
            .db_name(self.dsn.database.as_deref())
            .prefer_socket(false)
            .stmt_cache_size(0)
            .max_allowed_packet(Some(packet_bytes))
            .wait_timeout(Some(WAIT_TIMEOUT_SECONDS))
            .tcp_keepalive(Some(Duration::from_secs(30)))
            .setup(vec![SETUP])
            .ssl_opts(tls.map(ssl))
            .into()
    }
}

fn ssl(trust: &Trust) -> SslOpts {
    let options = SslOpts::default();
    let (options, roots) = match trust {
        Trust::Anyone => return options.with_danger_accept_invalid_certs(true),
        // The driver looks at the name all the same: it knows what rustls says of another name by words of the past.
        Trust::Authority(roots) => (options.with_danger_skip_domain_validation(true), roots),
        Trust::Name(roots) => (options, roots),
    };
    match roots {
        Roots::Public => options,
        Roots::File(path) => options.with_root_certs(vec![path.clone().into()]).with_disable_built_in_roots(true),
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("dsn", &self.dsn).finish_non_exhaustive()
    }
}
