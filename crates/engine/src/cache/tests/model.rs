//! The cache beside one that is a list in the order of use.

use super::*;
use crate::cache::table::Table;

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
    /// Begins to gather everything, unless somebody does.
    Cut,
    /// Looks at so many entries of that.
    Gather(usize),
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
        1 => Just(Step::Cut),
        3 => (1usize..3).prop_map(Step::Gather),
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
    counts: CacheStats,
}

const ENTRIES: usize = 5;
const BYTES: u64 = 60;
const DEFAULT_TTL: u64 = 25;

impl Model {
    fn expire(&mut self) {
        let before = self.known.len();
        self.known.retain(|known| known.deadline.is_none_or(|at| at > self.now));
        self.counts.deletes += (before - self.known.len()) as u64;
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

    fn shown(&self) -> Vec<CacheEntry> {
        let shown = |known: &Known| CacheEntry {
            space: known.space.clone(),
            key: known.key.clone(),
            value: known.value.clone(),
            version: known.version,
            left_ms: known.deadline.map(|at| at - self.now),
        };
        self.known.iter().map(shown).collect()
    }

    fn stats(&self) -> CacheStats {
        let (entries, max_entries) = (self.known.len() as u64, ENTRIES as u64);
        CacheStats { entries, max_entries, bytes: self.bytes(), ..self.counts }
    }

    fn put(&mut self, known: Known, is_new: bool) {
        if is_new && self.known.len() == ENTRIES {
            self.known.remove(0);
            self.counts.evictions += 1;
        }
        self.known.push(known);
        while self.bytes() > BYTES && self.known.len() > 1 {
            self.known.remove(0);
            self.counts.evictions += 1;
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
    let mut cut: Option<Vec<CacheEntry>> = None;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for step in steps {
        model.expire();
        match step {
            Step::Get(s, k) => {
                let found = model.take(&space(s), &key(k));
                *(if found.is_some() { &mut model.counts.hits } else { &mut model.counts.misses }) += 1;
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
                cache.set([CacheSet { space: &space(s), key: &key(k), value: value.clone(), ttl }]);
                model.counts.puts += 1;
                let before = model.take(&space(s), &key(k));
                let version = before.as_ref().map_or(1, |known| known.version + 1);
                let deadline = lives.map(|lives| model.now + lives);
                model.put(Known { space: space(s), key: key(k), value, version, deadline }, before.is_none());
            }
            Step::Delete(s, k) => {
                let gone = model.take(&space(s), &key(k)).is_some();
                model.counts.deletes += u64::from(gone);
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
                    Some((_, other)) if other != version => {
                        model.counts.cas_misses += 1;
                        assert_eq!(exchanged, Exchanged::Other(other));
                    }
                    Some((at, _)) => {
                        assert_eq!(exchanged, Exchanged::To(version + 1));
                        model.counts.cas_hits += 1;
                        model.counts.puts += 1;
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
                model.counts.deletes += gone;
                assert_eq!(cache.clear_space(&space(s)), gone);
            }
            Step::Clear => {
                runtime.block_on(cache.clear());
                model.known.clear();
            }
            Step::Advance(ms) => {
                clock.advance(ms.into());
                model.now += u64::from(ms);
                model.expire();
            }
            Step::Cut if cut.is_none() => {
                cache.step_for_tests(Table::begin_cut);
                cut = Some(model.shown());
            }
            Step::Gather(most) => {
                if let Some(done) = cache.step_for_tests(|table| table.gather(most)) {
                    assert_eq!(Some(done.finish()), cut.take());
                }
            }
            Step::Cut => {}
        }
        // To gather all again would end the cut that is under way.
        if cut.is_none() {
            assert_eq!(cache.saved(), model.shown());
        }
        assert_eq!(cache.stats(), model.stats());
    }
}

proptest! {
    #![proptest_config(cases(400, 1))]

    #[test]
    fn the_cache_is_a_list_in_the_order_of_use(steps in steps()) {
        check(steps);
    }
}
