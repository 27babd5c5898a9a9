//! The file system.

use std::{
    fs, io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

use rustix::fs::FallocateFlags;

use super::{Disk, File, Lock};

/// The file system.
#[derive(Debug, Default, Clone, Copy)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile {
    file: fs::File,
    /// Opened on a file system, or with permissions, that allow no more.
    read_only: bool,
}

impl RealFile {
    fn writable(&self) -> io::Result<&fs::File> {
        if self.read_only { Err(io::ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(&self.file) }
    }
}

/// Whether opening for writing failed because only reading is allowed.
fn only_reading(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

/// The lock file; closing it frees the lock.
#[derive(Debug)]
struct RealLock(#[expect(dead_code, reason = "held for its destructor")] fs::File);

impl Lock for RealLock {}

/// There is no lock file.
#[derive(Debug)]
struct NoLock;

impl Lock for NoLock {}

/// Locks a file that these options open.
fn locked(path: &Path, options: &fs::OpenOptions) -> io::Result<Option<Box<dyn Lock>>> {
    let file = match options.open(path) {
        // Who can only read may share the directory with nobody who writes, if there is a file to say so.
        Err(error) if only_reading(&error) => fs::File::open(path)?,
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(Box::new(RealLock(file)))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

impl Disk for RealDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                // Others have files in the directory that come and go.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if meta.is_file() {
                files.push((entry.file_name().to_string_lossy().into_owned(), meta.len()));
            }
        }
        Ok(files)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Arc::new(RealFile { file, read_only: false }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        match fs::OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Ok(Arc::new(RealFile { file, read_only: false })),
            Err(error) if only_reading(&error) => {
                Ok(Arc::new(RealFile { file: fs::File::open(path)?, read_only: true }))
            }
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        locked(path, fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600))
    }

    fn lock_existing(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        match locked(path, fs::OpenOptions::new().write(true)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Box::new(NoLock))),
            taken => taken,
        }
    }
}

impl File for RealFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match self.file.read_at(&mut buf[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.writable()?.write_all_at(bytes, offset)
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        let file = self.writable()?;
        match rustix::fs::fallocate(file, FallocateFlags::empty(), offset, len) {
            Ok(()) => Ok(()),
            // The file system cannot reserve: written zeros are the reservation.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                let zeros = vec![0; 1 << 20];
                let mut at = offset.max(self.size()?);
                while at < offset + len {
                    let n = (offset + len - at).min(zeros.len() as u64);
                    file.write_all_at(&zeros[..n as usize], at)?;
                    at += n;
                }
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
