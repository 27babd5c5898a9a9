//! MySQL and MariaDB connectors. Statements are prepared on the server, which takes one at a time and binds parameters by
//! itself; the text protocol is only used for what we say ourselves.

use super::{
    Failure, InvalidDsn, Kind,
    pool::{Errands, Pool},
};
use crate::outbound::{Guard, Limits};

mod bind;
mod connector;
pub(super) mod dsn;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod session;
mod value;

pub(super) use connector::Connector;

pub(super) fn open(dsn: &str, read_only: bool, guard: Guard, limits: Limits) -> Result<Pool<Connector>, InvalidDsn> {
    let dsn = dsn::Dsn::parse(dsn).ok_or(InvalidDsn)?;
    let errands = Errands::default();
    let connector = Connector { dsn, read_only, guard, limits, errands: errands.clone() };
    Ok(Pool::new(connector, limits, errands))
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::Database { kind: Kind::MySql, message: message.into() }
}
