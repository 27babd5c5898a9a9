//! Leases that belong to nobody, and who is there.

use super::*;
use crate::dialects::edgecomet::home::{RegisteredGateway, RenderService};

#[tokio::test]
async fn a_start_puts_back_what_the_last_run_had() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    let before = shared.home("a").await;
    before.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let leases = pull_high(&before, 2, NOW).await.leases;
    before.wait_for_retry(&leases[1], 1, NOW + 30).await.unwrap();
    drop(before);
    let home = shared.home("a").await;
    // Whichever comes first, the heart's own recovery or this one, leaves the same.
    home.recover().await.unwrap();
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(member("a"), NOW as f64), (member("b"), (NOW + 30) as f64)]);
    assert_eq!(direct.hget::<_, _, u32>("manifold:ec:attempts:1", format!("high:{}", member("b"))).unwrap(), 1);
    assert!(!direct.exists::<_, bool>("manifold:ec:lease:a").unwrap());
}

#[tokio::test]
async fn what_is_held_is_not_put_back() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    let home = shared.home("a").await;
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let leases = pull_high(&home, 1, NOW).await.leases;
    assert_eq!(home.recover().await.unwrap(), 0);
    assert_eq!(direct.hlen::<_, u64>("manifold:ec:lease:a").unwrap(), 1);
    home.finish(&leases).await.unwrap();
}

#[tokio::test]
async fn a_pull_whose_answer_never_came_is_put_back() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    let home = shared.home("a").await;
    home.enqueue(enqueue(Priority::High, &["a", "b"], NOW)).await.unwrap();
    let leases = pull_high(&home, 2, NOW).await.leases;
    home.0.held.lock().remove(&leases[..1]);
    home.recover().await.unwrap();
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(member("a"), NOW as f64)]);
}

#[tokio::test]
async fn leases_of_a_daemon_that_is_gone_are_put_back_by_one_of_the_others() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    let gone = shared.home("gone").await;
    let names: Vec<String> = (0..1_200).map(|number| format!("p{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    gone.enqueue(enqueue(Priority::High, &names, NOW)).await.unwrap();
    assert_eq!(pull_high(&gone, 1_000, NOW).await.leases.len(), 1_000);
    let (left, right) = (shared.home("left").await, shared.home("right").await);
    left.recover().await.unwrap();
    assert_eq!(direct.zcard::<_, u64>("recache:1:high").unwrap(), 200, "it is alive");
    drop(gone);
    let _: () = direct.del("manifold:ec:daemon:gone").unwrap();
    let (from_left, from_right) = tokio::join!(left.recover(), right.recover());
    // The hearts may have been quicker.
    assert!(from_left.unwrap() + from_right.unwrap() <= 1_000);
    assert_eq!(direct.zcard::<_, u64>("recache:1:high").unwrap(), 1_200);
    assert!(!direct.exists::<_, bool>("manifold:ec:lease:gone").unwrap());
}

#[tokio::test]
async fn leases_that_make_no_sense_are_removed() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    for (number, odd) in ["", "x", "1 high", "1 high now 0 0 m", "-1 high 5 0 0 m", "1 HIGH 5 0 0 m"].iter().enumerate()
    {
        let _: () = direct.hset("manifold:ec:lease:a", format!("old:{number}"), odd).unwrap();
    }
    let _: () = direct.hset("manifold:ec:lease:a", "old:good", format!("1 high {NOW} 0 0 {}", member("a"))).unwrap();
    let home = shared.home("a").await;
    home.recover().await.unwrap();
    assert!(!direct.exists::<_, bool>("manifold:ec:lease:a").unwrap());
    assert_eq!(queue_of(&mut direct, "recache:1:high"), [(member("a"), NOW as f64)]);
    assert_eq!(home.malformed_members(), 6);
}

#[tokio::test]
async fn a_daemon_says_that_it_lives_and_that_it_ends() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    let home = shared.home("a").await;
    home.recover().await.unwrap();
    assert!((14..=15).contains(&direct.ttl::<_, i64>("manifold:ec:daemon:a").unwrap()));
    home.close().await;
    assert!(!direct.exists::<_, bool>("manifold:ec:daemon:a").unwrap());
}

#[tokio::test]
async fn the_registry_has_who_is_healthy() {
    let Some(shared) = Shared::start() else { return };
    let mut direct = shared.direct();
    for number in 0..3_000 {
        let _: () = direct.set(format!("recache-and-more:{number}"), "x").unwrap();
    }
    let values = [
        ("service:render:a", r#"{"id":"a","capacity":4,"load":1,"last_seen":"2025-01-18T10:30:00Z"}"#),
        ("service:render:b", "garbage"),
        ("service:render:c", r#"{"id":"c","capacity":4,"load":1,"last_seen":"2025-01-18T10:00:00Z"}"#),
        ("registry:eg:2", r#"{"eg_id":"2","address":":10072","sharding_enabled":true}"#),
        ("registry:eg:1", r#"{"eg_id":"1","address":"0.0.0.0:10071","sharding_enabled":true}"#),
        ("registry:eg:3", r#"{"eg_id":"3","address":":10073","sharding_enabled":false}"#),
        ("manifold:ec:daemon:b", "x"),
        ("services:render:list", "never read"),
    ];
    for (name, value) in values {
        let _: () = direct.set(name, value).unwrap();
    }
    let _: () = direct.hset("registry:eg:4", "of", "another type").unwrap();
    let home = shared.home("a").await;
    home.recover().await.unwrap();
    let gateway =
        |eg_id: &str, address: &str| RegisteredGateway { eg_id: eg_id.to_owned(), address: address.to_owned() };
    let expected = Registry {
        render_services: vec![RenderService { capacity: 4, load: 1 }],
        gateways: vec![gateway("1", "127.0.0.1:10071"), gateway("2", "127.0.0.1:10072")],
        daemons: 2,
    };
    assert_eq!(home.registry().await.unwrap(), expected);
    let _: () = direct.del(&["service:render:a", "registry:eg:1", "manifold:ec:daemon:b"]).unwrap();
    assert_eq!(home.registry().await.unwrap(), expected, "it counts for half a tick");
    tokio::time::sleep(home.0.registry_lasts).await;
    let now = home.registry().await.unwrap();
    assert_eq!(now, Registry { gateways: vec![gateway("2", "127.0.0.1:10072")], ..Registry::alone() });
}
