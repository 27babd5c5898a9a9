use bytes::Bytes;
use manifold_engine::{
    Engine, Options,
    recache::{DimensionId, HostId, PageKey, Record},
};

use super::*;
use crate::dialects::edgecomet::{
    config::Compression,
    home::{Embedded, Home},
};

const EXPIRES: i64 = 4_102_444_800;

fn key(hash: u64) -> PageKey {
    PageKey { host: HostId(1), dimension: DimensionId(2), hash }
}

/// Stores a page as the worker does.
async fn store(pages: &Pages, home: &Home, key: PageKey, body: &'static str) -> String {
    let held = pages.hold(key).await;
    let (file_path, _, _held) = pages.write(key, EXPIRES, Bytes::from(body), held).await.unwrap();
    let record = Record { url: "https://a.example/".to_owned(), file_path: file_path.clone(), ..Record::default() };
    home.store_record(key, &record, 4_102_444_800).await.unwrap();
    file_path
}

fn all(entries: &mut dyn Entries) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some(mut entry) = entries.next().unwrap() {
        let mut text = String::new();
        entry.content.read_to_string(&mut text).unwrap();
        assert_eq!(entry.len, text.len() as u64);
        found.push((entry.name, text));
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_along_as_they_were_though_they_are_replaced_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(Options::new(directory.path()));
    engine.recovered().await.unwrap();
    let home = Home::Embedded(Embedded::new(engine.clone()));
    let base = directory.path().join("edgecomet/cache");
    let pages = Pages::at(base.clone(), Compression::None);
    let beside: Arc<dyn Beside> = Arc::new(PagesBeside::new(pages.clone(), directory.path()));
    assert_eq!(beside.place().name, "edgecomet/cache");

    let replaced = store(&pages, &home, key(1), "first").await;
    let removed = store(&pages, &home, key(2), "gone soon").await;
    let backup = engine.backup(&[beside.clone()]).await.unwrap();
    assert!(pages.kept.is_needed());
    assert_eq!(store(&pages, &home, key(1), "second").await, replaced);
    assert_eq!(store(&pages, &home, key(1), "third").await, replaced);
    pages.kept.keep(&base, &removed);
    fs::remove_file(base.join(&removed)).unwrap();
    store(&pages, &home, key(3), "too late").await;

    let to = directory.path().join("copy");
    let (mut reader, mut writer) = io::pipe().unwrap();
    let writing = std::thread::spawn(move || backup.write_to(&mut writer).unwrap());
    backup::receive(&mut reader, &to).unwrap();
    let manifest = writing.join().unwrap();
    let names = manifest.files.iter().filter(|file| file.shared).count();
    assert_eq!(names, 2);
    let copied = |file: &str| fs::read_to_string(to.join("edgecomet/cache").join(file)).unwrap();
    assert_eq!((copied(&replaced), copied(&removed)), ("first".to_owned(), "gone soon".to_owned()));
    assert!(!pages.kept.is_needed());
    let left: Vec<_> = fs::read_dir(&base).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["1"], "nothing of the backup is left");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn at_rest_what_lies_there_goes_along() {
    let directory = tempfile::tempdir().unwrap();
    let pages = Pages::at(directory.path().join("pages"), Compression::None);
    let beside = PagesBeside::new(pages.clone(), &directory.path().join("data"));
    assert_eq!(beside.place().name, "edgecomet/cache", "it is outside the data directory");
    let moment = Moment::at_rest();
    let mut nothing = beside.hold().await.unwrap().cut().unwrap();
    nothing.settle(&moment, directory.path()).unwrap();
    assert_eq!(all(&mut *nothing), []);

    let held = pages.hold(key(1)).await;
    let (file, _, held) = pages.write(key(1), EXPIRES, Bytes::from_static(b"page"), held).await.unwrap();
    drop(held);
    let page = directory.path().join("pages").join(&file);
    fs::write(page.with_extension("html.tmp"), "unfinished").unwrap();
    fs::write(directory.path().join("pages/notes.txt"), "not ours").unwrap();
    let mut entries = beside.hold().await.unwrap().cut().unwrap();
    entries.settle(&moment, directory.path()).unwrap();
    assert_eq!(all(&mut *entries), [(format!("edgecomet/cache/{file}"), "page".to_owned())]);
}
