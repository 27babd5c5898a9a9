use super::*;

fn parse(text: &str) -> Result<Config, toml::de::Error> {
    toml::from_str(text)
}

fn validated(text: &str, listen: &str) -> Result<Config, Refused> {
    let mut config = parse(text).unwrap();
    config.validate(listen.parse().unwrap()).map(|()| config)
}

#[test]
fn an_empty_section_has_the_contracts_defaults() {
    let config = parse("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!((config.port, config.max_body_bytes, config.max_connections), (8005, 16_777_216, 20_000));
    let Retention { age, records, bytes } = config.retention();
    assert_eq!((age, records, bytes), (Duration::from_secs(7 * 86_400), 1_000_000, 1 << 30));
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    assert!(parse("api_kay = \"x\"").unwrap_err().to_string().contains("api_kay"));
}

#[test]
fn periods_are_a_number_and_a_unit() {
    for (text, ms) in [("7d", 604_800_000), ("24h", 86_400_000), ("30m", 1_800_000), ("90s", 90_000), ("500ms", 500)] {
        let period: Period = text.parse().unwrap();
        assert_eq!(period.0.as_millis(), ms, "{text}");
    }
    for bad in ["", "7", "d", "7w", "-7d", "1.5h", "0s", "99999999999999999999d", "18446744073709551615d", "7 d"] {
        assert!(bad.parse::<Period>().is_err(), "{bad}");
    }
    for text in ["7d", "36h", "90s", "1500ms"] {
        assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_written_reads_back_without_its_secrets() {
    let config = parse("api_key = \"s3cret\"\nchanges_max_age = \"36h\"").unwrap();
    let shown = toml::to_string(&config).unwrap();
    assert!(!shown.contains("s3cret") && !format!("{config:?}").contains("s3cret"));
    assert_eq!(parse(&shown).unwrap().changes_max_age, config.changes_max_age);
}

#[test]
fn without_a_key_only_loopback_is_served_with_the_development_key() {
    for listen in ["127.0.0.1:8005", "127.9.9.9:1", "[::1]:8005", "[::ffff:127.0.0.1]:1"] {
        assert_eq!(validated("", listen).unwrap().api_key.expose(), "dev", "{listen}");
        assert_eq!(validated("api_key = \"x\"", listen).unwrap().api_key.expose(), "x");
    }
    for listen in ["0.0.0.0:8005", "192.168.0.1:1", "[::]:8005"] {
        let refused = validated("agent_api_key = \"ro\"", listen).unwrap_err();
        assert!(refused.to_string().contains("UNISON_API_KEY"), "{refused}");
        assert!(validated("api_key = \"x\"", listen).is_ok());
    }
}

#[test]
fn keys_with_white_space_around_them_are_refused_without_being_shown() {
    for key in [" s3cret", "s3cret ", "s3cret\\n", "\\ts3cret", " "] {
        for name in ["api_key", "agent_api_key"] {
            let refused = validated(&format!("{name} = \"{key}\""), "127.0.0.1:1").unwrap_err();
            assert_eq!(refused, Refused::Padded(name), "{key:?}");
            assert!(!refused.to_string().contains("s3cret"), "{refused}");
        }
    }
    assert!(validated("api_key = \"two words\"", "127.0.0.1:1").is_ok());
}

#[test]
fn equal_keys_and_empty_bounds_are_refused() {
    assert_eq!(validated("api_key = \"x\"\nagent_api_key = \"x\"", "127.0.0.1:1"), Err(Refused::EqualKeys));
    assert_eq!(validated("agent_api_key = \"dev\"", "127.0.0.1:1"), Err(Refused::EqualKeys));
    assert_eq!(validated("changes_max_records = 0", "127.0.0.1:1"), Err(Refused::Zero("changes_max_records")));
}
