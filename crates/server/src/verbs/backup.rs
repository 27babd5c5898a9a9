//! `manifold backup`: everything at one moment, from the process that serves it or from a directory that nobody serves.

use std::{
    io::{self, BufWriter, Read},
    path::Path,
    sync::Arc,
};

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use manifold_engine::{
    Clock,
    backup::{self, BackupError, Beside, Received},
};
use manifold_server::{
    config::{self, Config},
    control::Client,
};
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{Exit, Failure, data::of_either, progress::Progress, settings::load};

/// Copies what is in the data directory to `to`, checks the copy, and says what is in it.
pub fn backup(flags: &config::Flags, to: &Path) -> Result<(), Failure> {
    let config = load(flags)?.config;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::System, format!("no runtime: {error}")))?;
    let progress = Progress::begin("copied and checked");
    let Received { manifest, findings } = runtime.block_on(copy(&config, to, &progress))?;
    progress.end(to, &manifest, &findings);
    Ok(())
}

async fn copy(config: &Config, to: &Path, progress: &Progress) -> Result<Received, Failure> {
    let served = async |client| served(client, to, progress).await;
    of_either(&config.data_dir, served, || at_rest(config, to, progress)).await
}

/// Of the process that has the directory open.
async fn served(mut client: Client, to: &Path, progress: &Progress) -> Result<Received, Failure> {
    let response = client.get("/backup").await.map_err(|error| Failure::control(&error))?;
    let body = Sent { body: response.into_body(), handle: Handle::current(), piece: Bytes::new() };
    let received = receive(progress.reading(body), to).await?;
    received.map_err(|error| match error {
        BackupError::Cut(why) => {
            let sentence = format!("the backup ended before it was whole, and the log of the process says why: {why}");
            Failure::new(Exit::Io, sentence)
        }
        other => Failure::backup(&other),
    })
}

/// Of a directory that no process has open.
async fn at_rest(config: &Config, to: &Path, progress: &Progress) -> Result<Received, Failure> {
    let mut beside: Vec<Arc<dyn Beside>> = config.edgecomet.beside_at_rest(&config.data_dir);
    beside.extend(config.dunena.beside_at_rest(&config.data_dir));
    let backup = backup::at_rest(&config.data_dir, &beside, to, Clock::system().now()).await;
    let backup = backup.map_err(|error| Failure::backup(&error))?;
    let (sent, pipe) = io::pipe().map_err(|error| Failure::new(Exit::System, format!("no pipe: {error}")))?;
    let writing = spawn_blocking(move || backup.write_to(&mut BufWriter::with_capacity(256 << 10, pipe)));
    let received = receive(progress.reading(sent), to).await?;
    let written = writing.await.map_err(defect)?;
    match (received, written) {
        // Whatever else it is, what could not be read is why.
        (Err(BackupError::Cut(_)), Err(error)) => Err(Failure::backup(&error)),
        (received, _) => received.map_err(|error| Failure::backup(&error)),
    }
}

async fn receive(mut from: impl Read + Send + 'static, to: &Path) -> Result<Result<Received, BackupError>, Failure> {
    let to = to.to_owned();
    spawn_blocking(move || backup::receive(&mut from, &to)).await.map_err(defect)
}

fn defect(error: tokio::task::JoinError) -> Failure {
    Failure::new(Exit::Any, format!("a defect of this program: {error}"))
}

/// What the process sends, for a thread that may wait.
struct Sent {
    body: Incoming,
    handle: Handle,
    piece: Bytes,
}

impl Read for Sent {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.handle.block_on(self.body.frame()) {
                None => return Ok(0),
                Some(frame) => self.piece = frame.map_err(io::Error::other)?.into_data().unwrap_or_default(),
            }
        }
        let taken = self.piece.len().min(buf.len());
        self.piece.copy_to_slice(&mut buf[..taken]);
        Ok(taken)
    }
}
