use std::fs;

use manifold_engine::{Engine, Options};
use tokio::time::{sleep, timeout};

use super::*;
use crate::dialects::edgecomet::home::Embedded;

/// A page that expired long ago.
const EXPIRED: &str = "1/2020/01/01/00/00/699babd209aa8b92_1.html";
/// What the backup of a killed process left behind.
const LEFT_BEHIND: &str = ".backup-0/page.html";
/// Time for a round of the sweeper, the first of which begins at once.
const SOON: Duration = Duration::from_secs(20);
/// Time in which a round that should not be would have done its work.
const WHILE: Duration = Duration::from_millis(300);

/// Which of both a process so configured has removed when the first is gone, or after this time.
async fn removed(text: &str, within: Duration) -> (bool, bool) {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = Engine::open(Options::new(directory.path()));
    engine.recovered().await.expect("recovers");
    let home = Home::Embedded(Embedded::new(engine.clone()));
    let config: Config = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (pages, hosts) = (Pages::new(&config, directory.path()), CurrentHosts::default());
    let (expired, left_behind) = (pages.base.join(EXPIRED), pages.base.join(LEFT_BEHIND));
    for file in [&expired, &left_behind] {
        fs::create_dir_all(file.parent().expect("a directory")).expect("created");
        fs::write(file, b"page").expect("written");
    }
    let gone = async {
        while expired.exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = pages.keep_clean(&config, &home, &hosts) => panic!("it never completes"),
        // Whether it is gone is asked below.
        _ = timeout(within, gone) => {}
    }
    let removed = (!expired.exists(), !left_behind.exists());
    engine.close().await.expect("closes");
    removed
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_cleaned_up_where_the_worker_writes_them() {
    assert_eq!(removed("", SOON).await, (true, true));
    assert_eq!(removed("storage.cleanup.enabled = false", WHILE).await, (false, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_gateways_stay_unless_the_operator_says_otherwise() {
    for text in ["worker.enabled = false", "gateways = [\"a:1\"]", "redis.addr = \"a:1\"\nworker.enabled = true"] {
        assert_eq!(removed(text, WHILE).await, (false, false), "{text}");
    }
    let told = "worker.enabled = false\nstorage.cleanup.enabled = true";
    assert_eq!(removed(told, SOON).await, (true, false));
}
