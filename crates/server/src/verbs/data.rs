//! Where a verb finds the data: with the process that has the directory open, or in the directory itself.

use std::{path::Path, time::Duration};

use manifold_engine::{Engine, Error, Kind, documents::DocumentsUpkeep};
use manifold_server::{
    config::Config,
    control::{self, Client, SOCKET},
    dialects::dunena,
};
use tokio::time::{Instant, sleep};

use super::{Exit, Failure, settings::engine_options};

/// The data of a directory.
pub enum Data {
    /// A process serves it.
    Process(Client),
    /// Nobody else has it open.
    Directory(Engine),
}

/// Whether a directory that is not there is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    Refused,
    Made,
}

impl Data {
    /// Reaches the data directory of a configuration.
    pub async fn reach(config: &Config, absent: Absent) -> Result<Data, Failure> {
        let dir = &config.data_dir;
        if absent == Absent::Refused && !dir.is_dir() {
            return Err(Failure::new(Exit::Io, format!("{}: there is no data directory", dir.display())));
        }
        let served = async |client| Ok(Data::Process(client));
        of_either(dir, served, || Data::open(config)).await
    }

    async fn open(config: &Config) -> Result<Data, Failure> {
        let engine = Engine::open(engine_options(config));
        engine.recovered().await.map_err(|error| Failure::open(&error))?;
        let documents = dunena::open_documents_of(&config.dunena, &config.data_dir, config.durability.level());
        if let Some(documents) = documents.map_err(|error| Failure::dunena(&error))? {
            engine.look_after(DocumentsUpkeep { documents, purge_every: Duration::ZERO });
        }
        Ok(Data::Directory(engine))
    }

    /// Lets it go; of a directory everything is on disk then.
    pub async fn close(self) -> Result<(), Failure> {
        match self {
            Data::Process(_) => Ok(()),
            Data::Directory(engine) => engine.close().await.map_err(|error| Failure::new(Exit::Io, error)),
        }
    }
}

/// How long after the start of a process its directory may be locked before its socket is there.
const SOCKET_WITHIN: Duration = Duration::from_secs(2);

/// What a verb does with the process that has a directory open, once that has replayed its log, or with the directory.
pub async fn of_either<T>(
    dir: &Path,
    served: impl AsyncFnOnce(Client) -> Result<T, Failure>,
    at_rest: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let until = Instant::now() + SOCKET_WITHIN;
    loop {
        if let Some(mut client) = Client::connect(dir).await.map_err(|error| unreachable(dir, &error))? {
            client.ready().await.map_err(|error| Failure::control(&error))?;
            return served(client).await;
        }
        match at_rest().await {
            Err(failure) if failure.exit == Exit::Unavailable && Instant::now() < until => {
                sleep(SOCKET_WITHIN / 40).await;
            }
            done => return done,
        }
    }
}

/// Why the socket of a directory does not lead to its process.
fn unreachable(dir: &Path, error: &control::Error) -> Failure {
    match error {
        control::Error::Socket(why) => Failure::new(Exit::Io, format!("{}: {why}", dir.join(SOCKET).display())),
        control::Error::Gone(_) | control::Error::Refused(_) => Failure::control(error),
    }
}

impl Failure {
    /// Why the engine did not.
    pub fn engine(error: &Error, sentence: impl ToString) -> Self {
        let exit = match error.kind() {
            Kind::NotFound | Kind::Conflict { .. } | Kind::Invalid | Kind::WrongType { .. } | Kind::TooLarge => {
                Exit::Data
            }
            Kind::Busy | Kind::Closed => Exit::Unavailable,
            Kind::Full | Kind::Storage => Exit::Io,
            Kind::Bug => Exit::Any,
        };
        Failure::new(exit, sentence)
    }
}
