use std::time::Duration;

use crate::{
    Kind,
    queue::{Enqueue, QueueName, Settings},
    tests::{House, START, brief, json, k, ns, put, refused},
};

async fn listed(house: &House) -> Vec<(String, u64)> {
    let shown = |name: &crate::Namespace| String::from_utf8_lossy(name.as_bytes()).into_owned();
    let found = house.namespaces().await.expect("a list");
    found.iter().map(|info| (shown(&info.name), info.keys)).collect()
}

fn lines(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(name, keys)| ((*name).to_owned(), *keys)).collect()
}

#[tokio::test]
async fn a_namespace_is_created_once_and_survives_a_restart() {
    let mut house = House::new().await;
    house.advance(5);
    let created = house.create_namespace(&ns("b")).await.expect("created");
    assert_eq!(created, START.plus(Duration::from_millis(5)));
    house.restart().await;
    let again = refused(house.create_namespace(&ns("b")).await);
    assert_eq!(again.kind(), &Kind::Conflict { current: 0 });
    let found = house.namespaces().await.expect("a list");
    assert_eq!(found.iter().find(|info| info.name == ns("b")).expect("listed").created_at, created);
}

#[tokio::test]
async fn the_default_namespace_always_exists() {
    let house = House::new().await;
    assert_eq!(listed(&house).await, lines(&[("default", 0)]));
    assert!(matches!(refused(house.create_namespace(&ns("default")).await).kind(), Kind::Conflict { .. }));
}

#[tokio::test]
async fn a_write_creates_its_namespace_and_a_refused_one_or_a_read_does_not() {
    let mut house = House::with(|options| options.limits.value_bytes = 4).await;
    house.put(&ns("a"), put("x", "1")).await.expect("put");
    house.put(&ns("a"), put("y", "1")).await.expect("put");
    refused(house.put(&ns("c"), put("x", "12345")).await);
    assert!(house.get(&ns("d"), &k("x")).expect("get").it.is_none());
    assert_eq!(listed(&house).await, lines(&[("a", 2), ("default", 0)]));
    assert!(matches!(refused(house.create_namespace(&ns("a")).await).kind(), Kind::Conflict { .. }));
    house.restart().await;
    assert_eq!(listed(&house).await, lines(&[("a", 2), ("default", 0)]));
}

#[tokio::test]
async fn expired_and_deleted_keys_are_not_counted_and_leave_the_namespace() {
    let house = House::new().await;
    house.put(&ns("n"), brief("a", "1", 10)).await.expect("put");
    house.set("b", "1").await;
    house.remove("b").await;
    assert_eq!(listed(&house).await, lines(&[("default", 0), ("n", 1)]));
    house.advance(10);
    assert_eq!(listed(&house).await, lines(&[("default", 0), ("n", 0)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_creators_one_wins() {
    let house = House::new().await;
    let creators: Vec<_> = (0..32)
        .map(|number| {
            let engine = house.engine.clone();
            tokio::spawn(async move {
                if number % 4 == 0 {
                    engine.put(&ns("n"), put("a", "1")).await.expect("put");
                    return false;
                }
                engine.create_namespace(&ns("n")).await.is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for creator in creators {
        winners += usize::from(creator.await.expect("task"));
    }
    assert!(winners <= 1, "a put may have been first");
}

#[tokio::test]
async fn a_reader_that_waits_gets_the_key_when_it_comes_or_nothing_in_time() {
    let house = House::new().await;
    let waiting = tokio::spawn({
        let engine = house.engine.clone();
        async move { engine.get_or_wait(&ns("n"), &k("a"), Duration::from_secs(60)).await.expect("get").it }
    });
    tokio::task::yield_now().await;
    house.set("b", "1").await;
    house.set("a", "7").await;
    assert_eq!(waiting.await.expect("task").expect("an entry").version, 1);
    let there = house.get_or_wait(&ns("n"), &k("a"), Duration::from_secs(60)).await.expect("get").it;
    assert!(there.is_some(), "a key that is there is not waited for");
    let none = house.get_or_wait(&ns("n"), &k("c"), Duration::ZERO).await.expect("get").it;
    assert!(none.is_none());
}

#[tokio::test]
async fn a_queue_creates_its_namespace_and_is_counted() {
    let mut house = House::new().await;
    let enqueue = || Enqueue {
        payload: json("1"),
        headers: bytes::Bytes::new(),
        priority: None,
        delay: Duration::ZERO,
        dedup_key: None,
        max_attempts: None,
        settings: Settings::default(),
    };
    for name in ["a", "b"] {
        let queue = QueueName::new(name).expect("a name");
        house.queue_enqueue(&ns("q"), &queue, enqueue()).await.expect("enqueue");
    }
    house.queue_delete(&ns("q"), &QueueName::new("b").expect("a name")).await.expect("delete");
    house.restart().await;
    let found = house.namespaces().await.expect("a list");
    assert_eq!(found.iter().map(|info| info.queues).collect::<Vec<_>>(), [0, 1]);
    assert!(refused(house.create_namespace(&ns("q")).await).to_string().contains("exists"));
}
