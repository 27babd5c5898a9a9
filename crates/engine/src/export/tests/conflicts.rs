use super::*;

#[tokio::test]
async fn what_is_there_exactly_so_is_no_conflict() {
    let house = House::new().await;
    house.set("a", "1").await;
    house.set("b", "2").await;
    let file = file_of(&house, Selection::default()).await;
    let imported = import_all(&house, &file, OnConflict::Fail).await.expect("nothing is in the way");
    assert_eq!((imported.written, imported.skipped), (0, 0));
    assert_eq!(house.read("a").expect("there").version, 1);
}

#[tokio::test]
async fn a_conflict_is_named_with_its_line_and_lines_before_it_are_done() {
    let house = House::new().await;
    for key in ["a", "b", "c"] {
        house.set(key, "1").await;
    }
    let file = file_of(&house, Selection::default()).await;
    let other = beside(&house).await;
    other.set("b", "other").await;
    let error = import_all(&other, &file, OnConflict::Fail).await.expect_err("a conflict");
    // The first line, two namespaces, "a".
    assert_eq!(error.line, 5);
    assert!(error.to_string().contains("key \"b\" holds a string already"), "{error}");
    assert!(other.read("a").is_some() && other.read("c").is_none());
    assert_eq!(other.read("b").expect("there").value, json("other"));
    // With another rule it goes on from there.
    let imported = import_all(&other, &file, OnConflict::Skip).await.expect("imports");
    assert_eq!((imported.written, imported.skipped), (1, 1));
    assert_eq!(other.read("b").expect("there").value, json("other"));
}

#[tokio::test]
async fn skipped_things_stay_whole() {
    let house = House::new().await;
    furnish(&house).await;
    let file = file_of(&house, Selection::default()).await;
    let other = beside(&house).await;
    let n = ns("n");
    other.set_add(&n, &k("set"), &[text("mine")]).await.expect("set");
    other.list_push(&n, &k("hash"), Side::Left, &[text("mine")], PushTo::Any).await.expect("list");
    other.queue_enqueue(&n, &q("work"), say("mine")).await.expect("enqueue");
    other.append(&n, append("log", &["mine"])).await.expect("append");
    let imported = import_all(&other, &file, OnConflict::Skip).await.expect("imports");
    assert!(imported.skipped > 30 + 7);
    assert_eq!(other.set_len(&n, &k("set")).expect("a look"), Some(1));
    assert_eq!(other.list_len(&n, &k("hash")).expect("a look"), 1);
    assert_eq!(other.queue_stats(&n, &q("work")).await.expect("stats").ready, 1);
    assert_eq!(other.stream_info(&n, &name("log")).await.expect("info").end, 1);
    assert_eq!(other.list_len(&n, &k("list")).expect("a look"), 600);
}

#[tokio::test]
async fn replaced_things_are_as_the_file_has_them() {
    let house = House::new().await;
    furnish(&house).await;
    let file = file_of(&house, Selection::default()).await;
    let other = beside(&house).await;
    let n = ns("n");
    other.set("hash", "1").await;
    other.set_add(&n, &k("set"), &[text("mine")]).await.expect("set");
    for i in 0..40 {
        other.queue_enqueue(&n, &q("work"), say(&i.to_string())).await.expect("enqueue");
    }
    other.append(&n, append("log", &["mine"])).await.expect("append");
    import_all(&other, &file, OnConflict::Replace).await.expect("imports");
    let (mut left, mut right) = (records_of(&other).await, records(&file));
    // Numbers that were given out are not given out again, and a key that was a value leaves its version behind.
    let known = |line: &String| line.starts_with("{\"type\":\"queue\"") || line.starts_with("{\"type\":\"tombstone\"");
    left.retain(|line| !known(line));
    right.retain(|line| !known(line));
    assert_same(&left, &right);
    let next = other.queue_enqueue(&n, &q("work"), say("next")).await.expect("enqueue");
    assert_eq!(next.sequence, 41);
}

#[tokio::test]
async fn versions_never_go_back() {
    let house = House::new().await;
    house.set("k", "1").await;
    let file = file_of(&house, Selection::default()).await;
    let other = beside(&house).await;
    for i in 0..5 {
        other.set("k", &i.to_string()).await;
    }
    import_all(&other, &file, OnConflict::Replace).await.expect("imports");
    let entry = other.read("k").expect("there");
    assert_eq!((entry.version, entry.value), (6, json("1")));
    let change = other.feed().await.last().cloned().expect("a change");
    assert_eq!(change.version, 6, "followers learn of it");
    other.delete(&ns("n"), delete("k")).await.expect("delete");
    import_all(&other, &file, OnConflict::Replace).await.expect("imports");
    assert_eq!(other.read("k").expect("there").version, 8);
}
