use std::time::Duration;

use manifold_store::disk::Reboot;

use crate::{
    Kind,
    kv::{Increment, Incremented},
    tests::{ANN, House, json, k, ns, put, refused},
};

/// Long enough for whatever does not wait for the disk.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_hundred_verbs_wait_for_the_disk_once() {
    let mut house = House::new().await;
    house.disk.hold_syncs(true);
    let mut together = house.together();
    let mut debts = Vec::new();
    for number in 0..100 {
        let verb = async { house.put(&ns("n"), put("a", &number.to_string())).await };
        let (entry, debt) = tokio::time::timeout(PATIENCE, together.run(verb)).await.expect("it does not wait");
        assert_eq!(entry.expect("put").version, number + 1, "each sees those before it");
        debts.push(debt.expect("it wrote"));
    }
    assert!(debts.iter().all(|debt| !together.is_settled(*debt)));
    assert!(house.read("a").is_none(), "readers see nothing of them");
    let waited = tokio::time::timeout(Duration::from_millis(20), together.wait()).await;
    assert!(waited.is_err(), "the disk is still busy");

    let (_, debt) = together.run(house.put(&ns("n"), put("a", "last"))).await;
    house.disk.hold_syncs(false);
    together.wait().await.expect("durable");
    assert!(debts.into_iter().chain(debt).all(|debt| together.is_settled(debt)));
    drop(together);
    house.crash(Reboot::Lost).await;
    assert_eq!(house.read("a").expect("an entry").version, 101);
}

#[tokio::test]
async fn what_never_becomes_durable_is_told_apart() {
    let house = House::new().await;
    let mut together = house.together();
    let (_, early) = together.run(house.put(&ns("n"), put("a", "1"))).await;
    together.wait().await.expect("durable");
    house.disk.hold_syncs(true);
    let mut late = Vec::new();
    for _ in 0..100 {
        let add = Increment { key: k("a"), by: 1, actor: ANN };
        let (_, debt) = together.run(house.increment(&ns("n"), add)).await;
        late.push(debt.expect("it wrote"));
    }
    house.disk.fail_syncs(true);
    house.disk.hold_syncs(false);
    assert_eq!(refused(together.wait().await).kind(), &Kind::Storage);
    assert!(together.is_settled(early.expect("it wrote")));
    assert!(late.iter().all(|debt| !together.is_settled(*debt)));
    assert_eq!(house.read("a").expect("an entry").value, json("1"));
}

#[tokio::test]
async fn a_refusal_owes_what_it_rests_on_and_nothing_else() {
    let house = House::new().await;
    house.set("a", "\"x\"").await;
    house.disk.hold_syncs(true);
    let mut together = house.together();
    let add = |key| Increment { key: k(key), by: 1, actor: ANN };
    let (done, debt) = together.run(house.increment(&ns("n"), add("a"))).await;
    assert_eq!(done.expect("an answer"), Incremented::NotAnInteger);
    assert!(debt.is_none_or(|debt| together.is_settled(debt)));
    together.run(house.put(&ns("n"), put("b", "\"x\""))).await.0.expect("put");
    let (done, debt) = together.run(house.increment(&ns("n"), add("b"))).await;
    assert_eq!(done.expect("an answer"), Incremented::NotAnInteger);
    assert!(!together.is_settled(debt.expect("it rests on a put")));
    let (_, none) = together.run(async {}).await;
    assert_eq!(none, None);
    house.disk.hold_syncs(false);
    together.wait().await.expect("durable");
}

#[tokio::test]
async fn who_goes_away_without_waiting_leaves_nothing_in_the_buffer() {
    let house = House::with(|options| options.level = crate::Level::Os).await;
    let mut together = house.together();
    together.run(house.put(&ns("n"), put("a", "1"))).await.0.expect("put");
    assert!(house.read("a").is_none());
    drop(together);
    assert!(house.read("a").is_some());
}
