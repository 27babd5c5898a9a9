//! From a backup to a data directory.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::{
    BackupError, FileSum, Mode, Received, check,
    error::at,
    folder::Folder,
    manifest::hex,
    read::{self, Sink},
};

type Result<T> = std::result::Result<T, BackupError>;

/// Bytes copied at a time.
const PIECE: usize = 256 << 10;

/// Makes the data directory `to` of a backup, which is checked byte by byte on the way and read back afterwards; only then
/// the directory gets its name. `read` is told of every piece that was read. Blocks.
///
/// # Errors
/// [`BackupError::Target`] when `to` is not empty; [`BackupError::Damaged`] and [`BackupError::Foreign`] when the backup
/// is not as it was made. There is nothing under the name then.
pub fn restore(from: &Path, to: &Path, read: &mut dyn FnMut(u64)) -> Result<Received> {
    let is_directory = from.metadata().map_err(at(from))?.is_dir();
    let listed = if is_directory { Some(check::manifest_of(from)?) } else { None };
    let mut folder = Folder::begin(to)?;
    let manifest = match listed {
        Some(manifest) => {
            for file in &manifest.files {
                copy(from, file, &mut folder, read)?;
            }
            manifest
        }
        None => {
            let file = File::open(from).map_err(at(from))?;
            let mut counted = Counted { from: BufReader::with_capacity(PIECE, file), read };
            read::read(&mut counted, from, &mut folder).map_err(|error| unreadable(from, error))?.0
        }
    };
    folder.sync()?;
    let findings = check::directory(folder.path(), &manifest)?;
    folder.finish()?;
    Ok(Received { manifest, findings })
}

/// A file that cannot be read is not a stream that ended.
fn unreadable(path: &Path, error: BackupError) -> BackupError {
    match error {
        BackupError::Cut(source) => BackupError::Io { path: path.to_owned(), source },
        other => other,
    }
}

/// Copies a file of a backup that is a directory.
fn copy(from: &Path, listed: &FileSum, folder: &mut Folder, read: &mut dyn FnMut(u64)) -> Result<()> {
    folder.create(&listed.name, if listed.shared { Mode::Shared } else { Mode::Private })?;
    each_piece(from, listed, |bytes| {
        read(bytes.len() as u64);
        folder.bytes(bytes)
    })?;
    folder.end()
}

/// Reads a file of a backup that is a directory, and checks that it is what the manifest says.
pub(super) fn each_piece(root: &Path, listed: &FileSum, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let path = root.join(&listed.name);
    let damaged = |offset, reason: &str| BackupError::Damaged { file: path.clone(), offset, reason: reason.to_owned() };
    // A link is no file, and neither is anything that could keep us waiting.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged(0, "it is missing")),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(damaged(0, "it is a link"));
        }
        Err(error) => return Err(at(&path)(error)),
    };
    if !file.metadata().map_err(at(&path))?.is_file() {
        return Err(damaged(0, "it is no file"));
    }
    let (mut sum, mut piece, mut len) = (Sha256::new(), vec![0; PIECE], 0);
    loop {
        let got = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(at(&path)(error)),
        };
        len += got as u64;
        if len > listed.bytes {
            return Err(damaged(listed.bytes, "it is longer than the manifest says"));
        }
        sum.update(&piece[..got]);
        take(&piece[..got])?;
    }
    if len < listed.bytes {
        return Err(damaged(len, "it ends before the manifest says"));
    }
    if hex(sum.finalize()) != listed.sha256 {
        return Err(damaged(0, "it does not match its checksum"));
    }
    Ok(())
}

/// A reader that tells how much was read.
struct Counted<'f, R> {
    from: R,
    read: &'f mut dyn FnMut(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.from.read(buf)?;
        (self.read)(got as u64);
        Ok(got)
    }
}
