//! The cache beside a plain map, with restarts in between.

use std::collections::BTreeMap;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Get(u8),
    Put(u8, u8, u64),
    PutBoth(u8, u8, u8),
    Invalidate(u8, Option<u8>),
    Clear,
    Advance(u64),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0u8..6).prop_map(Step::Get),
        8 => (0u8..6, 0u8..16, 0u64..4).prop_map(|(key, tags, ttl)| Step::Put(key, tags, ttl * 10)),
        3 => (0u8..6, 0u8..16, 0u8..16).prop_map(|(key, first, second)| Step::PutBoth(key, first, second)),
        4 => (0u8..16, proptest::option::of(0u8..6)).prop_map(|(tags, key)| Step::Invalidate(tags, key)),
        1 => Just(Step::Clear),
        3 => (1u64..15).prop_map(Step::Advance),
        1 => Just(Step::Restart),
    ];
    vec(step, 1..60)
}

#[derive(Debug, Default)]
struct Model {
    entries: BTreeMap<String, (Cached, Option<u64>)>,
    hits: u64,
    misses: u64,
    invalidations: u64,
}

fn key(n: u8) -> String {
    format!("k{n}")
}

/// One tag for each bit.
fn tags(bits: u8) -> Vec<String> {
    (0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit| format!("t{bit}")).collect()
}

async fn check(steps: Vec<Step>) {
    let mut house = House::new(2);
    let mut model = Model::default();
    for (number, step) in steps.into_iter().enumerate() {
        let now = house.clock.now();
        let cached = |data: String, tag_bits| Cached { data: data.into(), tags: tags(tag_bits), stored_at: now };
        match step {
            Step::Get(k) => {
                let wanted = model.entries.get(&key(k)).map(|(cached, _)| cached.clone());
                *if wanted.is_some() { &mut model.hits } else { &mut model.misses } += 1;
                assert_eq!(house.cache.get(&key(k)).await.unwrap(), wanted);
            }
            Step::Put(k, bits, ttl) => {
                let cached = cached(number.to_string(), bits);
                house.cache.put(&key(k), cached.data.clone(), tags(bits), Some(ttl)).await.unwrap();
                model.entries.insert(key(k), (cached, (ttl > 0).then_some(now.0 + ttl)));
            }
            Step::PutBoth(k, first, second) => {
                let later = cached(format!("[{number}]"), second);
                let first = house.cache.put(&key(k), number.to_string().into(), tags(first), None);
                let second = house.cache.put(&key(k), later.data.clone(), tags(second), None);
                let (second, first) = (second.await, first.await);
                first.and(second).unwrap();
                model.entries.insert(key(k), (later, None));
            }
            Step::Invalidate(bits, k) => {
                let (doomed, k) = (tags(bits), k.map(key));
                let before = model.entries.len();
                model.entries.retain(|key, (cached, _)| {
                    Some(key) != k.as_ref() && !cached.tags.iter().any(|tag| doomed.contains(tag))
                });
                let removed = (before - model.entries.len()) as u64;
                model.invalidations += removed;
                assert_eq!(house.cache.invalidate(&doomed, k.as_deref()).await.unwrap(), removed);
            }
            Step::Clear => {
                model.entries.clear();
                house.cache.clear().await.unwrap();
            }
            Step::Advance(ms) => {
                house.clock.advance(ms);
                let now = house.clock.now().0;
                model.entries.retain(|_, (_, expires_at)| expires_at.is_none_or(|at| now < at));
            }
            Step::Restart => {
                house = house.restarted(2).await;
                (model.hits, model.misses, model.invalidations) = (0, 0, 0);
            }
        }
        let Model { entries, hits, misses, invalidations } = &model;
        let (entries, hits, misses, invalidations) = (entries.len() as u64, *hits, *misses, *invalidations);
        let wanted = QueryCacheStats { entries, hits, misses, invalidations };
        assert_eq!(house.cache.stats().await.unwrap(), wanted);
    }
}

proptest! {
    #![proptest_config(cases(24, 20))]

    #[test]
    fn the_cache_is_a_map_model(steps in steps()) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(check(steps));
    }
}
