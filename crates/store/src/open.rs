//! From a directory to a store that accepts commits.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Error, OpenError, Options, Seq,
    disk::{Disk, Lock, at},
    log::{
        append::Log,
        frame::{Kind, Ops},
        replay::{self, Replay, Replayed},
        segment::{self, Segment, file_name},
    },
    shared::{Opened, Parts, Shared},
    table::{Index, NewRow, Place},
};

/// Name of the lock file.
const LOCK: &str = "LOCK";
/// Name of the first segment until its header is on disk for good.
const NEW: &str = "log.new";

/// A directory that is this process's until the value, or the store that was opened with it, is gone.
#[derive(Debug)]
pub struct Claim {
    dir: PathBuf,
    lock: Box<dyn Lock>,
}

impl Claim {
    /// Takes the lock of a directory, which is created if absent.
    pub(crate) fn take(disk: &dyn Disk, dir: &Path) -> Result<Claim, OpenError> {
        disk.create_dir_all(dir).map_err(at(dir))?;
        Claim::with(dir, |path| disk.lock(path))
    }

    /// The same for a look at a directory, which stays as it is: without a lock file it is nobody's, and nobody is kept
    /// out of it.
    pub(crate) fn of_existing(disk: &dyn Disk, dir: &Path) -> Result<Claim, OpenError> {
        Claim::with(dir, |path| disk.lock_existing(path))
    }

    fn with(
        dir: &Path,
        lock: impl FnOnce(&Path) -> std::io::Result<Option<Box<dyn Lock>>>,
    ) -> Result<Claim, OpenError> {
        let path = dir.join(LOCK);
        let lock = lock(&path).map_err(at(&path))?.ok_or_else(|| OpenError::Locked(dir.to_path_buf()))?;
        Ok(Claim { dir: dir.to_path_buf(), lock })
    }
}

impl Shared {
    /// Replays the log of a claimed directory, cuts what was torn.
    pub(crate) fn open(disk: Arc<dyn Disk>, claim: Claim, options: Options) -> Result<Shared, OpenError> {
        let Claim { dir, lock } = claim;
        let dir = &*dir;
        let index = Index::new(&options);
        let replayed = replay::replay(&*disk, dir, |frame| apply(&index, &frame))?;
        index.replayed();
        let opened = Opened { clean: replayed.clean, torn_bytes: replayed.torn_bytes, replayed_bytes: replayed.bytes };
        let (segments, log) = repair(&*disk, dir, &options, replayed)?;
        Ok(Shared::new(Parts { disk, dir: dir.to_path_buf(), options, index, log, segments, opened, lock }))
    }
}

fn apply(index: &Index, frame: &Replayed<'_>) {
    if frame.header.kind == Kind::Close {
        return;
    }
    for op in Ops::new(frame.body).flatten() {
        let hash = index.hash(op.key);
        let mut shard = index.shard(hash);
        match op.put {
            Some(put) => {
                let offset = (frame.body_at + op.at as u64) as u32;
                let data_at = put.body_at - put.head.len();
                let data = &frame.body[data_at..put.body_at + put.body.len()];
                let place = Place { segment: frame.segment, offset };
                let row = NewRow { data, head_len: put.head.len() as u16, place };
                shard.put(hash, op.key, &row, frame.header.seq, &index.keyring);
            }
            None => shard.delete(hash, op.key, frame.header.seq, &index.keyring),
        }
        shard.settle_replayed(&index.keyring);
    }
}

/// Makes the files what replay said they are, and the end of the log ready for the next frame.
fn repair(
    disk: &dyn Disk,
    dir: &Path,
    options: &Options,
    replayed: Replay,
) -> Result<(BTreeMap<u32, Arc<Segment>>, Log), OpenError> {
    let Replay { segments, lengths, last_seq, salt, torn_bytes, torn_segments, .. } = replayed;
    // Newest first, so that a crash in between leaves no gap.
    for torn in torn_segments.iter().rev() {
        tracing::warn!(file = %torn.path.display(), "removed a segment that was never on disk for good");
        match disk.unlink(&torn.path) {
            Err(error) if !read_only(&error) => return Err(at(&torn.path)(error)),
            _ => {}
        }
    }
    if !torn_segments.is_empty() {
        disk.sync_dir(dir).map_err(at(dir))?;
    }
    let log = match (segments.last(), lengths.last()) {
        (Some(last), Some(&len)) => {
            if let Err(error) = last.file.set_len(len) {
                if !read_only(&error) {
                    return Err(at(&last.path)(error));
                }
                tracing::warn!(dir = %dir.display(), "the data directory is read-only: nothing will be written");
                let mut log = Log::new(last.clone(), len, last_seq + 1, salt);
                log.refuses = Some(Error::Failed("the data directory is read-only".into()));
                return Ok((by_id(segments), log));
            }
            if torn_bytes > 0 {
                tracing::warn!(file = %last.path.display(), offset = len, bytes = torn_bytes, "cut a torn tail off the log");
            }
            // What was replayed may sit in the kernel only: it is about to be told to readers.
            last.file.sync_data().map_err(at(&last.path))?;
            if let Some(before) = segments.len().checked_sub(2) {
                segments[before].file.sync_data().map_err(at(&segments[before].path))?;
            }
            disk.sync_dir(dir).map_err(at(dir))?;
            Log::new(last.clone(), len, last_seq + 1, salt)
        }
        _ => first_segment(disk, dir, options, last_seq + 1)?,
    };
    let mut all = by_id(segments);
    all.insert(log.segment.id, log.segment.clone());
    Ok((all, log))
}

fn by_id(segments: Vec<Arc<Segment>>) -> BTreeMap<u32, Arc<Segment>> {
    segments.into_iter().map(|segment| (segment.id, segment)).collect()
}

fn read_only(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::ReadOnlyFilesystem
}

fn first_segment(disk: &dyn Disk, dir: &Path, options: &Options, first_seq: Seq) -> Result<Log, OpenError> {
    let path = dir.join(file_name(1));
    let new = dir.join(NEW);
    match disk.unlink(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&new)(error)),
        _ => {}
    }
    let file = disk.create(&new).map_err(at(&new))?;
    let header = segment::Header { id: 1, first_seq, salt: options.salt }.encode();
    file.write_at(&header, 0).map_err(at(&new))?;
    file.sync_data().map_err(at(&new))?;
    disk.rename(&new, &path).map_err(at(&path))?;
    disk.sync_dir(dir).map_err(at(dir))?;
    let segment = Arc::new(Segment { id: 1, path, file });
    Ok(Log::new(segment, header.len() as u64, first_seq, options.salt))
}
