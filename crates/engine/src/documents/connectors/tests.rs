use super::*;
use crate::{Clock, documents::DocumentsOptions, tests::START};

fn opened(dir: &tempfile::TempDir) -> Documents {
    let options = DocumentsOptions { level: manifold_store::Level::Os, clock: Clock::manual(START) };
    Documents::open(&dir.path().join("documents.db"), options).unwrap()
}

fn named(name: &str) -> Connector {
    Connector {
        name: name.to_owned(),
        kind: "http".to_owned(),
        connection_string: "http://ann:secret@host/".to_owned(),
        read_only: true,
        max_cache_ttl_ms: Some(5),
        default_tags: vec!["b".to_owned(), "a\"".to_owned()],
        headers: vec![("X-Key".to_owned(), "secret".to_owned())],
    }
}

#[tokio::test]
async fn connectors_survive_a_restart_in_the_order_of_their_registration() {
    let dir = tempfile::tempdir().unwrap();
    let documents = opened(&dir);
    let connectors = Connectors::new(documents.clone());
    for name in ["b", "c", "a"] {
        assert!(connectors.insert(named(name)).await.unwrap());
    }
    assert!(connectors.remove("c").await.unwrap() && !connectors.remove("c").await.unwrap());
    let plain =
        Connector { read_only: false, max_cache_ttl_ms: None, default_tags: vec![], headers: vec![], ..named("c") };
    assert!(connectors.insert(plain.clone()).await.unwrap());
    documents.close().await;
    assert_eq!(Connectors::new(opened(&dir)).load().await.unwrap(), [named("b"), named("a"), plain]);
}

#[tokio::test]
async fn a_name_is_registered_once() {
    let dir = tempfile::tempdir().unwrap();
    let connectors = Connectors::new(opened(&dir));
    assert!(connectors.insert(named("a")).await.unwrap());
    assert!(!connectors.insert(Connector { kind: "mysql".to_owned(), ..named("a") }).await.unwrap());
    assert_eq!(connectors.load().await.unwrap(), [named("a")]);
}

#[test]
fn what_may_be_secret_is_not_printed() {
    assert!(!format!("{:?}", named("a")).contains("secret"));
}
