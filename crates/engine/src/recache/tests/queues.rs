//! Queues, leases and dead letters.

use manifold_store::disk::Reboot;

use super::*;

#[tokio::test]
async fn an_entry_queued_again_moves_and_is_not_doubled() {
    let mut house = House::new().await;
    house.enqueue(high(&["a", "b", "a"], 10)).await;
    house.enqueue(high(&["a"], 20)).await;
    assert_eq!(house.queued().await, pairs(&[("b", 10), ("a", 20)]));
    house.restart().await;
    assert_eq!(house.queued().await, pairs(&[("b", 10), ("a", 20)]));
    assert_eq!(house.depth(9).await, Depth { total: 2, due: 0 });
    assert_eq!(house.depth(20).await, Depth { total: 2, due: 2 });
    assert_eq!(house.depth(10).await, Depth { total: 2, due: 1 });
}

#[tokio::test]
async fn queues_of_one_host_and_of_others_are_apart() {
    let house = House::new().await;
    house.enqueue(high(&["a"], 10)).await;
    house.enqueue(Enqueue { priority: Priority::Autorecache, ..high(&["a"], 11) }).await;
    house.enqueue(Enqueue { host: HostId(11), ..high(&["a"], 12) }).await;
    let depths = house.recache_depths(&[HostId(11), HostId(2), HOST], 20).await.expect("depths");
    let (one, none) = (Depth { total: 1, due: 1 }, Depth::default());
    assert_eq!(depths, [[one, none, none], [none; 3], [one, none, one]]);
    assert_eq!(house.recache_purge(HOST, &[Priority::Autorecache, Priority::Normal]).await.expect("purge"), 1);
    assert_eq!(house.queued().await, pairs(&[("a", 10)]));
}

#[tokio::test]
async fn only_what_is_due_is_taken_the_oldest_first_then_by_its_bytes() {
    let house = House::new().await;
    house.enqueue(high(&["late"], 30)).await;
    house.enqueue(high(&["c", "a&", "a"], 20)).await;
    house.enqueue(high(&["z"], 10)).await;
    let pulled = house.recache_pull(&[from_high(2), from_high(1), from_high(0)], 20).await.expect("pull");
    let taken: Vec<Vec<String>> =
        pulled.iter().map(|pulled| pulled.leases.iter().map(|lease| short(&lease.entry)).collect()).collect();
    assert_eq!(taken, [vec!["z", "a"], vec!["a&"], vec![]]);
    assert!(pulled.iter().all(|pulled| pulled.due_left));
    let [last] = &house.recache_pull(&[from_high(9)], 20).await.expect("pull")[..] else { panic!("one answer") };
    assert_eq!((last.leases.len(), last.due_left), (1, false));
    assert_eq!(house.queued().await, pairs(&[("late", 30)]));
}

#[tokio::test]
async fn a_queue_that_would_be_too_long_takes_nothing() {
    let house = House::new().await;
    house.enqueue(Enqueue { most: 3, ..high(&["a", "b"], 10) }).await;
    let refusal = refused(house.recache_enqueue(Enqueue { most: 3, ..high(&["b", "c", "d"], 20) }).await);
    assert_eq!(refusal.kind(), &Kind::Busy);
    assert_eq!(house.queued().await, pairs(&[("a", 10), ("b", 10)]));
    house.enqueue(Enqueue { most: 3, ..high(&["b", "c"], 20) }).await;
    house.enqueue(Enqueue { most: 1, ..high(&["a", "b", "c"], 30) }).await;
    assert_eq!(house.depth(30).await.total, 3, "what is there may be queued again whatever the limit is now");
    assert_eq!(refused(house.recache_enqueue(Enqueue { most: 3, ..high(&["d"], 1) }).await).kind(), &Kind::Busy);
}

#[tokio::test]
async fn a_page_of_a_queue_goes_on_in_the_next_one_as_listed() {
    let house = House::new().await;
    house.enqueue(high(&["a", "b", "c"], 10)).await;
    house.enqueue(Enqueue { priority: Priority::Normal, ..high(&["d", "e"], 5) }).await;
    let page = async |priorities: &[Priority], offset, limit| {
        let (page, more) = house.recache_queued(HOST, priorities, offset, limit).await.expect("queued");
        (page.iter().map(|queued| short(&queued.entry)).collect::<String>(), more)
    };
    let told = |text: &str, more| (text.to_owned(), more);
    assert_eq!(page(&Priority::ALL, 0, 4).await, told("abcd", true));
    assert_eq!(page(&Priority::ALL, 4, 4).await, told("e", false));
    assert_eq!(page(&Priority::ALL, 0, 3).await, told("abc", true));
    assert_eq!(page(&Priority::ALL, 3, 2).await, told("de", false));
    assert_eq!(page(&[Priority::Normal, Priority::High], 1, 2).await, told("ea", true));
    assert_eq!(page(&Priority::ALL, 9, 4).await, told("", false));
    assert_eq!(page(&[Priority::Autorecache], 0, 4).await, told("", false));
    assert_eq!(page(&[Priority::High], usize::MAX, usize::MAX).await, told("", false));
}

#[tokio::test]
async fn leases_outlive_a_crash_and_go_back_with_their_times_and_attempts() {
    let mut house = House::new().await;
    house.enqueue(high(&["a", "b", "c", "d"], 10)).await;
    let leases = house.pull(4, 10).await;
    house.recache_wait_for_retry(&leases[1], 2, 70).await.expect("noted");
    house.recache_finish(&leases[2..3]).await.expect("finished");
    house.enqueue(high(&["d"], 5)).await;
    house.crash(Reboot::Lost).await;
    assert_eq!(house.recache_recover().await.expect("recovers"), 3);
    assert_eq!(house.recache_recover().await.expect("recovers"), 0);
    assert_eq!(house.queued().await, pairs(&[("d", 5), ("a", 10), ("b", 70)]));
    let again = house.pull(9, 70).await;
    let attempts: Vec<_> = again.iter().map(|lease| (short(&lease.entry), lease.attempts)).collect();
    assert_eq!(attempts, [("d".to_owned(), 0), ("a".to_owned(), 0), ("b".to_owned(), 2)]);
    assert!(again.iter().all(|lease| lease.id > leases[3].id), "numbers of leases are not given twice");
    assert_eq!(house.recache_recover().await.expect("recovers"), 0, "leases of this run stay");
}

#[tokio::test]
async fn leases_of_more_than_one_piece_go_back() {
    let mut house = House::new().await;
    let many: Vec<Entry> = (0..1100).map(|number| entry(&number.to_string(), 1)).collect();
    house.enqueue(Enqueue { entries: many, ..high(&[], 10) }).await;
    assert_eq!(house.pull(2000, 10).await.len(), 1100);
    house.crash(Reboot::Lost).await;
    assert_eq!(house.recache_recover().await.expect("recovers"), 1100);
    assert_eq!(house.recache_recover().await.expect("recovers"), 0);
    house.crash(Reboot::Lost).await;
    assert_eq!(house.depth(10).await, Depth { total: 1100, due: 1100 });
}

#[tokio::test]
async fn what_is_given_back_waits_with_its_attempts_unless_it_was_queued_again() {
    let house = House::new().await;
    house.enqueue(high(&["a", "b", "c"], 10)).await;
    let mut leases = house.pull(3, 10).await;
    leases[0].due = 50;
    leases[0].attempts = 2;
    house.enqueue(high(&["b"], 60)).await;
    house.enqueue(high(&["c"], 7)).await;
    house.recache_give_back(&leases).await.expect("given back");
    assert_eq!(house.queued().await, pairs(&[("c", 7), ("b", 10), ("a", 50)]));
    house.recache_give_back(&leases).await.expect("nothing happens");
    let again = house.pull(9, 50).await;
    assert_eq!(again.iter().map(|lease| lease.attempts).collect::<Vec<_>>(), [0, 0, 2]);
}

#[tokio::test]
async fn dead_letters_are_bounded_and_can_be_tried_again() {
    let mut house = House::new().await;
    house.enqueue(high(&["a", "b", "c"], 10)).await;
    let leases = house.pull(3, 10).await;
    for lease in &leases {
        house.recache_bury(lease, letter_of(lease, &lease.entry.url), 2).await.expect("buried");
        house.recache_bury(lease, letter_of(lease, "twice"), 2).await.expect("nothing happens");
    }
    house.restart().await;
    let letters = house.dead_letters().await;
    assert_eq!(letters, [letter_of(&leases[2], "https://a.b/c"), letter_of(&leases[1], "https://a.b/b")]);
    assert_eq!(house.recache_failed(HOST, 1, 1).await.expect("failed"), (letters[1..].to_vec(), false));
    assert_eq!(house.recache_failed(HOST, 0, 1).await.expect("failed"), (letters[..1].to_vec(), true));
    house.enqueue(high(&["b"], 99)).await;
    assert_eq!(refused(house.recache_retry_failed(HOST, 20, 1).await).kind(), &Kind::Busy);
    assert_eq!(house.dead_letters().await.len(), 2);
    assert_eq!(house.recache_retry_failed(HOST, 20, 2).await.expect("retry"), 2);
    assert_eq!(house.queued().await, pairs(&[("b", 20), ("c", 20)]));
    assert_eq!(house.dead_letters().await, []);
    assert!(house.pull(9, 20).await.iter().all(|lease| lease.attempts == 0));
}

#[tokio::test]
async fn a_purge_takes_what_waits_and_leaves_what_was_taken() {
    let mut house = House::new().await;
    let many: Vec<Entry> = (0..5000).map(|number| entry(&number.to_string(), 1)).collect();
    house.enqueue(Enqueue { entries: many, ..high(&[], 10) }).await;
    let leases = house.pull(1, 10).await;
    assert_eq!(house.recache_purge(HOST, &Priority::ALL).await.expect("purge"), 4999);
    house.restart().await;
    assert_eq!(house.depth(10).await.total, 0);
    assert_eq!(house.recache_recover().await.expect("recovers"), leases.len() as u64);
}

#[tokio::test]
async fn what_is_no_address_in_normal_form_is_refused() {
    let house = House::new().await;
    let long = "a".repeat(80_001);
    for (url, kind) in [("", Kind::Invalid), ("h\0", Kind::Invalid), ("\"", Kind::Invalid), (&long, Kind::TooLarge)] {
        let entries = vec![entry("fine", 1), Entry { url: url.into(), dimension: DimensionId(1) }];
        assert_eq!(refused(house.recache_enqueue(Enqueue { entries, ..high(&[], 1) }).await).kind(), &kind);
    }
    assert_eq!(house.queued().await, []);
    let longest = Entry { url: "a".repeat(80_000).into(), dimension: DimensionId(u64::MAX) };
    house.enqueue(Enqueue { entries: vec![longest.clone()], ..high(&[], 1) }).await;
    assert_eq!(house.pull(1, 1).await[0].entry, longest);
}
