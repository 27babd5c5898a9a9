//! The model against plain maps: random steps, with restarts and crashes in between; after every step answers and all
//! that can be seen must be equal.
//!
//! `MANIFOLD_MODEL_CASES` says how many cases are tried, 40 unless it is set; a case is a whole engine.

use manifold_store::disk::Reboot;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use plain::Model;

use super::*;
use crate::{Result, tests::cases};

mod plain;

const HOSTS: [HostId; 2] = [HostId(1), HostId(11)];
const URLS: [&str; 5] = ["https://a.b/", "https://a.b/a", "https://a.b/a&", "https://a.b/a<", "https://a.b/é"];
const PATHS: [&str; 3] = ["", "1/x", "1/y"];

#[derive(Debug, Clone)]
enum Step {
    Enqueue(Enqueue),
    Pull(Vec<Pull>),
    Finish(Vec<usize>),
    Retry(usize, u32, u64),
    GiveBack(Vec<usize>, Option<u64>),
    Bury(usize, u64),
    Purge(HostId, Vec<Priority>),
    RetryFailed(HostId, u64),
    Queued(HostId, Vec<Priority>, usize, usize),
    Store(PageKey, usize, u64),
    Forget(Vec<PageKey>, u64),
    ForgetSelected(HostId, Selection, u64),
    BotHit(BotHit),
    FilesRemoved,
    Advance(u64),
    /// Stop and start, or crash and recover; then perhaps leases are put back.
    Again(Option<Reboot>, bool),
}

fn host() -> impl Strategy<Value = HostId> {
    proptest::sample::select(HOSTS.to_vec())
}

fn priority() -> impl Strategy<Value = Priority> {
    proptest::sample::select(Priority::ALL.to_vec())
}

fn an_entry() -> impl Strategy<Value = Entry> {
    (proptest::sample::select(URLS.to_vec()), 0u64..3)
        .prop_map(|(url, dimension)| Entry { url: url.into(), dimension: DimensionId(dimension) })
}

fn a_key() -> impl Strategy<Value = PageKey> {
    (host(), 0u64..2, 0u64..3).prop_map(|(host, dimension, hash)| PageKey {
        host,
        dimension: DimensionId(dimension),
        hash,
    })
}

/// Seconds around the beginning.
fn second() -> impl Strategy<Value = u64> {
    NOW..NOW + 20
}

fn most() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0u64), 1 => 1u64..8]
}

fn step() -> impl Strategy<Value = Step> {
    let some = || proptest::collection::vec(0usize..8, 0..4);
    let queues = || proptest::sample::subsequence(Priority::ALL.to_vec(), 0..=3);
    let enqueue = (host(), priority(), proptest::collection::vec(an_entry(), 0..6), second(), most());
    let pull = (host(), priority(), 0usize..4).prop_map(|(host, priority, most)| Pull { host, priority, most });
    let selection = (
        proptest::option::of(proptest::collection::vec((0u64..3).prop_map(DimensionId), 0..3)),
        proptest::option::of(proptest::sample::select(URLS.map(str::to_owned).to_vec())),
    );
    let hit = (a_key(), an_entry(), second(), most());
    let reboot = prop_oneof![Just(Reboot::Lost), Just(Reboot::Kept), (0u64..100).prop_map(Reboot::Mixed)];
    prop_oneof![
        8 => enqueue.prop_map(|(host, priority, entries, due, most)| {
            Step::Enqueue(Enqueue { host, priority, entries, due, most })
        }),
        6 => proptest::collection::vec(pull, 1..4).prop_map(Step::Pull),
        2 => some().prop_map(Step::Finish),
        2 => (0usize..8, 1u32..4, second()).prop_map(|(pick, attempts, at)| Step::Retry(pick, attempts, at)),
        2 => (some(), proptest::option::of(second())).prop_map(|(picks, due)| Step::GiveBack(picks, due)),
        3 => (0usize..8, 0u64..4).prop_map(|(pick, most)| Step::Bury(pick, most)),
        1 => (host(), queues()).prop_map(|(host, queues)| Step::Purge(host, queues)),
        1 => (host(), most()).prop_map(|(host, most)| Step::RetryFailed(host, most)),
        2 => (host(), queues(), 0usize..5, 0usize..5).prop_map(|(h, queues, skip, limit)| Step::Queued(h, queues, skip, limit)),
        5 => (a_key(), 0..PATHS.len(), 0u64..20).prop_map(|(key, path, ttl)| Step::Store(key, path, ttl)),
        2 => (proptest::collection::vec(a_key(), 0..4), second()).prop_map(|(keys, at)| Step::Forget(keys, at)),
        1 => (host(), selection, second()).prop_map(|(host, (dimensions, prefix), at)| {
            Step::ForgetSelected(host, Selection { dimensions, prefix }, at)
        }),
        3 => hit.prop_map(|(key, entry, due, most)| Step::BotHit(BotHit { key, entry, at: due, due, most })),
        1 => Just(Step::FilesRemoved),
        3 => (1u64..5000).prop_map(Step::Advance),
        1 => (proptest::option::of(reboot), any::<bool>()).prop_map(|(how, recover)| Step::Again(how, recover)),
    ]
}

/// A record of the model.
fn record(key: PageKey, path: usize) -> Record {
    let url = URLS[key.hash as usize].to_owned();
    Record { url, file_path: PATHS[path].to_owned(), ..Record::default() }
}

/// An answer, with the kind of a refusal.
fn told<T>(answer: Result<T>) -> Result<T, Kind> {
    answer.map_err(|error| error.kind().clone())
}

async fn apply(house: &mut House, model: &mut Model, step: Step) {
    let now = house.now().0 / 1000;
    match step {
        Step::Enqueue(enqueue) => {
            assert_eq!(told(house.recache_enqueue(enqueue.clone()).await), model.enqueue(&enqueue));
        }
        Step::Pull(pulls) => {
            let pulled = house.recache_pull(&pulls, now).await.expect("pull");
            model.pull(&pulls, now, &pulled);
        }
        Step::Finish(picks) => {
            house.recache_finish(&model.leases(&picks)).await.expect("finish");
            model.leases(&picks).iter().for_each(|lease| model.end_lease(lease));
        }
        Step::Retry(pick, attempts, at) => {
            for lease in model.leases(&[pick]) {
                house.recache_wait_for_retry(&lease, attempts, at).await.expect("noted");
                model.wait_for_retry(&lease, attempts, at);
            }
        }
        Step::GiveBack(picks, due) => {
            let due = |lease: Lease| Lease { due: due.unwrap_or(lease.due), ..lease };
            let leases: Vec<Lease> = model.leases(&picks).into_iter().map(due).collect();
            house.recache_give_back(&leases).await.expect("given back");
            leases.iter().for_each(|lease| model.give_back(lease));
        }
        Step::Bury(pick, most) => {
            for lease in model.leases(&[pick]) {
                house.recache_bury(&lease, letter_of(&lease, "why"), most).await.expect("buried");
                model.bury(&lease, letter_of(&lease, "why"), most);
            }
        }
        Step::Purge(host, queues) => {
            assert_eq!(house.recache_purge(host, &queues).await.expect("purge"), model.purge(host, &queues));
        }
        Step::RetryFailed(host, most) => {
            let answer = told(house.recache_retry_failed(host, now, most).await);
            assert_eq!(answer, model.retry_failed(host, now, most));
        }
        Step::Queued(host, queues, skip, limit) => {
            let page = house.recache_queued(host, &queues, skip, limit).await.expect("queued");
            let all = model.queued(host, &queues);
            let rest = &all[skip.min(all.len())..];
            assert_eq!(page, (rest[..limit.min(rest.len())].to_vec(), rest.len() > limit));
        }
        Step::Store(key, path, ttl) => {
            house.recache_store_record(key, &record(key, path), now + ttl).await.expect("stored");
            model.store(key, record(key, path), now, now + ttl);
        }
        Step::Forget(keys, at) => {
            assert_eq!(house.recache_forget(&keys, at).await.expect("forgotten"), model.forget(&keys, now, at));
        }
        Step::ForgetSelected(host, selection, at) => {
            let forgotten = house.recache_forget_selected(host, &selection, at).await.expect("forgotten");
            assert_eq!(forgotten, model.forget_selected(host, &selection, now, at));
        }
        Step::BotHit(hit) => {
            assert_eq!(told(house.recache_bot_hit(&hit).await), model.bot_hit(&hit, now));
        }
        Step::FilesRemoved => {
            house.recache_files_removed(&PATHS.map(str::to_owned)).await.expect("removed");
            model.files.retain(|_, at| *at > now);
        }
        Step::Advance(ms) => house.advance(ms),
        Step::Again(how, recover) => {
            match how {
                Some(how) => house.crash(how).await,
                None => house.restart().await,
            }
            if recover {
                assert_eq!(house.recache_recover().await.expect("recovers"), model.recover());
            }
        }
    }
}

async fn check(house: &House, model: &Model) {
    let now = house.now().0 / 1000;
    let depths = house.recache_depths(&HOSTS, now).await.expect("depths");
    assert_eq!(depths, HOSTS.map(|host| Priority::ALL.map(|priority| model.depth(host, priority, now))));
    for host in HOSTS {
        let queued = house.recache_queued(host, &Priority::ALL, 0, usize::MAX).await.expect("queued").0;
        assert_eq!(queued, model.queued(host, &Priority::ALL));
        assert_eq!(house.recache_failed(host, 0, usize::MAX).await.expect("failed").0, model.letters(host));
        let mut records = Vec::new();
        let mut after = None;
        loop {
            let (page, next) = house.recache_records(host, after, 2).await.expect("records");
            records.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(records, model.records_of(host, now));
    }
    assert_eq!(house.recache_removable_files(u64::MAX, 100).await.expect("files"), model.removable(u64::MAX));
    assert_eq!(house.recache_removable_files(now, 100).await.expect("files"), model.removable(now));
    let store = &house.opened().expect("open").store;
    let rows = [crate::keys::RECACHE_LEASE, crate::keys::RECACHE_FILE].map(|table| store.rows(table));
    assert_eq!(rows, [model.leased.len() as u64, model.files.len() as u64]);
}

proptest! {
    #![proptest_config(cases(40, 20))]
    #[test]
    fn pages_to_fetch_anew_are_kept_as_plain_maps_would(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut house = House::new().await;
            let mut model = Model::default();
            for step in steps {
                apply(&mut house, &mut model, step).await;
                check(&house, &model).await;
            }
        });
    }
}
