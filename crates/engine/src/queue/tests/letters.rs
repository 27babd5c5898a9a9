//! Dead letters as a queue of their own.

use super::*;

const DEED: [LetterDeed; 3] = [LetterDeed::Return, LetterDeed::Ack, LetterDeed::Discard];

impl House {
    /// Sends a message and lets it die of a refusal.
    async fn bury(&self, message: Enqueue) -> u64 {
        let sequence = self.send(message).await;
        self.take(ONE).await;
        assert_eq!(self.nack(sequence, NackTo::Dead).await.dead, 1);
        sequence
    }

    async fn take_letters(&self, dequeue: Dequeue) -> Vec<Delivery> {
        self.queue_take_letters(&ns("n"), &q("q"), dequeue).await.expect("take")
    }

    async fn taken_letters(&self, dequeue: Dequeue) -> Vec<u64> {
        self.take_letters(dequeue).await.iter().map(|delivery| delivery.message.sequence).collect()
    }

    async fn settle_letters(&self, held: Vec<Held>, deed: LetterDeed) -> Settled {
        self.queue_settle_letters(&ns("n"), &q("q"), held, deed).await.expect("settle")
    }

    async fn letter_counts(&self) -> LetterStats {
        self.queue_letter_stats(&ns("n"), &q("q")).await.expect("stats")
    }
}

#[tokio::test]
async fn letters_are_taken_by_priority_and_age_as_they_died() {
    let mut house = House::new().await;
    for priority in [1, 5, 1] {
        house.bury(Enqueue { headers: "h".into(), max_attempts: Some(7), ..urgent("m", priority) }).await;
        house.advance(1);
    }
    house.restart().await;
    let first = house.take_letters(ONE).await.remove(0);
    let Message { sequence, payload, headers, priority, attempts, max_attempts, enqueued_at } = first.message;
    assert_eq!((sequence, &payload.bytes[..], &headers[..]), (2, &b"m"[..], &b"h"[..]));
    assert_eq!((priority, attempts, max_attempts, enqueued_at), (5, 1, 7, START.plus(ms(1))));
    assert_eq!(first.expires_at, START.plus(ms(1003)));
    assert_eq!(house.taken_letters(up_to(9)).await, [1, 3]);
    assert_eq!(house.letters().await.len(), 3, "to others they are dead letters as before");
    assert!(house.taken(ONE).await.is_empty());
}

#[tokio::test]
async fn a_held_letter_stays_held_over_a_restart_until_its_lease_ends() {
    let mut house = House::new().await;
    house.bury(say("a")).await;
    house.bury(say("b")).await;
    assert_eq!(house.taken_letters(ONE).await, [1]);
    house.advance(999);
    house.restart().await;
    assert_eq!(house.taken_letters(ONE).await, [2]);
    house.advance(1);
    assert_eq!(house.taken_letters(up_to(2)).await, [1], "back at its old place, with nothing counted against it");
    let LetterStats { ready, leased, arrived_total, delivered_total, returned_total, .. } = house.letter_counts().await;
    assert_eq!((ready, leased, arrived_total, delivered_total, returned_total), (0, 2, 2, 3, 1));
}

#[tokio::test]
async fn a_letter_is_returned_acknowledged_or_discarded_by_who_holds_it() {
    for deed in DEED {
        let mut house = House::new().await;
        house.bury(say("a")).await;
        assert_eq!(house.settle_letters(any(1), deed).await, not_found(&[1]), "nobody holds it");
        let held = Held { sequence: 1, lease: Some(house.take_letters(ONE).await[0].lease) };
        assert_eq!(house.ack(any(1)).await, not_found(&[1]), "it is no message");
        let stale = Held { lease: Some(1), ..held };
        assert_eq!(house.settle_letters(vec![stale], deed).await, not_found(&[1]));
        assert_eq!(house.settle_letters(vec![held, held], deed).await, done(1));
        assert_eq!(house.settle_letters(vec![held], deed).await, not_found(&[1]));
        house.restart().await;
        let LetterStats { ready, returned_total, acked_total, .. } = house.letter_counts().await;
        let Stats { acked_total: acked, purged_total: purged, .. } = house.counts().await;
        let told = (ready, (acked_total, returned_total), (acked, purged));
        let expected = match deed {
            LetterDeed::Return => (1, (0, 1), (0, 0)),
            LetterDeed::Ack => (0, (1, 0), (1, 0)),
            LetterDeed::Discard => (0, (0, 1), (0, 1)),
        };
        assert_eq!(told, expected, "{deed:?}");
        assert_eq!(house.keys_of(crate::keys::QUEUE_MARK), ready);
    }
}

#[tokio::test]
async fn a_held_letter_can_still_be_requeued_and_purged() {
    let house = House::new().await;
    for text in ["a", "b", "c"] {
        house.bury(say(text)).await;
    }
    assert_eq!(house.taken_letters(up_to(2)).await, [1, 2]);
    let requeued = house.queue_requeue(&ns("n"), &q("q"), vec![1]).await.expect("requeue");
    assert_eq!(requeued, done(1));
    assert_eq!(house.settle_letters(any(1), LetterDeed::Ack).await, not_found(&[1]));
    assert_eq!(house.taken(ONE).await, [(1, 1)]);
    let purge = async |what| house.queue_purge_letters(&ns("n"), &q("q"), what).await.expect("purge");
    assert_eq!(purge(PurgeLetters::NotHeld).await, 1);
    assert_eq!(house.letters().await, [(2, Reason::Nack)]);
    assert_eq!(purge(PurgeLetters::All).await, 1);
    assert_eq!(house.settle_letters(any(2), LetterDeed::Ack).await, not_found(&[2]));
    house.advance(10_000);
    assert_eq!(house.letter_counts().await.returned_total, 0, "what is gone has no lease that could end");
}

#[tokio::test]
async fn the_oldest_letter_goes_even_when_it_is_held() {
    let house = House::new().await;
    let settings = Settings { max_dead: Some(1), ..Settings::default() };
    house.queue_create(&ns("n"), &q("q"), settings, Named::default()).await.expect("create");
    house.bury(say("a")).await;
    house.taken_letters(ONE).await;
    house.bury(say("b")).await;
    assert_eq!(house.settle_letters(any(1), LetterDeed::Ack).await, not_found(&[1]));
    assert_eq!(house.taken_letters(up_to(9)).await, [2]);
}

#[tokio::test]
async fn letters_outlive_their_queue_and_are_found_without_it() {
    let mut house = House::new().await;
    house.bury(say("a")).await;
    house.bury(say("b")).await;
    house.taken_letters(ONE).await;
    let with_letters = async |house: &House| house.queue_list_with_letters(&ns("n")).await.expect("list");
    assert!(house.queue_delete(&ns("n"), &q("q")).await.expect("delete"));
    house.restart().await;
    assert_eq!(with_letters(&house).await, [q("q")]);
    let LetterStats { ready, leased, arrived_total, oldest, .. } = house.letter_counts().await;
    assert_eq!((ready, leased, arrived_total, oldest), (1, 1, 2, Some(START)));
    assert_eq!(house.settle_letters(any(1), LetterDeed::Ack).await, done(1));
    assert_eq!(house.taken_letters(up_to(9)).await, [2]);
    house.advance(1000);
    assert_eq!(house.taken_letters(up_to(9)).await, [2], "the timer of a deleted queue goes on");
    assert_eq!(house.settle_letters(any(2), LetterDeed::Ack).await, done(1));
    assert_eq!(with_letters(&house).await, [q("q")], "it had letters");
    assert_eq!(house.queue_purge_letters(&ns("n"), &q("q"), PurgeLetters::All).await.expect("purge"), 0);
}

#[tokio::test]
async fn a_queue_without_letters_has_none_and_an_absent_one_says_so() {
    let house = House::new().await;
    let (n, q) = (ns("n"), q("q"));
    assert!(house.taken_letters(ONE).await.is_empty());
    assert_eq!(refused(house.queue_letter_stats(&n, &q).await).kind(), &Kind::NotFound);
    assert_eq!(refused(house.queue_settle_letters(&n, &q, any(1), LetterDeed::Ack).await).kind(), &Kind::NotFound);
    assert_eq!(refused(house.queue_purge_letters(&n, &q, PurgeLetters::All).await).kind(), &Kind::NotFound);
    assert!(house.queue_list(&n).await.expect("list").is_empty());
    house.send(say("a")).await;
    assert!(house.queue_list_with_letters(&n).await.expect("list").is_empty());
    assert_eq!(house.letter_counts().await.arrived_total, 0);
}

#[tokio::test]
async fn who_waits_for_letters_is_woken_by_a_death_a_return_and_the_end_of_a_lease() {
    let house = House::new().await;
    let wait = async || house.taken_letters(waiting(60_000)).await;
    let soon = async || tokio::time::sleep(ms(20)).await;
    let (taken, _) = tokio::join!(wait(), async {
        soon().await;
        house.bury(say("a")).await
    });
    assert_eq!(taken, [1]);
    let (taken, _) = tokio::join!(wait(), async {
        soon().await;
        house.settle_letters(any(1), LetterDeed::Return).await
    });
    assert_eq!(taken, [1]);
    let (taken, ()) = tokio::join!(wait(), async {
        soon().await;
        house.advance(1000);
    });
    assert_eq!(taken, [1]);
}

#[tokio::test]
async fn a_letter_on_its_way_to_a_caller_that_went_away_comes_back_undelivered() {
    let house = House::new().await;
    house.bury(say("a")).await;
    let (namespace, queue) = (ns("n"), q("q"));
    for _ in 0..20 {
        let mut gone = pin!(house.queue_take_letters(&namespace, &queue, ONE));
        if let Poll::Ready(taken) = gone.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            let held = vec![Held { sequence: 1, lease: Some(taken.expect("take")[0].lease) }];
            house.settle_letters(held, LetterDeed::Return).await;
        }
    }
    let LetterStats { ready, delivered_total, returned_total, .. } = house.letter_counts().await;
    assert_eq!((ready, delivered_total - returned_total), (1, 0));
}

#[tokio::test]
async fn consumers_of_letters_are_counted_apart() {
    let house = House::new().await;
    house.bury(say("a")).await;
    house.bury(say("b")).await;
    for consumer in [1, 2] {
        house.take_letters(Dequeue { consumer: Some(Consumer::Origin(consumer)), ..ONE }).await;
    }
    assert_eq!((house.letter_counts().await.consumers, house.counts().await.consumers), (2, 0));
    house.settle_letters(any(1), LetterDeed::Return).await;
    assert_eq!(house.letter_counts().await.consumers, 1);
}
