//! Pages that are read while entries come and go.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[derive(Debug, Clone)]
enum Meanwhile {
    Set(u8),
    Delete(u8),
    Page,
}

fn meanwhile() -> impl Strategy<Value = Vec<Meanwhile>> {
    let step = prop_oneof![
        3 => (0u8..40).prop_map(Meanwhile::Set),
        2 => (0u8..40).prop_map(Meanwhile::Delete),
        2 => Just(Meanwhile::Page),
    ];
    vec(step, 0..120)
}

/// One walk: what it saw, and which keys were there all the time.
struct Scan {
    seen: BTreeMap<Bytes, u32>,
    throughout: BTreeSet<Bytes>,
    cursor: u64,
}

proptest! {
    #![proptest_config(cases(300, 1))]

    #[test]
    fn the_model_of_a_walk_sees_what_stays_exactly_once(first: BTreeSet<u8>, steps in meanwhile(), count in 1usize..8) {
        let (cache, _) = cache(1000);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let key = |n: u8| format!("k{n}");
        first.iter().for_each(|n| set(&cache, &key(*n), "v", Ttl::Never));
        let mut there: BTreeSet<Bytes> = first.iter().map(|n| key(*n).into()).collect();
        let mut scan = Scan { seen: BTreeMap::new(), throughout: there.clone(), cursor: 0 };
        let mut walks = 0;
        // The walk goes on to its end when nothing else happens any more.
        for step in steps.into_iter().chain(std::iter::repeat_n(Meanwhile::Page, 100)) {
            match step {
                Meanwhile::Set(n) => {
                    set(&cache, &key(n), "v", Ttl::Never);
                    there.insert(key(n).into());
                }
                Meanwhile::Delete(n) => {
                    cache.delete(b"", &[key(n)]);
                    there.remove(key(n).as_bytes());
                    scan.throughout.remove(key(n).as_bytes());
                }
                Meanwhile::Page => {
                    let glob = Glob::new("*");
                    let page = runtime.block_on(cache.keys(b"", KeysAfter { cursor: scan.cursor, count, glob }));
                    for key in page.keys {
                        prop_assert!(there.contains(&key), "{key:?} is not there");
                        *scan.seen.entry(key).or_default() += 1;
                    }
                    scan.cursor = page.cursor;
                    if scan.cursor == 0 {
                        walks += 1;
                        for key in &scan.throughout {
                            prop_assert_eq!(scan.seen.get(key), Some(&1), "{:?}", key);
                        }
                        scan = Scan { seen: BTreeMap::new(), throughout: there.clone(), cursor: 0 };
                    }
                }
            }
        }
        prop_assert!(walks > 0, "no walk came to its end");
    }
}
