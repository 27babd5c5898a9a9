//! Names: lookups, lists, and how they come back after a restart.

use super::*;
use crate::Namespace;

async fn names(house: &House, namespace: &Namespace, after: Option<&str>, limit: usize) -> Vec<String> {
    let after = after.map(Arc::from);
    let found = house.measurements(namespace, after.as_ref(), limit).await.expect("lists");
    found.into_iter().map(|info| info.name.to_string()).collect()
}

/// A line of any measurement.
fn line_of(key: &SeriesKey, field: &str, value: i64) -> Points {
    let mut points = Points::default();
    let field = points.new_field(field);
    points.int(field, value);
    points.end_new(key.clone(), 1);
    points
}

#[tokio::test]
async fn measurements_are_listed_by_name_and_by_pages() {
    let mut house = House::new().await;
    for name in ["mem", "cpu", "disk", "m,é=1"] {
        for host in ["a", "b"] {
            let key = SeriesKey::new(name, &[("host", host)]).expect("a key");
            house.write_points(&ns("n"), line_of(&key, "x", 1), false).await.expect("writes");
            house.write_points(&ns("n"), line_of(&key, "a", 1), false).await.expect("writes");
        }
    }
    for _ in 0..2 {
        assert_eq!(names(&house, &ns("n"), None, 9).await, ["cpu", "disk", "m,é=1", "mem"]);
        assert_eq!(names(&house, &ns("n"), None, 2).await, ["cpu", "disk"]);
        assert_eq!(names(&house, &ns("n"), Some("disk"), 2).await, ["m,é=1", "mem"]);
        assert_eq!(names(&house, &ns("n"), Some("d"), 1).await, ["disk"]);
        assert_eq!(names(&house, &ns("n"), Some("mem"), 2).await, [""; 0]);
        assert_eq!(names(&house, &ns("other"), None, 2).await, [""; 0]);
        let first = house.measurements(&ns("n"), None, 1).await.expect("lists");
        let fields = vec![("a".into(), FieldType::Int), ("x".into(), FieldType::Int)];
        assert_eq!(first, [MeasurementInfo { name: "cpu".into(), series: 2, fields }]);
        house.restart().await;
    }
}

#[tokio::test]
async fn namespaces_do_not_know_each_others_names_and_count_their_own() {
    let mut house = House::new().await;
    for (namespace, name) in [("n", "cpu"), ("n", "mem"), ("o", "cpu")] {
        let key = SeriesKey::new(name, &[]).expect("a key");
        house.write_points(&ns(namespace), line_of(&key, "x", 1), false).await.expect("writes");
    }
    for _ in 0..2 {
        assert_eq!(names(&house, &ns("o"), None, 9).await, ["cpu"]);
        let namespaces = house.namespaces().await.expect("lists");
        let counts: Vec<_> = namespaces.iter().map(|info| info.measurements).collect();
        assert_eq!(counts, [0, 2, 1]);
        let delete = DeletePoints { measurement: "cpu".into(), filters: vec![], range: None };
        house.delete_points(&ns("x"), delete).await.expect("deletes nothing");
        house.restart().await;
    }
}

#[tokio::test]
async fn numbers_are_found_in_their_epoch_only() {
    let mut house = House::new().await;
    assert_eq!(house.series_epoch(&ns("n")).expect("an epoch"), 0);
    assert_eq!(house.find_series(&ns("n"), 0, &key("a")).expect("answers"), None);
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    for _ in 0..2 {
        let epoch = house.series_epoch(&ns("n")).expect("an epoch");
        assert_ne!(epoch, 0);
        let series = house.find_series(&ns("n"), epoch, &key("a")).expect("answers").expect("found");
        let field = |epoch, name| house.find_field(&ns("n"), epoch, series, name).expect("answers");
        assert!(field(epoch, "v").is_some());
        assert_eq!(field(epoch, "w"), None);
        assert_eq!(field(epoch + 1, "v"), None);
        assert_eq!(house.find_series(&ns("n"), epoch + 1, &key("a")).expect("answers"), None);
        assert_eq!(house.find_series(&ns("n"), epoch, &key("b")).expect("answers"), None);
        house.restart().await;
    }
}

#[tokio::test]
async fn long_names_come_back() {
    let mut house = House::new().await;
    let long = "x".repeat(300_000);
    let key = SeriesKey::new(&long, &[(&long, &long)]).expect("a key");
    house.write_points(&ns("n"), line_of(&key, &long, 1), false).await.expect("writes");
    house.restart().await;
    let epoch = house.series_epoch(&ns("n")).expect("an epoch");
    let series = house.find_series(&ns("n"), epoch, &key).expect("answers").expect("found");
    assert!(house.find_field(&ns("n"), epoch, series, &long).expect("answers").is_some());
    assert_eq!(names(&house, &ns("n"), None, 9).await, [long]);
}

#[tokio::test]
async fn ids_are_not_given_again_after_a_restart() {
    let mut house = House::new().await;
    let id = |house: &House, host: &str| {
        let space = house.live().expect("live").series.find(&ns("n")).expect("a space");
        let catalog = space.catalog.read();
        catalog.find(&key(host)).and_then(|slot| catalog.series(slot)).expect("found").id
    };
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    house.write(Lines::floats("b", [(1, 1.0)])).await;
    let highest = id(&house, "b");
    assert!(highest > id(&house, "a"));
    let delete = DeletePoints { measurement: "m".into(), filters: vec![], range: None };
    assert_eq!(house.delete_points(&ns("n"), delete).await.expect("deletes"), 2);
    house.restart().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    assert!(id(&house, "a") > highest);
}
