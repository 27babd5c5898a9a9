//! The cache beside one that is a list in the order of use.

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Get(u8, u8),
    Set(u8, u8, usize, u8),
    Delete(u8, u8),
    Count(u8, u8),
    Exchange(u8, u8, u64),
    Touch(u8, u8, u8),
    ClearSpace(u8),
    Clear,
    Advance(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = || (0u8..3, 0u8..6);
    let step = prop_oneof![
        4 => at().prop_map(|(s, k)| Step::Get(s, k)),
        6 => (at(), 0usize..30, 0u8..4).prop_map(|((s, k), size, ttl)| Step::Set(s, k, size, ttl)),
        2 => at().prop_map(|(s, k)| Step::Delete(s, k)),
        2 => at().prop_map(|(s, k)| Step::Count(s, k)),
        2 => (at(), 0u64..4).prop_map(|((s, k), version)| Step::Exchange(s, k, version)),
        1 => (at(), 0u8..4).prop_map(|((s, k), ttl)| Step::Touch(s, k, ttl)),
        1 => (0u8..3).prop_map(Step::ClearSpace),
        1 => Just(Step::Clear),
        3 => (1u8..30).prop_map(Step::Advance),
    ];
    vec(step, 1..80)
}

/// An entry of the model; its deadline counts in the clock's milliseconds.
#[derive(Debug, Clone)]
struct Known {
    space: Bytes,
    key: Bytes,
    value: Bytes,
    version: u64,
    deadline: Option<u64>,
}

/// The least recently used first.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    known: Vec<Known>,
    evictions: u64,
    deletes: u64,
}

const ENTRIES: usize = 5;
const BYTES: u64 = 60;
const DEFAULT_TTL: u64 = 25;

impl Model {
    fn expire(&mut self) {
        let before = self.known.len();
        self.known.retain(|known| known.deadline.is_none_or(|at| at > self.now));
        self.deletes += (before - self.known.len()) as u64;
    }

    fn take(&mut self, space: &Bytes, key: &Bytes) -> Option<Known> {
        let at = self.known.iter().position(|known| known.space == *space && known.key == *key)?;
        Some(self.known.remove(at))
    }

    fn bytes(&self) -> u64 {
        let weight = |known: &Known| {
            let named = if known.space.is_empty() { 0 } else { known.space.len() + 1 };
            (named + known.key.len() + known.value.len()) as u64
        };
        self.known.iter().map(weight).sum()
    }

    fn put(&mut self, known: Known, is_new: bool) {
        if is_new && self.known.len() == ENTRIES {
            self.known.remove(0);
            self.evictions += 1;
        }
        self.known.push(known);
        while self.bytes() > BYTES && self.known.len() > 1 {
            self.known.remove(0);
            self.evictions += 1;
        }
    }
}

fn space(n: u8) -> Bytes {
    [Bytes::new(), "s".into(), "space2".into()][n as usize].clone()
}

fn key(n: u8) -> Bytes {
    Bytes::from(format!("k{n}"))
}

fn check(steps: Vec<Step>) {
    let clock = Clock::manual(Timestamp(0));
    let limits = CacheLimits { entries: ENTRIES, bytes: BYTES, ttl_ms: DEFAULT_TTL };
    let cache = Cache::new(limits, clock.clone());
    let mut model = Model::default();
    for step in steps {
        model.expire();
        match step {
            Step::Get(s, k) => {
                let found = model.take(&space(s), &key(k));
                assert_eq!(cache.get(&space(s), &key(k)), found.as_ref().map(|known| known.value.clone()));
                model.known.extend(found);
            }
            Step::Set(s, k, size, ttl) => {
                let value = if size < 5 { Bytes::from(size.to_string()) } else { Bytes::from("v".repeat(size)) };
                let (ttl, lives) = match ttl {
                    0 => (Ttl::Never, None),
                    1 => (Ttl::Default, Some(DEFAULT_TTL)),
                    n => (Ttl::Millis(u64::from(n) * 10), Some(u64::from(n) * 10)),
                };
                cache.set(&space(s), vec![CacheSet { key: key(k), value: value.clone(), ttl }]);
                let before = model.take(&space(s), &key(k));
                let version = before.as_ref().map_or(1, |known| known.version + 1);
                let deadline = lives.map(|lives| model.now + lives);
                model.put(Known { space: space(s), key: key(k), value, version, deadline }, before.is_none());
            }
            Step::Delete(s, k) => {
                let gone = model.take(&space(s), &key(k)).is_some();
                model.deletes += u64::from(gone);
                assert_eq!(cache.delete(&space(s), &[key(k)]), u64::from(gone));
            }
            Step::Count(s, k) => {
                let counted = cache.increment(&space(s), &key(k), 7);
                let at = model.known.iter().position(|known| known.space == space(s) && known.key == key(k));
                let Some(at) = at else {
                    assert_eq!(counted, Counted::Absent);
                    continue;
                };
                let Ok(before) = std::str::from_utf8(&model.known[at].value).unwrap().parse::<i64>() else {
                    assert_eq!(counted, Counted::NotANumber);
                    continue;
                };
                assert_eq!(counted, Counted::To(before + 7));
                let mut known = model.known.remove(at);
                known.value = Bytes::from((before + 7).to_string());
                known.version += 1;
                model.put(known, false);
            }
            Step::Exchange(s, k, version) => {
                let exchanged = cache.exchange(&space(s), &key(k), "new".into(), version);
                let at = model.known.iter().position(|known| known.space == space(s) && known.key == key(k));
                match at.map(|at| (at, model.known[at].version)) {
                    None => assert_eq!(exchanged, Exchanged::Absent),
                    Some((_, other)) if other != version => assert_eq!(exchanged, Exchanged::Other(other)),
                    Some((at, _)) => {
                        assert_eq!(exchanged, Exchanged::To(version + 1));
                        let mut known = model.known.remove(at);
                        known.value = "new".into();
                        known.version += 1;
                        model.put(known, false);
                    }
                }
            }
            Step::Touch(s, k, ttl) => {
                let ttl = u64::from(ttl) * 10;
                let now = model.now;
                let known = model.known.iter_mut().find(|known| known.space == space(s) && known.key == key(k));
                assert_eq!(cache.touch(&space(s), &key(k), ttl), known.is_some());
                if let Some(known) = known {
                    known.deadline = (ttl > 0).then_some(now + ttl);
                }
            }
            Step::ClearSpace(s) => {
                let before = model.known.len();
                model.known.retain(|known| known.space != space(s));
                let gone = (before - model.known.len()) as u64;
                model.deletes += gone;
                assert_eq!(cache.clear_space(&space(s)), gone);
            }
            Step::Clear => {
                cache.clear();
                model.known.clear();
            }
            Step::Advance(ms) => {
                clock.advance(ms.into());
                model.now += u64::from(ms);
                model.expire();
            }
        }
        let there: Vec<_> = cache.saved();
        let shown = |known: &Known| CacheEntry {
            space: known.space.clone(),
            key: known.key.clone(),
            value: known.value.clone(),
            version: known.version,
            left_ms: known.deadline.map(|at| at - model.now),
        };
        assert_eq!(there, model.known.iter().map(shown).collect::<Vec<_>>());
        let CacheStats { evictions, deletes, bytes, entries, .. } = cache.stats();
        let expected = (model.evictions, model.deletes, model.bytes(), model.known.len() as u64);
        assert_eq!((evictions, deletes, bytes, entries), expected);
    }
}

proptest! {
    #![proptest_config(cases(400, 1))]

    #[test]
    fn the_cache_is_a_list_in_the_order_of_use(steps in steps()) {
        check(steps);
    }
}
