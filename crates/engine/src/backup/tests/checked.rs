//! Files of documents that are checked where they lie.

use manifold_store::OpenError;

use super::*;
use crate::documents::{DocumentSet, Documents, DocumentsOptions, Space};

/// A file with some pages in it, in a directory of its own.
async fn filled(dir: &Path) -> Documents {
    fs::create_dir(dir).unwrap();
    let documents = Documents::open(&dir.join("d.db"), DocumentsOptions::default()).unwrap();
    for n in 0..20 {
        let (key, value) = (format!("k{n}"), "v".repeat(2000));
        let set = DocumentSet { key, value, ttl_ms: 0, tags: Vec::new() };
        documents.set(Space::default(), vec![set]).await.unwrap();
    }
    documents
}

/// Names and bytes of all files.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    listed(dir).into_iter().map(|name| (name.clone(), fs::read(dir.join(name)).unwrap())).collect()
}

const FINE: Option<&str> = Some("SQLite finds nothing wrong with it");

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_what_a_kill_left_beside_it_is_checked_and_stays_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let (open, killed) = (home.path().join("open"), home.path().join("killed"));
    assert_eq!(check_documents(&open.join("d.db")).unwrap(), None, "there is no file");
    let documents = filled(&open).await;
    fs::create_dir(&killed).unwrap();
    for name in listed(&open) {
        fs::copy(open.join(&name), killed.join(&name)).unwrap();
    }
    documents.close().await;
    let before = contents(&killed);
    assert!(before.iter().any(|(name, bytes)| name == "d.db-wal" && !bytes.is_empty()), "nothing is left in the log");
    assert_eq!(check_documents(&killed.join("d.db")).unwrap(), FINE);
    assert_eq!(contents(&killed), before);
    fs::remove_file(killed.join("d.db-shm")).unwrap();
    let said = check_documents(&killed.join("d.db")).unwrap();
    assert!(said.is_some_and(|said| said.starts_with("not checked")), "{said:?}");
    assert!(!killed.join("d.db-shm").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_its_file_named() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("dir");
    filled(&dir).await.close().await;
    let path = dir.join("d.db");
    assert_eq!(check_documents(&path).unwrap(), FINE);
    assert_eq!(listed(&dir), ["d.db"], "nothing is put beside it");
    let whole = fs::read(&path).unwrap();
    for (what, at) in [("the head", 0), ("a page", 4096)] {
        let mut damaged = whole.clone();
        damaged[at..at + 100].fill(0xff);
        fs::write(&path, damaged).unwrap();
        let refused = check_documents(&path).expect_err(what);
        assert!(matches!(&refused, OpenError::Damaged { file, .. } if *file == path), "{what}: {refused}");
        assert!(!refused.to_string().contains('\n'), "{refused}");
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(check_documents(&path), Err(OpenError::Damaged { .. })), "half of it is missing");
}
