//! Disks that fail or are full.

use super::*;
use crate::State;

#[tokio::test]
async fn after_a_failed_sync_readers_see_what_was_durable_and_nothing_else() {
    let house = House::new().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    house.disk.fail_syncs(true);
    let again = || Lines::floats("a", [(1, 2.0), (2, 2.0)]).0;
    assert_eq!(refused(house.write_points(&ns("n"), again(), false).await).kind(), &Kind::Storage);
    house.disk.fail_syncs(false);
    assert_eq!(refused(house.write_points(&ns("n"), again(), false).await).kind(), &Kind::Storage);
    assert_eq!(house.column("a", "v"), floats([(1, 1.0)]));
    assert!(matches!(house.state(), State::Failed(_)));
}

#[tokio::test]
async fn a_full_disk_refuses_points_and_has_changed_nothing() {
    let mut house = House::new().await;
    house.write(Lines::floats("a", [(1, 1.0)])).await;
    house.disk.set_capacity(Some(house.disk.used()));
    let mut written = 1;
    let error = loop {
        // A new series each time: a name must not stay when its points do not.
        let host = format!("host{written}");
        match house.write_points(&ns("n"), Lines::floats(&host, (0..50).map(|at| (at, 0.5))).0, false).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), &Kind::Full);
    assert_eq!(house.series_stats().series, written);
    house.disk.set_capacity(None);
    let host = format!("host{written}");
    house.write(Lines::floats(&host, [(7, 7.0)])).await;
    for _ in 0..2 {
        assert_eq!(house.series_stats().series, written + 1);
        assert_eq!(house.column(&host, "v"), floats([(7, 7.0)]));
        assert_eq!(house.column("a", "v"), floats([(1, 1.0)]));
        house.restart().await;
    }
}
