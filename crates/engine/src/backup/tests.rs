//! The harness: an engine in a real directory with small segments, so that cleaning removes files all the time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use manifold_store::disk::RealDisk;
use tempfile::TempDir;

use super::*;
use crate::{
    Options, keys,
    open::Ground,
    series,
    tests::{k, ns, put},
};

mod checked;
mod damage;
mod making;
mod model;

struct House {
    engine: Engine,
    home: TempDir,
}

impl House {
    async fn new() -> House {
        House::at(crate::Level::Os).await
    }

    async fn at(level: crate::Level) -> House {
        let home = tempfile::tempdir().expect("a directory");
        let engine = open(&home.path().join("data"), level).await;
        House { engine, home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    async fn set(&self, key: &str, value: &str) {
        self.engine.put(&ns("n"), put(key, value)).await.expect("put");
    }

    /// Makes a backup of this name.
    async fn back_up(&self, name: &str, beside: &[Arc<dyn Beside>]) -> std::result::Result<Received, BackupError> {
        let backup = self.engine.backup(beside).await?;
        copied(backup, self.path(name)).await
    }
}

/// Small segments, and the thread that cleans.
async fn open(dir: &Path, level: crate::Level) -> Engine {
    let store = manifold_store::Options {
        segment_bytes: 64 << 10,
        reserve_bytes: 2 << 10,
        allocate_bytes: 8 << 10,
        ..manifold_store::Options::new(keys::TABLES)
    };
    let ground = Ground { disk: Arc::new(RealDisk), store, series: series::Tuning::default() };
    let engine = Engine::open_on(ground, Options { level, ..Options::new(dir) });
    engine.recovered().await.expect("recovers");
    engine
}

/// Sends a backup through a pipe to where it goes.
async fn copied(backup: Backup, to: PathBuf) -> std::result::Result<Received, BackupError> {
    let (mut from, mut pipe) = io::pipe().expect("a pipe");
    let writing = tokio::task::spawn_blocking(move || backup.write_to(&mut pipe).map(drop));
    let received = tokio::task::spawn_blocking(move || receive(&mut from, &to)).await.expect("no panic");
    let written = writing.await.expect("no panic");
    if received.is_ok() {
        written?;
    }
    received
}

/// Restores a backup; the directory must not exist.
fn restored(from: &Path, to: &Path) -> std::result::Result<Received, BackupError> {
    restore(from, to, &mut |_| {})
}

/// What lies in a directory, by name.
fn listed(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).expect("a directory");
    let mut names: Vec<String> =
        names.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}
