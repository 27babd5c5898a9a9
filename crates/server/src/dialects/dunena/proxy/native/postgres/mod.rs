//! PostgreSQL connectors. Statements go through the extended protocol, which takes one at a time; parameters are sent as
//! text, so that the server reads them as whatever type it has inferred.

use super::{
    Failure, InvalidDsn, Kind,
    pool::{Errands, Pool},
};
use crate::outbound::{Guard, Limits};

mod array;
mod bind;
mod connector;
pub(super) mod dsn;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod meter;
mod numeric;
mod session;
mod texts;
mod value;

pub(super) use connector::Connector;

pub(super) fn open(dsn: &str, read_only: bool, guard: Guard, limits: Limits) -> Result<Pool<Connector>, InvalidDsn> {
    let dsn = dsn::Dsn::parse(dsn).ok_or(InvalidDsn)?;
    let errands = Errands::default();
    let connector = Connector { dsn, read_only, guard, limits, errands: errands.clone() };
    Ok(Pool::new(connector, limits, errands))
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::Database { kind: Kind::PostgreSql, message: message.into() }
}
