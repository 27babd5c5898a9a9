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
