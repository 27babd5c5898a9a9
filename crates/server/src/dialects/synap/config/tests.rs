use super::*;

const LOOPBACK: &str = "127.0.0.1:15500";
const OPEN: &str = "0.0.0.0:15500";

fn judged(config: &Config, listen: &str) -> Result<(), Refused> {
    config.validate(listen.parse().expect("an address"))
}

fn key(key: &str) -> ApiKey {
    ApiKey { key: key.into(), name: String::new(), role: Role::Admin, rate_limit: None }
}

#[test]
fn an_open_address_wants_a_credential_or_a_word() {
    let mut config = Config::default();
    assert_eq!(judged(&config, LOOPBACK), Ok(()));
    assert!(matches!(judged(&config, OPEN), Err(Refused::Open(_))));
    config.auth.allow_anonymous = true;
    assert_eq!(judged(&config, OPEN), Ok(()));
    let mut config = Config::default();
    config.auth.api_keys = vec![key("k")];
    assert_eq!(judged(&config, OPEN), Ok(()));
}

#[test]
fn credentials_are_there_when_they_are_asked_for_and_never_empty() {
    let mut config = Config::default();
    config.auth.required = true;
    assert_eq!(judged(&config, LOOPBACK), Err(Refused::NoCredential));
    config.auth.jwt.secret = "s".into();
    assert_eq!(judged(&config, LOOPBACK), Ok(()));
    config.auth.api_keys = vec![key("")];
    assert_eq!(judged(&config, LOOPBACK), Err(Refused::Empty("auth.api_keys.key")));
}

#[test]
fn what_queues_are_given_has_bounds() {
    let mut config = Config::default();
    config.queue.default_priority = 10;
    assert!(matches!(judged(&config, LOOPBACK), Err(Refused::Range { name: "queue.default_priority", .. })));
    let config = Config::default();
    assert_eq!((config.queues().max_attempts, config.queues().max_dead), (4, None));
    assert_eq!(config.rooms().age, Some(Duration::from_secs(86_400)));
}
