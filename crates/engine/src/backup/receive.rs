//! From a stream to a file or a directory that is a backup.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{
    BackupError, Manifest, check,
    error::at,
    folder::{Folder, locked, must_be_free, partial, sync_parent},
    manifest::{MANIFEST, SUM},
    read,
};

type Result<T> = std::result::Result<T, BackupError>;

/// Bytes copied at a time.
const PIECE: usize = 256 << 10;
/// What names of backups in one file end with.
const ENDINGS: [&str; 2] = [".mfb", ".tar"];

/// A backup that is complete and was read back.
#[derive(Debug)]
pub struct Received {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What was found in its log, a line each.
    pub findings: Vec<String>,
}

/// Writes a backup to `to`: one file when the name ends in `.mfb` or `.tar`, else a directory that can be served. Then
/// reads it back from the disk and checks all of it; only then it gets its name. Blocks.
///
/// # Errors
/// [`BackupError::Target`] when there is something; whatever is wrong with the stream or the disk. There is nothing under
/// the name then.
pub fn receive(from: &mut dyn Read, to: &Path) -> Result<Received> {
    if is_file(to) { receive_file(from, to) } else { receive_directory(from, to) }
}

/// Whether a backup of this name is one file.
fn is_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

fn receive_directory(from: &mut dyn Read, to: &Path) -> Result<Received> {
    let mut folder = Folder::begin(to)?;
    let (manifest, encoded) = read::read(from, Path::new("the stream"), &mut folder).map_err(unfinished)?;
    folder.put(MANIFEST, &encoded)?;
    folder.put(SUM, Manifest::sum(&encoded).as_bytes())?;
    folder.sync()?;
    let findings = check::directory(folder.path(), &check::manifest_of(folder.path())?)?;
    folder.finish()?;
    Ok(Received { manifest, findings })
}

fn receive_file(from: &mut dyn Read, to: &Path) -> Result<Received> {
    let mut file = PartialFile::begin(to)?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(BackupError::Cut(error)),
        };
        file.file.write_all(&piece[..read]).map_err(at(&file.partial))?;
    }
    file.file.sync_all().map_err(at(&file.partial))?;
    file.file.seek(SeekFrom::Start(0)).map_err(at(&file.partial))?;
    let (manifest, findings) = check::archive(&file.file, &file.partial).map_err(unfinished)?;
    file.finish()?;
    Ok(Received { manifest, findings })
}

/// What a stream that was cut off is told as: its bytes were not damaged, there are too few.
fn unfinished(error: BackupError) -> BackupError {
    match error {
        BackupError::Damaged { reason, .. } if reason.starts_with("it ends in the middle") => {
            BackupError::Cut(io::ErrorKind::UnexpectedEof.into())
        }
        other => other,
    }
}

/// A file under its temporary name. Unless it is finished it is gone with the value.
struct PartialFile {
    target: PathBuf,
    partial: PathBuf,
    file: File,
    finished: bool,
}

impl PartialFile {
    fn begin(target: &Path) -> Result<PartialFile> {
        must_be_free(target)?;
        if target.is_dir() {
            return Err(BackupError::Target { path: target.to_owned(), reason: "it is a directory" });
        }
        let partial = partial(target)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&partial);
        let file = file.map_err(at(&partial))?;
        locked(&file, &partial)?;
        // What an earlier try left behind.
        file.set_len(0).map_err(at(&partial))?;
        Ok(PartialFile { target: target.to_owned(), partial, file, finished: false })
    }

    fn finish(mut self) -> Result<()> {
        must_be_free(&self.target)?;
        fs::rename(&self.partial, &self.target).map_err(at(&self.target))?;
        self.finished = true;
        sync_parent(&self.target)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed has a name that tells what it is, and goes at the next try.
            fs::remove_file(&self.partial).ok();
        }
    }
}
