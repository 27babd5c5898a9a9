//! A disk in memory with a live and a durable image.
//!
//! Every call that changes something is counted and can be told to crash, fail or find the disk full. After a crash
//! every call fails until [`SimDisk::reboot`] makes the disk that a machine would find after the power came back.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use super::{Disk, File, Lock};

/// Granularity at which an unsynced write may be torn.
const SECTOR: usize = 512;

/// What goes wrong at a chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The machine stops before the call has any effect.
    Crash,
    /// The machine stops in the middle of it: half of a write reached the disk's cache.
    Tear,
    /// The call fails with `EIO`, and every later one of the same kind too.
    Fail,
}

/// What a reboot finds of the changes that were never synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// None of them.
    Lost,
    /// All of them (the process died, the machine did not).
    Kept,
    /// Any of them: each sector and each name by a coin, from this seed.
    Mixed(u64),
}

/// The kinds of calls that [`Fault::Fail`] tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Write,
    Sync,
    Names,
    Allocate,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

#[derive(Debug, Default, Clone)]
struct Node {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum NameChange {
    Add(PathBuf, usize),
    Remove(PathBuf),
}

#[derive(Debug, Default)]
struct State {
    nodes: Vec<Node>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    failing: Option<Call>,
    sync_fails: bool,
    reads_left: Option<u64>,
    syncs_held: bool,
    crashed: bool,
    capacity: Option<u64>,
}

/// The disk. Cheap to clone; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    locked: Arc<AtomicBool>,
}

#[derive(Debug)]
struct SimFile {
    state: Arc<Mutex<State>>,
    node: usize,
}

#[derive(Debug)]
struct SimLock(Arc<AtomicBool>);

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl SimDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        SimDisk::default()
    }

    /// Lets `fault` happen at the call with this number (from 1, counted over the life of the disk).
    pub fn fault_at(&self, call: u64, fault: Fault) {
        self.state.lock().fault = Some((call, fault));
    }

    /// Lets every sync fail from now on, or work again.
    pub fn fail_syncs(&self, fails: bool) {
        self.state.lock().sync_fails = fails;
    }

    /// Lets every read fail after so many more.
    pub fn fail_reads_after(&self, reads: u64) {
        self.state.lock().reads_left = Some(reads);
    }

    /// Lets every sync take until it is let go.
    pub fn hold_syncs(&self, held: bool) {
        self.state.lock().syncs_held = held;
    }

    /// Bytes all files together may have; `None` = no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state.lock().capacity = bytes;
    }

    /// Bytes all files together have.
    pub fn used(&self) -> u64 {
        self.state.lock().used()
    }

    /// Changing calls so far.
    pub fn calls(&self) -> u64 {
        self.state.lock().calls
    }

    /// Whether the machine stopped.
    pub fn crashed(&self) -> bool {
        self.state.lock().crashed
    }

    /// Stops the machine now.
    pub fn crash(&self) {
        self.state.lock().crashed = true;
    }

    /// The disk a machine finds after the power came back; this one stays as it is.
    pub fn reboot(&self, how: Reboot) -> SimDisk {
        let state = self.state.lock();
        let mut coin = Coin(match how {
            Reboot::Mixed(seed) => seed | 1,
            _ => 1,
        });
        let nodes: Vec<Node> = state.nodes.iter().map(|node| node.after(how, &mut coin)).collect();
        let names = match how {
            Reboot::Kept => state.names.clone(),
            Reboot::Lost => state.durable_names.clone(),
            // Names are journalled in order by real file systems: a prefix survives.
            Reboot::Mixed(_) => {
                let kept = coin.below(state.unsynced_names.len() as u64 + 1) as usize;
                let mut names = state.durable_names.clone();
                for change in &state.unsynced_names[..kept] {
                    change.apply(&mut names);
                }
                names
            }
        };
        let state = State { nodes, durable_names: names.clone(), names, ..State::default() };
        SimDisk { state: Arc::new(Mutex::new(state)), locked: Arc::default() }
    }

    /// Flips one bit of a file, in the live and the durable image.
    pub fn flip(&self, path: &Path, bit: u64) {
        let mut state = self.state.lock();
        let node = state.names[path];
        let node = &mut state.nodes[node];
        let (byte, mask) = ((bit / 8) as usize, 1 << (bit % 8));
        node.live[byte] ^= mask;
        if let Some(b) = node.durable.get_mut(byte) {
            *b ^= mask;
        }
    }

    /// A file's bytes as they are now.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state.lock();
        state.names.get(path).map(|node| state.nodes[*node].live.clone())
    }

    /// Replaces a file's bytes, durably.
    pub fn write(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state.lock();
        let node = state.names[path];
        state.nodes[node] = Node { live: bytes.clone(), durable: bytes, unsynced: Vec::new() };
    }

    /// A disk with the same durable content that shares nothing with this one.
    pub fn fork(&self) -> SimDisk {
        self.reboot(Reboot::Kept)
    }
}

/// A small xorshift: the simulation must not depend on anything but its seed.
struct Coin(u64);

impl Coin {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

impl Node {
    fn after(&self, how: Reboot, coin: &mut Coin) -> Node {
        let bytes = match how {
            Reboot::Kept => self.live.clone(),
            Reboot::Lost => self.durable.clone(),
            Reboot::Mixed(_) => {
                let mut bytes = self.durable.clone();
                for change in &self.unsynced {
                    match change {
                        Change::SetLen(len) if coin.below(2) == 0 => bytes.resize(*len, 0),
                        Change::SetLen(_) => {}
                        Change::Write { offset, bytes: written } => {
                            for (i, sector) in written.chunks(SECTOR).enumerate() {
                                if coin.below(2) == 0 {
                                    write(&mut bytes, offset + i * SECTOR, sector);
                                }
                            }
                        }
                    }
                }
                bytes
            }
        };
        Node { live: bytes.clone(), durable: bytes, unsynced: Vec::new() }
    }

    fn change(&mut self, change: Change) {
        match &change {
            Change::Write { offset, bytes } => write(&mut self.live, *offset, bytes),
            Change::SetLen(len) => self.live.resize(*len, 0),
        }
        self.unsynced.push(change);
    }
}

fn write(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if file.len() < offset + bytes.len() {
        file.resize(offset + bytes.len(), 0);
    }
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            NameChange::Add(path, node) => {
                names.insert(path.clone(), *node);
            }
            NameChange::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

fn stopped() -> io::Error {
    io::Error::other("the simulated machine stopped")
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())
}

impl State {
    fn used(&self) -> u64 {
        self.names.values().map(|node| self.nodes[*node].live.len() as u64).sum()
    }

    /// Counts a changing call; `Ok(true)` = do half of it and then stop.
    fn enter(&mut self, call: Call) -> io::Result<bool> {
        if self.crashed {
            return Err(stopped());
        }
        self.calls += 1;
        match self.fault {
            Some((at, Fault::Crash)) if at == self.calls => {
                self.crashed = true;
                return Err(stopped());
            }
            Some((at, Fault::Tear)) if at == self.calls => {
                self.crashed = true;
                return Ok(true);
            }
            Some((at, Fault::Fail)) if at == self.calls => self.failing = Some(call),
            _ => {}
        }
        if self.failing == Some(call) || (self.sync_fails && call == Call::Sync) {
            return Err(eio());
        }
        Ok(false)
    }

    fn grow(&self, node: usize, to: usize) -> io::Result<()> {
        let more = to.saturating_sub(self.nodes[node].live.len()) as u64;
        match self.capacity {
            Some(capacity) if more > 0 && self.used() + more > capacity => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn rename(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }
}

impl Disk for SimDisk {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<(String, u64)>> {
        let state = self.state.lock();
        let files = state.names.iter().filter(|(path, _)| path.parent() == Some(dir));
        Ok(files
            .filter_map(|(path, node)| {
                Some((path.file_name()?.to_string_lossy().into_owned(), state.nodes[*node].live.len() as u64))
            })
            .collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.state.lock();
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let torn = state.enter(Call::Names)?;
        let node = state.nodes.len();
        state.nodes.push(Node::default());
        state.rename(NameChange::Add(path.to_path_buf(), node));
        if torn { Err(stopped()) } else { Ok(Arc::new(SimFile { state: self.state.clone(), node })) }
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let state = self.state.lock();
        let node = *state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { state: self.state.clone(), node }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let node = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.enter(Call::Names)?;
        state.rename(NameChange::Remove(from.to_path_buf()));
        state.rename(NameChange::Add(to.to_path_buf(), node));
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        if !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let torn = state.enter(Call::Names)?;
        state.rename(NameChange::Remove(path.to_path_buf()));
        if torn { Err(stopped()) } else { Ok(()) }
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.enter(Call::Sync)?;
        state.durable_names = state.names.clone();
        state.unsynced_names.clear();
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        if self.locked.swap(true, Ordering::Acquire) {
            return Ok(None);
        }
        Ok(Some(Box::new(SimLock(self.locked.clone()))))
    }

    fn lock_existing(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        self.lock(path)
    }
}

impl File for SimFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.state.lock().nodes[self.node].live.len() as u64)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state.lock();
        if state.crashed {
            return Err(stopped());
        }
        match &mut state.reads_left {
            Some(0) => return Err(eio()),
            Some(left) => *left -= 1,
            None => {}
        }
        let live = &state.nodes[self.node].live;
        let from = (offset as usize).min(live.len());
        let n = buf.len().min(live.len() - from);
        buf[..n].copy_from_slice(&live[from..from + n]);
        Ok(n)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        let torn = state.enter(Call::Write)?;
        state.grow(self.node, offset as usize + bytes.len())?;
        let bytes = if torn { &bytes[..bytes.len() / 2] } else { bytes };
        state.nodes[self.node].change(Change::Write { offset: offset as usize, bytes: bytes.to_vec() });
        if torn { Err(stopped()) } else { Ok(()) }
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        let torn = state.enter(Call::Allocate)?;
        let end = (offset + len) as usize;
        state.grow(self.node, end)?;
        if state.nodes[self.node].live.len() < end {
            state.nodes[self.node].change(Change::SetLen(end));
        }
        if torn { Err(stopped()) } else { Ok(()) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        let torn = state.enter(Call::Write)?;
        state.grow(self.node, len as usize)?;
        state.nodes[self.node].change(Change::SetLen(len as usize));
        if torn { Err(stopped()) } else { Ok(()) }
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        while state.syncs_held && !state.crashed {
            MutexGuard::unlocked(&mut state, || std::thread::sleep(Duration::from_millis(1)));
        }
        let torn = state.enter(Call::Sync)?;
        if torn {
            return Err(stopped());
        }
        let node = &mut state.nodes[self.node];
        node.durable = node.live.clone();
        node.unsynced.clear();
        Ok(())
    }
}
