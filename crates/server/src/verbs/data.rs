//! Where a verb finds the data: with the process that has the directory open, or in the directory itself.

use manifold_engine::{Engine, Error, Kind, documents::DocumentsUpkeep};
use manifold_server::{config::Config, control::Client, dialects::dunena};

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
        if let Some(mut client) = Client::connect(dir).await.map_err(|error| Failure::control(&error))? {
            client.ready().await.map_err(|error| Failure::control(&error))?;
            return Ok(Data::Process(client));
        }
        let engine = Engine::open(engine_options(config));
        engine.recovered().await.map_err(|error| Failure::open(&error))?;
        let documents = dunena::open_documents_of(&config.dunena, dir, config.durability.level());
        if let Some(documents) = documents.map_err(|error| Failure::new(Exit::Io, error))? {
            engine.look_after(DocumentsUpkeep { documents, purge_every: std::time::Duration::ZERO });
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
