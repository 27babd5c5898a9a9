//! Records of stored pages and their files.

use super::*;

fn key(dimension: u64, hash: u64) -> PageKey {
    PageKey { host: HOST, dimension: DimensionId(dimension), hash }
}

fn record(file_path: &str) -> Record {
    Record {
        url: format!("https://a.b/{file_path}"),
        file_path: file_path.to_owned(),
        dimension: "desktop".to_owned(),
        created_at: Some(-5),
        size: Some(1 << 40),
        status_code: Some(200),
        headers: vec![("Content-Type".to_owned(), vec!["text/html".to_owned(), String::new()])],
        ..Record::default()
    }
}

impl House {
    async fn store(&self, key: PageKey, file_path: &str) {
        self.recache_store_record(key, &record(file_path), NOW + 100).await.expect("stored");
    }

    async fn removable(&self, now: u64) -> Vec<String> {
        self.recache_removable_files(now, 100).await.expect("files")
    }

    async fn record_of(&self, key: PageKey) -> Option<Record> {
        self.recache_record(key).await.expect("record")
    }
}

#[tokio::test]
async fn a_record_reads_as_it_was_stored_and_ends_at_its_second() {
    let mut house = House::new().await;
    let full = Record {
        request_id: "r".to_owned(),
        expires_at: Some(i64::MIN),
        last_access: Some(i64::MAX),
        disk_size: Some(0),
        source: "render".to_owned(),
        eg_ids: "a,b".to_owned(),
        last_bot_hit: Some(7),
        index_status: Some(4),
        title: "é".to_owned(),
        ..record("f")
    };
    house.recache_store_record(key(1, 1), &full, NOW + 10).await.expect("stored");
    house.recache_store_record(key(1, 2), &Record::default(), u64::MAX).await.expect("stored");
    house.restart().await;
    assert_eq!(house.record_of(key(1, 1)).await, Some(full));
    house.advance(9_999);
    assert!(house.record_of(key(1, 1)).await.is_some());
    house.advance(1);
    assert_eq!(house.record_of(key(1, 1)).await, None);
    assert_eq!(house.record_of(key(1, 2)).await, Some(Record::default()));
    let rows = |engine: &crate::Engine| engine.opened().expect("open").store.rows(crate::keys::RECACHE_RECORD);
    house.until("the record goes", |engine| rows(engine) == 1).await;
}

#[tokio::test]
async fn a_record_stored_anew_ends_when_the_new_one_does() {
    let house = House::new().await;
    house.recache_store_record(key(1, 1), &record("f"), NOW + 10).await.expect("stored");
    house.recache_store_record(key(1, 1), &record("f"), NOW + 20).await.expect("stored");
    house.advance(15_000);
    assert!(house.record_of(key(1, 1)).await.is_some());
    let timers = |engine: &crate::Engine| engine.opened().expect("open").store.rows(crate::keys::TIMER);
    assert_eq!(timers(&house), 1);
    house.advance(5_000);
    house.until("the timer goes", |engine| timers(engine) == 0).await;
}

#[tokio::test]
async fn files_of_forgotten_records_are_for_removal_unless_they_are_written_again() {
    let mut house = House::new().await;
    for (hash, path) in [(1, "a"), (2, "b"), (3, "")] {
        house.store(key(1, hash), path).await;
    }
    let keys = [key(1, 1), key(1, 2), key(1, 1), key(1, 3), key(1, 9)];
    assert_eq!(house.recache_forget(&keys, NOW + 30).await.expect("forgotten"), 3);
    assert_eq!(house.recache_forget(&keys, NOW + 30).await.expect("forgotten"), 0);
    house.store(key(1, 2), "b").await;
    house.restart().await;
    assert_eq!(house.removable(NOW + 29).await, [""; 0]);
    assert_eq!(house.removable(NOW + 30).await, ["a"]);
    let files = ["a".to_owned(), "b".to_owned(), "unknown".to_owned()];
    house.recache_files_removed(&files).await.expect("nothing is due yet");
    assert_eq!(house.removable(NOW + 30).await, ["a"]);
    house.advance(30_000);
    house.recache_files_removed(&files).await.expect("removed");
    assert_eq!(house.removable(u64::MAX).await, [""; 0]);
}

#[tokio::test]
async fn the_file_of_a_replaced_record_is_for_removal_soon() {
    let house = House::new().await;
    house.store(key(1, 1), "old").await;
    house.store(key(1, 1), "new").await;
    assert_eq!(house.removable(NOW + 59).await, [""; 0]);
    assert_eq!(house.removable(NOW + 60).await, ["old"]);
    house.store(key(1, 1), "old").await;
    assert_eq!(house.removable(u64::MAX).await, ["new"]);
}

#[tokio::test]
async fn records_are_forgotten_by_variant_and_by_what_their_addresses_begin_with() {
    let select = |dimensions: Option<&[u64]>, prefix: Option<&str>| Selection {
        dimensions: dimensions.map(|ids| ids.iter().copied().map(DimensionId).collect()),
        prefix: prefix.map(str::to_owned),
    };
    let house = House::new().await;
    let elsewhere = PageKey { host: HostId(11), ..key(1, 1) };
    for (hash, path) in (0u64..).zip(["a/1", "a/2", "b"]) {
        house.store(key(1, hash), path).await;
        house.store(key(2, hash), path).await;
    }
    house.store(elsewhere, "a/1").await;
    let forget = async |selection| house.recache_forget_selected(HOST, &selection, NOW).await.expect("forgotten");
    assert_eq!(forget(select(Some(&[2, 7]), Some("https://a.b/a/"))).await, 2);
    assert_eq!(forget(select(Some(&[]), None)).await, 0);
    assert_eq!(forget(select(None, Some("https://a.b/b"))).await, 2);
    assert_eq!(forget(select(Some(&[1, 1]), None)).await, 2);
    assert_eq!(forget(Selection::default()).await, 0);
    assert!(house.record_of(elsewhere).await.is_some());
}

#[tokio::test]
async fn paging_meets_every_record_once_whatever_comes_and_goes() {
    let house = House::new().await;
    for hash in 0..10 {
        house.store(key(hash % 2, hash << 60), "f").await;
    }
    house.recache_store_record(key(0, 1), &record("f"), NOW).await.expect("stored");
    let mut met = Vec::new();
    let mut after = None;
    loop {
        let (page, next) = house.recache_records(HOST, after, 3).await.expect("records");
        assert!(page.len() <= 3);
        met.extend(page.into_iter().map(|(key, _)| (key.dimension.0, key.hash >> 60)));
        if next.is_none() {
            break;
        }
        after = next;
        house.recache_forget(&[key(0, 0)], NOW).await.expect("forgotten");
        house.store(key(0, 2), "f").await;
    }
    assert_eq!(
        met,
        [0, 2, 4, 6, 8]
            .map(|hash| (0, hash))
            .into_iter()
            .chain([1, 3, 5, 7, 9].map(|hash| (1, hash)))
            .collect::<Vec<_>>()
    );
    assert_eq!(house.recache_records(HostId(9), None, 3).await.expect("records"), (Vec::new(), None));
}

#[tokio::test]
async fn a_record_is_met_behind_a_thousand_that_were_forgotten() {
    let house = House::with(|options| options.level = crate::Level::Os).await;
    for hash in 0..1100 {
        house.store(key(1, hash), "f").await;
    }
    assert_eq!(house.recache_forget_selected(HOST, &Selection::default(), NOW).await.expect("forgotten"), 1100);
    house.store(key(2, 0), "g").await;
    let (page, _) = house.recache_records(HOST, None, 1).await.expect("records");
    assert_eq!(page, [(key(2, 0), record("g"))]);
}

#[tokio::test]
async fn a_visit_is_noted_and_brings_the_entry_forward_only() {
    let house = House::new().await;
    house.store(key(1, 1), "f").await;
    let hit = |due| BotHit { key: key(1, 1), entry: entry("f", 1), at: NOW, due, most: 1 };
    assert_eq!(house.recache_bot_hit(&hit(50)).await.expect("hit"), Scheduled::Added);
    assert_eq!(house.recache_bot_hit(&hit(60)).await.expect("hit"), Scheduled::Unchanged);
    assert_eq!(house.recache_bot_hit(&hit(40)).await.expect("hit"), Scheduled::Earlier);
    assert_eq!(house.all_queued().await, [("f".to_owned(), Priority::Autorecache, 40)]);
    assert_eq!(house.record_of(key(1, 1)).await.and_then(|record| record.last_bot_hit), i64::try_from(NOW).ok());
    let other = BotHit { key: key(1, 2), entry: entry("g", 1), ..hit(1) };
    assert_eq!(refused(house.recache_bot_hit(&other).await).kind(), &Kind::Busy);
    assert_eq!(house.record_of(key(1, 2)).await, None);
}
