use super::*;

fn read_with(env: &[(&str, &str)]) -> (Layers, Vec<String>) {
    let env: BTreeMap<_, _> = env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let mut layers = Layers { env: env.clone(), ..Layers::default() };
    let notes = read(&mut layers, &env);
    (layers, notes)
}

fn originals(env: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    read_with(env).0.originals.into_iter().map(|setting| (setting.key, setting.text)).collect()
}

#[test]
fn texts_are_read_leniently() {
    for ((name, text), expected) in [
        (("DUNENA_PORT", "3001"), Some(("dunena.port", "3001"))),
        (("DUNENA_PORT", " 3001x"), Some(("dunena.port", "3001"))),
        (("DUNENA_PORT", ""), None),
        (("DUNENA_MAX_ENTRIES", "99999999999999999999"), Some(("dunena.max_entries", "100000"))),
        (("DUNENA_MAX_ENTRIES", "-5"), Some(("dunena.max_entries", "0"))),
        (("DUNENA_MAX_ENTRIES", "-x"), Some(("dunena.max_entries", "100000"))),
        (("DUNENA_RATE_MAX", "-5"), Some(("dunena.rate_max", "1000"))),
        (("DUNENA_DB", "true"), Some(("dunena.db", "true"))),
        (("DUNENA_DB", "1"), Some(("dunena.db", "true"))),
        (("DUNENA_DB", "yes"), Some(("dunena.db", "false"))),
        (("DUNENA_AUTH_TOKEN", "a b"), Some(("dunena.auth_token", "a b"))),
        (("DUNENA_LOG_LEVEL", "debug"), Some(("log.level", "debug"))),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|(key, text)| (key, text.to_owned())).collect();
        assert_eq!(originals(&[(name, text)]), expected, "{name}={text}");
    }
}

#[test]
fn our_own_names_are_as_lenient() {
    let (layers, notes) = read_with(&[("MANIFOLD_DUNENA_DB", "1"), ("MANIFOLD_DUNENA_RATE_MAX", "5 or so")]);
    assert_eq!(layers.env["MANIFOLD_DUNENA_DB"], "true");
    assert_eq!(layers.env["MANIFOLD_DUNENA_RATE_MAX"], "5");
    assert!(notes.is_empty());
}

#[test]
fn what_is_no_number_and_what_is_unknown_is_told() {
    let (layers, notes) = read_with(&[
        ("DUNENA_RATE_MAX", "many"),
        ("DUNENA_REDIS_PORT", "6379"),
        ("DUNENA_CLUSTER", "x"),
        ("MANIFOLD_DUNENA_PORT", "x"),
    ]);
    let counts = Setting { key: "dunena.rate_max", text: "1000".to_owned(), source: "DUNENA_RATE_MAX" };
    assert_eq!((layers.originals, layers.env["MANIFOLD_DUNENA_PORT"].as_str()), (vec![counts], "3000"));
    assert_eq!(
        notes,
        [
            "MANIFOLD_DUNENA_PORT is no number: the default counts",
            "DUNENA_RATE_MAX is no number: the default counts",
            "ignoring DUNENA_CLUSTER, DUNENA_REDIS_PORT: not offered",
        ]
    );
}

#[test]
fn what_is_no_number_counts_as_the_default_whatever_the_file_says() {
    for name in ["DUNENA_RATE_MAX", "MANIFOLD_DUNENA_RATE_MAX"] {
        let env = BTreeMap::from([(name.to_owned(), "many".to_owned())]);
        let file = "[dunena]\nrate_max = 5\n".parse().unwrap();
        let mut layers = Layers { env: env.clone(), file, ..Layers::default() };
        assert_eq!(read(&mut layers, &env), [format!("{name} is no number: the default counts")]);
        let (config, _) = crate::config::layers::read::<crate::config::Config>(&layers).unwrap();
        assert_eq!(config.dunena.rate_max, Config::default().rate_max, "{name}");
    }
}

#[test]
fn every_number_has_a_default() {
    for (name, key, kind) in KEYS {
        if matches!(kind, Integer | Positive) {
            let read = originals(&[(name, "junk")]);
            assert!(read.len() == 1 && read[0].0 == key && read[0].1.parse::<u64>().is_ok(), "{read:?}");
        }
    }
}
