use bytes::Bytes;
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{Clock, Timestamp, tests::cases};

mod model;
mod paging;

fn cache(entries: usize) -> (Cache, Clock) {
    let clock = Clock::manual(Timestamp(1_000_000));
    (Cache::new(CacheLimits { entries, ..CacheLimits::default() }, clock.clone()), clock)
}

fn set(cache: &Cache, key: &str, value: &'static str, ttl: Ttl) {
    cache.set([CacheSet { space: b"", key: key.as_bytes(), value: value.into(), ttl }]);
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
    assert_eq!(cache.delete(b"", &["gone"]), 1);
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
    assert_eq!(cache.increment(b"", b"n", i64::MAX.into()), Counted::Overflow);
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

#[tokio::test]
async fn who_follows_hears_everything_in_its_order() {
    let (cache, clock) = cache(10);
    set(&cache, "before", "1", Ttl::Never);
    let mut events = cache.follow();
    set(&cache, "k", "123", Ttl::Millis(10));
    clock.advance(10);
    cache.clear().await;
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
    cache.saved().into_iter().for_each(|entry| smaller.restore(entry));
    let keys: Vec<_> = smaller.saved().into_iter().map(|entry| (entry.key, entry.left_ms)).collect();
    assert_eq!(keys, [(Bytes::from("c"), None), (Bytes::from("a"), Some(60))]);
    assert_eq!((smaller.stats().puts, smaller.stats().evictions), (0, 0));
}

#[test]
fn memory_does_not_grow_with_what_is_gone() {
    let (cache, clock) = cache(100);
    for round in 0..10_000_u64 {
        set(&cache, &format!("key{round}"), "v", Ttl::Millis(1000));
        match round % 3 {
            0 => clock.advance(2000),
            1 => assert_eq!(cache.delete(b"", &[format!("key{round}")]), 1),
            _ => {}
        }
    }
    (0..200).for_each(|round| set(&cache, &format!("other{round}"), "v", Ttl::Millis(1000)));
    cache.step_for_tests(|table| assert!(table.entries.slots() <= 100, "{}", table.entries.slots()));
    assert_eq!(cache.spaces(), [(Bytes::new(), 100)]);
    assert_eq!(cache.clear_space(b""), 100);
    assert!(cache.spaces().is_empty());
    assert_eq!(cache.stats().bytes, 0);
}

#[tokio::test]
async fn what_expires_at_one_moment_is_absent_from_then_on_however_much_it_is() {
    let (cache, clock) = cache(1000);
    (0..1000).for_each(|n| set(&cache, &format!("k{n}"), "v", Ttl::Millis(10)));
    clock.advance(10);
    assert_eq!(cache.delete(b"", &["k999"]), 0);
    assert_eq!(get(&cache, "k998"), None);
    assert_eq!(cache.increment(b"", b"k997", 1), Counted::Absent);
    assert!(!cache.touch(b"", b"k996", 5));
    assert!(cache.look(b"", b"k995").is_none());
    assert!(cache.saved().is_empty());
    assert!(all_keys(&cache, 10).await.is_empty());
    set(&cache, "new", "v", Ttl::Never);
    assert!(cache.step_for_tests(|table| table.is_behind()), "not everything was swept on the way");
    let CacheStats { entries, deletes, evictions, bytes, .. } = cache.stats();
    assert_eq!((entries, deletes, evictions, bytes), (1, 1000, 0, 4));
    assert_eq!(cache.spaces(), [(Bytes::new(), 1)]);
}

#[test]
fn deadlines_end_where_integers_do() {
    let (cache, _) = cache(10);
    set(&cache, "k", "v", Ttl::Millis(u64::MAX));
    let left = cache.look(b"", b"k").unwrap().left_ms;
    assert_eq!(left, Some((1 << 53) - 1 - 1_000_000));
}

#[test]
fn an_integer_has_an_optional_sign_and_digits() {
    let (cache, _) = cache(10);
    for (text, sum) in [
        ("41", Some(42)),
        ("+41", Some(42)),
        ("-1", Some(0)),
        ("007", Some(8)),
        ("-9223372036854775808", Some(-9_223_372_036_854_775_807)),
        ("", None),
        ("+", None),
        ("1.0", None),
        (" 1", None),
        ("1e3", None),
        ("\u{661}", None),
        ("9223372036854775808", None),
    ] {
        set(&cache, "n", text, Ttl::Never);
        assert_eq!(cache.increment(b"", b"n", 1), sum.map_or(Counted::NotANumber, Counted::To), "{text:?}");
    }
}

#[test]
fn only_the_sum_has_to_fit() {
    let (cache, _) = cache(10);
    for (text, by, sum) in [
        ("-1", 1 << 63, Counted::To(i64::MAX)),
        ("0", 1 << 63, Counted::Overflow),
        ("0", -(1 << 63), Counted::To(i64::MIN)),
        ("-1", -(1 << 63), Counted::Overflow),
        ("-9223372036854775808", (1 << 64) - 1, Counted::To(i64::MAX)),
        ("-9223372036854775808", 1 << 64, Counted::Overflow),
        ("1", i128::MAX, Counted::Overflow),
        ("-1", i128::MIN, Counted::Overflow),
    ] {
        set(&cache, "n", text, Ttl::Never);
        let mut events = cache.follow();
        assert_eq!(cache.increment(b"", b"n", by), sum, "{text} {by}");
        let change = match sum {
            Counted::To(now) => Some(CacheChange::Counted { before: text.parse().unwrap(), now }),
            _ => None,
        };
        assert_eq!(events.try_recv().ok().map(|event| event.what), change, "{text} {by}");
    }
}

#[tokio::test]
async fn the_end_of_an_entry_is_told_within_a_tenth_of_a_second() {
    let (cache, clock) = cache(10);
    let mut events = cache.follow();
    let sweeping = tokio::spawn({
        let cache = cache.clone();
        async move { cache.keep_expiring().await }
    });
    // Its sleep begins just before something falls due: nobody waits longer.
    tokio::task::yield_now().await;
    set(&cache, "k", "v", Ttl::Millis(1));
    assert_eq!(events.recv().await.unwrap().what, CacheChange::Set(1));
    clock.advance(1 + 100);
    let told = tokio::time::timeout(std::time::Duration::from_secs(30), events.recv()).await;
    assert_eq!(told.expect("it is told").unwrap().what, CacheChange::Expired);
    sweeping.abort();
}

/// A glob that tries everything would not come to an end.
#[test]
fn many_stars_take_no_longer_than_pattern_times_key() {
    let glob = Glob::new(&format!("{}b", "*a".repeat(500)));
    let key = "a".repeat(1_000_000);
    assert!(!glob.matches(key.as_bytes()));
    assert!(glob.matches(format!("{key}b").as_bytes()));
}

#[test]
fn a_question_mark_is_one_character_and_one_byte_of_what_is_none() {
    for (pattern, key, matches) in [
        ("?", "é".as_bytes(), true),
        ("??", "é".as_bytes(), false),
        ("a?c", "a€c".as_bytes(), true),
        ("?😀?", "😀😀😀".as_bytes(), true),
        ("*?", "é".as_bytes(), true),
        ("*??", "é".as_bytes(), false),
        ("a*??b*", "a€bx".as_bytes(), false),
        ("a*?b*", "a€bx".as_bytes(), true),
        ("?", &b"\xff"[..], true),
        ("?", b"\xe2\x82", false),
        ("??", b"\xe2\x82", true),
        ("*?é", b"\xe2\x82\xc3\xa9", true),
    ] {
        assert_eq!(Glob::new(pattern).matches(key), matches, "{pattern} {key:?}");
    }
}

/// Every key, page by page.
async fn all_keys(cache: &Cache, count: usize) -> Vec<Bytes> {
    let (mut cursor, mut keys) = (0, Vec::new());
    loop {
        let page = cache.keys(b"", KeysAfter { cursor, count, glob: Glob::new("*") }).await;
        assert!(page.keys.is_sorted() && page.keys.len() <= count);
        assert!(page.cursor == 0 || page.keys.len() == count);
        keys.extend(page.keys);
        cursor = page.cursor;
        if cursor == 0 {
            return keys;
        }
    }
}

/// More of them than one look takes in.
#[tokio::test]
async fn a_page_goes_on_past_many_entries_that_do_not_count() {
    let (cache, _) = cache(10_000);
    (0..4000).for_each(|n| set(&cache, &format!("k{n}"), "v", Ttl::Never));
    let gone: Vec<_> = (2100..4000).map(|n| format!("k{n}")).collect();
    assert_eq!(cache.delete(b"", &gone), 1900);
    assert_eq!(all_keys(&cache, 1000).await.len(), 2100);
    let page = cache.keys(b"", KeysAfter { cursor: 0, count: 1, glob: Glob::new("k0") }).await;
    assert_eq!((page.keys, page.cursor), (vec![Bytes::from("k0")], 0));
}

proptest! {
    #![proptest_config(cases(500, 1))]

    #[test]
    fn a_glob_is_the_regular_expression_it_stands_for(pattern in "[abé€*?.]{0,12}", key in "[abé€.]{0,16}") {
        let text: String = pattern.chars().map(|c| match c { '*' => ".*".into(), '?' => ".".into(), c => regex::escape(&c.to_string()) }).collect();
        let regex = regex::Regex::new(&format!("^{text}$")).unwrap();
        prop_assert_eq!(Glob::new(&pattern).matches(key.as_bytes()), regex.is_match(&key));
    }

    #[test]
    fn a_page_is_sorted_and_the_last_one_says_so(keys in vec("[a-c]{1,3}", 0..60), count in 1usize..10) {
        let (cache, _) = cache(1000);
        keys.iter().for_each(|key| set(&cache, key, "v", Ttl::Never));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut seen = runtime.block_on(all_keys(&cache, count));
        let mut wanted: Vec<_> = keys.into_iter().map(Bytes::from).collect();
        wanted.sort();
        wanted.dedup();
        seen.sort();
        prop_assert_eq!(seen, wanted);
    }
}
