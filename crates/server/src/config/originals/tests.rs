use super::*;

fn read_with(file: &str, env: &[(&str, &str)]) -> Result<(Layers, Vec<String>), Error> {
    let mut layers = Layers { file: file.parse().unwrap(), ..Layers::default() };
    let env = env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    layers.env = BTreeMap::clone(&env);
    read(&mut layers, &env).map(|notes| (layers, notes))
}

fn settings(file: &str, env: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let (layers, _) = read_with(file, env).unwrap();
    layers.originals.into_iter().map(|setting| (setting.key, setting.text)).collect()
}

#[test]
fn keys_are_taken() {
    let env = [("UNISON_API_KEY", "a"), ("UNISON_AGENT_API_KEY", "b")];
    let expected = [("unison.api_key", "a".to_owned()), ("unison.agent_api_key", "b".to_owned())];
    assert_eq!(settings("", &env), expected);
}

#[test]
fn a_listen_address_is_host_and_port() {
    for (listen, host) in
        [("0.0.0.0:1", Some("0.0.0.0")), ("[::1]:1", Some("::1")), ("name:1", Some("name")), (":1", None)]
    {
        let host = host.map(|host| ("unison.host", host.to_owned()));
        let expected: Vec<_> = host.into_iter().chain([("unison.port", "1".to_owned())]).collect();
        assert_eq!(settings("", &[("UNISON_LISTEN", listen)]), expected);
    }
    for bad in ["", "8005", "host:", "host:x", "host:70000", "::1:80", "[::1:80"] {
        let error = read_with("", &[("UNISON_LISTEN", bad)]).unwrap_err().to_string();
        assert!(error.starts_with("UNISON_LISTEN: "), "{error}");
    }
}

#[test]
fn port_and_host_count_only_when_nothing_else_says() {
    const ALONE: &str = "[flo]\nenabled = false\n[synap]\nenabled = false\n[dunena]\nenabled = false";
    let generic = [("HOST", "0.0.0.0"), ("PORT", "1")];
    assert_eq!(settings(ALONE, &generic), [("unison.host", "0.0.0.0".to_owned()), ("unison.port", "1".to_owned())]);
    for others in ["", "[flo]\nenabled = false", "[flo]\nenabled = false\n[synap]\nenabled = false"] {
        assert_eq!(settings(others, &generic), [], "another dialect is served too");
    }
    for file in ["host = \"::1\"", "unison.host = \"::1\"", "unison.port = 5"] {
        assert_eq!(settings(&format!("{file}\n{ALONE}"), &generic), [], "{file}");
    }
    for other in [("MANIFOLD_HOST", "::1"), ("MANIFOLD_UNISON_PORT", "5")] {
        assert_eq!(settings(ALONE, &[generic[0], generic[1], other]), [], "{other:?}");
    }
    let listen = settings(ALONE, &[generic[0], generic[1], ("UNISON_LISTEN", ":7")]);
    assert_eq!(listen, [("unison.port", "7".to_owned())]);
}

#[test]
fn the_names_of_the_flo_original_are_taken() {
    let env = [("FLO_DASHBOARD_ADDR", "[::1]:7"), ("FLO_METRICS_ADDR", ":8"), ("FLO_LOG_LEVEL", "err")];
    let expected = [("log.level", "error"), ("flo.host", "::1"), ("flo.port", "7"), ("flo.metrics_port", "8")];
    assert_eq!(settings("", &env), expected.map(|(key, text)| (key, text.to_owned())));
}

#[test]
fn addresses_of_replaced_stores_are_mentioned_once() {
    let (_, notes) = read_with("", &[("REDIS_URL", "redis://u:p@h"), ("VALKEY_URL", "x")]).unwrap();
    assert_eq!(notes, ["ignoring VALKEY_URL, REDIS_URL: the engine is embedded"]);
    assert!(read_with("", &[]).unwrap().1.is_empty());
}

#[test]
fn the_credentials_of_the_synap_original_take_the_place_of_those_in_the_file() {
    let env = [
        ("SYNAP_API_KEY", "a,b"),
        ("SYNAP_AUTH_ROOT_USERNAME", "root"),
        ("SYNAP_AUTH_ROOT_PASSWORD", "p:w"),
        ("SYNAP_AUTH_ENABLED", "true"),
    ];
    let (layers, _) = read_with("[[synap.auth.api_keys]]\nkey = \"old\"", &env).unwrap();
    let auth = &layers.file["synap"]["auth"];
    assert_eq!(auth["api_keys"].to_string(), r#"[{ key = "a,b", name = "env" }]"#);
    assert_eq!(auth["users"].to_string(), r#"[{ password = "p:w", username = "root" }]"#);
    assert!(layers.says("synap.auth.required", "true"));
    let (layers, _) = read_with("", &[("SYNAP_AUTH_ROOT_USERNAME", "root"), ("SYNAP_API_KEY", "")]).unwrap();
    assert!(layers.file.is_empty(), "half a credential is none");
}
