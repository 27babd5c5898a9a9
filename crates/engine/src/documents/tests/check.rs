//! Whether somebody who asks is told that the file is broken.

use std::{fs, os::unix::fs::FileExt};

use super::*;

#[tokio::test]
async fn what_works_is_said_to_work() {
    let mut house = House::new();
    house.documents.check().await.expect("an empty file");
    house.set("", [put("k", "v")]).await;
    house.documents.check().await.expect("a file with a row in its log");
    house.reopen().await;
    house.documents.check().await.expect("a file with a row");
    let memory = open(Path::new(":memory:"), Level::Always, &house.clock);
    memory.check().await.expect("no file");
}

#[tokio::test]
async fn a_file_that_is_gone_is_noticed_though_it_is_still_open() {
    let house = House::new();
    house.set("", [put("k", "v")]).await;
    fs::remove_file(house.path()).expect("a file");
    let error = house.documents.check().await.expect_err("no file");
    assert!(error.to_string().contains("unable to open"), "{error}");
    assert!(!house.path().exists(), "asking makes no file");
}

#[tokio::test]
async fn a_file_that_was_overwritten_is_noticed_though_readers_remember_what_was_in_it() {
    let mut house = House::new();
    house.set("", [put("k", "v")]).await;
    // Closing brings everything from the log into the file.
    house.reopen().await;
    house.documents.check().await.expect("a file with a row");
    let file = fs::OpenOptions::new().write(true).open(house.path()).expect("a file");
    file.write_all_at(&[0xAA; 4096], 0).expect("a write");
    house.documents.check().await.expect_err("no database");
}

#[tokio::test]
async fn a_file_that_took_the_place_of_the_one_that_is_open_is_noticed() {
    let (house, other) = (House::new(), House::new());
    other.documents.close().await;
    house.documents.check().await.expect("its own file");
    fs::rename(other.path(), house.path()).expect("a file");
    let error = house.documents.check().await.expect_err("another file");
    assert!(error.to_string().contains("another one"), "{error}");
}

#[tokio::test]
async fn a_closed_database_does_not_work() {
    let house = House::new();
    house.documents.close().await;
    house.documents.check().await.expect_err("closed");
}
