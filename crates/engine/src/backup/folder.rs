//! A directory that is being filled with the files of a backup, under a name that nobody takes for the real one.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{BackupError, Mode, archive::Header, error::at, read::Sink};

type Result<T> = std::result::Result<T, BackupError>;

/// What is added to a name as long as what it stands for is not complete.
const PARTIAL: &str = ".partial";

/// The name under which something is made that will be called `path`.
pub(super) fn partial(path: &Path) -> Result<PathBuf> {
    let name =
        path.file_name().ok_or(BackupError::Target { path: path.to_owned(), reason: "this is no name for it" })?;
    let mut name = name.to_owned();
    name.push(PARTIAL);
    Ok(path.with_file_name(name))
}

/// Refuses a path at which something is, unless it is an empty directory.
pub(super) fn must_be_free(path: &Path) -> Result<()> {
    let refuse = |reason| Err(BackupError::Target { path: path.to_owned(), reason });
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path)(error)),
        Ok(found) if !found.is_dir() => refuse("it exists already"),
        Ok(_) => match fs::read_dir(path).map_err(at(path))?.next() {
            Some(_) => refuse("it exists already and is not empty"),
            None => Ok(()),
        },
    }
}

/// Whether a directory is the root of another file system than the one it is seen in.
fn is_mount_point(path: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    device(path).is_some_and(|own| device(&parent(path)) != Some(own))
}

/// A directory under its temporary name. Unless it is finished it is gone with the value.
#[derive(Debug)]
pub(super) struct Folder {
    target: PathBuf,
    partial: PathBuf,
    /// Held open with a lock on it, so that nobody else fills it.
    directory: File,
    /// Directories with new names in them.
    changed: BTreeSet<PathBuf>,
    /// Those that others have to get through.
    shared: BTreeSet<PathBuf>,
    open: Option<(PathBuf, File)>,
    finished: bool,
}

impl Folder {
    /// Begins what will be called `target`; what an earlier try left behind goes.
    pub(super) fn begin(target: &Path) -> Result<Folder> {
        must_be_free(target)?;
        if is_mount_point(target) {
            let reason = "it is a mount point, which cannot be replaced: name a directory in it";
            return Err(BackupError::Target { path: target.to_owned(), reason });
        }
        let partial = partial(target)?;
        match DirBuilder::new().mode(0o700).create(&partial) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(&partial)(error)),
            _ => {}
        }
        let directory = File::open(&partial).map_err(at(&partial))?;
        locked(&directory, &partial)?;
        for left in fs::read_dir(&partial).map_err(at(&partial))? {
            let left = left.map_err(at(&partial))?;
            let is_directory = left.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if is_directory { fs::remove_dir_all(left.path()) } else { fs::remove_file(left.path()) };
            removed.map_err(at(left.path()))?;
        }
        let (target, changed) = (target.to_owned(), BTreeSet::from([partial.clone()]));
        Ok(Folder { target, partial, directory, changed, shared: BTreeSet::new(), open: None, finished: false })
    }

    /// Where it is now.
    pub(super) fn path(&self) -> &Path {
        &self.partial
    }

    /// Writes a small file.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.create(name, Mode::Private)?;
        self.bytes(bytes)?;
        self.end()
    }

    pub(super) fn create(&mut self, name: &str, mode: Mode) -> Result<()> {
        let path = self.partial.join(name);
        let parent = path.parent().expect("a file is in a directory").to_owned();
        self.create_directories(&parent, mode)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(at(&path))?;
        if mode == Mode::Shared {
            file.set_permissions(Permissions::from_mode(0o644)).map_err(at(&path))?;
        }
        self.changed.insert(parent);
        self.open = Some((path, file));
        Ok(())
    }

    fn create_directories(&mut self, directory: &Path, mode: Mode) -> Result<()> {
        let below = directory.ancestors().take_while(|up| up.starts_with(&self.partial)).map(Path::to_owned);
        let below: Vec<PathBuf> = below.collect();
        for directory in below.iter().rev() {
            match DirBuilder::new().mode(0o700).create(directory) {
                Ok(()) => self.changed.extend(directory.parent().map(Path::to_owned)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(at(directory)(error)),
            }
            if mode == Mode::Shared && self.shared.insert(directory.clone()) {
                fs::set_permissions(directory, Permissions::from_mode(0o755)).map_err(at(directory))?;
            }
        }
        Ok(())
    }

    /// Makes all names in it durable.
    pub(super) fn sync(&mut self) -> Result<()> {
        // Deepest first: a directory is reached only by those above it.
        for directory in self.changed.iter().rev() {
            File::open(directory).and_then(|open| open.sync_all()).map_err(at(directory))?;
        }
        Ok(())
    }

    /// Gives it its name.
    pub(super) fn finish(mut self) -> Result<()> {
        self.sync()?;
        must_be_free(&self.target)?;
        fs::rename(&self.partial, &self.target).map_err(at(&self.target))?;
        self.finished = true;
        sync_parent(&self.target)
    }
}

impl Sink for Folder {
    fn begin(&mut self, header: &Header, _at: u64) -> Result<()> {
        self.create(&header.name, header.mode)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let (path, file) = self.open.as_mut().expect("a file was begun");
        file.write_all(bytes).map_err(at(&*path))
    }

    fn end(&mut self) -> Result<()> {
        let (path, file) = self.open.take().expect("a file was begun");
        file.sync_all().map_err(at(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed has a name that tells what it is, and goes at the next try.
            fs::remove_dir_all(&self.partial).ok();
        }
        // The lock ends with the descriptor, behind the removal.
        self.directory.unlock().ok();
    }
}

/// Locks something under its temporary name.
pub(super) fn locked(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(fs::TryLockError::WouldBlock) => {
            Err(BackupError::Target { path: path.to_owned(), reason: "another process is writing it" })
        }
        Err(fs::TryLockError::Error(error)) => Err(at(path)(error)),
    }
}

/// Makes the name of something durable.
pub(super) fn sync_parent(path: &Path) -> Result<()> {
    let parent = parent(path);
    File::open(&parent).and_then(|parent| parent.sync_all()).map_err(at(parent))
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
