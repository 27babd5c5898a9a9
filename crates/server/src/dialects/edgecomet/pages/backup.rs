//! Pages in a backup: the file of every record of the moment, with the bytes that it had.
//!
//! All pages are held for the moment, so that file and record belong together. From then on whoever replaces or removes a
//! file first gives it a second name in a directory of the backup; the copy looks there too.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, Once, Weak},
};

use manifold_engine::{
    Error, Kind,
    backup::{self, Beside, Entries, Entry, Held, Mode, Moment, Place, Soon, Staging},
};
use parking_lot::Mutex;
use rustix::fs::OFlags;

use super::{
    Hold, Pages,
    path::{below, is_page_file, page_of},
};

/// Backups that need files as they were. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    tidied: Once,
    backups: Mutex<Vec<Weak<Keep>>>,
}

impl Default for Shared {
    fn default() -> Self {
        Shared { tidied: Once::new(), backups: Mutex::default() }
    }
}

/// Where one backup finds files that are not in their place any more.
#[derive(Debug)]
struct Keep {
    staging: Staging,
    /// Why a file could not be kept.
    failed: Mutex<Option<io::Error>>,
}

impl Kept {
    /// Removes what backups of a killed process left behind, the first time that it is called.
    pub(super) fn tidy(&self, base: &Path) {
        self.0.tidied.call_once(|| backup::tidy(base));
    }

    /// Whether any file is.
    pub(super) fn is_needed(&self) -> bool {
        let mut backups = self.0.backups.lock();
        backups.retain(|backup| backup.strong_count() > 0);
        !backups.is_empty()
    }

    /// Called before a file is replaced or removed, if there is one.
    pub(super) fn keep(&self, base: &Path, relative: &str) {
        let backups: Vec<Arc<Keep>> = self.0.backups.lock().iter().filter_map(Weak::upgrade).collect();
        for backup in backups {
            if let Err(error) = link(&base.join(relative), &backup.staging.path().join(relative)) {
                backup.failed.lock().get_or_insert(error);
            }
        }
    }

    fn begin(&self, base: &Path) -> Result<Arc<Keep>, Error> {
        self.tidy(base);
        let keep = Arc::new(Keep { staging: Staging::new(base)?, failed: Mutex::default() });
        let mut backups = self.0.backups.lock();
        backups.retain(|backup| backup.strong_count() > 0);
        backups.push(Arc::downgrade(&keep));
        Ok(keep)
    }
}

/// Gives a file a second name, unless that name has an older one.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    if !from.exists() {
        return Ok(());
    }
    fs::create_dir_all(to.parent().expect("a file is in a directory"))?;
    match fs::hard_link(from, to) {
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => Ok(()),
        linked => linked,
    }
}

/// The directory of pages as a part of a backup.
#[derive(Debug)]
pub(in super::super) struct PagesBeside {
    pages: Pages,
    place: Place,
}

impl PagesBeside {
    pub(in super::super) fn new(pages: Pages, data_dir: &Path) -> Self {
        let place = Place::new(data_dir, &pages.base, "edgecomet/cache");
        PagesBeside { pages, place }
    }
}

impl Beside for PagesBeside {
    fn place(&self) -> &Place {
        &self.place
    }

    fn hold(&self) -> Soon<'_, Result<Box<dyn Held>, Error>> {
        Box::pin(async {
            let mut held = Vec::with_capacity(self.pages.groups.len());
            for group in self.pages.groups.iter() {
                held.push(group.clone().lock_owned().await);
            }
            let (pages, name) = (self.pages.clone(), self.place.name.clone());
            Ok(Box::new(AllHeld { pages, name, _held: held }) as Box<dyn Held>)
        })
    }
}

/// Nobody writes or removes a page as long as it lives.
struct AllHeld {
    pages: Pages,
    name: String,
    _held: Vec<Hold>,
}

impl Held for AllHeld {
    fn cut(self: Box<Self>) -> Result<Box<dyn Entries>, Error> {
        // Without a directory there is nothing to keep.
        let keep = self.pages.base.is_dir().then(|| self.pages.kept.begin(&self.pages.base)).transpose()?;
        let AllHeld { pages, name, .. } = *self;
        Ok(Box::new(Files { pages, name, keep, left: Vec::new() }))
    }
}

/// The files of a moment.
#[derive(Debug)]
struct Files {
    pages: Pages,
    name: String,
    keep: Option<Arc<Keep>>,
    left: Vec<String>,
}

impl Entries for Files {
    fn settle(&mut self, moment: &Moment, _staging: &Path) -> Result<(), Error> {
        if self.keep.is_some() {
            self.left = match moment.page_files()? {
                Some(files) => files,
                // Nobody changes anything, so that what lies there is what there is.
                None => lying(&self.pages.base).map_err(|error| storage(&self.pages.base, &error))?,
            };
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(keep) = self.keep.clone() else { return Ok(None) };
        while let Some(relative) = self.left.pop() {
            if page_of(&relative).is_none() {
                tracing::warn!(file = relative, "edgecomet: not in the backup, because it is no file of a page");
                continue;
            }
            let found = self.open(&keep, &relative).map_err(|error| storage(Path::new(&relative), &error))?;
            // A record may outlive its file; readers are told that it is gone.
            let Some(file) = found else { continue };
            let len = file.metadata().map_err(|error| storage(Path::new(&relative), &error))?.len();
            let name = format!("{}/{relative}", self.name);
            return Ok(Some(Entry { name, mode: Mode::Shared, len, content: Box::new(file) }));
        }
        Ok(None)
    }
}

impl Files {
    /// The file as it was.
    fn open(&self, keep: &Keep, relative: &str) -> io::Result<Option<File>> {
        // In this order: whoever replaces it keeps it first, so that a newer one is never taken for it.
        let now = opened(&below(&self.pages.base, relative)?)?;
        let kept = opened(&below(keep.staging.path(), relative)?)?;
        match keep.failed.lock().take() {
            Some(error) => Err(error),
            None => Ok(kept.or(now)),
        }
    }
}

/// Opens a file; a link, and what is no file, is refused.
fn opened(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    match OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files of pages below a directory.
fn lying(base: &Path) -> io::Result<Vec<String>> {
    let (mut found, mut left) = (Vec::new(), vec![String::new()]);
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(base.join(&directory))? {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let relative = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && !name.starts_with('.') {
                left.push(relative);
            } else if kind.is_file() && is_page_file(&name) && page_of(&relative).is_some() {
                found.push(relative);
            }
        }
    }
    Ok(found)
}

fn storage(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Storage, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
