use std::path::Path;

use manifold_engine::documents::{Documents, DocumentsOptions};

use super::*;

const ANN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const BEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

async fn limits() -> NamespaceLimits {
    let documents = Documents::open(Path::new(":memory:"), DocumentsOptions::default()).unwrap();
    NamespaceLimits::new(RequestLimits::open(documents).await.unwrap())
}

fn ask(limits: &NamespaceLimits, namespace: &str, client: IpAddr, now_ms: u64) -> Result<(), Error> {
    limits.admit(namespace, || client, || Timestamp(now_ms))
}

const TWO: RequestLimit = RequestLimit { max_requests: 2, window_ms: 1500 };

#[tokio::test]
async fn each_client_has_a_window_in_each_namespace() {
    let limits = limits().await;
    limits.set("a", TWO).await.unwrap();
    limits.set("b", TWO).await.unwrap();
    for (namespace, client) in [("a", ANN), ("a", ANN), ("a", BEN), ("b", ANN), ("", ANN), ("c", ANN)] {
        assert_eq!(ask(&limits, namespace, client, 1000), Ok(()));
    }
    let refused = Error::NamespaceLimited { namespace: "a".to_owned(), retry_after: 2 };
    assert_eq!(ask(&limits, "a", ANN, 1000), Err(refused));
    assert_eq!((ask(&limits, "a", BEN, 1000), ask(&limits, "b", ANN, 1000)), (Ok(()), Ok(())));
    let active = |now_ms| limits.active("a", Timestamp(now_ms));
    assert_eq!((active(2499), active(2500)), (Some((TWO, 2)), Some((TWO, 0))));
    assert_eq!(limits.active("c", Timestamp(2499)), None);
    assert_eq!(ask(&limits, "a", ANN, 2500), Ok(()));
}

#[tokio::test]
async fn another_limit_begins_anew_and_the_same_does_not() {
    let limits = limits().await;
    limits.set("a", TWO).await.unwrap();
    assert_eq!((ask(&limits, "a", ANN, 0), ask(&limits, "a", ANN, 0)), (Ok(()), Ok(())));
    limits.set("a", TWO).await.unwrap();
    assert!(ask(&limits, "a", ANN, 0).is_err());
    limits.set("a", RequestLimit { max_requests: 1, ..TWO }).await.unwrap();
    assert_eq!(ask(&limits, "a", ANN, 0), Ok(()));
    assert!(ask(&limits, "a", ANN, 0).is_err());
    assert!(limits.remove("a").await.unwrap());
    assert_eq!(ask(&limits, "a", ANN, 0), Ok(()));
    assert!(limits.counted.lock().is_empty());
}

#[test]
fn numbers_are_positive_and_without_a_fraction() {
    let raw = |text: &str| serde_json::from_str::<Box<RawValue>>(text).unwrap();
    for (text, expected) in [("1", 1), ("5.0", 5), ("1e3", 1000), ("1e300", (1 << 53) - 1)] {
        assert_eq!(positive(Some(&raw(text)), "no"), Ok(expected), "{text}");
    }
    for text in ["0", "-1", "0.5", "1e400", "null", r#""5""#, "true", "[]"] {
        assert_eq!(positive(Some(&raw(text)), "no"), Err("no".into()), "{text}");
    }
    assert_eq!(positive(None, "no"), Err("no".into()));
}
