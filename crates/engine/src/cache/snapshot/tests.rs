use std::path::PathBuf;

use bytes::Bytes;
use manifold_store::disk::{Disk, Fault, Reboot, SimDisk};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    Timestamp,
    cache::{CacheLimits, CacheSet, CacheStats, Ttl},
    tests::cases,
};

mod reading;

/// The wall clock of the tests starts here.
const NOW: u64 = 1_795_213_658_075;

fn path() -> PathBuf {
    PathBuf::from("/data/snapshot.json")
}

/// A cache with a file on a simulated disk.
struct House {
    disk: SimDisk,
    clock: Clock,
    cache: Cache,
    file: SnapshotFile,
}

impl House {
    fn new() -> House {
        House::on(SimDisk::new(), NOW, 100)
    }

    fn on(disk: SimDisk, now: u64, entries: usize) -> House {
        let clock = Clock::manual(Timestamp(now));
        let cache = Cache::new(CacheLimits { entries, ..CacheLimits::default() }, clock.clone());
        let file = SnapshotFile::on(Box::new(disk.clone()), path(), cache.clone(), clock.clone());
        House { disk, clock, cache, file }
    }

    /// The same disk in a process that starts at `now`, with what the file has loaded.
    fn restarted(&self, now: u64, entries: usize) -> House {
        let house = House::on(self.disk.clone(), now, entries);
        house.file.load(|_| true);
        house
    }

    /// With a file that has this text.
    fn with_text(text: impl Into<Vec<u8>>) -> House {
        let house = House::new();
        house.disk.create(&path()).unwrap();
        house.disk.write(&path(), text.into());
        house
    }

    fn set(&self, space: &str, key: &str, value: &str, ttl: Ttl) {
        let value = Bytes::copy_from_slice(value.as_bytes());
        self.cache.set([CacheSet { space: space.as_bytes(), key: key.as_bytes(), value, ttl }]);
    }

    fn text(&self) -> String {
        String::from_utf8(self.disk.read(&path()).expect("a file")).unwrap()
    }

    /// The texts of spaces, keys and values, the least recently used first, with the time that is left.
    fn entries(&self) -> Vec<(String, String, String, Option<u64>)> {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let shown = |entry: CacheEntry| (text(&entry.space), text(&entry.key), text(&entry.value), entry.left_ms);
        self.cache.saved().into_iter().map(shown).collect()
    }

    /// Where a damaged file went, with what is in it.
    fn aside(&self) -> Option<Vec<u8>> {
        self.disk.read(&with_suffix(&path(), &format!(".damaged-{NOW}")))
    }
}

fn shown(space: &str, key: &str, value: &str, left: Option<u64>) -> (String, String, String, Option<u64>) {
    (space.into(), key.into(), value.into(), left)
}

#[tokio::test]
async fn what_is_saved_comes_back_with_its_order_and_the_time_that_is_left() {
    let house = House::new();
    house.set("", "a", "1", Ttl::Never);
    house.set("s p", "k", "line\n\0\u{2028}é\"\\", Ttl::Millis(1000));
    house.set("", "c", "", Ttl::Millis(1 << 60));
    house.set("", "gone", "x", Ttl::Millis(10));
    house.cache.get(b"", b"a");
    house.clock.advance(400);
    let before = house.cache.stats();
    assert!(house.file.save().await);
    assert_eq!(house.cache.stats(), CacheStats { deletes: 1, entries: 3, ..before });
    let at = NOW + 400;
    let expected = [
        format!(r#"{{"version":1,"timestamp":{at},"writer":"manifold","entries":["#),
        format!(r#"{{"key":"s p\u0000k","value":"line\n\u0000{}é\"\\","expiresAt":{}}},"#, '\u{2028}', NOW + 1000),
        r#"{"key":"c","value":"","expiresAt":9007199254740991},"#.to_owned(),
        r#"{"key":"a","value":"1"}]}"#.to_owned(),
    ];
    assert_eq!(house.text(), expected.concat());

    // The machine was off for half a second.
    let restarted = house.restarted(at + 500, 100);
    let odd = shown("s p", "k", "line\n\0\u{2028}é\"\\", Some(100));
    let last = Some(Timestamp::LAST.0 - at - 500);
    assert_eq!(restarted.entries(), [odd, shown("", "c", "", last), shown("", "a", "1", None)]);
    let none = CacheStats { entries: 3, max_entries: 100, bytes: restarted.cache.stats().bytes, ..Default::default() };
    assert_eq!(restarted.cache.stats(), none);
    // Where only two fit, those used last are there.
    assert_eq!(house.restarted(at + 500, 2).entries(), [shown("", "c", "", last), shown("", "a", "1", None)]);
    assert_eq!(house.restarted(at + 600, 100).entries().len(), 2, "what expired meanwhile is not there");
}

#[tokio::test]
async fn an_empty_cache_is_saved_too_and_no_file_is_no_damage() {
    let house = House::new();
    house.file.load(|_| true);
    assert!(house.file.save().await);
    assert_eq!(house.text(), format!(r#"{{"version":1,"timestamp":{NOW},"writer":"manifold","entries":[]}}"#));
    assert!(house.restarted(NOW, 100).entries().is_empty() && house.aside().is_none());
}

#[tokio::test]
async fn a_save_of_one_moment_never_has_half_of_a_write() {
    let house = House::on(SimDisk::new(), NOW, 10_000);
    (0..2000).for_each(|n| house.set("", &format!("k{n}"), "v", Ttl::Never));
    let stop = Arc::new(AtomicBool::new(false));
    let (cache, stopped) = (house.cache.clone(), stop.clone());
    let writer = std::thread::spawn(move || {
        let mut round = 0_u64;
        while !stopped.load(Ordering::Relaxed) {
            round += 1;
            let value = Bytes::from(round.to_string());
            let set = |key: &'static [u8]| CacheSet { space: b"", key, value: value.clone(), ttl: Ttl::Millis(round) };
            cache.set([set(b"k0"), set(b"k1999"), set(b"k1000")]);
            cache.get(b"", b"k1500");
            cache.delete(b"", &["k77"]);
            cache.set([set(b"k77")]);
        }
        round
    });
    for _ in 0..10 {
        assert!(house.file.save().await);
        let restarted = house.restarted(NOW, 10_000);
        let value = |key: &str| restarted.cache.get(b"", key.as_bytes()).expect("all are there");
        assert_eq!(value("k0"), value("k1999"));
        assert_eq!(value("k0"), value("k1000"));
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writer.join().unwrap() > 10, "there was nothing to race with");
}

/// Every call of a save fails in every way, then the power goes or not.
#[tokio::test]
async fn whatever_goes_wrong_the_file_is_the_old_one_or_the_new_one() {
    let big = "x".repeat(10 << 10);
    let old = House::new();
    old.set("", "old", &big, Ttl::Never);
    assert!(old.file.save().await);
    let before = old.disk.calls();
    let calls = {
        let house = House::on(old.disk.fork(), NOW, 100);
        house.set("", "new", &big, Ttl::Never);
        assert!(house.file.save().await);
        house.disk.calls()
    };
    assert!(calls >= 6 && before > 0, "unlink, create, writes, sync, rename, sync of the directory");
    for call in 1..=calls {
        for fault in [Fault::Crash, Fault::Tear, Fault::Fail] {
            let house = House::on(old.disk.fork(), NOW, 100);
            house.set("", "new", &big, Ttl::Never);
            house.disk.fault_at(call, fault);
            let saved = house.file.save().await;
            for reboot in [Reboot::Lost, Reboot::Kept, Reboot::Mixed(call), Reboot::Mixed(call + 100)] {
                let found = House::on(house.disk.reboot(reboot), NOW, 100);
                found.file.load(|_| true);
                let keys: Vec<_> = found.entries().into_iter().map(|(_, key, value, _)| (key, value == big)).collect();
                let whole = keys == [("old".to_owned(), true)] || keys == [("new".to_owned(), true)];
                assert!(whole && found.aside().is_none(), "{call} {fault:?} {reboot:?}: {keys:?}");
                assert!(!saved || keys[0].0 == "new", "{call} {fault:?} {reboot:?}: an acknowledged save is gone");
                assert!(found.file.save().await, "{call} {fault:?} {reboot:?}: what was left behind is in the way");
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_to_its_end_is_left_alone_and_nothing_of_it_is_taken() {
    let old = House::new();
    for n in 0..30 {
        old.set("", &format!("k{n}"), &"x".repeat(100 << 10), Ttl::Never);
    }
    assert!(old.file.save().await);
    let reads = 2 * (old.text().len() as u64).div_ceil(1 << 20);
    for read in 0..reads {
        let house = House::on(old.disk.fork(), NOW, 100);
        house.disk.fail_reads_after(read);
        house.file.load(|_| true);
        assert_eq!(house.entries(), [], "read {read}");
        house.set("", "new", "v", Ttl::Never);
        assert!(!house.file.save().await && house.aside().is_none() && house.text() == old.text(), "read {read}");
    }
    let house = House::on(old.disk.fork(), NOW, 100);
    house.file.load(|_| true);
    assert_eq!(house.entries().len(), 30);
}

#[tokio::test]
async fn a_full_disk_fails_a_save_and_leaves_nothing_behind() {
    let house = House::new();
    house.set("", "k", "small", Ttl::Never);
    assert!(house.file.save().await);
    let (old, used) = (house.text(), house.disk.used());
    house.set("", "big", &"x".repeat(1 << 20), Ttl::Never);
    house.disk.set_capacity(Some(10_000));
    assert!(!house.file.save().await);
    assert_eq!((house.text(), house.disk.used()), (old, used));
    house.disk.set_capacity(None);
    assert!(house.file.save().await);
    assert_eq!(house.restarted(NOW, 100).entries().len(), 2);
}

#[tokio::test]
async fn who_asks_during_a_save_shares_the_next_one() {
    let house = House::new();
    let ask = || {
        let file = house.file.clone();
        tokio::spawn(async move { file.save().await })
    };
    house.disk.hold_syncs(true);
    let first = ask();
    while house.disk.read(&with_suffix(&path(), ".tmp")).is_none_or(|text| text.is_empty()) {
        tokio::task::yield_now().await;
    }
    house.set("", "later", "1", Ttl::Never);
    let others: Vec<_> = (0..10).map(|_| ask()).collect();
    // One that goes away changes nothing for the others; neither does the first one.
    others[3].abort();
    first.abort();
    tokio::task::yield_now().await;
    house.disk.hold_syncs(false);
    let mut saved = Vec::new();
    for other in others {
        saved.extend(other.await.ok());
    }
    assert_eq!(saved, [true; 9]);
    assert_eq!(house.file.0.begun.load(Ordering::Acquire), 2);
    assert_eq!(house.restarted(NOW, 100).entries().len(), 1, "theirs began after they asked");
}

#[tokio::test]
async fn it_saves_in_intervals() {
    let house = House::new();
    let saving = tokio::spawn({
        let file = house.file.clone();
        async move { file.keep_saving(Duration::from_secs(300)).await }
    });
    tokio::task::yield_now().await;
    house.set("", "k", "1", Ttl::Never);
    house.clock.advance(299_999);
    tokio::task::yield_now().await;
    assert!(house.disk.read(&path()).is_none());
    house.clock.advance(1);
    while house.disk.read(&path()).is_none() {
        tokio::task::yield_now().await;
    }
    saving.abort();
    assert_eq!(house.restarted(NOW, 100).entries().len(), 1);
}
