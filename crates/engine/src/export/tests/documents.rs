use manifold_store::Level;

use super::*;
use crate::{
    Clock,
    documents::{Connector, Connectors, DocumentSet, Documents, DocumentsOptions, DocumentsUpkeep, Space},
};

/// An engine that looks after documents in a file.
async fn with_documents(dir: &tempfile::TempDir) -> (House, Documents) {
    let house = House::new().await;
    let options = DocumentsOptions { level: Level::Always, clock: Clock::manual(START) };
    let documents = Documents::open(&dir.path().join("d.db"), options).expect("opens");
    house.look_after(DocumentsUpkeep { documents: documents.clone(), purge_every: Duration::ZERO });
    (house, documents)
}

fn set(key: &str, value: &str, ttl_ms: u64) -> DocumentSet {
    DocumentSet { key: key.into(), value: value.into(), ttl_ms, tags: vec!["b".into(), "a".into()] }
}

#[tokio::test]
async fn documents_come_back_and_connections_only_when_asked() {
    let (dir, other_dir) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (house, documents) = with_documents(&dir).await;
    let space = Space::new("s").expect("a name");
    documents.set(space.clone(), vec![set("k", "v", 0), set("\u{e4}", "", 5000)]).await.expect("set");
    let connector = Connector {
        name: "c".into(),
        kind: "postgres".into(),
        connection_string: "postgres://u:secret@h/".into(),
        read_only: true,
        max_cache_ttl_ms: Some(5),
        default_tags: vec!["t".into()],
        headers: vec![("h".into(), "secret".into())],
    };
    Connectors::new(documents.clone()).insert(connector.clone()).await.expect("insert");
    let file = file_of(&house, Selection::default()).await;
    assert!(!String::from_utf8_lossy(&file).contains("secret"));
    let all = Selection { secrets: true, ..Selection::default() };
    let file = file_of(&house, all.clone()).await;
    let before = records(&file);
    assert_eq!(before.len(), 1 + 2 + 1, "a namespace, two documents, a connection");

    let (other, others) = with_documents(&other_dir).await;
    let mine = set("k", "mine", 0);
    others.set(space.clone(), vec![mine]).await.expect("set");
    let error = import_all(&other, &file, OnConflict::Fail).await.expect_err("a conflict");
    assert_eq!(error.line, 3, "{error}");
    import_all(&other, &file, OnConflict::Replace).await.expect("imports");
    assert_same(&records(&file_of(&other, all).await), &before);
    assert_eq!(Connectors::new(others.clone()).load().await.expect("load"), [connector]);
    let again = import_all(&other, &file, OnConflict::Fail).await.expect("nothing is in the way");
    assert_eq!(again.written, 0);
    documents.close().await;
    others.close().await;
}
