//! The file of a cache: any bytes are loaded as a whole or put aside as they are; what was loaded is saved and loaded
//! again as it was.

use std::path::{Path, PathBuf};

use manifold_store::disk::{Disk, SimDisk};

use crate::{
    Clock, Timestamp,
    cache::{Cache, CacheLimits, SnapshotFile},
};

const FILE: &str = "/data/snapshot.json";
const NOW: Timestamp = Timestamp(1_795_213_658_075);
/// What a text of so many bytes may become: runs of the older program stand for up to four megabytes, each of them.
const MOST_TEXT: usize = 16 << 10;

fn loaded(disk: &SimDisk) -> (Cache, SnapshotFile) {
    let clock = Clock::manual(NOW);
    let cache = Cache::new(CacheLimits { entries: 64, ..CacheLimits::default() }, clock.clone());
    let file = SnapshotFile::on(Box::new(disk.clone()), PathBuf::from(FILE), cache.clone(), clock);
    file.load(|entry| entry.key.len() < 1024);
    (cache, file)
}

pub(super) fn load(data: &[u8]) {
    if data.len() > MOST_TEXT {
        return;
    }
    let disk = SimDisk::new();
    disk.create(Path::new(FILE)).expect("a file");
    disk.write(Path::new(FILE), data.to_vec());
    let (cache, file) = loaded(&disk);
    let entries = cache.saved();
    if disk.read(Path::new(FILE)).is_none() {
        assert!(entries.is_empty(), "half of a snapshot is none");
        let aside = format!("{FILE}.damaged-{}", NOW.0);
        assert_eq!(disk.read(Path::new(&aside)).as_deref(), Some(data), "what could not be read is kept");
    }
    assert!(entries.len() <= 64);
    assert!(file.save_now());
    let (again, _) = loaded(&disk);
    assert_eq!(again.saved(), entries);
}
