//! Who holds messages and who waits for them.

use super::*;

#[tokio::test]
async fn consumers_are_counted_while_they_hold_or_wait() {
    let house = House::new().await;
    let of = |consumer| Dequeue { consumer: Some(consumer), ..ONE };
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
