//! Who holds messages and who waits for them.

use super::*;

#[tokio::test]
async fn consumers_are_counted_while_they_hold_or_wait() {
    let house = House::new().await;
    let of = |consumer| Dequeue { consumer: Some(Consumer::Origin(consumer)), ..ONE };
    for text in ["a", "b", "c", "d"] {
        house.send(say(text)).await;
    }
    assert_eq!(house.counts().await.consumers, 0);
    for consumer in [1, 1, 2] {
        house.taken(of(consumer)).await;
    }
    assert_eq!(house.counts().await.consumers, 2);
    house.taken(ONE).await;
    assert_eq!(house.counts().await.consumers, 3, "one that has no number");
    let engine = house.engine.clone();
    let wait = Dequeue { wait: ms(100_000), ..of(2) };
    let waiter = tokio::spawn(async move { engine.queue_dequeue(&ns("n"), &q("q"), wait).await });
    house.ack(any(3)).await;
    while house.counts().await.waiting == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.counts().await.consumers, 3, "who waits counts too, and once");
    waiter.abort();
    assert!(waiter.await.is_err());
    house.ack([1, 2, 4].into_iter().flat_map(any).collect()).await;
    assert_eq!(house.counts().await.consumers, 0);
}

const TWO_EACH: Settings = Settings {
    max_depth: None,
    max_attempts: 5,
    max_dead: None,
    max_held: Some(2),
    dedup_window: Duration::ZERO,
    lease: Duration::from_secs(1),
    default_priority: 0,
};

fn named(consumer: u64, dequeue: Dequeue) -> Dequeue {
    Dequeue { consumer: Some(Consumer::Named(consumer)), ..dequeue }
}

#[tokio::test]
async fn a_consumer_with_a_name_holds_no_more_than_it_may() {
    let house = House::new().await;
    house.queue_create(&ns("n"), &q("q"), TWO_EACH, Named::default()).await.expect("create");
    for _ in 0..8 {
        house.send(say("m")).await;
    }
    assert_eq!(numbers(&house.taken(named(1, up_to(5))).await), [1, 2]);
    assert!(house.taken(named(1, ONE)).await.is_empty());
    assert_eq!(numbers(&house.taken(named(2, ONE)).await), [3], "another one is not concerned");
    let origin = Dequeue { consumer: Some(Consumer::Origin(3)), ..up_to(3) };
    assert_eq!(numbers(&house.taken(origin).await), [4, 5, 6], "nor is who has no name");
    house.ack(any(2)).await;
    assert_eq!(numbers(&house.taken(named(1, up_to(5))).await), [7]);
    house.advance(1000);
    assert_eq!(numbers(&house.taken(named(1, up_to(5))).await), [1, 3], "leases that ended count no more");
}

#[tokio::test]
async fn who_may_not_take_more_lets_others_go_first_and_waits_for_its_own() {
    let house = House::new().await;
    house.queue_create(&ns("n"), &q("q"), TWO_EACH, Named::default()).await.expect("create");
    for _ in 0..2 {
        house.send(say("m")).await;
    }
    house.taken(named(1, up_to(2))).await;
    let wait = |consumer| named(consumer, waiting(60_000));
    let (full, other, ()) = tokio::join!(house.taken(wait(1)), house.taken(wait(2)), async {
        house.until("two waiters", |engine| line(engine) == 2).await;
        house.send(say("m")).await;
        house.until("the other to be served", |engine| line(engine) == 1).await;
        house.send(say("m")).await;
        assert_eq!(house.counts().await.ready, 1);
        house.ack(any(1)).await;
    });
    assert_eq!((numbers(&full), numbers(&other)), (vec![4], vec![3]));
}

#[tokio::test]
async fn letters_have_the_same_bound_of_their_own() {
    let house = House::new().await;
    house.queue_create(&ns("n"), &q("q"), TWO_EACH, Named::default()).await.expect("create");
    for _ in 0..5 {
        house.send(say("m")).await;
    }
    house.taken(up_to(3)).await;
    for sequence in 1..=3 {
        house.nack(sequence, NackTo::Dead).await;
    }
    assert_eq!(numbers(&house.taken(named(1, up_to(5))).await), [4, 5]);
    let letters = async || house.queue_take_letters(&ns("n"), &q("q"), named(1, up_to(5))).await.expect("take");
    assert_eq!(letters().await.iter().map(|taken| taken.message.sequence).collect::<Vec<_>>(), [1, 2]);
    assert!(letters().await.is_empty());
}
