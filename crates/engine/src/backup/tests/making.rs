//! What a backup consists of, where it goes, and what is left when it does not get there.

use std::os::unix::fs::PermissionsExt;

use manifold_store::OpenError;

use super::*;
use crate::{
    Kind, Level,
    documents::{DocumentSet, Documents, DocumentsOptions, Space},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_and_a_file_restore_to_the_same_at_each_level() {
    for level in [Level::Always, Level::Interval, Level::Os] {
        let house = House::at(level).await;
        for n in 0..20 {
            house.set(&format!("k{n}"), &format!("\"{}\"", "v".repeat(n * 300))).await;
        }
        for name in ["backup", "backup.mfb"] {
            let received = house.back_up(name, &[]).await.unwrap();
            assert!(received.manifest.sequence >= 20 && !received.findings.is_empty());
            let to = house.path("restored");
            let restored = restored(&house.path(name), &to).unwrap();
            assert_eq!(restored.manifest, received.manifest);
            let engine = open(&to, level).await;
            for n in 0..20 {
                let entry = engine.get(&ns("n"), &k(&format!("k{n}"))).unwrap().it.expect("is there");
                assert_eq!(entry.value.bytes, format!("\"{}\"", "v".repeat(n * 300)).as_bytes());
            }
            engine.close().await.unwrap();
            fs::remove_dir_all(to).unwrap();
        }
        assert_eq!(listed(house.home.path()), ["backup", "backup.mfb", "data"], "nothing unfinished is left");
        assert!(!listed(&house.path("data")).iter().any(|name| name.starts_with(".backup")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_may_read_what_is_restored() {
    let house = House::new().await;
    house.set("k", "1").await;
    house.back_up("backup.mfb", &[]).await.unwrap();
    restored(&house.path("backup.mfb"), &house.path("restored")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&house.path("backup.mfb")), 0o600);
    assert_eq!(mode(&house.path("restored")), 0o700);
    assert_eq!(mode(&house.path("restored/log-0000000001.seg")), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_never_written_over() {
    let house = House::new().await;
    for name in ["full", "there.mfb"] {
        if name == "full" {
            fs::create_dir(house.path(name)).unwrap();
            fs::write(house.path("full/file"), "kept").unwrap();
        } else {
            fs::write(house.path(name), "kept").unwrap();
        }
        assert!(matches!(house.back_up(name, &[]).await, Err(BackupError::Target { .. })), "{name}");
    }
    house.back_up("good", &[]).await.unwrap();
    let refused = restored(&house.path("good"), &house.path("full"));
    assert!(matches!(refused, Err(BackupError::Target { .. })));
    let refused = restored(&house.path("good"), &house.path("data"));
    assert!(matches!(refused, Err(BackupError::Target { .. })), "it is in use");
    assert_eq!(fs::read_to_string(house.path("full/file")).unwrap(), "kept");
    assert_eq!(fs::read_to_string(house.path("there.mfb")).unwrap(), "kept");
    // An empty directory is as good as none.
    fs::create_dir(house.path("empty")).unwrap();
    restored(&house.path("good"), &house.path("empty")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_early_leaves_nothing_and_the_next_try_succeeds() {
    let house = House::new().await;
    house.set("k", &format!("\"{}\"", "x".repeat(5000))).await;
    let mut whole = Vec::new();
    house.engine.backup(&[]).await.unwrap().write_to(&mut whole).unwrap();
    for name in ["cut", "cut.tar"] {
        // What a killed client left behind.
        let partial = house.path(&format!("{name}.partial"));
        if name == "cut" {
            fs::create_dir_all(partial.join("below")).unwrap();
            fs::write(partial.join("below/file"), "old").unwrap();
        } else {
            fs::write(partial, vec![b'x'; 100_000]).unwrap();
        }
        for end in (0..whole.len()).step_by(511).chain([whole.len() - 1]) {
            let refused = receive(&mut &whole[..end], &house.path(name)).unwrap_err();
            assert!(matches!(refused, BackupError::Cut(_) | BackupError::Foreign { .. }), "{end}: {refused}");
            assert!(!house.path(name).exists() && !house.path(&format!("{name}.partial")).exists());
        }
        receive(&mut &*whole, &house.path(name)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_the_backup_and_nothing_is_held() {
    let house = House::new().await;
    house.set("k", &format!("\"{}\"", "x".repeat(50_000))).await;
    let (from, mut pipe) = io::pipe().unwrap();
    drop(from);
    let backup = house.engine.backup(&[]).await.unwrap();
    assert!(listed(&house.path("data")).iter().any(|name| name.starts_with(".backup")));
    assert!(matches!(backup.write_to(&mut pipe), Err(BackupError::Cut(_))));
    assert!(!listed(&house.path("data")).iter().any(|name| name.starts_with(".backup")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_at_rest_stays_as_it_is() {
    let house = House::new().await;
    house.set("k", "1").await;
    house.engine.close().await.unwrap();
    let dir = house.path("data");
    let beside: Arc<dyn Beside> = Arc::new(FileAtRest(Place::new(&dir, &dir.join("absent"), "absent")));
    let documents = Documents::open(&dir.join("d.db"), DocumentsOptions::default()).unwrap();
    let set = DocumentSet { key: "k".to_owned(), value: "v".to_owned(), ttl_ms: 0, tags: Vec::new() };
    documents.set(Space::default(), vec![set]).await.unwrap();
    documents.close().await;
    let rows: Arc<dyn Beside> = Arc::new(DocumentsAtRest(Place::new(&dir, &dir.join("d.db"), "other.db")));
    let before = (listed(&dir), fs::read(dir.join("log-0000000001.seg")).unwrap());
    let taken_at = Timestamp(1_700_000_000_000);
    // What a killed one left behind goes.
    fs::create_dir_all(house.path("backup.partial.copies/below")).unwrap();
    let backup = at_rest(&dir, &[beside, rows], &house.path("backup"), taken_at).await.unwrap();
    assert!(house.path("backup.partial.copies/documents").exists());
    assert!(!house.path("backup.partial.copies/below").exists());
    assert_eq!(before.0, listed(&dir), "nothing is copied there");
    let received = copied(backup, house.path("backup")).await.unwrap();
    assert_eq!(before, (listed(&dir), fs::read(dir.join("log-0000000001.seg")).unwrap()));
    assert_eq!(listed(house.home.path()), ["backup", "data"], "nothing unfinished is left");
    assert!(!listed(&house.path("backup")).contains(&"LOCK".to_owned()), "it was looked at only");
    let names: Vec<&str> = received.manifest.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!((names, received.manifest.taken_at), (vec!["log-0000000001.seg", "d.db"], taken_at.0));
    // The copy can be opened where it is.
    let documents = Documents::open(&house.path("backup/d.db"), DocumentsOptions::default()).unwrap();
    assert_eq!(documents.get(Space::default(), "k".to_owned()).await.unwrap().unwrap().value, "v");
    documents.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_open_damaged_or_no_data_directory_is_refused_at_rest() {
    let house = House::new().await;
    house.set("k", &format!("\"{}\"", "x".repeat(3000))).await;
    house.set("k", "2").await;
    let dir = house.path("data");
    let to = house.path("backup");
    let refused = at_rest(&dir, &[], &to, Timestamp(0)).await.unwrap_err();
    assert!(matches!(refused, BackupError::Log(OpenError::Locked(_))));
    house.engine.close().await.unwrap();
    let segment = dir.join("log-0000000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let refused = at_rest(&dir, &[], &to, Timestamp(0)).await.unwrap_err();
    assert!(matches!(refused, BackupError::Log(OpenError::Damaged { .. })), "{refused}");
    fs::create_dir(house.path("nothing")).unwrap();
    let refused = at_rest(&house.path("nothing"), &[], &to, Timestamp(0)).await.unwrap_err();
    assert!(matches!(refused, BackupError::Log(OpenError::Foreign { .. })), "{refused}");
    assert_eq!(listed(&house.path("nothing")), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_stops_refuses() {
    let house = House::new().await;
    house.engine.close().await.unwrap();
    let refused = house.engine.backup(&[]).await.unwrap_err();
    assert!(matches!(refused.kind(), Kind::Closed), "{refused}");
}

#[test]
fn places_inside_the_data_directory_keep_their_names() {
    let dir = Path::new("/srv/data");
    let inside = Place::new(dir, Path::new("/srv/data/sub/x.db"), "usual.db");
    assert_eq!((inside.name.as_str(), inside.elsewhere()), ("sub/x.db", None));
    let outside = Place::new(dir, Path::new("/srv/x.db"), "usual.db");
    let elsewhere = Elsewhere { name: "usual.db".to_owned(), path: "/srv/x.db".to_owned() };
    assert_eq!((outside.name.as_str(), outside.elsewhere()), ("usual.db", Some(elsewhere)));
}
