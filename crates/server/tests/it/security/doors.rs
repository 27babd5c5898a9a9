//! Where a listener opens without a secret, and where it does not.

use crate::harness::{Settings, free_port, run_to_exit};

/// What comes of a start that is not one: `check` makes the same checks as `serve`, and opens nothing.
fn check(settings: &Settings) -> (Option<i32>, String) {
    let home = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(home.path().join("manifold.toml"), settings.file.to_string()).expect("write the configuration");
    let finished = run_to_exit(&["check"], &[], home.path());
    assert!(!finished.output.contains("panicked"), "{}", finished.output);
    (finished.status.code(), finished.output)
}

/// A configuration where only one dialect is on.
fn only(dialect: &str) -> Settings {
    let settings = Settings::default().unset("unison.api_key").unset("unison.agent_api_key");
    let others = ["unison", "flo", "synap", "dunena", "edgecomet"].into_iter().filter(|other| *other != dialect);
    others.fold(settings, |settings, other| settings.set(&format!("{other}.enabled"), false))
}

/// An array with one table: `{ key, name }` and such.
fn one(members: &[(&str, &str)]) -> toml::Value {
    let table: toml::Table = members.iter().map(|(name, text)| ((*name).to_owned(), (*text).into())).collect();
    toml::Value::from(vec![table])
}

const LOOPBACK: [&str; 5] = ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "localhost"];
const BEYOND: [&str; 6] = ["0.0.0.0", "::", "::ffff:0.0.0.0", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"];

#[test]
fn beyond_loopback_unison_synap_and_edgecomet_want_a_secret() {
    for (dialect, secret) in [
        ("unison", ("unison.api_key", "a-secret".into())),
        ("synap", ("synap.auth.api_keys", one(&[("key", "a-secret")]))),
        ("edgecomet", ("edgecomet.internal_auth_key", "a-secret".into())),
    ] {
        for host in LOOPBACK {
            let (code, output) = check(&only(dialect).set(&format!("{dialect}.host"), host));
            assert_eq!(code, Some(0), "{dialect} on {host}: {output}");
        }
        for host in BEYOND {
            for (place, settings) in [
                ("its own", only(dialect).set(&format!("{dialect}.host"), host)),
                ("that of all", only(dialect).set("host", host)),
            ] {
                let (code, output) = check(&settings);
                assert_eq!(code, Some(78), "{dialect} on {host}, {place} host: {output}");
                assert!(output.contains(dialect) && output.contains("loopback"), "{dialect} on {host}: {output}");
                let (code, output) = check(&settings.set(secret.0, secret.1.clone()));
                assert_eq!(code, Some(0), "{dialect} on {host} with a secret: {output}");
            }
        }
    }
}

#[test]
fn an_empty_secret_is_none() {
    for (dialect, key, value) in [
        ("unison", "unison.api_key", "".into()),
        ("unison", "unison.agent_api_key", "only-reads".into()),
        ("synap", "synap.auth.api_keys", one(&[("key", "")])),
        ("synap", "synap.auth.users", one(&[("username", "root"), ("password", "")])),
        ("synap", "synap.auth.users", one(&[("username", ""), ("password", "pass")])),
        ("synap", "synap.auth.jwt.secret", "".into()),
        ("edgecomet", "edgecomet.internal_auth_key", "".into()),
    ] {
        let (code, output) = check(&only(dialect).set(&format!("{dialect}.host"), "0.0.0.0").set(key, value));
        assert_eq!(code, Some(78), "{key}: {output}");
    }
    for (key, value) in [
        ("flo.auth.jwt_secret", "".into()),
        ("flo.auth.tokens", toml::Value::from(vec![""])),
        ("flo.auth.tokens", toml::Value::Array(Vec::new())),
    ] {
        let (code, output) = check(&only("flo").set("flo.auth.enabled", true).set(key, value));
        assert_eq!(code, Some(78), "{key}: {output}");
        assert!(output.contains("without a token"), "{output}");
    }
    let (code, output) = check(&only("synap").set("synap.auth.required", true));
    assert_eq!(code, Some(78), "{output}");
}

#[test]
fn one_secret_for_two_is_refused_and_not_told() {
    let two = |first: (&str, &str), second: (&str, &str)| {
        let key = |(key, role): (&str, &str)| {
            let members = [("key", key), ("role", role)].map(|(name, text)| (name.to_owned(), text.into()));
            toml::Table::from_iter(members)
        };
        toml::Value::from(vec![key(first), key(second)])
    };
    for settings in [
        only("unison").set("unison.api_key", "one-for-two").set("unison.agent_api_key", "one-for-two"),
        only("synap").set("synap.auth.api_keys", two(("one-for-two", "admin"), ("one-for-two", "readonly"))),
    ] {
        let (code, output) = check(&settings);
        assert_eq!(code, Some(78), "{output}");
        assert!(!output.contains("one-for-two"), "{output}");
    }
    let (code, output) = check(&only("unison").set("unison.agent_api_key", "dev"));
    assert_eq!(code, Some(78), "the key that is meant by none: {output}");
    let different = two(("one", "admin"), ("two", "readonly"));
    assert_eq!(check(&only("synap").set("synap.auth.api_keys", different)).0, Some(0));
}

/// What starts without a secret says so: the contracts of Flo and Dunena want it, Synap is told to, numbers are for all.
#[test]
fn what_is_open_beyond_loopback_says_so() {
    let (metrics, own) = (free_port(), free_port());
    for (settings, listener, expected) in [
        (only("flo").set("flo.host", "0.0.0.0"), "flo", true),
        (only("flo"), "flo", false),
        (
            only("flo")
                .set("flo.host", "0.0.0.0")
                .set("flo.auth.enabled", true)
                .set("flo.auth.tokens", toml::Value::from(vec!["t"])),
            "flo",
            false,
        ),
        (only("dunena").set("dunena.host", "0.0.0.0"), "dunena", true),
        (only("dunena").set("dunena.host", "0.0.0.0").set("dunena.auth_token", "t"), "dunena", false),
        (only("synap").set("synap.host", "0.0.0.0").set("synap.auth.allow_anonymous", true), "synap", true),
        (only("unison").set("unison.host", "0.0.0.0").set("unison.api_key", "dev"), "unison", true),
        (only("unison").set("unison.host", "0.0.0.0").set("unison.api_key", "other"), "unison", false),
        (only("unison").set("flo.metrics.bind", "0.0.0.0"), "metrics", true),
        (only("unison"), "metrics", false),
        (
            only("edgecomet")
                .set("edgecomet.metrics.enabled", true)
                .set("edgecomet.metrics.listen", format!("0.0.0.0:{own}")),
            "edgecomet-metrics",
            true,
        ),
    ] {
        // The port of the dialect is taken, so that the process ends by itself when it has said all it has to say.
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = i64::from(taken.local_addr().expect("an address").port());
        let dialects = ["unison", "flo", "synap", "dunena", "edgecomet"];
        let settings =
            dialects.iter().fold(settings, |settings, dialect| settings.set(&format!("{dialect}.port"), port));
        let settings = match listener {
            // It opens first, or last.
            "metrics" => settings.set("flo.metrics_port", port),
            "edgecomet-metrics" => {
                let taken = std::net::TcpListener::bind(("0.0.0.0", own)).expect("a free port");
                assert_says(
                    &settings.set("edgecomet.port", i64::from(free_port())).set("flo.metrics_port", i64::from(metrics)),
                    listener,
                    expected,
                );
                drop(taken);
                continue;
            }
            _ => settings.set("flo.metrics_port", i64::from(metrics)),
        };
        assert_says(&settings, listener, expected);
    }
}

#[track_caller]
fn assert_says(settings: &Settings, listener: &str, expected: bool) {
    let home = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(home.path().join("manifold.toml"), settings.file.to_string()).expect("write the configuration");
    let finished = run_to_exit(&["serve"], &[], home.path());
    assert_eq!(finished.status.code(), Some(69), "{}", finished.output);
    let says = |line: &&str| {
        line.contains("WARN") && line.contains(&format!("{listener} "))
            || line.contains("WARN manifold_server::dialects::unison::config: unison: ") && listener == "unison"
    };
    let warned = finished.output.lines().filter(|line| line.contains("WARN")).any(|line| says(&line));
    assert_eq!(warned, expected, "{listener}: {}", finished.output);
}
