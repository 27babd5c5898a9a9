use bytes::Bytes;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{Clock, Timestamp, tests::cases};

mod model;

fn cache(entries: usize) -> (Cache, Clock) {
    let clock = Clock::manual(Timestamp(1_000_000));
    (Cache::new(CacheLimits { entries, ..CacheLimits::default() }, clock.clone()), clock)
}

fn set(cache: &Cache, key: &'static str, value: &'static str, ttl: Ttl) {
    cache.set(b"", vec![CacheSet { key: key.into(), value: value.into(), ttl }]);
}

fn get(cache: &Cache, key: &str) -> Option<Bytes> {
    cache.get(b"", key.as_bytes())
}

#[test]
fn what_was_used_least_recently_goes_first() {
    let (cache, _) = cache(3);
    ["a", "b", "c"].into_iter().for_each(|key| set(&cache, key, "1", Ttl::Never));
    assert!(get(&cache, "a").is_some());
    set(&cache, "d", "1", Ttl::Never);
    assert_eq!(get(&cache, "b"), None);
    assert!(get(&cache, "a").is_some() && get(&cache, "c").is_some() && get(&cache, "d").is_some());
    assert_eq!((cache.stats().evictions, cache.stats().entries), (1, 3));
}

#[test]
fn what_expired_makes_room_before_anything_is_pushed_out() {
    let (cache, clock) = cache(2);
    set(&cache, "old", "1", Ttl::Never);
    set(&cache, "short", "1", Ttl::Millis(50));
    clock.advance(50);
    set(&cache, "new", "1", Ttl::Never);
    assert!(get(&cache, "old").is_some() && get(&cache, "short").is_none());
    assert_eq!((cache.stats().evictions, cache.stats().deletes), (0, 1));
}

#[test]
fn a_deadline_belongs_to_the_value_it_came_with() {
    let (cache, clock) = cache(10);
    set(&cache, "k", "1", Ttl::Millis(50));
    set(&cache, "k", "2", Ttl::Never);
    set(&cache, "gone", "1", Ttl::Millis(50));
    assert_eq!(cache.delete(b"", &["gone".into()]), 1);
    set(&cache, "gone", "2", Ttl::Millis(100));
    clock.advance(99);
    assert_eq!(get(&cache, "k").unwrap(), "2");
    assert_eq!(cache.look(b"", b"gone").unwrap().left_ms, Some(1));
    clock.advance(1);
    assert_eq!(get(&cache, "gone"), None);
}

#[test]
fn counting_and_exchanging_keep_the_deadline_and_raise_the_version() {
    let (cache, _) = cache(10);
    set(&cache, "n", "41", Ttl::Millis(1000));
    assert_eq!(cache.increment(b"", b"n", 1), Counted::To(42));
    assert_eq!(cache.increment(b"", b"n", i64::MAX), Counted::Overflow);
    assert_eq!(cache.increment(b"", b"none", 1), Counted::Absent);
    assert_eq!(cache.exchange(b"", b"n", "x".into(), 1), Exchanged::Other(2));
    assert_eq!(cache.exchange(b"", b"n", "x".into(), 2), Exchanged::To(3));
    assert_eq!(cache.increment(b"", b"n", 1), Counted::NotANumber);
    let entry = cache.look(b"", b"n").unwrap();
    assert_eq!((entry.version, entry.left_ms), (3, Some(1000)));
    let CacheStats { cas_hits, cas_misses, puts, .. } = cache.stats();
    assert_eq!((cas_hits, cas_misses, puts), (1, 1, 2));
}

#[test]
fn bytes_are_a_bound_too_and_the_newest_entry_stays() {
    let clock = Clock::manual(Timestamp(0));
    let cache = Cache::new(CacheLimits { bytes: 10, ..CacheLimits::default() }, clock);
    set(&cache, "a", "1234", Ttl::Never);
    set(&cache, "b", "1234", Ttl::Never);
    assert_eq!((cache.stats().bytes, cache.stats().entries), (10, 2));
    set(&cache, "c", "1234567890123", Ttl::Never);
    assert_eq!((cache.stats().bytes, cache.stats().entries, cache.stats().evictions), (14, 1, 2));
}

#[test]
fn who_follows_hears_everything_in_its_order() {
    let (cache, clock) = cache(10);
    set(&cache, "before", "1", Ttl::Never);
    let mut events = cache.follow();
    set(&cache, "k", "123", Ttl::Millis(10));
    clock.advance(10);
    cache.clear();
    let mut heard = Vec::new();
    while let Ok(event) = events.try_recv() {
        heard.push((event.key, event.what));
    }
    let k = Bytes::from("k");
    let expected = [(k.clone(), CacheChange::Set(3)), (k, CacheChange::Expired), (Bytes::new(), CacheChange::Clear)];
    assert_eq!(heard, expected);
}

#[test]
fn what_was_saved_comes_back_in_its_order_with_the_time_that_was_left() {
    let (cache, clock) = cache(3);
    set(&cache, "a", "1", Ttl::Millis(100));
    set(&cache, "b", "2", Ttl::Never);
    set(&cache, "c", "3", Ttl::Never);
    get(&cache, "a");
    clock.advance(40);
    let smaller = Cache::new(CacheLimits { entries: 2, ..CacheLimits::default() }, clock.clone());
    smaller.restore(cache.saved());
    let keys: Vec<_> = smaller.saved().into_iter().map(|entry| (entry.key, entry.left_ms)).collect();
    assert_eq!(keys, [(Bytes::from("c"), None), (Bytes::from("a"), Some(60))]);
    assert_eq!((smaller.stats().puts, smaller.stats().evictions), (0, 0));
}

#[test]
fn memory_does_not_grow_with_what_is_gone() {
    let (cache, _) = cache(100);
    for round in 0..10_000 {
        let key = Bytes::from(format!("key{round}"));
        cache.set(b"s", vec![CacheSet { key, value: "v".into(), ttl: Ttl::Millis(1000) }]);
    }
    cache.step_for_tests(|table| {
        let spaces: Vec<_> = table.entries.spaces.iter().map(|space| space.created.capacity()).collect();
        assert!(spaces.iter().all(|capacity| *capacity <= 512), "{spaces:?}");
        assert!(table.entries.slots_for_tests() <= 100, "{}", table.entries.slots_for_tests());
    });
    assert_eq!(cache.clear_space(b"s"), 100);
    assert!(cache.spaces().is_empty());
}

proptest! {
    #![proptest_config(cases(500, 1))]

    #[test]
    fn a_glob_is_the_regular_expression_it_stands_for(pattern in "[ab*?.]{0,12}", key in "[ab.]{0,16}") {
        let text: String = pattern.chars().map(|c| match c { '*' => ".*".into(), '?' => ".".into(), c => regex::escape(&c.to_string()) }).collect();
        let regex = regex::Regex::new(&format!("^{text}$")).unwrap();
        prop_assert_eq!(Glob::new(&pattern).matches(key.as_bytes()), regex.is_match(&key));
    }

    #[test]
    fn a_page_is_sorted_and_the_last_one_says_so(keys in vec("[a-c]{1,3}", 0..60), count in 1usize..10) {
        let (cache, _) = cache(1000);
        for key in &keys {
            cache.set(b"", vec![CacheSet { key: key.clone().into(), value: "v".into(), ttl: Ttl::Never }]);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut cursor, mut seen) = (0, Vec::new());
        loop {
            let page = runtime.block_on(cache.keys(b"", KeysAfter { cursor, count, glob: Glob::new("*") }));
            prop_assert!(page.keys.is_sorted() && page.keys.len() <= count);
            prop_assert!(page.cursor == 0 || page.keys.len() == count);
            seen.extend(page.keys);
            cursor = page.cursor;
            if cursor == 0 {
                break;
            }
        }
        let mut wanted: Vec<_> = keys.into_iter().map(Bytes::from).collect();
        wanted.sort();
        wanted.dedup();
        seen.sort();
        prop_assert_eq!(seen, wanted);
    }
}
