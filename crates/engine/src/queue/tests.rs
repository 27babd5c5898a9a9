//! The rules of a queue, one by one; `model` has them all at once.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::*;
use crate::{
    Engine, Kind,
    kv::Encoding,
    tests::{House, START, ns, refused},
};

mod by_itself;
mod checker;
mod consumers;
mod faults;
mod letters;
mod model;
mod waiters;

pub(super) fn q(name: &str) -> QueueName {
    QueueName::new(name.to_owned()).expect("a name")
}

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn say(text: &str) -> Enqueue {
    Enqueue {
        payload: Value { encoding: Encoding::Binary, bytes: text.to_owned().into() },
        headers: Bytes::new(),
        priority: None,
        delay: Duration::ZERO,
        dedup_key: None,
        max_attempts: None,
        settings: Settings::default(),
    }
}

fn urgent(text: &str, priority: i64) -> Enqueue {
    Enqueue { priority: Some(priority), ..say(text) }
}

fn keyed(text: &str, key: &str) -> Enqueue {
    Enqueue { dedup_key: Some(key.to_owned().into()), ..say(text) }
}

pub(super) const ONE: Dequeue = Dequeue {
    count: 1,
    max_bytes: usize::MAX,
    lease: Some(Duration::from_secs(1)),
    wait: Duration::ZERO,
    consumer: None,
};

fn up_to(count: usize) -> Dequeue {
    Dequeue { count, ..ONE }
}

fn waiting(wait_ms: u64) -> Dequeue {
    Dequeue { wait: ms(wait_ms), ..ONE }
}

fn any(sequence: u64) -> Vec<Held> {
    vec![Held { sequence, lease: None }]
}

fn done(done: u64) -> Settled {
    Settled { done, ..Settled::default() }
}

fn not_found(not_found: &[u64]) -> Settled {
    Settled { not_found: not_found.to_vec(), ..Settled::default() }
}

/// The house's queue `n`/`q`.
impl House {
    async fn send(&self, enqueue: Enqueue) -> u64 {
        self.queue_enqueue(&ns("n"), &q("q"), enqueue).await.expect("enqueue").sequence
    }

    async fn take(&self, dequeue: Dequeue) -> Vec<Delivery> {
        self.queue_dequeue(&ns("n"), &q("q"), dequeue).await.expect("dequeue")
    }

    /// Numbers and attempts of what is delivered.
    async fn taken(&self, dequeue: Dequeue) -> Vec<(u64, u32)> {
        self.take(dequeue).await.iter().map(|d| (d.message.sequence, d.message.attempts)).collect()
    }

    async fn ack(&self, held: Vec<Held>) -> Settled {
        self.queue_ack(&ns("n"), &q("q"), held).await.expect("ack")
    }

    async fn nack(&self, sequence: u64, to: NackTo) -> Settled {
        self.queue_nack(&ns("n"), &q("q"), Nack { messages: any(sequence), to }).await.expect("nack")
    }

    async fn letters(&self) -> Vec<(u64, Reason)> {
        let list = ListDead { after: None, limit: 100, max_bytes: usize::MAX };
        let page = self.queue_dead(&ns("n"), &q("q"), list).await.expect("dead");
        page.letters.iter().map(|letter| (letter.message.sequence, letter.reason)).collect()
    }

    /// The queue's numbers; they add up.
    async fn counts(&self) -> Stats {
        let stats = self.queue_stats(&ns("n"), &q("q")).await.expect("stats");
        let Stats { ready, leased, dead, acked_total, purged_total, .. } = stats;
        assert_eq!(stats.enqueued_total, ready + leased + dead + acked_total + purged_total, "{stats:?}");
        stats
    }

    fn keys_of(&self, table: manifold_store::Table) -> u64 {
        self.engine.live().expect("open").store.rows(table)
    }
}

fn line(engine: &Engine) -> u64 {
    let row = crate::keys::queue(&ns("n"), &q("q"));
    let live = engine.live().expect("open");
    live.queues.find(live, &row).map_or(0, |queue| queue.lock().line.waiting())
}

fn numbers(deliveries: &[(u64, u32)]) -> Vec<u64> {
    deliveries.iter().map(|(sequence, _)| *sequence).collect()
}

#[tokio::test]
async fn higher_priorities_go_first_and_equal_ones_in_order() {
    let house = House::new().await;
    for priority in [1, 10, 5, 10, i64::MIN, i64::MAX] {
        house.send(urgent("m", priority)).await;
    }
    let peeked = house.queue_peek(&ns("n"), &q("q"), 3, usize::MAX).await.expect("peek");
    assert_eq!(peeked.iter().map(|message| message.sequence).collect::<Vec<_>>(), [6, 2, 4]);
    assert_eq!(numbers(&house.taken(up_to(10)).await), [6, 2, 4, 3, 1, 5]);
    assert!(house.taken(ONE).await.is_empty());
}

#[tokio::test]
async fn a_message_comes_as_it_was_sent() {
    let mut house = House::new().await;
    let big = "x".repeat(5000);
    for payload in ["", "hello", &big] {
        house.send(Enqueue { headers: "h".into(), max_attempts: Some(7), ..urgent(payload, -3) }).await;
    }
    house.restart().await;
    let taken = house.take(up_to(3)).await;
    for (delivery, payload) in taken.iter().zip(["", "hello", &big]) {
        let Message { payload: got, headers, priority, attempts, max_attempts, enqueued_at, .. } = &delivery.message;
        assert_eq!((&got.bytes[..], &headers[..]), (payload.as_bytes(), &b"h"[..]));
        assert_eq!((*priority, *attempts, *max_attempts, *enqueued_at), (-3, 1, 7, START));
        assert_eq!(delivery.expires_at, START.plus(ms(1000)));
    }
    assert_eq!(taken.iter().map(|delivery| delivery.lease).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn a_lease_that_ends_gives_the_message_back_to_its_old_place() {
    let mut house = House::new().await;
    house.send(say("a")).await;
    house.send(say("b")).await;
    assert_eq!(house.taken(ONE).await, [(1, 1)]);
    house.advance(999);
    house.restart().await;
    assert_eq!(house.taken(ONE).await, [(2, 1)]);
    house.advance(1);
    assert_eq!(house.taken(up_to(2)).await, [(1, 2)]);
    assert_eq!(house.counts().await.returned_total, 1);
}

#[tokio::test]
async fn leases_end_while_the_engine_is_down() {
    let mut house = House::new().await;
    house.send(say("a")).await;
    house.taken(ONE).await;
    house.restart_with(|options| options.clock = crate::Clock::manual(START.plus(ms(1000)))).await;
    assert_eq!(house.counts().await.ready, 1);
    assert_eq!(house.taken(ONE).await, [(1, 2)]);
}

#[tokio::test]
async fn the_fifth_lease_that_ends_makes_a_dead_letter() {
    let mut house = House::new().await;
    house.send(say("a")).await;
    for attempt in 1..=5 {
        assert_eq!(house.taken(ONE).await, [(1, attempt)]);
        house.advance(1000);
    }
    assert!(house.taken(ONE).await.is_empty());
    house.restart().await;
    assert_eq!(house.letters().await, [(1, Reason::Expired)]);
    assert_eq!(house.counts().await.dead, 1);
    let requeued = house.queue_requeue(&ns("n"), &q("q"), vec![1, 1, 9]).await.expect("requeue");
    assert_eq!(requeued, Settled { done: 1, ..not_found(&[9]) });
    assert_eq!(house.taken(ONE).await, [(1, 1)]);
    assert_eq!(house.counts().await.enqueued_total, 1);
}

#[tokio::test]
async fn an_ack_counts_once_and_only_while_the_message_is_leased() {
    let mut house = House::new().await;
    house.send(say("a")).await;
    house.send(say("b")).await;
    assert_eq!(house.ack(any(1)).await, not_found(&[1]));
    let first = house.take(ONE).await.remove(0);
    house.advance(1000);
    let second = house.take(ONE).await.remove(0);
    let stale = Held { sequence: 1, lease: Some(first.lease) };
    assert_eq!(house.ack(vec![stale]).await, not_found(&[1]));
    let held = Held { sequence: 1, lease: Some(second.lease) };
    assert_eq!(house.ack(vec![held, held]).await, done(1));
    house.restart().await;
    assert_eq!(house.ack(any(1)).await, not_found(&[1]));
    assert_eq!(house.taken(up_to(9)).await, [(2, 1)]);
    assert_eq!(house.counts().await.acked_total, 1);
}

#[tokio::test]
async fn a_nack_returns_delays_or_kills() {
    let house = House::new().await;
    for text in ["a", "b", "c", "d"] {
        house.send(Enqueue { max_attempts: Some(2), ..say(text) }).await;
    }
    house.taken(up_to(4)).await;
    assert_eq!(house.nack(1, NackTo::Ready(Duration::ZERO)).await, done(1));
    assert_eq!(house.nack(2, NackTo::Ready(ms(50))).await, done(1));
    assert_eq!(house.nack(3, NackTo::Dead).await, Settled { dead: 1, ..Settled::default() });
    assert_eq!(house.nack(4, NackTo::Undelivered).await, done(1));
    assert_eq!(house.nack(9, NackTo::Dead).await, not_found(&[9]));
    assert_eq!(house.taken(up_to(4)).await, [(1, 2), (4, 1)]);
    house.advance(50);
    assert_eq!(house.taken(up_to(4)).await, [(2, 2)]);
    assert_eq!(house.nack(2, NackTo::Ready(Duration::ZERO)).await.dead, 1, "its deliveries are used up");
    assert_eq!(house.letters().await, [(3, Reason::Nack), (2, Reason::Nack)]);
    assert_eq!(house.counts().await.delivered_total, 6);
}

#[tokio::test]
async fn an_extended_lease_ends_later() {
    let mut house = House::new().await;
    house.send(say("a")).await;
    house.taken(ONE).await;
    house.advance(500);
    let extended = house.queue_extend(&ns("n"), &q("q"), any(1), ms(2000)).await.expect("extend");
    assert_eq!(extended, done(1));
    house.restart().await;
    house.advance(1999);
    assert!(house.taken(ONE).await.is_empty());
    house.advance(1);
    assert_eq!(house.taken(ONE).await, [(1, 2)]);
}

#[tokio::test]
async fn a_delayed_message_is_counted_but_not_delivered() {
    let mut house = House::new().await;
    house.send(Enqueue { delay: ms(500), ..urgent("late", 9) }).await;
    house.send(say("now")).await;
    let stats = house.counts().await;
    assert_eq!((stats.ready, stats.delayed), (2, 1));
    house.restart().await;
    assert_eq!(numbers(&house.taken(up_to(9)).await), [2]);
    house.advance(500);
    assert_eq!(numbers(&house.taken(up_to(9)).await), [1]);
}

#[tokio::test]
async fn a_key_is_known_while_its_message_lives_and_within_its_window() {
    let mut house = House::new().await;
    let again = async |house: &House| house.queue_enqueue(&ns("n"), &q("q"), keyed("b", "k")).await.expect("enqueue");
    assert_eq!(house.send(keyed("a", "k")).await, 1);
    house.advance(400_000);
    assert_eq!(again(&house).await, Enqueued { sequence: 1, deduplicated: true, position: None });
    house.taken(ONE).await;
    house.ack(any(1)).await;
    assert_eq!(again(&house).await, Enqueued { sequence: 2, deduplicated: false, position: Some(1) });
    house.taken(ONE).await;
    house.ack(any(2)).await;
    house.advance(299_999);
    house.restart().await;
    assert_eq!(again(&house).await.sequence, 2, "the window is open");
    house.advance(1);
    assert_eq!(again(&house).await.sequence, 3);
    assert_eq!(house.counts().await.enqueued_total, 3);
}

#[tokio::test]
async fn a_key_forgotten_with_its_queue_does_not_come_back_with_a_restart() {
    let mut house = House::new().await;
    let first = house.send(keyed("a", "k")).await;
    house.take(ONE).await;
    house.nack(first, NackTo::Dead).await;
    house.queue_delete(&ns("n"), &q("q")).await.expect("delete");
    house.send(say("b")).await;
    house.queue_requeue(&ns("n"), &q("q"), vec![first]).await.expect("requeue");
    house.crash(manifold_store::disk::Reboot::Lost).await;
    let taken = house.take(up_to(2)).await;
    assert_eq!(taken.iter().map(|delivery| delivery.message.sequence).collect::<Vec<_>>(), [first, first + 1]);
    assert_eq!(house.ack(any(first)).await, done(1));
    let again = house.queue_enqueue(&ns("n"), &q("q"), keyed("c", "k")).await.expect("enqueue");
    assert!(!again.deduplicated, "the window ended with the queue, the key went with its message");
}

#[tokio::test]
async fn nothing_stays_of_a_key_whose_window_has_ended() {
    let house = House::new().await;
    for n in 0..600 {
        house.send(keyed("m", &format!("k{n}"))).await;
    }
    let held = house.take(up_to(600)).await;
    let held = held.iter().map(|d| Held { sequence: d.message.sequence, lease: None }).collect();
    assert_eq!(house.ack(held).await, done(600));
    house.advance(300_000);
    house.until("the end of the windows", |_| house.keys_of(crate::keys::QUEUE_DEDUP) == 0).await;
    let tables = [
        crate::keys::QUEUE_MESSAGE,
        crate::keys::QUEUE_MARK,
        crate::keys::QUEUE_BLOCK,
        crate::keys::QUEUE_PACK,
        crate::keys::QUEUE_PACK_LEFT,
        crate::keys::TIMER,
    ];
    for table in tables {
        house.until("an empty table", |_| house.keys_of(table) == 0).await;
    }
}

#[tokio::test]
async fn a_full_queue_refuses_but_takes_back() {
    let house = House::new().await;
    let settings = Settings { max_depth: Some(2), ..Settings::default() };
    house.queue_create(&ns("n"), &q("q"), settings, Named::default()).await.expect("create");
    house.send(say("a")).await;
    house.send(say("b")).await;
    let refusal = refused(house.queue_enqueue(&ns("n"), &q("q"), say("c")).await);
    assert_eq!(refusal.kind(), &Kind::Busy);
    house.taken(ONE).await;
    house.send(say("c")).await;
    assert_eq!(house.nack(1, NackTo::Ready(Duration::ZERO)).await, done(1));
    assert_eq!(house.counts().await.ready, 3);
}

#[tokio::test]
async fn the_oldest_letter_goes_when_there_are_too_many() {
    let house = House::new().await;
    let settings = Settings { max_dead: Some(2), ..Settings::default() };
    house.queue_create(&ns("n"), &q("q"), settings, Named::default()).await.expect("create");
    for text in ["a", "b", "c", "d"] {
        house.send(say(text)).await;
    }
    house.taken(up_to(4)).await;
    house.nack(2, NackTo::Dead).await;
    house.advance(1);
    let rest = Nack { messages: [any(4), any(3), any(1)].concat(), to: NackTo::Dead };
    house.queue_nack(&ns("n"), &q("q"), rest).await.expect("nack");
    assert_eq!(house.letters().await, [(3, Reason::Nack), (4, Reason::Nack)]);
    assert_eq!(house.counts().await.purged_total, 2);
}

#[tokio::test]
async fn letters_are_listed_in_pages_and_purged() {
    let house = House::new().await;
    for _ in 0..5 {
        house.send(say("a")).await;
    }
    house.taken(up_to(5)).await;
    for sequence in [5, 3, 1, 2, 4] {
        house.nack(sequence, NackTo::Dead).await;
        house.advance(1);
    }
    let mut seen = Vec::new();
    let mut list = ListDead { after: None, limit: 2, max_bytes: usize::MAX };
    loop {
        let page = house.queue_dead(&ns("n"), &q("q"), list).await.expect("dead");
        seen.extend(page.letters.iter().map(|letter| letter.message.sequence));
        list.after = page.letters.last().map(|letter| (letter.dead_at, letter.message.sequence));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, [5, 3, 1, 2, 4]);
    assert_eq!(house.queue_purge_dead(&ns("n"), &q("q")).await.expect("purge"), 5);
    assert_eq!((house.counts().await.dead, house.counts().await.purged_total), (0, 5));
}

#[tokio::test]
async fn a_purge_takes_what_waits_and_leaves_the_rest() {
    let mut house = House::new().await;
    for n in 0..9000 {
        house.engine.queue_enqueue(&ns("n"), &q("q"), Enqueue { delay: ms(n % 3), ..say("a") }).await.expect("enqueue");
    }
    house.taken(ONE).await;
    assert_eq!(house.queue_purge(&ns("n"), &q("q")).await.expect("purge"), 8999);
    house.restart().await;
    let stats = house.counts().await;
    assert_eq!((stats.ready, stats.leased, stats.purged_total), (0, 1, 8999));
    assert_eq!(house.send(say("next")).await, 9001);
}

#[tokio::test]
async fn a_long_queue_needs_few_rows_and_forgets_nothing() {
    let mut house = House::new().await;
    for n in 0..400u64 {
        let long = "x".repeat(if n % 10 == 0 { 2000 } else { 5 });
        house.send(urgent(&format!("{n} {long}"), (n % 3) as i64)).await;
    }
    assert!(house.keys_of(crate::keys::QUEUE_MESSAGE) < 50, "only long messages and the newest have rows of their own");
    let first = house.taken(up_to(50)).await;
    house.restart().await;
    let held = first.iter().map(|(sequence, _)| Held { sequence: *sequence, lease: None }).collect();
    assert_eq!(house.ack(held).await, done(50));
    house.restart().await;
    let rest = house.take(up_to(400)).await;
    let said = |d: &Delivery| String::from_utf8_lossy(&d.message.payload.bytes).split(' ').next().map(str::to_owned);
    assert!(rest.iter().all(|d| said(d) == Some((d.message.sequence - 1).to_string())));
    let mut numbers: Vec<u64> = first.iter().map(|(sequence, _)| *sequence).collect();
    numbers.extend(rest.iter().map(|d| d.message.sequence));
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=400).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_absent_queue_says_so_and_is_not_made_by_looking() {
    let house = House::new().await;
    assert!(house.taken(ONE).await.is_empty());
    assert_eq!(refused(house.queue_stats(&ns("n"), &q("q")).await).kind(), &Kind::NotFound);
    assert_eq!(refused(house.queue_ack(&ns("n"), &q("q"), any(1)).await).kind(), &Kind::NotFound);
    assert_eq!(refused(house.queue_purge(&ns("n"), &q("q")).await).kind(), &Kind::NotFound);
    assert!(!house.queue_delete(&ns("n"), &q("q")).await.expect("delete"));
    assert!(house.queue_list(&ns("n")).await.expect("list").is_empty());
}

#[tokio::test]
async fn a_deleted_queue_leaves_its_letters_and_its_numbers_to_the_next() {
    let mut house = House::new().await;
    for key in ["x", "y", "z"] {
        house.send(keyed("a", key)).await;
    }
    house.taken(up_to(2)).await;
    house.nack(1, NackTo::Dead).await;
    assert!(house.queue_delete(&ns("n"), &q("q")).await.expect("delete"));
    house.restart().await;
    assert!(house.taken(ONE).await.is_empty());
    assert!(house.queue_list(&ns("n")).await.expect("list").is_empty());
    assert_eq!(refused(house.queue_stats(&ns("n"), &q("q")).await).kind(), &Kind::NotFound);
    assert_eq!(house.send(keyed("b", "y")).await, 4, "the key is forgotten with its message");
    assert_eq!(house.send(keyed("b", "x")).await, 1, "the letter still has its key");
    let stats = house.counts().await;
    assert_eq!((stats.enqueued_total, stats.dead, stats.ready, stats.acked_total), (2, 1, 1, 0));
    assert_eq!(house.letters().await, [(1, Reason::Nack)]);
}

#[tokio::test]
async fn a_queue_keeps_the_settings_it_was_made_with() {
    let mut house = House::new().await;
    let settings = Settings { max_attempts: 1, default_priority: 5, ..Settings::default() };
    let create = async |house: &House, name, named| house.queue_create(&ns("n"), &q(name), settings, named).await;
    let nothing = Named::default();
    let priority = |priority| Named { default_priority: Some(priority), ..nothing };
    house.send(say("first")).await;
    assert_eq!(create(&house, "q", nothing).await.expect("create"), Created::Configured);
    assert_eq!(create(&house, "q", nothing).await.expect("create"), Created::Unchanged);
    house.restart().await;
    assert_eq!(create(&house, "q", priority(5)).await.expect("create"), Created::Unchanged);
    for other in [
        priority(4),
        Named { max_attempts: Some(2), ..nothing },
        Named { max_depth: Some(1), ..nothing },
        Named { lease: Some(Duration::ZERO), ..priority(5) },
    ] {
        assert!(matches!(refused(create(&house, "q", other).await).kind(), Kind::Conflict { .. }), "{other:?}");
    }
    house.send(say("second")).await;
    assert_eq!(numbers(&house.taken(up_to(2)).await), [2, 1]);
    house.advance(1000);
    assert_eq!(house.counts().await.dead, 2);
    assert_eq!(create(&house, "other", priority(7)).await.expect("create"), Created::New);
    house.restart().await;
    let made = house.queue_stats(&ns("n"), &q("other")).await.expect("stats").settings;
    assert_eq!(made, Settings { default_priority: 7, ..settings });
    assert_eq!(house.queue_list(&ns("n")).await.expect("list"), [q("other"), q("q")]);
    assert!(house.queue_list(&ns("nn")).await.expect("list").is_empty());
}

#[tokio::test]
async fn a_message_goes_by_its_senders_settings_until_somebody_configures_the_queue() {
    let house = House::new().await;
    let theirs = Settings { max_attempts: 1, default_priority: 5, ..Settings::default() };
    let by_them = |text| Enqueue { settings: theirs, ..say(text) };
    house.send(say("ours")).await;
    house.send(by_them("theirs")).await;
    assert_eq!(numbers(&house.taken(up_to(2)).await), [2, 1]);
    house.advance(30_000);
    let counts = house.counts().await;
    assert_eq!((counts.ready, counts.dead), (1, 1));
    assert_eq!(house.letters().await, [(2, Reason::Expired)]);
    house.queue_create(&ns("n"), &q("q"), Settings::default(), Named::default()).await.expect("create");
    house.send(by_them("as the queue says")).await;
    assert_eq!(numbers(&house.taken(up_to(2)).await), [1, 3]);
    house.advance(30_000);
    assert_eq!(house.counts().await.dead, 1);
}

#[tokio::test]
async fn a_keys_window_is_its_senders_until_somebody_configures_the_queue() {
    let mut house = House::new().await;
    let within = |key: &str, window_ms: u64| {
        let settings = Settings { dedup_window: ms(window_ms), ..Settings::default() };
        Enqueue { settings, ..keyed("m", key) }
    };
    assert_eq!(house.send(within("short", 1000)).await, 1);
    assert_eq!(house.send(within("long", 10_000)).await, 2);
    house.taken(up_to(2)).await;
    house.ack(any(1)).await;
    house.ack(any(2)).await;
    house.advance(1000);
    assert_eq!(house.send(within("short", 1000)).await, 3);
    house.restart().await;
    house.advance(8999);
    assert_eq!(house.send(within("long", 1)).await, 2, "the window is open");
    house.advance(1);
    assert_eq!(house.send(within("long", 1)).await, 4);
    let settings = Settings { dedup_window: ms(5), ..Settings::default() };
    house.queue_create(&ns("n"), &q("q"), settings, Named::default()).await.expect("create");
    assert_eq!(house.send(within("theirs", 10_000)).await, 5);
    house.taken(up_to(3)).await;
    house.ack(any(5)).await;
    house.advance(4);
    assert_eq!(house.send(within("theirs", 10_000)).await, 5);
    house.advance(1);
    assert_eq!(house.send(within("theirs", 10_000)).await, 6);
}

#[tokio::test]
async fn what_is_too_large_or_has_a_bad_key_is_refused() {
    let house = House::with(|options| options.limits.value_bytes = 10).await;
    let send = async |enqueue| house.queue_enqueue(&ns("n"), &q("q"), enqueue).await;
    assert_eq!(refused(send(say("eleven byte")).await).kind(), &Kind::TooLarge);
    assert_eq!(refused(send(Enqueue { headers: "h".into(), ..say("ten  bytes") }).await).kind(), &Kind::TooLarge);
    assert_eq!(refused(send(keyed("a", "")).await).kind(), &Kind::Invalid);
    assert_eq!(refused(send(keyed("a", &"k".repeat(1025))).await).kind(), &Kind::Invalid);
    assert_eq!(house.send(keyed("ten  bytes", &"k".repeat(1024))).await, 1);
    assert!(house.queue_list(&ns("m")).await.expect("list").is_empty());
}

#[tokio::test]
async fn an_answer_stops_at_its_bytes_but_has_a_message() {
    let house = House::new().await;
    for _ in 0..3 {
        house.send(say("0123456789")).await;
    }
    assert_eq!(numbers(&house.taken(Dequeue { max_bytes: 1, ..up_to(3) }).await), [1]);
    assert_eq!(numbers(&house.taken(Dequeue { max_bytes: 20, ..up_to(3) }).await), [2, 3]);
}

#[tokio::test]
async fn the_memory_limit_refuses_messages_and_lets_them_go() {
    let house = House::with(|options| options.limits.memory_bytes = 1).await;
    assert_eq!(refused(house.queue_enqueue(&ns("n"), &q("q"), say("a")).await).kind(), &Kind::Full);
    assert!(house.queue_list(&ns("n")).await.expect("list").is_empty());
}

#[tokio::test]
async fn queues_with_the_same_name_in_two_namespaces_know_nothing_of_each_other() {
    let mut house = House::new().await;
    house.send(keyed("a", "k")).await;
    assert_eq!(house.queue_enqueue(&ns("m"), &q("q"), keyed("b", "k")).await.expect("enqueue").sequence, 1);
    house.restart().await;
    assert_eq!(house.queue_enqueue(&ns("o"), &q("q"), keyed("b", "k")).await.expect("enqueue").sequence, 1);
    house.taken(up_to(9)).await;
    assert_eq!(house.ack(any(1)).await, done(1));
    assert_eq!(house.queue_stats(&ns("m"), &q("q")).await.expect("stats").ready, 1);
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "who holds the lock of a queue is what makes it busy here")]
async fn a_queue_that_is_busy_holds_up_no_other() {
    let house = House::new().await;
    house.send(say("a")).await;
    let (live, row) = (house.engine.live().expect("open"), crate::keys::queue(&ns("n"), &q("q")));
    let queue = live.queues.find(live, &row).expect("the queue");
    let busy = queue.lock();
    let (n, other) = (ns("n"), q("other"));
    for _ in 0..3 {
        house.queue_enqueue(&n, &other, say("b")).await.expect("enqueue");
    }
    let taken = house.queue_dequeue(&n, &other, waiting(1000)).await.expect("dequeue");
    let held = taken.iter().map(|delivery| Held { sequence: delivery.message.sequence, lease: None }).collect();
    assert_eq!(house.queue_ack(&n, &other, held).await.expect("ack"), done(1));
    assert_eq!(house.queue_list(&n).await.expect("list"), [other, q("q")]);
    drop(busy);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_consumers_get_every_message_once() {
    let house = House::with(|options| options.level = crate::Level::Os).await;
    let consumers: Vec<_> = (0..8)
        .map(|_| {
            let engine = house.engine.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let wait = Dequeue { wait: ms(100_000), lease: Some(ms(1_000_000)), ..up_to(3) };
                    let taken = engine.queue_dequeue(&ns("n"), &q("q"), wait).await.expect("dequeue");
                    let held: Vec<Held> =
                        taken.iter().map(|d| Held { sequence: d.message.sequence, lease: Some(d.lease) }).collect();
                    if held.is_empty() {
                        return seen;
                    }
                    seen.extend(held.iter().map(|held| held.sequence));
                    assert!(engine.queue_ack(&ns("n"), &q("q"), held).await.expect("ack").not_found.is_empty());
                }
            })
        })
        .collect();
    for _ in 0..1000 {
        house.send(say("m")).await;
    }
    loop {
        let stats = house.counts().await;
        if stats.acked_total == 1000 {
            break;
        }
        tokio::time::sleep(ms(5)).await;
    }
    house.until("all to wait", |engine| line(engine) == 8).await;
    house.advance(100_000);
    let mut seen = Vec::new();
    for consumer in consumers {
        seen.extend(consumer.await.expect("a consumer"));
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=1000).collect::<Vec<_>>());
}
