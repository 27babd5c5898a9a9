//! Who waits for a message, who gets it, and who went away meanwhile.

use super::*;

#[tokio::test]
async fn a_waiter_gets_the_message_that_comes() {
    let house = House::new().await;
    let (taken, _) = tokio::join!(house.taken(waiting(10_000)), async {
        tokio::task::yield_now().await;
        house.send(say("a")).await
    });
    assert_eq!(taken, [(1, 1)]);
    house.advance(100_000);
    let (taken, ()) = tokio::join!(house.taken(waiting(10_000)), async { house.advance(10_000) });
    assert_eq!(taken, [(1, 2)]);
}

#[tokio::test]
async fn a_wait_in_vain_ends_in_time_and_leaves_nothing() {
    let house = House::new().await;
    let (taken, ()) = tokio::join!(house.taken(waiting(500)), async {
        tokio::task::yield_now().await;
        house.advance(500);
    });
    assert!(taken.is_empty());
    assert!(house.queue_list(&ns("n")).await.expect("list").is_empty());
    assert!(house.engine.live().expect("open").queues.is_empty());
}

#[tokio::test]
async fn an_absent_queue_is_forgotten_with_the_last_who_waits_for_it() {
    let house = House::new().await;
    let (namespace, queue) = (ns("n"), q("q"));
    let forgotten = || house.engine.live().expect("open").queues.is_empty();
    let mut first = Box::pin(house.queue_dequeue(&namespace, &queue, waiting(60_000)));
    let mut second = Box::pin(house.queue_dequeue(&namespace, &queue, waiting(60_000)));
    for waiter in [&mut first, &mut second] {
        assert!(waiter.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(first);
    assert!(!forgotten());
    drop(second);
    assert!(forgotten());
}

#[tokio::test]
async fn waiters_are_woken_by_the_end_of_a_delay_and_of_a_lease() {
    let house = House::new().await;
    house.send(Enqueue { delay: ms(100), ..say("a") }).await;
    let wait = async || house.taken(waiting(60_000)).await;
    for (attempt, step) in [(1, 100), (2, 1000)] {
        let (taken, ()) = tokio::join!(wait(), async {
            tokio::time::sleep(ms(20)).await;
            house.advance(step);
        });
        assert_eq!(taken, [(1, attempt)]);
    }
}

#[tokio::test]
async fn waiters_are_served_first_come_first_served() {
    let house = House::new().await;
    let waiter = |n: u64| {
        let engine = house.engine.clone();
        async move {
            tokio::time::sleep(ms(n * 10)).await;
            let taken = engine.queue_dequeue(&ns("n"), &q("q"), waiting(60_000)).await.expect("dequeue");
            (n, taken[0].message.sequence)
        }
    };
    let waiters: Vec<_> = [3, 1, 2].map(|n| tokio::spawn(waiter(n))).into();
    house.until("three waiters", |engine| line(engine) == 3).await;
    for _ in 0..3 {
        house.send(say("a")).await;
    }
    for waiter in waiters {
        let (n, sequence) = waiter.await.expect("a waiter");
        assert_eq!(n, sequence);
    }
}

#[tokio::test]
async fn a_waiter_that_went_away_takes_nothing() {
    let house = House::new().await;
    let (namespace, queue) = (ns("n"), q("q"));
    {
        let mut gone = pin!(house.queue_dequeue(&namespace, &queue, waiting(60_000)));
        assert!(gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(line(&house), 1);
        house.send(say("a")).await;
    }
    assert_eq!(line(&house), 0);
    assert_eq!(house.taken(ONE).await, [(1, 1)]);
}

#[tokio::test]
async fn a_message_on_its_way_to_a_caller_that_went_away_comes_back_undelivered() {
    let house = House::new().await;
    house.send(say("a")).await;
    let (namespace, queue) = (ns("n"), q("q"));
    for _ in 0..20 {
        let mut gone = pin!(house.queue_dequeue(&namespace, &queue, ONE));
        // It may be durable already, or not: whoever does not see the answer has not got the message.
        match gone.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(taken) => {
                assert_eq!(house.nack(taken.expect("dequeue")[0].message.sequence, NackTo::Undelivered).await, done(1));
            }
            Poll::Pending => {}
        }
    }
    assert_eq!(house.taken(ONE).await, [(1, 1)]);
    assert_eq!(house.counts().await.delivered_total, 1);
}

#[tokio::test]
async fn waits_end_when_the_engine_stops() {
    let house = House::new().await;
    let (taken, ()) = tokio::join!(house.taken(waiting(60_000)), async {
        tokio::task::yield_now().await;
        house.engine.close().await.expect("closes");
    });
    assert!(taken.is_empty());
}
