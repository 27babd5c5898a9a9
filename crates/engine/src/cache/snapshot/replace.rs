//! Replacing a file as a whole: whatever happens, what is found later is the old one or the new one.

use std::{
    io::{self, BufWriter, Write},
    path::Path,
};

use manifold_store::disk::{Disk, File};

use super::with_suffix;

/// Bytes written at one time; few in tests, so that a short file takes several writes.
const BUFFER: usize = if cfg!(test) { 4 << 10 } else { 1 << 20 };

/// Puts what `write` writes in the place of the file at `path`, durably.
pub(super) fn replace(
    disk: &dyn Disk,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let partial = with_suffix(path, ".tmp");
    let replaced = write_whole(disk, &partial, write)
        .and_then(|()| disk.rename(&partial, path))
        .and_then(|()| disk.sync_dir(parent(path)));
    if replaced.is_err() {
        // What cannot be removed is removed by the next save.
        disk.unlink(&partial).ok();
    }
    replaced
}

fn write_whole(disk: &dyn Disk, path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // One that a killed process left behind.
    match disk.unlink(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let file = disk.create(path)?;
    let mut out = BufWriter::with_capacity(BUFFER, Appending { file: &*file, at: 0 });
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.sync_data()
}

/// The directory of a file.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

struct Appending<'f> {
    file: &'f dyn File,
    at: u64,
}

impl Write for Appending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
