use std::time::Duration;

use manifold_engine::recache::{DimensionId, HostId};
use tokio::time::timeout;

use super::*;

const KEY: PageKey = PageKey { host: HostId(1), dimension: DimensionId(2), hash: 0xab };

fn pages(compression: Compression) -> (tempfile::TempDir, Pages) {
    let home = tempfile::tempdir().expect("a directory");
    let pages = Pages::at(home.path().to_owned(), compression);
    (home, pages)
}

fn record(file_path: &str) -> Record {
    Record { file_path: file_path.to_owned(), ..Record::default() }
}

#[tokio::test]
async fn pages_are_read_back_as_they_were_written() {
    for (compression, suffix) in [(Compression::None, ""), (Compression::Snappy, ".snappy"), (Compression::Lz4, ".lz4")]
    {
        let (home, pages) = pages(compression);
        for (length, suffix) in [(0, ""), (1023, ""), (1024, suffix), (50_000, suffix)] {
            let body = Bytes::from(vec![b'x'; length]);
            let held = pages.hold(KEY).await;
            let (path, disk_size, _held) = pages.write(KEY, 1_737_196_200, body.clone(), held).await.expect("written");
            assert_eq!(path, format!("1/2025/01/18/10/30/00000000000000ab_2.html{suffix}"));
            assert_eq!(std::fs::metadata(home.path().join(&path)).expect("is there").len(), disk_size);
            assert_eq!(pages.read(&record(&path)).await.expect("readable"), Some(body));
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_absent_and_what_is_damaged_is_an_error() {
    let (home, pages) = pages(Compression::Snappy);
    assert_eq!(pages.read(&record("1/2025/nothing.html")).await.expect("no error"), None);
    assert_eq!(pages.read(&record("")).await.expect("no error"), None);
    std::fs::write(home.path().join("a.html.snappy"), b"\xff\xff\xff\xff\xff").expect("written");
    assert!(pages.read(&record("a.html.snappy")).await.is_err());
    for outside in ["../a.html", "/etc/hostname"] {
        let error = pages.read(&record(outside)).await.unwrap_err();
        assert_eq!(error.to_string(), "the file is outside the directory of pages");
    }
}

#[tokio::test]
async fn one_page_is_held_by_one_at_a_time() {
    let (_home, pages) = pages(Compression::None);
    let held = pages.hold(KEY).await;
    assert!(timeout(Duration::ZERO, pages.clone().hold(KEY)).await.is_err());
    let other = PageKey { hash: 0xac, ..KEY };
    assert!(timeout(Duration::from_secs(5), pages.hold(other)).await.is_ok());
    drop(held);
    assert!(timeout(Duration::from_secs(5), pages.hold(KEY)).await.is_ok());
}
