use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::*;

fn fetched(data: &'static str) -> Fetched {
    Fetched { data: data.into(), took: Duration::from_millis(3) }
}

fn landed(data: &'static str) -> Shared<()> {
    Shared::Landed(Ok(fetched(data)))
}

/// What was kept, in order.
type Kept = Arc<Mutex<Vec<bytes::Bytes>>>;

async fn share(
    flights: &Flights,
    kept: &Kept,
    tags: &[&str],
    call: impl Future<Output = Outcome> + Send + 'static,
) -> Shared<()> {
    let (kept, tags) = (kept.clone(), tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
    let keep = move |fetched: &Fetched| {
        kept.lock().push(fetched.data.clone());
        std::future::ready(())
    };
    flights.share("key", &tags, || None, call, keep).await
}

async fn never() -> Outcome {
    panic!("there is a call already");
}

#[tokio::test]
async fn who_asks_the_same_meanwhile_shares_one_call() {
    let (flights, kept, calls) = (Flights::default(), Kept::default(), Arc::new(AtomicUsize::new(0)));
    let all = (0..1000).map(|_| {
        let calls = calls.clone();
        share(&flights, &kept, &[], async move {
            calls.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_millis(20)).await;
            Ok(fetched("1"))
        })
    });
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|shared| *shared == landed("1")));
    assert_eq!((calls.load(Ordering::SeqCst), kept.lock().len()), (1, 1));
    assert_eq!(share(&flights, &kept, &[], async { Ok(fetched("2")) }).await, landed("2"), "and then begins anew");
}

#[tokio::test]
async fn a_call_outlives_who_began_it() {
    let (flights, kept) = (Flights::default(), Kept::default());
    let (done, wait) = oneshot::channel();
    let call = async move {
        wait.await.expect("is told");
        Ok(fetched("1"))
    };
    let leader = timeout(Duration::from_millis(20), share(&flights, &kept, &[], call)).await;
    assert!(leader.is_err(), "went away");
    let follower = share(&flights, &kept, &[], never());
    let (follower, sent) = tokio::join!(follower, async { done.send(()) });
    sent.expect("the call still runs");
    assert_eq!(follower, landed("1"));
    assert_eq!(kept.lock().len(), 1);
}

#[tokio::test]
async fn a_failure_is_shared_and_not_kept() {
    let (flights, kept) = (Flights::default(), Kept::default());
    let leader = share(&flights, &kept, &[], async {
        sleep(Duration::from_millis(10)).await;
        Err(Failure::TimedOut)
    });
    let follower = share(&flights, &kept, &[], never());
    let both = tokio::join!(leader, follower);
    assert_eq!(both, (Shared::Landed(Err(Failure::TimedOut)), Shared::Landed(Err(Failure::TimedOut))));
    assert!(kept.lock().is_empty());
}

#[tokio::test]
async fn what_was_kept_meanwhile_is_taken() {
    let flights = Flights::default();
    let shared = flights.share("key", &[], || Some(7), never(), |_| std::future::ready(())).await;
    assert_eq!(shared, Shared::Kept(7));
}

#[tokio::test]
async fn an_invalidation_lets_calls_go_that_began_before_it() {
    for (tags, key, hits) in [
        (&["a"][..], None, true),
        (&["x", "b"], None, true),
        (&[], Some("key"), true),
        (&["x"], None, false),
        (&[], Some("other"), false),
    ] {
        let (flights, kept) = (Flights::default(), Kept::default());
        let (done, wait) = oneshot::channel();
        let old = share(&flights, &kept, &["a", "b"], async move {
            wait.await.expect("is told");
            Ok(fetched("old"))
        });
        let rest = async {
            tokio::task::yield_now().await;
            let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            flights.forget(&tags, key);
            let new = share(&flights, &kept, &[], async { Ok(fetched("new")) });
            let (new, sent) = tokio::join!(new, async {
                sleep(Duration::from_millis(5)).await;
                done.send(())
            });
            sent.expect("the call still runs");
            new
        };
        let (old, new) = tokio::join!(old, rest);
        assert_eq!(old, landed("old"), "who waited already is answered");
        let (expected, left) = if hits { ("new", ["new"]) } else { ("old", ["old"]) };
        assert_eq!(new, landed(expected), "{tags:?} {key:?}");
        assert_eq!(*kept.lock(), left);
    }
}

#[tokio::test]
async fn a_call_that_panics_strands_nobody() {
    let (flights, kept) = (Flights::default(), Kept::default());
    let lost = share(&flights, &kept, &[], async { panic!("a defect") }).await;
    assert_eq!(lost, Shared::Lost);
    assert_eq!(share(&flights, &kept, &[], async { Ok(fetched("1")) }).await, landed("1"));
}

#[tokio::test]
async fn closing_ends_calls_whose_clients_are_gone() {
    let (flights, kept) = (Flights::default(), Kept::default());
    let hanging = std::future::pending::<Outcome>();
    assert!(timeout(Duration::from_millis(5), share(&flights, &kept, &[], hanging)).await.is_err());
    timeout(Duration::from_secs(5), flights.close()).await.expect("ends");
    assert!(flights.0.lock().by_key.is_empty());
}

#[tokio::test]
async fn beyond_the_bound_a_call_belongs_to_who_asks_and_ends_with_it() {
    let flights = Flights::default();
    let waiting = |key: String| {
        let flights = flights.clone();
        tokio::spawn(async move {
            let never = std::future::pending::<Outcome>();
            flights.share(&key, &[], || None::<()>, never, |_: &Fetched| std::future::ready(())).await
        })
    };
    let all: Vec<_> = (0..MOST).map(|n| waiting(n.to_string())).collect();
    timeout(Duration::from_secs(10), async {
        while flights.0.lock().tasks.len() < MOST {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("all calls begin");
    let keep = |_: &Fetched| -> std::future::Ready<()> { panic!("its result is not kept") };
    let own = flights.share("one more", &[], || None::<()>, async { Ok(fetched("1")) }, keep).await;
    assert_eq!(own, landed("1"));
    assert_eq!(flights.0.lock().tasks.len(), MOST);
    all.iter().for_each(tokio::task::JoinHandle::abort);
}
