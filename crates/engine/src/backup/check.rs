//! Reading a backup back: every sum, every frame of the log, and SQLite's own check of its files.

use std::{
    fs::File as FsFile,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use manifold_store::{
    OpenError, Store,
    disk::{Disk, File, Lock, RealDisk},
};

use super::{
    BackupError, Manifest,
    archive::Header,
    documents,
    error::at,
    manifest::{MANIFEST, MANIFEST_MAX, SUM, SUM_MAX, Unreadable},
    read::{self, Sink},
    restore::each_piece,
};

type Result<T> = std::result::Result<T, BackupError>;

/// What files of SQLite begin with.
const SQLITE: &[u8] = b"SQLite format 3\0";
const PIECE: usize = 256 << 10;

/// The manifest of a backup that is a directory.
pub(super) fn manifest_of(root: &Path) -> Result<Manifest> {
    let read = |name: &str, max| {
        let path = root.join(name);
        let foreign = || BackupError::Foreign { file: root.to_owned(), reason: format!("it has no {name}") };
        let file = match FsFile::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(foreign()),
            opened => opened.map_err(at(&path))?,
        };
        let mut all = Vec::new();
        file.take(max).read_to_end(&mut all).map_err(at(&path))?;
        Ok(all)
    };
    let (encoded, sum) = (read(MANIFEST, MANIFEST_MAX)?, read(SUM, SUM_MAX)?);
    Manifest::parse(&encoded, &sum).map_err(|unreadable| match unreadable {
        Unreadable::Damaged(reason) => {
            BackupError::Damaged { file: root.join(MANIFEST), offset: 0, reason: reason.to_owned() }
        }
        Unreadable::Foreign(reason) => BackupError::Foreign { file: root.to_owned(), reason },
    })
}

/// Checks the files of a directory against a manifest, its log frame by frame, its SQLite files by SQLite. What was found
/// in the log.
pub(super) fn directory(root: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    for file in &manifest.files {
        let mut begins: Vec<u8> = Vec::with_capacity(SQLITE.len());
        each_piece(root, file, |bytes| {
            begins.extend(bytes.iter().take(SQLITE.len() - begins.len().min(SQLITE.len())));
            Ok(())
        })?;
        if begins == SQLITE {
            let path = root.join(&file.name);
            documents::sound(&path).map_err(|reason| BackupError::Damaged { file: path, offset: 0, reason })?;
        }
    }
    log(&RealDisk, root, root, manifest)
}

/// Checks a backup in one file: every sum, and its log frame by frame where it lies.
pub(super) fn archive(file: &FsFile, path: &Path) -> Result<(Manifest, Vec<String>)> {
    let shared = Arc::new(file.try_clone().map_err(at(path))?);
    let mut parts = Parts { file: shared, parts: Vec::new() };
    let mut from = BufReader::with_capacity(PIECE, file);
    let (manifest, _) = read::read(&mut from, path, &mut parts)?;
    let findings = log(&parts, Path::new(""), path, &manifest)?;
    Ok((manifest, findings))
}

/// Replays the log of a backup into nothing: it is whole, and ends where the manifest says.
fn log(disk: &dyn Disk, dir: &Path, backup: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let wrong = |reason: &str| BackupError::Damaged { file: backup.to_owned(), offset: 0, reason: reason.to_owned() };
    let (_claim, cut) = Store::cut_at_rest(disk, dir).map_err(|error| match error {
        OpenError::Foreign { .. } => wrong("there is no log in it"),
        other => other.into(),
    })?;
    if cut.seq != manifest.sequence {
        return Err(wrong(&format!("its log ends at frame {}, not {}", cut.seq, manifest.sequence)));
    }
    let segments = cut.files.iter().map(|file| format!("{}: {} bytes, every frame is whole", file.name, file.len));
    Ok(segments.collect())
}

/// The files of an archive as a disk from which can only be read.
#[derive(Debug)]
struct Parts {
    file: Arc<FsFile>,
    parts: Vec<Part>,
}

/// A file where it lies.
#[derive(Debug, Clone)]
struct Part {
    name: String,
    file: Arc<FsFile>,
    at: u64,
    len: u64,
}

impl Sink for Parts {
    fn begin(&mut self, header: &Header, at: u64) -> Result<()> {
        let Header { name, len, .. } = header.clone();
        // All that the log consists of lies at the root.
        if !name.contains('/') {
            self.parts.push(Part { name, file: self.file.clone(), at, len });
        }
        Ok(())
    }

    fn bytes(&mut self, _bytes: &[u8]) -> Result<()> {
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

fn only_reading<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

/// Nobody else has it: it has no name yet.
#[derive(Debug)]
struct Free;

impl Lock for Free {}

impl Disk for Parts {
    fn create_dir_all(&self, _dir: &Path) -> io::Result<()> {
        only_reading()
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<(String, u64)>> {
        Ok(self.parts.iter().map(|part| (part.name.clone(), part.len)).collect())
    }

    fn create(&self, _path: &Path) -> io::Result<Arc<dyn File>> {
        only_reading()
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let part = self.parts.iter().find(|part| Path::new(&part.name) == path);
        let part = part.cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Arc::new(part))
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        only_reading()
    }

    fn unlink(&self, _path: &Path) -> io::Result<()> {
        only_reading()
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        Ok(Some(Box::new(Free)))
    }

    fn lock_existing(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.lock(path)
    }
}

impl File for Part {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let want = buf.len().min(left);
        let mut done = 0;
        while done < want {
            match self.file.read_at(&mut buf[done..want], self.at + offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        only_reading()
    }

    fn allocate(&self, _offset: u64, _len: u64) -> io::Result<()> {
        only_reading()
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        only_reading()
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
}
