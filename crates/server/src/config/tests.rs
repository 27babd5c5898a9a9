use std::fs;

use super::*;

/// Loads a file's text with an environment.
fn load_with(file: &str, env: &[(&str, &str)]) -> Result<Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.toml");
    fs::write(&path, file).unwrap();
    let flags = Flags { config: Some(path.clone()), data_dir: None, ..Flags::default() };
    let env = env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let shown = path.display().to_string();
    load(&flags, env).map_err(|error| error.to_string().replace(&shown, "m.toml"))
}

fn config(file: &str, env: &[(&str, &str)]) -> Config {
    load_with(file, env).unwrap().config
}

fn refusal(file: &str, env: &[(&str, &str)]) -> String {
    load_with(file, env).unwrap_err()
}

#[test]
fn nothing_configured_means_the_documented_defaults() {
    let config = config("", &[]);
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.host, "127.0.0.1");
    assert_eq!(config.durability, Durability { level: DurabilityLevel::Always, interval_ms: 1000 });
    assert_eq!(config.limits.body_bytes, 67_108_864);
    assert_eq!(config.limits.connections, 20_000);
    assert_eq!((config.unison.port, config.flo.metrics_port), (8005, 9001));
}

#[test]
fn the_file_sets_every_section() {
    let file = r#"
        data_dir = "/var/lib/manifold"
        host = "::1"
        [durability]
        level = "interval"
        interval_ms = 50
        [limits]
        memory_bytes = 1000000
        [log]
        level = "debug"
        format = "json"
        [unison]
        port = 4100
        api_key = "k"
        [flo]
        metrics_port = 9100
    "#;
    let config = config(file, &[]);
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/manifold"));
    assert_eq!(config.host, "::1");
    assert_eq!(config.durability, Durability { level: DurabilityLevel::Interval, interval_ms: 50 });
    assert_eq!(config.limits.memory_bytes, 1_000_000);
    assert_eq!(config.log, Log { level: "debug".to_owned(), format: LogFormat::Json, ..Log::default() });
    assert_eq!((config.unison.port, config.flo.metrics_port), (4100, 9100));
}

#[test]
fn a_higher_source_wins() {
    let file = "data_dir = \"/file\"\n[unison]\nport = 1\n";
    let originals = ("UNISON_LISTEN", "127.0.0.1:2");
    let manifold = ("MANIFOLD_UNISON_PORT", "3");
    assert_eq!(config(file, &[]).unison.port, 1);
    assert_eq!(config(file, &[originals]).unison.port, 2);
    assert_eq!(config(file, &[originals, manifold]).unison.port, 3);

    let env = [("MANIFOLD_DATA_DIR".to_owned(), "/env".to_owned())].into();
    let flags = Flags { data_dir: Some("/flag".into()), config: None, ..Flags::default() };
    assert_eq!(load(&flags, env).unwrap().config.data_dir, PathBuf::from("/flag"));
    assert_eq!(config(file, &[("MANIFOLD_DATA_DIR", "/env")]).data_dir, PathBuf::from("/env"));
}

#[test]
fn the_environment_reaches_every_type() {
    let env = [
        ("MANIFOLD_DURABILITY_LEVEL", "os"),
        ("MANIFOLD_DURABILITY_INTERVAL_MS", " 20 "),
        ("MANIFOLD_LIMITS_CONNECTIONS", "7"),
        ("MANIFOLD_UNISON_ENABLED", "false"),
        ("MANIFOLD_UNISON_API_KEY", "12345"),
        ("MANIFOLD_FLO_METRICS_PORT", "9100"),
    ];
    let config = config("", &env);
    assert_eq!(config.durability, Durability { level: DurabilityLevel::Os, interval_ms: 20 });
    assert_eq!(config.limits.connections, 7);
    assert!(!config.unison.enabled);
    assert!(toml::Table::try_from(&config).unwrap()["unison"]["api_key"].is_str());
    assert_eq!(config.flo.metrics_port, 9100);
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    let near = refusal("[unison]\nprot = 1", &[]);
    assert_eq!(near, r#"m.toml: unknown key "prot" in [unison]; did you mean "port"?"#);
    let section = refusal("[unisn]\nport = 1", &[]);
    assert_eq!(section, r#"m.toml: unknown key "unisn" at the top level; did you mean "unison"?"#);
    let far = refusal("[flo.metrics]\nxyzzy = 1", &[]);
    assert_eq!(far, r#"m.toml: unknown key "xyzzy" in [flo.metrics]; known are enabled, bind, tls"#);
}

#[test]
fn a_bad_value_names_its_key_and_source() {
    for (file, env, expected) in [
        (
            "[durability]\nlevel = \"never\"",
            None,
            r#"m.toml: durability.level: "never" is not one of always, interval, os"#,
        ),
        ("", Some(("MANIFOLD_DURABILITY_LEVEL", "never")), "MANIFOLD_DURABILITY_LEVEL: durability.level: "),
        ("[unison]\nport = \"x\"", None, "m.toml: unison.port: invalid type: string \"x\", expected u16"),
        ("[unison]\nport = 70000", None, "m.toml: unison.port: invalid value: integer `70000`, expected u16"),
        ("", Some(("MANIFOLD_UNISON_PORT", "x")), "MANIFOLD_UNISON_PORT: unison.port: \"x\" is not an integer"),
        ("[unison]\nchanges_max_age = \"often\"", None, "m.toml: unison.changes_max_age: \"often\" is"),
        (
            "",
            Some(("MANIFOLD_UNISON_CHANGES_MAX_AGE", "often")),
            "MANIFOLD_UNISON_CHANGES_MAX_AGE: unison.changes_max_age: ",
        ),
        ("unison = 3", None, "m.toml: unison: is not a table"),
        ("host = [1]", None, "m.toml: host: invalid type"),
        ("[host]\na = 1", None, "m.toml: host: invalid type"),
        ("[durability]\ninterval_ms = 0", None, "durability.interval_ms must be at least 1"),
        ("[unison\n", None, "m.toml: line 1: "),
        ("host = \"h\"\n\n[unison]\nport = = 1\n", None, "m.toml: line 4: "),
    ] {
        let refused = refusal(file, env.as_slice());
        assert!(refused.starts_with(expected), "{refused}");
    }
}

#[test]
fn errors_do_not_quote_secrets() {
    for file in ["[unison]\napi_key = 73313", "[unison]\napi_key = \"73313", "[unison]\napi_key = 73313 73313"] {
        let refused = refusal(file, &[]);
        assert!(!refused.contains("73313"), "{refused}");
    }
}

#[test]
fn a_named_file_must_exist_and_the_default_one_need_not() {
    let flags = Flags { config: Some("/nonexistent/m.toml".into()), data_dir: None, ..Flags::default() };
    let refused = load(&flags, BTreeMap::new()).unwrap_err().to_string();
    assert!(refused.starts_with("/nonexistent/m.toml: "), "{refused}");
    assert!(load(&Flags::default(), BTreeMap::new()).is_ok());
}

#[test]
fn a_name_in_our_form_that_means_nothing_is_mentioned() {
    let loaded = load_with("", &[("MANIFOLD_UNISON_PROT", "1"), ("MANIFOLD_PORT", "tcp://10.0.0.1"), ("OTHER", "x")]);
    assert_eq!(loaded.unwrap().notes, ["ignoring MANIFOLD_PORT, MANIFOLD_UNISON_PROT: no such key"]);
}

#[test]
fn the_effective_configuration_is_a_file_without_secrets() {
    let written = config("[unison]\napi_key = \"hunter2\"\nport = 4100\n[log]\nlevel = \"warn\"", &[]);
    let shown = effective(&written).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("api_key = \"***\""), "{shown}");
    let again = config(&shown, &[]);
    assert_eq!((again.unison.port, again.log.level.as_str()), (4100, "warn"));
    assert_eq!(again.durability, written.durability);
}

#[test]
fn a_secret_kept_in_a_plain_string_is_masked_by_its_name() {
    let mut table = "[a]\ntoken = \"x\"\napi_keys = [\"y\", \"\"]\nsecret = \"\"\nport = 1".parse().unwrap();
    show::mask("", &mut table);
    assert_eq!(table, "[a]\ntoken = \"***\"\napi_keys = [\"***\", \"\"]\nsecret = \"\"\nport = 1".parse().unwrap());
}

#[test]
fn hosts_are_resolved() {
    assert_eq!(resolve("host", "127.0.0.1", 1).unwrap(), "127.0.0.1:1".parse().unwrap());
    assert_eq!(resolve("host", "::1", 1).unwrap(), "[::1]:1".parse().unwrap());
    assert!(resolve("host", "localhost", 1).unwrap().ip().is_loopback());
    let refused = resolve("unison.host", "no such host", 1).unwrap_err().to_string();
    assert!(refused.starts_with("unison.host: \"no such host\" is no address"), "{refused}");
}

#[test]
fn credentials_in_lists_are_read_and_shown_without_their_secrets() {
    let file = "[synap.auth]\napi_keys = [{ key = \"hunter2\", role = \"readonly\" }]\n\
                [[synap.auth.users]]\nusername = \"root\"\npassword = \"hunter3\"";
    let written = config(file, &[]);
    assert_eq!(written.synap.auth.api_keys[0].key.expose(), "hunter2");
    let shown = effective(&written).unwrap();
    assert!(!shown.contains("hunter") && shown.contains("root"), "{shown}");
    assert_eq!(config(&shown, &[]).synap.auth.api_keys[0].role, written.synap.auth.api_keys[0].role);
    assert!(!effective_json(&written).unwrap().contains("hunter"));
    let by_env = config(file, &[("SYNAP_API_KEY", "from-env"), ("SYNAP_PORT", "7")]);
    assert_eq!(by_env.synap.auth.api_keys[0].key.expose(), "from-env");
    assert_eq!((by_env.synap.auth.api_keys.len(), by_env.synap.port), (1, 7));
}

#[test]
fn a_file_of_settings_is_read_for_names_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".env");
    assert!(dotenv(&path).unwrap().is_empty(), "there is none");
    fs::write(&path, "# here\nDUNENA_PORT=3001\nexport MANIFOLD_HOST='::1'\nPORT=1\n").unwrap();
    let read = dotenv(&path).unwrap();
    assert_eq!(
        read,
        [("DUNENA_PORT", "3001"), ("MANIFOLD_HOST", "::1")].map(|(n, t)| (n.to_owned(), t.to_owned())).into()
    );
    fs::write(&path, "DUNENA_DB=1\nDUNENA_AUTH_TOKEN='secret\n").unwrap();
    let refused = dotenv(&path).unwrap_err().to_string();
    assert!(refused.ends_with("the setting after the first 1 is none") && !refused.contains("secret"), "{refused}");
}

/// Keys of the reference that have a name in the environment.
fn documented_keys() -> Vec<String> {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let reference = fs::read_to_string(reference).unwrap();
    let keys = reference.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    keys.filter(|key| !key.contains(['[', '<'])).map(str::to_owned).collect()
}

#[test]
fn every_key_is_read_from_its_name_in_the_environment_alone() {
    let keys = documented_keys();
    assert!(keys.len() > 200, "{keys:?}");
    for key in keys {
        let name = format!("MANIFOLD_{}", key.replace('.', "_").to_uppercase());
        match load_with("", &[(&name, "7")]) {
            Ok(Loaded { notes, .. }) => assert!(!notes.iter().any(|note| note.contains(&name)), "{name}: {notes:?}"),
            // It is no value of this key, which is known only after it was read.
            Err(why) => assert!(why.contains('7') || why.contains(&name), "{name}: {why}"),
        }
    }
}

#[test]
fn names_that_only_begin_like_a_key_are_mentioned() {
    for name in
        ["MANIFOLD_HOST_NAME", "MANIFOLD_LOG_LEVEL_OLD", "MANIFOLD_DURABILITY_LEVEL_X", "MANIFOLD_TLS_CERT_FILE"]
    {
        let Loaded { notes, .. } = load_with("", &[(name, "x")]).unwrap();
        assert!(notes.iter().any(|note| note.contains(name)), "{name}: {notes:?}");
    }
    let both = [("MANIFOLD_DUNENA_DB_PATH", "/x.db"), ("MANIFOLD_DUNENA_DB", "false")];
    assert_eq!(config("", &both).dunena.db_path, config("", &both[..1]).dunena.db_path);
}

#[test]
fn a_level_that_would_silence_the_log_is_refused() {
    for (file, env) in [
        ("[log]\nlevel = \"inof\"", &[][..]),
        ("", &[("MANIFOLD_LOG_LEVEL", "info,loud")]),
        ("", &[("RUST_LOG", "nonsense=")]),
        ("", &[("FLO_LOG_LEVEL", "verbose")]),
        ("", &[("MANIFOLD_LOG_LEVEL", "info,,=x")]),
    ] {
        let why = refusal(file, env);
        let source = env.first().map_or("m.toml", |(name, _)| name);
        assert!(why.starts_with(&format!("{source}: log.level: ")), "{why}");
    }
    for level in ["", "off", "WARN", "error,", "info,manifold::access=debug", "manifold=trace", "[request]=debug"] {
        config("", &[("RUST_LOG", level)]);
    }
}

#[test]
fn an_empty_data_dir_is_refused() {
    assert_eq!(refusal("", &[("MANIFOLD_DATA_DIR", "")]), "data_dir must not be empty");
}

#[test]
fn a_bad_value_of_flos_own_file_is_told_with_its_line_and_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("flo.toml");
    for (text, key) in [
        ("# one\n\ndashboard_port = 70000\n", "dashboard_port"),
        ("[queue]\n\npriority_order = \"x\"", "queue.priority_order"),
        ("[timeseries]\n\nretention = \"5\"", "timeseries.retention"),
    ] {
        fs::write(&path, text).unwrap();
        let flags = Flags { flo_config: Some(path.clone()), ..Flags::default() };
        let why = load(&flags, BTreeMap::new()).unwrap_err().to_string();
        assert!(why.starts_with(&format!("{}: line 3: {key}: flo.", path.display())), "{why}");
    }
}
