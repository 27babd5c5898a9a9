//! Locks beside a plain map, with restarts in between.

use std::collections::BTreeMap;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Acquire(u8, u8, u64),
    Release(u8, u8),
    Extend(u8, u8, u64),
    Break(u8),
    Advance(u64),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (key, owner, ttl) = (|| 0u8..4, || 0u8..3, || (1u64..5).prop_map(|ttl| ttl * 10));
    let step = prop_oneof![
        6 => (key(), owner(), ttl()).prop_map(|(key, owner, ttl)| Step::Acquire(key, owner, ttl)),
        3 => (key(), owner()).prop_map(|(key, owner)| Step::Release(key, owner)),
        3 => (key(), owner(), ttl()).prop_map(|(key, owner, ttl)| Step::Extend(key, owner, ttl)),
        1 => key().prop_map(Step::Break),
        3 => (1u64..25).prop_map(Step::Advance),
        1 => Just(Step::Restart),
    ];
    vec(step, 1..60)
}

async fn check(steps: Vec<Step>) {
    let mut house = House::new().await;
    let mut model: BTreeMap<String, Lock> = BTreeMap::new();
    let mut highest = 0;
    let (name, owner) = (|n: u8| format!("k{n}"), |n: u8| format!("owner{n}"));
    for step in steps {
        let now = house.clock.now();
        match step {
            Step::Acquire(k, o, ttl_ms) => {
                let lock = house.acquire(&name(k), &owner(o), ttl_ms).await;
                assert_eq!(lock.is_none(), model.contains_key(&name(k)));
                if let Some(lock) = lock {
                    let Lock { token, .. } = lock;
                    assert!(token > highest);
                    highest = token;
                    let expires_at = Timestamp(now.0 + ttl_ms);
                    let wanted = Lock { key: name(k), owner: owner(o), acquired_at: now, expires_at, ttl_ms, token };
                    assert_eq!(lock, wanted);
                    model.insert(name(k), lock);
                }
            }
            Step::Release(k, o) => {
                let mine = model.get(&name(k)).is_some_and(|lock| lock.owner == owner(o));
                assert_eq!(house.locks.release(&name(k), &owner(o)).await.unwrap(), mine);
                if mine {
                    model.remove(&name(k));
                }
            }
            Step::Extend(k, o, ttl_ms) => {
                let extended = house.locks.extend(&name(k), &owner(o), ttl_ms).await.unwrap();
                let mine = model.get_mut(&name(k)).filter(|lock| lock.owner == owner(o));
                let wanted = mine.map(|lock| {
                    (lock.expires_at, lock.ttl_ms) = (Timestamp(now.0 + ttl_ms), ttl_ms);
                    lock.clone()
                });
                assert_eq!(extended, wanted);
            }
            Step::Break(k) => {
                let held = model.remove(&name(k)).is_some();
                assert_eq!(house.locks.break_lock(&name(k)).await.unwrap(), held);
            }
            Step::Advance(ms) => {
                house.clock.advance(ms);
                let now = house.clock.now();
                model.retain(|_, lock| now < lock.expires_at);
            }
            Step::Restart => house = house.restarted().await,
        }
        let held: Vec<Lock> = model.values().cloned().collect();
        assert_eq!(house.locks.list().await.unwrap(), held);
        assert_eq!(house.locks.count().await.unwrap(), held.len() as u64);
    }
}

proptest! {
    #![proptest_config(cases(24, 20))]

    #[test]
    fn locks_are_a_map_model(steps in steps()) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(check(steps));
    }
}
