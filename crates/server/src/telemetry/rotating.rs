//! A log file that is set aside when it is full, so that a process that runs for years does not fill the disk with it.
//!
//! Full files get numbers: `daemon.log.1` is older than `daemon.log.2`. A thread beside compresses them and removes those
//! that are too many or too old. A line that cannot be written is lost and counted, never waited for.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;

#[cfg(test)]
mod tests;

/// What files are called that were compressed.
const COMPRESSED: &str = "gz";
/// What files are called that are being compressed.
const UNFINISHED: &str = "gz.tmp";

/// When a file is full, and what becomes of it then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes of a full file.
    pub max_bytes: u64,
    /// How long full files stay; none = for ever.
    pub max_age: Option<Duration>,
    /// How many full files stay; none = all.
    pub max_backups: Option<usize>,
    /// Compress full files.
    pub compress: bool,
}

/// The file. Clones write to the same one.
#[derive(Debug, Clone)]
pub struct Rotating(Arc<Mutex<Current>>);

#[derive(Debug)]
struct Current {
    file: File,
    bytes: u64,
    path: PathBuf,
    max_bytes: u64,
    /// The number of the next full file.
    next: u64,
    /// Lines that could not be written since one could.
    lost: u64,
    /// Wakes the thread that looks after full files. It has a place for one message: a thread that is awake looks at all.
    tidy: SyncSender<()>,
}

impl Rotating {
    /// Opens the file, to go on at its end; makes its directory.
    pub fn open(path: &Path, rotation: Rotation) -> io::Result<Rotating> {
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory)?;
        }
        let file = append_to(path)?;
        let bytes = file.metadata()?.len();
        let next = full_files(path).iter().map(|full| full.number).max().unwrap_or_default() + 1;
        let (path, max_bytes) = (path.to_owned(), rotation.max_bytes);
        let (tidy, woken) = sync_channel(1);
        let tidied = path.clone();
        thread::Builder::new().name("log-files".to_owned()).spawn(move || keep_tidy(&tidied, &rotation, &woken))?;
        let current = Current { file, bytes, path, max_bytes, next, lost: 0, tidy };
        current.wake();
        Ok(Rotating(Arc::new(Mutex::new(current))))
    }
}

impl<'w> MakeWriter<'w> for Rotating {
    type Writer = Rotating;

    fn make_writer(&'w self) -> Rotating {
        self.clone()
    }
}

impl Write for Rotating {
    /// Takes whole lines. It never fails: nobody could do anything about it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut current = self.0.lock();
        if current.add(line).is_err() {
            current.lost += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Current {
    fn add(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.max_bytes {
            self.set_aside()?;
        }
        if self.lost > 0 {
            let told = format!("{} lines were lost: they could not be written\n", self.lost);
            self.append(told.as_bytes())?;
            self.lost = 0;
        }
        self.append(line)
    }

    /// All of it or nothing: what a full disk took half of is cut off again.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        match self.file.write_all(line) {
            Ok(()) => {
                self.bytes += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.file.set_len(self.bytes)?;
                Err(error)
            }
        }
    }

    fn set_aside(&mut self) -> io::Result<()> {
        match fs::rename(&self.path, with_suffix(&self.path, &self.next.to_string())) {
            Ok(()) => self.next += 1,
            // Somebody else set it aside.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.file = append_to(&self.path)?;
        self.bytes = self.file.metadata()?.len();
        self.wake();
        Ok(())
    }

    fn wake(&self) {
        // An error says that it is awake already, or gone; then full files stay as they are.
        self.tidy.try_send(()).ok();
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// A file that was set aside.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Full {
    number: u64,
    path: PathBuf,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Plain,
    Compressed,
    Unfinished,
}

/// The files that were set aside, by age. A directory that cannot be read has none.
fn full_files(path: &Path) -> Vec<Full> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    let full = |entry: fs::DirEntry| {
        let found = entry.file_name();
        let suffix = found.to_str()?.strip_prefix(name)?.strip_prefix('.')?;
        let (number, state) = match suffix.split_once('.') {
            None => (suffix, State::Plain),
            Some((number, COMPRESSED)) => (number, State::Compressed),
            Some((number, UNFINISHED)) => (number, State::Unfinished),
            Some(_) => return None,
        };
        Some(Full { number: number.parse().ok()?, path: entry.path(), state })
    };
    let mut files: Vec<_> = entries.filter_map(full).collect();
    files.sort();
    files
}

fn keep_tidy(path: &Path, rotation: &Rotation, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        tidy(path, rotation);
    }
}

/// Brings full files into order. What fails is tried again the next time.
fn tidy(path: &Path, rotation: &Rotation) {
    let (unfinished, full): (Vec<_>, Vec<_>) =
        full_files(path).into_iter().partition(|file| file.state == State::Unfinished);
    unfinished.iter().for_each(|file| remove(&file.path));
    let surplus = rotation.max_backups.map_or(0, |most| full.len().saturating_sub(most));
    for (at, file) in full.into_iter().enumerate() {
        if at < surplus || rotation.max_age.is_some_and(|most| is_older(&file.path, most)) {
            remove(&file.path);
        } else if rotation.compress && file.state == State::Plain {
            compress(&file.path).ok();
        }
    }
}

fn is_older(path: &Path, most: Duration) -> bool {
    let age = fs::metadata(path).and_then(|of| of.modified()).ok().and_then(|changed| changed.elapsed().ok());
    age.is_some_and(|age| age > most)
}

fn remove(path: &Path) {
    fs::remove_file(path).ok();
}

/// Puts a compressed file in the place of a plain one.
fn compress(path: &Path) -> io::Result<()> {
    let unfinished = with_suffix(path, UNFINISHED);
    let done = (|| {
        let mut into = GzEncoder::new(File::create(&unfinished)?, Compression::default());
        io::copy(&mut File::open(path)?, &mut into)?;
        let file = into.finish()?;
        // Its age stays that of its lines.
        file.set_modified(fs::metadata(path)?.modified()?)?;
        file.sync_all()?;
        fs::rename(&unfinished, with_suffix(path, COMPRESSED))
    })();
    remove(if done.is_ok() { path } else { &unfinished });
    done
}
