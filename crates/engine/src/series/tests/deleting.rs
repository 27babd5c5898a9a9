//! Deleting points, and what becomes of names that have none left.

use manifold_store::disk::{Fault, Reboot};

use super::*;
use crate::{
    Clock, Options,
    tests::{START, ground},
};

fn host(test: TagTest) -> Vec<TagFilter> {
    vec![TagFilter { tag: "host".to_owned(), test }]
}

fn is(value: &str) -> Vec<TagFilter> {
    host(TagTest::Is(value.to_owned()))
}

fn all(measurement: &str) -> DeletePoints {
    DeletePoints { measurement: measurement.to_owned(), filters: Vec::new(), range: None }
}

async fn small_house() -> House {
    let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
    House::tuned(SimDisk::new(), options, small()).await
}

impl House {
    async fn erase(&self, delete: DeletePoints) -> u64 {
        self.delete_points(&ns("n"), delete).await.expect("deletes")
    }

    async fn names(&self) -> Vec<MeasurementInfo> {
        self.measurements(&ns("n"), None, usize::MAX).await.expect("lists")
    }
}

#[tokio::test]
async fn points_between_two_instants_go_from_buffers_and_blocks_and_stay_away() {
    let mut house = small_house().await;
    for time in 0..100 {
        house.write(Lines::floats("a", [(time, time as f64)])).await;
    }
    house.write(Lines::floats("b", [(20, 1.0)])).await;
    let deleted = house.erase(DeletePoints { range: Some((10, 96)), filters: is("a"), ..all("m") }).await;
    assert_eq!(deleted, 87);
    for _ in 0..2 {
        let left = (0..10).chain(97..100).map(|time| (time, time as f64));
        assert_eq!(house.column("a", "v"), floats(left));
        assert_eq!(house.column("b", "v"), floats([(20, 1.0)]));
        house.restart().await;
    }
    house.write(Lines::floats("a", [(50, 5.0)])).await;
    house.crash(Reboot::Lost).await;
    assert_eq!(house.column_within("a", "v", (10, 96)), floats([(50, 5.0)]));
}

#[tokio::test]
async fn all_fields_of_the_series_that_pass_the_filters_are_concerned() {
    let house = small_house().await;
    let one = Scalar::Int(1);
    for name in ["web-01", "web-02", "db"] {
        let values = [("x", one.clone()), ("s", text("up"))];
        house.write(Lines::default().line(name, 1, &values).line(name, 2, &values)).await;
    }
    let filters = host(TagTest::Matches(Pattern::glob("web-*").expect("a pattern")));
    assert_eq!(house.erase(DeletePoints { range: Some((2, 2)), filters, ..all("m") }).await, 4);
    for name in ["web-01", "web-02"] {
        assert_eq!(house.column(name, "x"), [(1, one.clone())]);
        assert_eq!(house.column(name, "s"), [(1, text("up"))]);
    }
    assert_eq!(house.column("db", "x").len(), 2);
}

#[tokio::test]
async fn what_is_not_there_is_not_deleted() {
    let house = small_house().await;
    assert_eq!(house.erase(all("m")).await, 0);
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    for delete in [
        all("other"),
        DeletePoints { filters: is("b"), ..all("m") },
        DeletePoints { range: Some((2, i64::MAX)), ..all("m") },
        DeletePoints { range: Some((1, 0)), ..all("m") },
    ] {
        assert_eq!(house.erase(delete).await, 0);
    }
    assert_eq!(house.column("a", "v"), floats([(1, 1.0)]));
}

#[tokio::test]
async fn a_series_without_points_is_gone_and_references_to_it_are_over() {
    let mut house = small_house().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    house.write(Lines::floats("b", [(1, 1.0)])).await;
    let epoch = house.series_epoch(&ns("n")).expect("an epoch");
    assert_eq!(house.erase(DeletePoints { filters: is("a"), ..all("m") }).await, 1);
    assert_ne!(house.series_epoch(&ns("n")).expect("an epoch"), epoch);
    assert_eq!(house.find_series(&ns("n"), epoch, &key("b")).expect("answers"), None, "it is another epoch");
    let mut points = Points::new(epoch);
    points.float(FieldRef(0), 2.0);
    points.end(SeriesRef(1), 2);
    assert_eq!(house.write_points(&ns("n"), points, false).await.expect("answers"), None);
    for _ in 0..2 {
        let epoch = house.series_epoch(&ns("n")).expect("an epoch");
        assert_eq!(house.find_series(&ns("n"), epoch, &key("a")).expect("answers"), None);
        assert!(house.find_series(&ns("n"), epoch, &key("b")).expect("answers").is_some());
        assert_eq!(house.names().await[0].series, 1);
        assert_eq!(house.series_stats().series, 1);
        house.restart().await;
    }
    house.write(Lines::floats("a", [(2, 2.0)])).await;
    house.crash(Reboot::Lost).await;
    assert_eq!(house.column("a", "v"), floats([(2, 2.0)]), "the series of the same name is another one");
}

#[tokio::test]
async fn a_series_emptied_piece_by_piece_is_gone_with_its_last_point() {
    let house = small_house().await;
    for time in 0..40 {
        house.write(Lines::floats("a", [(time, 1.0)])).await;
    }
    assert_eq!(house.erase(DeletePoints { range: Some((5, i64::MAX)), ..all("m") }).await, 35);
    assert_eq!(house.names().await.len(), 1);
    assert_eq!(house.erase(DeletePoints { range: Some((i64::MIN, 4)), ..all("m") }).await, 5);
    assert_eq!(house.names().await, []);
    let stats = house.series_stats();
    assert_eq!((stats.series, stats.buffered, stats.sealed, stats.blocks, stats.block_bytes), (0, 0, 0, 0, 0));
}

#[tokio::test]
async fn the_class_of_a_field_is_free_when_its_measurement_is_gone() {
    let mut house = small_house().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    house.erase(all("m")).await;
    house.restart().await;
    house.write(Lines::default().line("a", 1, &[("v", text("now a text"))])).await;
    assert_eq!(house.column("a", "v"), [(1, text("now a text"))]);
    house.restart().await;
    assert_eq!(house.names().await[0].fields, [("v".into(), FieldType::Text)]);
}

#[tokio::test]
async fn no_rows_are_left_of_what_was_deleted() {
    let house = small_house().await;
    for time in 0..100 {
        let values = [("x", Scalar::Int(time)), ("y", text("a long text that fills the rows of chunks soon"))];
        house.write(Lines::default().line("a", time % 30, &values).line("b", time, &values)).await;
    }
    assert_eq!(house.erase(all("m")).await, 60 + 200);
    use crate::keys::*;
    let live = house.live().expect("a live engine");
    for table in [SERIES_MEASUREMENT, SERIES_FIELD, SERIES, SERIES_MARK, SERIES_BLOCK] {
        assert_eq!(live.store.rows(table), 0, "table {}", table.0);
    }
    house.until("the removal of chunks", |_| live.store.rows(SERIES_CHUNK) == 0).await;
}

#[tokio::test]
async fn deleting_works_on_a_full_disk() {
    let house = small_house().await;
    for time in 0..60 {
        house.write(Lines::floats("a", [(time, 1.0)])).await;
    }
    house.disk.set_capacity(Some(house.disk.used()));
    let full = loop {
        let lines = Lines::floats("a", (100..140).map(|time| (time, 1.5)));
        if let Err(error) = house.write_points(&ns("n"), lines.0, false).await {
            break error;
        }
    };
    assert_eq!(full.kind(), &Kind::Full);
    assert_eq!(house.erase(DeletePoints { range: Some((0, 59)), ..all("m") }).await, 60);
}

/// Runs until the disk stops: the deletes that were answered, and whether all were.
async fn script(engine: &Engine, answered: &mut usize) -> Result<()> {
    for time in 0..20 {
        let lines = ["a", "b", "c"].iter().fold(Lines::default(), |lines, host| {
            lines.line(host, time, &[("x", Scalar::Int(time)), ("y", Scalar::Float(0.5))])
        });
        engine.write_points(&ns("n"), lines.0, true).await?;
    }
    for delete in [
        DeletePoints { range: Some((5, 14)), ..all("m") },
        DeletePoints { filters: is("b"), ..all("m") },
        DeletePoints { range: Some((0, 4)), ..all("m") },
        all("m"),
    ] {
        engine.delete_points(&ns("n"), delete).await?;
        *answered += 1;
    }
    Ok(())
}

/// What there may be when so many deletes were answered: each instant of each series either as before the next delete or
/// as after it.
async fn check(disk: SimDisk, wrote_all: bool, answered: usize) {
    let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
    let house = House::tuned(disk, options, small()).await;
    let left = |deletes: usize, host: &str, time: i64| {
        !(deletes > 0 && (5..=14).contains(&time)
            || deletes > 1 && host == "b"
            || deletes > 2 && (0..=4).contains(&time)
            || deletes > 3)
    };
    for host in ["a", "b", "c"] {
        for (field, value) in [("x", None), ("y", Some(Scalar::Float(0.5)))] {
            let found: BTreeMap<i64, Scalar> = house.column(host, field).into_iter().collect();
            for time in 0..20 {
                let expected = value.clone().unwrap_or(Scalar::Int(time));
                match found.get(&time) {
                    Some(found) => assert!(*found == expected && left(answered, host, time), "{host} {field} {time}"),
                    None => assert!(!wrote_all || !left(answered + 1, host, time), "{host} {field} {time}"),
                }
            }
        }
    }
    let deleted = house.erase(all("m")).await;
    assert!(deleted <= 120);
    assert_eq!(house.names().await, []);
    house.write(Lines::default().line("a", 1, &[("x", text("free"))])).await;
    assert_eq!(house.column("a", "x"), [(1, text("free"))]);
}

#[tokio::test]
async fn a_delete_that_was_answered_survives_a_crash_at_any_call_and_one_that_was_not_loses_nothing_else() {
    for call in 1.. {
        let disk = SimDisk::new();
        disk.fault_at(call, Fault::Crash);
        let options = Options { clock: Clock::manual(START), ..Options::new("/data") };
        let engine = Engine::open_on(crate::open::Ground { series: small(), ..ground(&disk) }, options);
        let (mut answered, mut done) = (0, false);
        if engine.recovered().await.is_ok() {
            let script = script(&engine, &mut answered);
            done = matches!(tokio::time::timeout(std::time::Duration::from_millis(500), script).await, Ok(Ok(())));
        }
        disk.crash();
        engine.close().await.ok();
        for how in [Reboot::Lost, Reboot::Kept, Reboot::Mixed(call * 2 + 1)] {
            check(disk.reboot(how), answered > 0, answered).await;
        }
        if done {
            assert!(call > 60, "the script makes calls to crash at");
            break;
        }
    }
}
