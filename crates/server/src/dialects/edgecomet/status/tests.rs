use super::*;

#[test]
fn a_share_of_what_is_free_stays_reserved() {
    let capacity = |free, share| {
        let found = Capacity::new(free, share);
        assert_eq!(found.reserved_for_online + found.available_for_recache, found.total_free_tabs);
        (found.total_free_tabs, found.reserved_for_online, found.reservation_percent)
    };
    assert_eq!(capacity(10, 0.30), (10, 3, 30.0));
    assert_eq!(capacity(0, 0.5), (0, 0, 50.0));
    assert_eq!(capacity(3, 0.5), (3, 1, 50.0));
    assert_eq!(capacity(7, 1.0), (7, 7, 100.0));
    assert_eq!(capacity(7, 0.07), (7, 0, 7.0));
    assert_eq!(capacity(7, 1.0 / 3.0), (7, 2, 33.333333));
}

#[test]
fn the_share_of_the_internal_queue_is_a_number_with_a_point() {
    let percent = |size, max_size| {
        let queue = InternalQueue::new(size, max_size);
        serde_json::to_value(queue).expect("it is JSON")["capacity_used_percent"].to_string()
    };
    assert_eq!(percent(0, 1000), "0.0");
    assert_eq!(percent(150, 1000), "15.0");
    assert_eq!(percent(7, 1000), "0.7");
    assert_eq!(percent(1000, 1000), "100.0");
}

#[test]
fn times_are_in_whole_seconds() {
    assert_eq!(rfc3339(Timestamp(1_737_196_200_999)), "2025-01-18T10:30:00Z");
    assert_eq!(rfc3339(Timestamp(0)), "1970-01-01T00:00:00Z");
}
