use super::*;

#[tokio::test]
async fn leases_that_ran_out_and_delays_that_ended_are_counted_until_the_restart() {
    let mut house = House::new().await;
    house.send(Enqueue { max_attempts: Some(2), ..say("first") }).await;
    house.send(Enqueue { delay: ms(500), ..say("late") }).await;
    assert_eq!(house.counts().await.by_itself, ByItself::default());
    for expired in [1, 2] {
        assert_eq!(numbers(&house.taken(ONE).await), [1]);
        house.advance(1000);
        assert_eq!(house.counts().await.by_itself, ByItself { expired, promoted: 1 });
    }
    assert_eq!(house.counts().await.dead_total, 1, "the lease that led to a death ran out too");
    assert_eq!(numbers(&house.taken(ONE).await), [2]);
    house.nack(2, NackTo::Ready(ms(100))).await;
    house.advance(100);
    assert_eq!(house.counts().await.by_itself, ByItself { expired: 2, promoted: 2 }, "a nack may delay too");
    house.restart().await;
    assert_eq!(house.counts().await.by_itself, ByItself::default());
    assert_eq!(house.counts().await.dead_total, 1);
}
