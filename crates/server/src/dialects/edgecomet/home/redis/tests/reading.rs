//! Lists, letters and records.

use super::*;

fn letter(path: &str, failed_at: u64) -> DeadLetter {
    let reason = format!("no \"{path}\"");
    DeadLetter { entry: entry(path), priority: Priority::Normal, attempts: 3, reason, failed_at }
}

fn page(host: u64, dimension: u64, hash: u64) -> PageKey {
    PageKey { host: HostId(host), dimension: DimensionId(dimension), hash }
}

fn record(url: &str) -> Record {
    let url = url.to_owned();
    Record { url, status_code: Some(200), created_at: Some(5), ..Record::default() }
}

#[tokio::test]
async fn queues_are_listed_one_after_the_other() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    home.enqueue(enqueue(Priority::High, &["b", "a"], NOW)).await.unwrap();
    home.enqueue(enqueue(Priority::Autorecache, &["c"], NOW - 5)).await.unwrap();
    let queued = |path, priority, due| Queued { entry: entry(path), priority, due };
    let all = [
        queued("a", Priority::High, NOW),
        queued("b", Priority::High, NOW),
        queued("c", Priority::Autorecache, NOW - 5),
    ];
    let list = async |offset, limit| home.queued(HOST, &Priority::ALL, offset, limit).await.unwrap();
    assert_eq!(list(0, 10).await, (all.to_vec(), false));
    assert_eq!(list(0, 2).await, (all[..2].to_vec(), true));
    assert_eq!(list(1, 1).await, (all[1..2].to_vec(), true));
    assert_eq!(list(2, 1).await, (all[2..].to_vec(), false));
    assert_eq!(list(usize::MAX, 100).await, (Vec::new(), false));
    let turned = [Priority::Autorecache, Priority::High];
    assert_eq!(home.queued(HOST, &turned, 0, 1).await.unwrap(), (all[2..].to_vec(), true));
    assert_eq!(home.queued(HOST, &[], 0, 1).await.unwrap(), (Vec::new(), false));
}

#[tokio::test]
async fn purging_leaves_other_queues_and_what_was_pulled() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    home.enqueue(enqueue(Priority::Normal, &["a"], NOW)).await.unwrap();
    let mut taken = pull_high(&home, 1, NOW).await.leases;
    taken[0].attempts = 2;
    home.give_back(&taken).await.unwrap();
    assert_eq!(home.purge(HOST, &[Priority::High]).await.unwrap(), 2);
    assert_eq!(home.purge(HOST, &[Priority::High]).await.unwrap(), 0);
    assert_eq!(direct.zcard::<_, u64>("recache:1:normal").unwrap(), 1);
    assert!(!direct.exists::<_, bool>("manifold:ec:attempts:1").unwrap());
}

#[tokio::test]
async fn dead_letters_are_listed_from_the_newest_and_trimmed() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    home.enqueue(enqueue(Priority::High, &["a", "b", "c"], NOW)).await.unwrap();
    let leases = pull_high(&home, 3, NOW).await.leases;
    for (number, lease) in leases.iter().enumerate() {
        home.bury(lease, letter(paths(&leases)[number], NOW + number as u64), 2).await.unwrap();
    }
    home.bury(&leases[2], letter("c", NOW + 2), 2).await.expect("once more, as after an answer that got lost");
    assert!(!direct.exists::<_, bool>("manifold:ec:lease:a").unwrap());
    let (b, c) = (letter("b", NOW + 1), letter("c", NOW + 2));
    assert_eq!(home.failed(HOST, 0, 5).await.unwrap(), (vec![c.clone(), b.clone()], false));
    assert_eq!(home.failed(HOST, 0, 1).await.unwrap(), (vec![c], true));
    assert_eq!(home.failed(HOST, 1, 1).await.unwrap(), (vec![b], false));
    assert_eq!(home.failed(HOST, usize::MAX >> 2, 1).await.unwrap(), (Vec::new(), false));
}

#[tokio::test]
async fn dead_letters_go_back_to_their_queues() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    let names: Vec<String> = (0..1_100).map(|number| format!("p{number}")).collect();
    home.enqueue(enqueue(Priority::High, &["x"], NOW)).await.unwrap();
    let lease = pull_high(&home, 1, NOW).await.leases.pop().unwrap();
    for name in &names {
        home.bury(&lease, letter(name, NOW), 10_000).await.unwrap();
    }
    let _: () = direct.lpush("manifold:ec:failed:1", "garbage").unwrap();
    assert_eq!(home.retry_failed(HOST, NOW + 1, 10).await, Err(HomeError::Full));
    assert_eq!(home.retry_failed(HOST, NOW + 1, 0).await.unwrap(), 1_100);
    assert_eq!(home.retry_failed(HOST, NOW + 1, 0).await.unwrap(), 0);
    assert_eq!(direct.zcount::<_, _, _, u64>("recache:1:normal", NOW + 1, NOW + 1).unwrap(), 1_100);
    assert!(!direct.exists::<_, bool>("manifold:ec:failed:1").unwrap());
}

/// Runs the script on letters and the paths of their entries, which belong into the normal queue.
fn run_retry(direct: &mut redis::Connection, letters: &[(&str, &str)]) -> redis::RedisResult<u64> {
    let queues = ["recache:1:high", "recache:1:normal", "recache:1:autorecache"];
    let keys = [&["manifold:ec:failed:1", "manifold:ec:attempts:1"][..], &queues].concat();
    let mut script = scripts::eval(scripts::RETRY, &keys);
    script.arg(NOW);
    for (letter, path) in letters {
        script.arg(*letter).arg(2).arg(member(path));
    }
    script.query(direct)
}

#[tokio::test]
async fn a_letter_that_somebody_else_put_back_is_not_queued_again() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    for letter in ["there", "new"] {
        let _: () = direct.lpush("manifold:ec:failed:1", letter).unwrap();
    }
    assert_eq!(run_retry(&mut direct, &[("gone", "a"), ("there", "b"), ("there", "b")]).unwrap(), 1);
    assert_eq!(queue_of(&mut direct, "recache:1:normal"), [(member("b"), NOW as f64)]);
    assert_eq!(direct.lrange::<_, Vec<String>>("manifold:ec:failed:1", 0, -1).unwrap(), ["new"]);
}

#[tokio::test]
async fn a_letter_whose_queue_is_none_stays() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    let _: () = direct.lpush("manifold:ec:failed:1", "there").unwrap();
    let _: () = direct.set("recache:1:normal", "no queue").unwrap();
    assert!(run_retry(&mut direct, &[("there", "b")]).is_err());
    assert_eq!(direct.llen::<_, u64>("manifold:ec:failed:1").unwrap(), 1);
}

#[tokio::test]
async fn a_record_lives_as_long_as_it_should() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    let key = page(1, 1, 0x699b_abd2_09aa_8b92);
    let _: () = direct.hset("meta:cache:1:1:699babd209aa8b92", "last_bot_hit", "7").unwrap();
    assert_eq!(home.record(key).await.unwrap().unwrap().last_bot_hit, Some(7));
    home.store_record(key, &record("https://example.com/page1"), NOW + 60).await.unwrap();
    assert_eq!(home.record(key).await.unwrap(), Some(record("https://example.com/page1")));
    assert_eq!(direct.ttl::<_, i64>("meta:cache:1:1:699babd209aa8b92").unwrap(), 60);
    assert_eq!(home.forget(&[key, page(1, 2, 1), key], 0).await.unwrap(), 1);
    home.store_record(key, &record("x"), NOW).await.expect("it is gone at once");
    assert_eq!(home.record(key).await.unwrap(), None);
}

#[tokio::test]
async fn only_what_is_selected_is_forgotten() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    for host in [1, 11] {
        for dimension in [1, 2, 99] {
            for number in 0..30 {
                let url = format!("https://example.com/{}/{number}", number % 2);
                home.store_record(page(host, dimension, number), &record(&url), NOW + 600).await.unwrap();
            }
        }
    }
    let _: () = direct.set("meta:cache:1:odd", "x").unwrap();
    let prefix = Some("https://example.com/1/".to_owned());
    let selected = Selection { dimensions: Some(vec![DimensionId(1)]), prefix: prefix.clone() };
    assert_eq!(home.forget_selected(HOST, &selected, 0).await.unwrap(), 15);
    assert_eq!(home.forget_selected(HOST, &Selection { dimensions: None, prefix }, 0).await.unwrap(), 30);
    let one = Selection { dimensions: Some(vec![DimensionId(2)]), prefix: None };
    assert_eq!(home.forget_selected(HOST, &one, 0).await.unwrap(), 15);
    assert_eq!(home.forget_selected(HOST, &Selection::default(), 0).await.unwrap(), 30);
    assert_eq!(direct.keys::<_, Vec<String>>("meta:cache:11:*").unwrap().len(), 90);
    assert!(direct.exists::<_, bool>("meta:cache:1:odd").unwrap());
}

/// All pages that a list of pages of this size gives.
async fn listed(home: &Redis, count: usize, mut between: impl FnMut()) -> Vec<PageKey> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (records, next) = home.records(HOST, cursor.as_deref(), count).await.unwrap();
        assert!(records.len() <= count, "{} of {count}", records.len());
        all.extend(records.into_iter().map(|(key, _)| key));
        between();
        match next {
            Some(next) => cursor = Some(next),
            None => return all,
        }
    }
}

#[tokio::test]
async fn paging_gives_every_record_once() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    assert_eq!(listed(&home, 3, || {}).await, []);
    let mut expected = BTreeSet::new();
    for number in 0..500_u64 {
        expected.insert(page(1, number % 3, number));
        for host in [1, 11] {
            let url = format!("https://example.com/{number}");
            home.store_record(page(host, number % 3, number), &record(&url), NOW + 600).await.unwrap();
        }
        let _: () = direct.set(format!("meta:cache:1:x:{number}"), "no record").unwrap();
    }
    let _: () = direct.set("meta:cache:1:7:00000000000000aa", "of another type").unwrap();
    for count in [1, 3, 25, 100, 1_000] {
        let all = listed(&home, count, || {}).await;
        assert_eq!(all.len(), 500, "by {count}");
        assert_eq!(BTreeSet::from_iter(all), expected, "by {count}");
    }
}

#[tokio::test]
async fn paging_loses_nothing_while_keys_come_and_go() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    let mut direct = shared.direct();
    for number in 0..300 {
        home.store_record(page(1, 1, number), &record("x"), NOW + 600).await.unwrap();
    }
    let mut step = 0;
    let all = listed(&home, 3, || {
        // The table of keys grows to many times its size, and shrinks again.
        step += 1;
        for number in 0..400 {
            let key = format!("other:{}:{number}", step % 20);
            let _: () = if step % 40 < 20 { direct.set(key, "x").unwrap() } else { direct.del(key).unwrap() };
        }
    })
    .await;
    assert_eq!(BTreeSet::from_iter(all).len(), 300);
}

#[tokio::test]
async fn odd_cursors_are_refused_and_old_ones_are_not() {
    let Some(shared) = Shared::start() else { return };
    let home = shared.home("a").await;
    for odd in ["x", "-1", "1.", "end", "9999999999999999999999"] {
        assert_eq!(home.records(HOST, Some(odd), 3).await, Err(HomeError::BadCursor), "{odd}");
    }
    let old = format!("{}.1-00000000000000ff", u64::MAX);
    assert_eq!(home.records(HOST, Some(&old), 3).await.unwrap().0, []);
}
