//! One file of a page on disk.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use rustix::fs::OFlags;

use super::{packing::too_long, path::UNFINISHED};

#[cfg(test)]
mod tests;

/// Gateways run as other users and read what is here.
const DIRECTORY_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;
/// Tries to write while somebody removes directories that are empty just then.
const TRIES: u32 = 3;

/// Writes a file so that it has its name when all of it is on disk, and keeps it through a power failure.
pub(super) fn write(base: &Path, relative: &str, bytes: &[u8]) -> io::Result<()> {
    let mut tries = 1;
    loop {
        match write_once(base, relative, bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

fn write_once(base: &Path, relative: &str, bytes: &[u8]) -> io::Result<()> {
    let path = base.join(relative);
    let directory = path.parent().expect("a file is in a directory");
    create_directories(directory)?;
    let unfinished = base.join(format!("{relative}{UNFINISHED}"));
    let written = write_under(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
    if written.is_err() {
        // It may not even be there.
        fs::remove_file(&unfinished).ok();
    }
    written.and_then(|()| sync(directory))
}

fn write_under(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a crash left is not written into, and a link is not followed.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Creates what is missing of a directory, so that it stays there through a power failure.
fn create_directories(directory: &Path) -> io::Result<()> {
    let Some(parent) = directory.parent().filter(|_| !directory.is_dir()) else { return Ok(()) };
    create_directories(parent)?;
    match DirBuilder::new().create(directory) {
        Ok(()) => {
            fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))?;
            sync(parent)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Reads a file of at most so many bytes. A link, and what is no file, is refused.
pub(super) fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    if found.len() > longest {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
    file.take(longest).read_to_end(&mut bytes)?;
    Ok(bytes)
}
