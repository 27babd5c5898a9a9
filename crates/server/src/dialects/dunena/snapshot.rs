//! The file that the cache is saved to.

use std::{path::Path, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::Response;
use manifold_engine::{
    Clock,
    backup::{Beside, Place},
    cache::{Cache, CacheEntry, SnapshotFile},
};

use super::{
    Config, answer,
    asked::Asked,
    check,
    routes::{Endpoint, route},
};
use crate::http::route::{Route, Verb};

pub(super) static ROUTES: &[Route<Endpoint>] = &[route("/snapshot", &[(Verb::Post, Endpoint::Snapshot)])];

/// `POST /snapshot`.
pub(super) async fn answer(asked: &Asked<'_>) -> Response<Body> {
    let saved = match &asked.dunena.snapshot {
        Some(snapshot) => snapshot.file.save().await,
        None => false,
    };
    answer::whether("saved", saved)
}

/// The file, and when it is written.
#[derive(Debug)]
pub(super) struct Snapshot {
    file: SnapshotFile,
    /// None = only when somebody asks.
    every: Option<Duration>,
    at_the_end: bool,
}

impl Snapshot {
    /// Loads the cache, if it is configured to be kept.
    pub(super) fn open(config: &Config, data_dir: &Path, cache: &Cache) -> Option<Self> {
        if !config.persist {
            return None;
        }
        let path = config.snapshot_path(data_dir);
        let file = SnapshotFile::new(path, cache.clone(), Clock::system());
        file.load(may_be);
        let every = (config.persist_interval > 0).then(|| Duration::from_millis(config.persist_interval));
        Some(Snapshot { file, every, at_the_end: config.persist_on_shutdown })
    }

    /// The file as a part of a backup.
    pub(super) fn beside(&self, place: Place) -> Arc<dyn Beside> {
        self.file.beside(place)
    }

    /// Saves in intervals. Never completes.
    pub(super) async fn keep_saving(&self) {
        match self.every {
            Some(every) => self.file.keep_saving(every).await,
            None => std::future::pending().await,
        }
    }

    /// Saves for the last time, if that is wanted.
    pub(super) async fn close(&self) {
        if self.at_the_end {
            self.file.save().await;
        }
    }
}

/// Whether an entry of a file is one that could have been written here.
fn may_be(entry: &CacheEntry) -> bool {
    let (space, key) = (std::str::from_utf8(&entry.space), std::str::from_utf8(&entry.key));
    space.is_ok_and(|space| check::namespace(space).is_ok())
        && key.is_ok_and(|key| check::key(key).is_ok())
        && check::value_fits(entry.value.len())
}
