use super::*;

const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 9002);

fn validated(change: impl FnOnce(&mut Config)) -> Result<(), Refused> {
    let mut config = Config::default();
    change(&mut config);
    config.validate(LOOPBACK.into())
}

#[test]
fn the_defaults_start_also_on_an_address_that_is_not_loopback() {
    assert_eq!(validated(|_| {}), Ok(()));
    assert_eq!(Config::default().validate(([0, 0, 0, 0], 9002).into()), Ok(()));
}

#[test]
fn auth_without_a_token_and_bounds_of_zero_are_refused() {
    assert_eq!(validated(|config| config.auth.enabled = true), Err(Refused::NoToken));
    let empty =
        |config: &mut Config| config.auth = Auth { enabled: true, tokens: vec![Secret::default()], ..Auth::default() };
    assert_eq!(validated(empty), Err(Refused::NoToken));
    let secret =
        |config: &mut Config| config.auth = Auth { enabled: true, jwt_secret: Secret::from("s"), ..Auth::default() };
    assert_eq!(validated(secret), Ok(()));
    assert_eq!(validated(|config| config.queue.max_attempts = 0), Err(Refused::Zero("queue.max_attempts")));
    assert_eq!(validated(|config| config.server.shards = u32::MAX), Err(Refused::TooMany("server.shards", MOST)));
}

#[test]
fn a_priority_comes_back_as_it_was_sent_and_the_order_is_kept() {
    let all = [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX];
    for order in [PriorityOrder::HigherFirst, PriorityOrder::LowerFirst] {
        let stored = all.map(|priority| order.stored(priority.into()));
        assert_eq!(stored.map(|stored| order.shown(stored)), all);
        let rises = stored.is_sorted_by(|one, next| one < next);
        let falls = stored.is_sorted_by(|one, next| one > next);
        assert_eq!((rises, falls), (order == PriorityOrder::HigherFirst, order == PriorityOrder::LowerFirst));
    }
}

#[test]
fn what_is_shown_is_a_priority_whatever_was_stored() {
    for (order, other) in [
        (PriorityOrder::HigherFirst, PriorityOrder::LowerFirst),
        (PriorityOrder::LowerFirst, PriorityOrder::HigherFirst),
    ] {
        assert_eq!(other.shown(order.stored(5)), -5);
        assert_eq!(other.shown(order.stored(i32::MIN.into())), i32::MIN, "its opposite is none");
    }
    assert_eq!(PriorityOrder::HigherFirst.shown(i64::MAX), i32::MAX);
    assert_eq!(PriorityOrder::LowerFirst.shown(i64::MAX), i32::MIN);
    assert_eq!(PriorityOrder::LowerFirst.shown(i64::MIN), i32::MAX);
}
