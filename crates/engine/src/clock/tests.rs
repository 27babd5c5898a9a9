use super::*;

#[tokio::test]
async fn a_manual_clock_moves_only_when_told_and_wakes_sleepers() {
    let clock = Clock::manual(Timestamp(1000));
    let sleeper = tokio::spawn({
        let clock = clock.clone();
        async move {
            clock.until(Timestamp(1500)).await;
            clock.now()
        }
    });
    clock.advance(499);
    tokio::task::yield_now().await;
    assert!(!sleeper.is_finished());
    clock.advance(1);
    assert_eq!(sleeper.await.expect("sleeper"), Timestamp(1500));
}

#[tokio::test]
async fn a_timeout_gives_up_when_the_clock_has_passed_it() {
    let clock = Clock::manual(Timestamp(0));
    let waiting = tokio::spawn({
        let clock = clock.clone();
        async move { clock.timeout(Duration::from_millis(10), std::future::pending::<()>()).await }
    });
    tokio::task::yield_now().await;
    clock.advance(10);
    assert!(waiting.await.expect("waiter").is_none());
}

#[test]
fn durations_round_up_to_milliseconds() {
    assert_eq!(Timestamp(5).plus(Duration::from_micros(1)), Timestamp(6));
    assert_eq!(Timestamp(5).plus(Duration::MAX), Timestamp(u64::MAX));
    assert_eq!(Timestamp(5).minus(Duration::from_secs(1)), Timestamp(0));
}
