use super::*;

fn config(text: &str) -> Config {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn at(listen: &str) -> Option<(String, u16)> {
    let config = config(&format!("[http_api]\nlisten = \"{listen}\""));
    config.check(false).ok()?;
    config.listener().map(|at| (at.host.unwrap_or_default(), at.port))
}

#[test]
fn listeners_are_where_the_forms_say() {
    for (form, host, port) in [
        (":10090", "::", 10090),
        ("10090", "::", 10090),
        ("localhost:1", "localhost", 1),
        ("0.0.0.0:65535", "0.0.0.0", 65535),
        ("[::1]:5", "::1", 5),
    ] {
        assert_eq!(at(form), Some((host.to_owned(), port)), "{form}");
    }
    for form in [":0", ":65536", "host:", "host", "::1:5", "[::1:5", ":+5", ": 5", "-5"] {
        assert_eq!(at(form), None, "{form}");
    }
}

#[test]
fn the_listeners_form_goes_before_host_and_port() {
    let both = config("host = \"h\"\nport = 7\n[http_api]\nlisten = \"g:8\"");
    assert_eq!(both.listener(), Some(Listen { host: Some("g".into()), port: 8 }));
    let without = config("host = \"h\"\nport = 7\n[http_api]\nlisten = \"\"");
    assert_eq!(without.listener(), Some(Listen { host: Some("h".into()), port: 7 }));
    assert_eq!(Config::default().listener(), Some(Listen { host: None, port: 10090 }));
    assert_eq!(config("[http_api]\nenabled = false").listener(), None);
    assert_eq!(config("enabled = false").listener(), None);
}

#[test]
fn a_key_is_wanted_beyond_loopback_only() {
    let outside = Some("192.0.2.1:1".parse().unwrap());
    let everywhere = Some("[::]:1".parse().unwrap());
    for address in [outside, everywhere] {
        assert!(matches!(Config::default().validate(address), Err(Refused::NoKey(_))), "{address:?}");
        assert_eq!(config("internal_auth_key = \"k\"").validate(address), Ok(()));
    }
    for address in [Some("127.0.0.1:1".parse().unwrap()), Some("[::1]:1".parse().unwrap()), None] {
        let mut config = config("internal_auth_key = \"\"");
        assert_eq!(config.validate(address), Ok(()));
        assert_eq!(config.internal_auth_key.expose(), "dev");
        assert!(config.daemon_id.starts_with("manifold-"), "{}", config.daemon_id);
    }
}

#[test]
fn redis_is_where_a_start_can_look_for_it() {
    let check = |address: &str| config(&format!("redis.addr = \"{address}\"")).check(false);
    for address in ["", "localhost:6379", "[::1]:6379"] {
        assert_eq!(check(address), Ok(()), "{address}");
    }
    for address in ["nohost", "localhost:", "localhost:99999", "::1:6379", "user:secret@localhost:6379"] {
        let refused = check(address).map_err(|bad| bad.to_string());
        assert_eq!(refused, Err("redis.addr must be host:port".to_owned()), "{address}");
    }
}

#[test]
fn metrics_are_not_where_health_is() {
    let check = |path: &str| config(&format!("[metrics]\nenabled = true\npath = \"{path}\"")).check(false);
    for path in ["/healthz", "/readyz"] {
        let refused = check(path).map_err(|bad| bad.to_string());
        assert_eq!(refused, Err("metrics.path must not be /healthz or /readyz".to_owned()), "{path}");
    }
    assert_eq!(check("/healthz/metrics"), Ok(()));
}

#[test]
fn the_worker_is_on_where_nobody_else_would_fetch() {
    for (text, expected) in [
        ("", true),
        ("gateways = [\"a:1\"]", false),
        ("redis.addr = \"a:1\"", false),
        ("redis.addr = \"a:1\"\nworker.enabled = true", true),
        ("gateways = [\"a:1\"]\nworker.enabled = \"true\"", true),
        ("worker.enabled = false", false),
        ("worker.enabled = \"auto\"", true),
    ] {
        assert_eq!(config(text).has_worker(), expected, "{text}");
    }
}

#[test]
fn what_is_absent_has_the_documented_default() {
    let read = config("");
    assert_eq!(read, Config::default());
    assert!(read.http_api.enabled && read.recache.strip_tracking_params && !read.metrics.enabled);
    assert_eq!((read.metrics.listen.as_str(), read.metrics.path.as_str()), ("127.0.0.1:10099", "/metrics"));
    assert_eq!((read.retry_base_delay().as_secs(), read.max_entries_per_queue()), (5, 1_000_000));
    assert_eq!(config("internal_queue.retry_base_delay = \"0\"").retry_base_delay().as_secs(), 5);
    assert_eq!(config("redis.addr = \"a:1\"").max_entries_per_queue(), 0);
    assert_eq!(read.check(false), Ok(()));
}

#[test]
fn texts_of_digits_need_no_quotes() {
    let read = config("daemon_id = 7\ninternal_auth_key = 12345\nredis = { password = 6 }\nhttp_api.listen = 8080");
    assert_eq!(
        (read.daemon_id.as_str(), read.internal_auth_key.expose(), read.redis.password.expose()),
        ("7", "12345", "6")
    );
    assert_eq!(read.listener(), Some(Listen { host: Some("::".into()), port: 8080 }));
}
