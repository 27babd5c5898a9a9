//! What connections to all database servers have in common: they are made, they run one statement from a clean state to a
//! clean state, and what goes wrong either leaves them in order or does not.

use super::{Failure, param::Param};

/// Makes sessions.
pub(super) trait Connect: Send + Sync + 'static {
    /// What it makes.
    type Session: Session;

    /// Connects to an address that was checked. Whoever waits sets the limit.
    fn connect(&self) -> impl Future<Output = Result<Self::Session, Failure>> + Send;
}

/// One connection. Dropped while a statement may be running, it ends the statement on the server too.
pub(super) trait Session: Send + 'static {
    /// A statement that the server has compiled.
    type Statement: Send + Sync;

    /// Whether the connection stands, as far as is known.
    fn is_open(&self) -> bool;

    /// Lets the server compile the statement, in a transaction that cannot write if the connector cannot. Nothing has run
    /// when this fails.
    fn prepare(&mut self, query: &str) -> impl Future<Output = Result<Self::Statement, Fault>> + Send;

    /// Runs it and returns the JSON text of `data`.
    fn run(
        &mut self,
        statement: Self::Statement,
        params: &[Param<'_>],
    ) -> impl Future<Output = Result<Vec<u8>, Fault>> + Send;

    /// Ends transactions and takes back whatever the statement did to the session; whether that succeeded. Called when no
    /// statement is running.
    fn clean(&mut self) -> impl Future<Output = bool> + Send;
}

/// Why a statement has no result.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database said no; the connection is in order.
    Refused(Failure),
    /// Nobody knows what the connection is doing.
    Broken(Failure),
}

impl From<Failure> for Fault {
    /// A failure of ours, while rows were coming.
    fn from(failure: Failure) -> Fault {
        Fault::Broken(failure)
    }
}
