use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000_500);
const LENGTH: Duration = Duration::from_secs(60);

fn later(ms: u64) -> Timestamp {
    Timestamp(NOW.0 + ms)
}

#[test]
fn a_window_begins_with_its_first_request_and_is_counted_per_party() {
    let windows = Windows::new(LENGTH);
    let until = later(60_000);
    let first = windows.count(1, 2, NOW);
    assert_eq!(first, Count { allowed: true, left: 1, until, retry_after: 60 });
    assert!(windows.count(1, 2, NOW).allowed);
    assert_eq!(windows.count(1, 2, later(58_600)), Count { allowed: false, left: 0, until, retry_after: 2 });
    assert!(windows.count(2, 2, later(58_600)).allowed, "somebody else");
    assert_eq!(windows.active(later(58_600)), 2);
    assert!(windows.count(1, 2, until).allowed, "the next window");
}

#[test]
fn a_window_that_is_over_leaves_nothing() {
    let windows = Windows::new(LENGTH);
    for party in 0..1000 {
        windows.count(party, 1, NOW);
    }
    assert_eq!((windows.active(NOW), windows.active(later(60_000))), (1000, 0));
    windows.count(0, 1, later(60_000));
    assert_eq!(windows.table.lock().windows.len(), 1);
}

#[test]
fn when_there_is_no_room_strangers_share_a_window() {
    let windows = Windows::new(LENGTH);
    for party in 0..MOST {
        assert!(windows.count(party, 1, NOW).allowed);
    }
    assert!(windows.count(MOST, 1, NOW).allowed);
    assert!(!windows.count(MOST + 1, 1, NOW).allowed);
    assert!(!windows.count(0, 1, NOW).allowed, "who had one keeps it");
    assert!(windows.table.lock().windows.len() <= MOST + 1);
    assert_eq!(windows.table.lock().next_look, later(1000), "strangers do not look through all each time");
    assert!(windows.count(MOST + 1, 1, later(60_000)).allowed, "room again");
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_out() {
    let windows = Windows::new(LENGTH);
    let hour_before = Timestamp(NOW.0 - 3_600_000);
    assert!(windows.count(1, 1, NOW).allowed && !windows.count(1, 1, NOW).allowed);
    assert_eq!(
        windows.count(1, 1, hour_before),
        Count { allowed: true, left: 0, until: hour_before.plus(LENGTH), retry_after: 60 }
    );
}

#[test]
fn a_request_is_taken_back_from_the_window_it_was_counted_in() {
    let windows = Windows::new(LENGTH);
    let until = windows.count(1, 2, NOW).until;
    windows.count(2, 2, NOW);
    windows.uncount(1, until);
    windows.uncount(1, until);
    assert_eq!((windows.count(1, 2, NOW).left, windows.count(2, 2, NOW).left), (1, 0), "one party, and not below none");
    windows.uncount(3, until);
    assert_eq!(windows.active(NOW), 2, "nothing is opened");
    let next = windows.count(1, 2, until);
    windows.uncount(1, until);
    assert_eq!(windows.count(1, 2, until), Count { left: 0, ..next }, "that window is over");
}

#[test]
fn who_found_no_room_takes_back_from_the_window_that_strangers_share() {
    let windows = Windows::new(LENGTH);
    (0..MOST).for_each(|party| assert!(windows.count(party, 2, NOW).allowed));
    let until = windows.count(MOST, 1, NOW).until;
    assert!(!windows.count(MOST + 1, 1, NOW).allowed);
    windows.uncount(MOST, until);
    assert!(windows.count(MOST + 1, 1, NOW).allowed);
    assert_eq!(windows.count(0, 2, NOW).left, 0, "the others' are as they were");
}
