use super::*;

const NOW: Timestamp = Timestamp(1_700_000_000_500);

fn address(last: u8) -> Party {
    Party::Address(IpAddr::from([10, 0, 0, last]))
}

#[test]
fn a_window_begins_with_its_first_request_and_is_counted_per_party() {
    let windows = Windows::default();
    let count = |party, now| windows.count(party, 2, || now);
    let first = count(address(1), NOW).0.unwrap();
    assert_eq!(first, Counted { limit: 2, remaining: 1, reset: None });
    assert!(count(address(1), NOW).1.is_ok());
    let (told, refused) = count(address(1), Timestamp(NOW.0 + 58_600));
    assert_eq!(told.unwrap(), Counted { limit: 2, remaining: 0, reset: Some(1_700_000_061) });
    assert_eq!(refused, Err(Error::RateLimited { retry_after: 2 }));
    assert!(count(address(2), NOW).1.is_ok() && count(Party::Key(0), NOW).1.is_ok());
    assert!(count(address(1), Timestamp(NOW.0 + 60_000)).1.is_ok(), "the next window");
}

#[test]
fn no_limit_counts_nobody() {
    let windows = Windows::default();
    assert_eq!(windows.count(address(1), 0, || NOW), (None, Ok(())));
    assert_eq!(windows.0.active(NOW), 0);
}
