//! Where a setting comes from, and the command line beside `serve`.

use crate::harness::{Connection, Request, Server, Settings, run_to_exit};

/// Which of these keys opens the server.
fn accepted(server: &Server, keys: &[&'static str]) -> Vec<&'static str> {
    let opens = |key: &&&str| server.send(&Request::get("/api/v1/changes").key(Some(key))).status == 200;
    keys.iter().filter(opens).copied().collect()
}

#[test]
fn environment_goes_before_the_file_and_manifolds_names_before_the_originals() {
    let keys = ["file-key", "original-key", "manifold-key"];
    let file = Settings::default().set("unison.api_key", "file-key");
    assert_eq!(accepted(&Server::with(file.clone()), &keys), ["file-key"]);
    let original = file.env("UNISON_API_KEY", "original-key");
    assert_eq!(accepted(&Server::with(original.clone()), &keys), ["original-key"]);
    let both = original.env("MANIFOLD_UNISON_API_KEY", "manifold-key");
    assert_eq!(accepted(&Server::with(both), &keys), ["manifold-key"]);
}

#[test]
fn the_originals_agent_key_and_listen_address_are_taken() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let settings = Settings::default()
        .unset("unison.agent_api_key")
        .env("UNISON_AGENT_API_KEY", "reader")
        .env("UNISON_VALKEY_URL", "redis://nowhere:6379");
    let server = Server::with(settings);
    server.send(&Request::get("/api/v1/changes").key(Some("reader"))).expect(200);
    server.send(&Request::delete("/api/v1/kv/a/k").key(Some("reader"))).expect(403);
    let lines = server.log.text().lines().filter(|line| line.contains("embedded")).count();
    assert_eq!(lines, 1, "one line says that the engine is embedded\n{}", server.log.text());
    drop(server);
    // The harness expects its own port, so this one is asked by hand; the file says nothing about the listener.
    let listen = format!("127.0.0.1:{port}");
    check_prints(&[("UNISON_LISTEN", &listen)], &[&port.to_string()]);
    check_prints(&[("MANIFOLD_UNISON_PORT", "12345"), ("UNISON_LISTEN", &listen)], &["12345"]);
    // The generic names count when Unison is the only dialect that is enabled, and nothing else says it.
    let [no_flo, no_synap, no_dunena] = ["FLO", "SYNAP", "DUNENA"].map(|name| format!("MANIFOLD_{name}_ENABLED"));
    let [no_flo, no_synap, no_dunena] = [&no_flo, &no_synap, &no_dunena].map(|name| (name.as_str(), "false"));
    check_prints(&[no_flo, no_synap, no_dunena, ("PORT", "12346"), ("HOST", "127.0.0.2")], &["12346", "127.0.0.2"]);
    check_prints(&[no_flo, no_synap, no_dunena, ("PORT", "12346"), ("UNISON_LISTEN", &listen)], &[&port.to_string()]);
}

/// `manifold check` in an empty directory with this environment prints all of these.
fn check_prints(env: &[(&str, &str)], wanted: &[&str]) {
    let home = tempfile::tempdir().expect("a temporary directory");
    let finished = run_to_exit(&["check"], env, home.path());
    assert!(finished.status.success(), "{env:?}: {}", finished.output);
    for text in wanted {
        assert!(finished.output.contains(text), "{env:?}: no {text} in\n{}", finished.output);
    }
}

#[test]
fn memory_lies_in_huge_pages_only_when_they_are_asked_for() {
    let has_huge_pages = |settings| {
        let server = Server::with(settings);
        let status = format!("/proc/{}/status", server.process_id().as_raw_nonzero());
        let status = std::fs::read_to_string(status).expect("the process runs");
        status.lines().any(|line| line.split_whitespace().eq(["THP_enabled:", "1"]))
    };
    assert!(!has_huge_pages(Settings::default()));
    assert!(has_huge_pages(Settings::default().set("huge_pages", true)));
}

#[test]
fn check_prints_the_effective_configuration_and_no_secret() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = "[unison]\napi_key = \"very-secret\"\nagent_api_key = \"also-secret\"\nport = 4100\n[durability]\nlevel = \"interval\"\n";
    std::fs::write(home.path().join("manifold.toml"), file).expect("write the file");
    let finished = run_to_exit(&["check"], &[("MANIFOLD_UNISON_MAX_BODY_BYTES", "12345")], home.path());
    assert!(finished.status.success(), "{}", finished.output);
    for text in ["4100", "interval", "12345", "changes_max_records", "1000000", "9001"] {
        assert!(finished.output.contains(text), "no {text} in\n{}", finished.output);
    }
    for secret in ["very-secret", "also-secret"] {
        assert!(!finished.output.contains(secret), "{secret} is printed");
    }
    std::fs::write(home.path().join("manifold.toml"), "[unison]\nprot = 1\n").expect("write the file");
    let finished = run_to_exit(&["check"], &[], home.path());
    assert!(!finished.status.success());
    assert!(finished.output.contains("prot") && finished.output.contains("port"), "{}", finished.output);
    let finished = run_to_exit(&["check", "--config", "nowhere.toml"], &[], home.path());
    assert!(!finished.status.success(), "a file that was named must exist");
    assert!(finished.output.contains("nowhere.toml"), "{}", finished.output);
}

#[test]
fn keys_never_reach_the_log() {
    let settings = Settings::default()
        .set("unison.api_key", "full-secret")
        .set("unison.agent_api_key", "agent-secret")
        .set("log.level", "trace");
    let mut server = Server::with(settings);
    server.send(&Request::get("/api/v1/changes").key(Some("full-secret"))).expect(200);
    server.send(&Request::get("/api/v1/changes").key(Some("agent-secret"))).expect(200);
    server.send(&Request::get("/api/v1/changes").key(Some("wrong-secret"))).expect(401);
    server.send(&Request::put("/api/v1/kv/a/k", "[").key(Some("full-secret"))).expect(400);
    server.stop();
    let log = server.log.text();
    for secret in ["full-secret", "agent-secret", "wrong-secret"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn a_disabled_listener_is_not_opened() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let finished = run_to_exit(&["check"], &[("MANIFOLD_UNISON_ENABLED", "false")], home.path());
    assert!(finished.output.contains("enabled = false"), "{}", finished.output);
}

#[test]
fn verify_reads_a_data_directory_offline() {
    let mut server = Server::start();
    for n in 0..50 {
        server.put(&format!("/api/v1/kv/v/k{n}"), &n.to_string()).expect(200);
    }
    server.stop();
    let directory = server.data_dir();
    let finished = run_to_exit(&["verify", directory.to_str().expect("a path")], &[], std::path::Path::new("/"));
    assert!(finished.status.success(), "{}", finished.output);
    let finished = run_to_exit(&["verify", "/nowhere/at/all"], &[], std::path::Path::new("/"));
    assert!(!finished.status.success(), "{}", finished.output);
    server.start_again();
    assert_eq!(server.get("/api/v1/kv/v/k49").expect(200).json()["value"], 49);
}

#[test]
fn help_and_unknown_commands() {
    let home = std::path::Path::new("/");
    let help = run_to_exit(&["--help"], &[], home);
    assert!(help.status.success());
    for word in ["serve", "check", "verify"] {
        assert!(help.output.contains(word), "{}", help.output);
    }
    assert!(!run_to_exit(&["conquer"], &[], home).status.success());
}

#[test]
fn the_durability_level_is_what_the_configuration_says() {
    for level in ["always", "interval", "os"] {
        let mut server = Server::with(Settings::default().set("durability.level", level));
        for n in 1..=20 {
            server.put("/api/v1/kv/d/k", &n.to_string()).expect(200);
        }
        // Written to the kernel before the answer at every level: a kill of the process loses nothing.
        server.kill();
        server.start_again();
        let entry = server.get("/api/v1/kv/d/k").expect(200).json();
        assert_eq!((&entry["value"], &entry["version"]), (&20.into(), &20.into()), "{level}");
        let next = server.put("/api/v1/kv/d/k", "21").expect(200);
        let seq: u64 = next.header("x-unison-seq").and_then(|seq| seq.parse().ok()).expect("a seq");
        if level == "always" {
            assert_eq!(seq, 21);
            continue;
        }
        // After an unclean stop at a weaker level the numbers go on far above, and a cursor in between is told.
        assert!(seq > 1_000_000, "{level}: {seq}");
        let page = server.get("/api/v1/changes?after=500000").expect(200).json();
        assert_eq!(page["reset"], true, "{page}");
        assert_eq!(page["changes"][0]["seq"], seq, "{page}");
        let page = server.get("/api/v1/changes?after=20").expect(200).json();
        assert_eq!(page["changes"][0]["seq"], seq, "{page}");
        assert_eq!(page["lastSeq"], seq, "{page}");
    }
}

#[test]
fn metrics_and_unison_have_ports_of_their_own() {
    let server = Server::start();
    let mut metrics = Connection::open(server.metrics());
    assert_eq!(metrics.send(&Request::get("/metrics").key(None)).expect("an answer").status, 200);
    assert_eq!(server.get("/metrics").status, 404);
}

#[test]
fn a_bad_word_about_time_series_refuses_to_start_and_names_the_key() {
    let home = tempfile::tempdir().expect("a temporary directory");
    for (value, key, what) in [
        ("retention = \"30\"", "flo.timeseries.retention", "is no length of time"),
        ("retentions = [\"metrics\"]", "flo.timeseries.retentions", "names no length of time"),
        ("retentions = [\"*=1d\"]", "flo.timeseries.retentions", "is what retention says"),
        ("retentions = [\"a=1d\", \"a=2d\"]", "timeseries.retentions", "\"a=2d\" is for the same points"),
        ("max_series = 0", "timeseries.max_series", "must be at least 1"),
        ("query_timeout = \"0s\"", "flo.timeseries.query_timeout", "is no length of time"),
        ("query_max_bytes = -1", "flo.timeseries.query_max_bytes", "invalid value"),
        ("retentoin = \"1d\"", "retentoin", "did you mean \"retention"),
    ] {
        std::fs::write(home.path().join("manifold.toml"), format!("[flo.timeseries]\n{value}\n"))
            .expect("write the file");
        let finished = run_to_exit(&["serve"], &[], home.path());
        assert_eq!(finished.status.code(), Some(78), "{value}: {}", finished.output);
        assert!(finished.output.contains(key) && finished.output.contains(what), "{value}: {}", finished.output);
    }
    std::fs::remove_file(home.path().join("manifold.toml")).expect("remove the file");
    let rules = ("MANIFOLD_FLO_TIMESERIES_RETENTIONS", "metrics=30d, */cpu=7d");
    check_prints(&[rules, ("MANIFOLD_FLO_TIMESERIES_QUERY_TIMEOUT", "90s")], &["metrics=30d", "*/cpu=7d", "90s"]);
}
