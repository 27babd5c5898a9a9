//! Start rules (contract I.2, I.9; architecture 5).

use std::time::{Duration, Instant};

use crate::harness::{Connection, Request, Server, Settings, eventually, run_to_exit};

/// Starts a process that must refuse; gives what it printed.
fn refused(settings: Settings) -> String {
    let home = tempfile::tempdir().expect("a temporary directory");
    let config = home.path().join("manifold.toml");
    let port = i64::from(free_tcp_port());
    let settings = settings.set("unison.port", port).set("flo.metrics_port", i64::from(free_tcp_port()));
    std::fs::write(&config, settings.file.to_string()).expect("write the configuration");
    let data = home.path().join("data");
    let env: Vec<(&str, &str)> = settings.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let args = ["serve", "--config", config.to_str().expect("a path"), "--data-dir", data.to_str().expect("a path")];
    let finished = run_to_exit(&args, &env, home.path());
    assert!(!finished.status.success(), "it started and ended with 0\n{}", finished.output);
    assert!(finished.status.code().is_some(), "it ended by {}\n{}", finished.status, finished.output);
    assert!(!finished.output.contains("panicked"), "{}", finished.output);
    finished.output
}

#[test]
fn a_value_that_is_not_utf_8_is_refused_and_never_left_out() {
    use std::os::unix::ffi::OsStrExt;
    let home = tempfile::tempdir().expect("a temporary directory");
    let value = std::ffi::OsStr::from_bytes(b"p\xe4ss");
    for name in ["MANIFOLD_DUNENA_AUTH_TOKEN", "UNISON_API_KEY"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_manifold"));
        let output = command.arg("check").current_dir(home.path()).env_clear().env(name, value).output();
        let output = output.expect("run the binary");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(&format!("{name}: the value is not UTF-8")) && !said.contains("p\u{fffd}ss"), "{said}");
    }
    // A name that means nothing to us is nobody's business.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_manifold"));
    let output = command.arg("check").current_dir(home.path()).env_clear().env("LESSCHARSET", value).output();
    assert!(output.expect("run the binary").status.success());
}

fn free_tcp_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn beyond_loopback_it_does_not_start_without_a_full_key() {
    for host in ["0.0.0.0", "::"] {
        let without = Settings::default().set("host", host).unset("unison.api_key").unset("unison.agent_api_key");
        assert!(refused(without.clone()).contains("UNISON_API_KEY"), "{host}");
        let empty = without.clone().set("unison.api_key", "");
        assert!(refused(empty).contains("UNISON_API_KEY"), "{host}, empty key");
        let agent = without.set("unison.agent_api_key", "agent");
        assert!(refused(agent).contains("UNISON_API_KEY"), "{host}, agent key alone");
    }
    let own_host =
        Settings::default().set("unison.host", "0.0.0.0").unset("unison.api_key").unset("unison.agent_api_key");
    assert!(refused(own_host).contains("UNISON_API_KEY"));
}

#[test]
fn beyond_loopback_it_starts_with_a_full_key() {
    let mut server =
        Server::with(Settings::default().set("unison.host", "0.0.0.0").set("unison.api_key", "a-long-key"));
    server.send(&Request::get("/api/v1/changes").key(Some("a-long-key"))).expect(200);
    server.send(&Request::get("/api/v1/changes").key(Some("dev"))).expect(401);
    server.stop();
    assert!(!server.log.text().contains("a-long-key"), "the key is in the log");
}

#[test]
fn on_loopback_without_a_key_it_is_dev_and_the_log_says_so() {
    for settings in [Settings::default().unset("unison.api_key"), Settings::default().set("unison.api_key", "")] {
        let settings = settings.unset("unison.agent_api_key");
        let mut server = Server::with(settings);
        server.send(&Request::get("/api/v1/changes").key(Some("dev"))).expect(200);
        server.send(&Request::get("/api/v1/changes").key(None)).expect(401);
        server.send(&Request::get("/api/v1/changes").key(Some(""))).expect(401);
        server.stop();
        let log = server.log.text();
        for dialect in ["unison", "edgecomet"] {
            let says = |line: &&str| line.contains(&format!(" {dialect}")) || line.contains(&format!("{dialect}:"));
            let says = |line: &&str| says(line) && line.contains("dev\"") && line.to_lowercase().contains("key");
            assert_eq!(log.lines().filter(says).count(), 1, "one line of {dialect} says that the key is dev\n{log}");
        }
    }
}

#[test]
fn localhost_by_name_is_loopback() {
    let settings =
        Settings::default().set("unison.host", "localhost").unset("unison.api_key").unset("unison.agent_api_key");
    let server = Server::with(settings);
    server.send(&Request::get("/api/v1/changes").key(Some("dev"))).expect(200);
}

#[test]
fn equal_keys_are_refused() {
    let output = refused(Settings::default().set("unison.api_key", "same").set("unison.agent_api_key", "same"));
    assert!(output.to_lowercase().contains("agent"), "{output}");
    assert!(!output.contains("same\"") && !output.contains("`same`"), "the key is printed: {output}");
    // The key that is `dev` by default counts as well.
    refused(Settings::default().unset("unison.api_key").set("unison.agent_api_key", "dev"));
}

#[test]
fn unknown_keys_are_named_with_a_suggestion() {
    let output = refused(Settings::default().set("unison.agent_api_kye", "x"));
    assert!(
        output.contains("agent_api_kye") && output.contains("agent_api_key") && output.contains("unison"),
        "{output}"
    );
    let output = refused(Settings::default().set("durabilty.level", "os"));
    assert!(output.contains("durabilty") && output.contains("durability"), "{output}");
    let output = refused(Settings::default().set("data_dri", "x"));
    assert!(output.contains("data_dri") && output.contains("data_dir"), "{output}");
    let output = refused(Settings::default().set("limits.conections", 5));
    assert!(output.contains("conections") && output.contains("connections"), "{output}");
}

#[test]
fn bad_values_are_named() {
    for (key, value, named) in [
        ("unison.max_body_bytes", toml::Value::from("many"), "max_body_bytes"),
        ("unison.changes_max_age", toml::Value::from("often"), "changes_max_age"),
        ("unison.changes_max_age", toml::Value::from(-1), "changes_max_age"),
        ("unison.max_connections", toml::Value::from(-5), "max_connections"),
        ("durability.level", toml::Value::from("sometimes"), "level"),
        ("unison.enabled", toml::Value::from("perhaps"), "enabled"),
        ("unison.host", toml::Value::from("no host at all"), "host"),
    ] {
        let output = refused(Settings::default().set(key, value));
        assert!(output.contains(named), "{key}: {output}");
    }
    let output = refused(Settings::default().env("MANIFOLD_UNISON_PORT", "99999"));
    assert!(output.contains("MANIFOLD_UNISON_PORT") || output.contains("unison.port"), "{output}");
}

#[test]
fn a_second_process_on_the_directory_exits_at_once() {
    let mut server = Server::start();
    server.put("/api/v1/kv/a/k", "1").expect(200);
    let start = Instant::now();
    let second = server.second_process();
    assert!(start.elapsed() < Duration::from_secs(3), "it took {:?}", start.elapsed());
    assert!(!second.status.success());
    let directory = server.data_dir().display().to_string();
    let line = second.output.lines().find(|line| line.contains(&directory)).unwrap_or_default();
    assert!(!line.is_empty(), "no line names {directory}\n{}", second.output);
    assert!(["lock", "in use", "another process"].iter().any(|word| line.contains(word)), "{line}");
    server.assert_alive();
    server.put("/api/v1/kv/a/k", "2").expect(200);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let home = tempfile::tempdir().expect("a temporary directory");
    let env = [
        ("MANIFOLD_UNISON_PORT", port.to_string()),
        ("MANIFOLD_FLO_PORT", free_tcp_port().to_string()),
        ("MANIFOLD_FLO_METRICS_PORT", free_tcp_port().to_string()),
        ("MANIFOLD_SYNAP_PORT", free_tcp_port().to_string()),
    ];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let data = home.path().join("data");
    let finished = run_to_exit(&["serve", "--data-dir", data.to_str().expect("a path")], &env, home.path());
    assert!(!finished.status.success());
    assert!(finished.output.contains(&port.to_string()), "{}", finished.output);
}

#[test]
fn a_data_directory_that_is_a_file_is_named() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let data = home.path().join("a-file");
    std::fs::write(&data, "not a directory").expect("write a file");
    let env = [
        ("MANIFOLD_UNISON_PORT", free_tcp_port().to_string()),
        ("MANIFOLD_FLO_PORT", free_tcp_port().to_string()),
        ("MANIFOLD_FLO_METRICS_PORT", free_tcp_port().to_string()),
        ("MANIFOLD_SYNAP_PORT", free_tcp_port().to_string()),
    ];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let finished = run_to_exit(&["serve", "--data-dir", data.to_str().expect("a path")], &env, home.path());
    assert!(!finished.status.success());
    assert!(finished.output.contains("a-file"), "{}", finished.output);
    assert_eq!(std::fs::read_to_string(&data).expect("the file"), "not a directory");
}

#[test]
fn while_the_log_is_replayed_health_is_fine_and_the_store_is_unavailable() {
    let mut server = Server::with(Settings::fast());
    let mut connection = server.connect();
    for n in 0..12 {
        let set = |k: u32| format!(r#"{{"op":"set","namespace":"n{n}","key":"k{k}","value":{k}}}"#);
        let operations: Vec<String> = (0..10_000).map(set).collect();
        let batch = Request::post("/api/v1/batch", format!(r#"{{"operations":[{}]}}"#, operations.join(",")));
        connection.send(&batch).expect("an answer").expect(200);
    }
    server.stop();
    server.spawn_again();
    let mut connection =
        eventually("a listener", Duration::from_secs(10), || Connection::try_open(server.unison()).ok());
    let requests = [
        (Request::get("/api/v1/kv/n0/k1"), 200),
        (Request::get("/api/v1/kv/none"), 200),
        (Request::get("/api/v1/changes?limit=1"), 200),
        (Request::get("/api/v1/changes/stream?after=120000"), 200),
        (Request::put("/api/v1/kv/new/k", r#"{"value":1}"#), 200),
        (Request::delete("/api/v1/kv/new/none"), 200),
        (Request::post("/api/v1/batch", r#"{"operations":[]}"#), 200),
    ];
    let mut unavailable = 0;
    loop {
        for (request, _) in &requests {
            // A stream that is granted has no end: its head is enough, on a connection of its own.
            let mut own = Connection::open(server.unison());
            own.write(request).expect("send");
            let head = own.read_head().expect("a head");
            if head.status == 503 {
                let answer = own.read_body(&request.method, head).expect("a body");
                assert_eq!(answer.text(), r#"{"error":"Store unavailable"}"#, "{request}");
                unavailable += 1;
            } else {
                assert_eq!(head.status, 200, "{request}");
            }
        }
        // What needs no store goes on as always, the order of checks included.
        let mut status = |request: Request| connection.send(&request).expect("an answer");
        assert_eq!(status(Request::get("/api/v1/health").key(None)).text(), r#"{"ok":true}"#);
        assert_eq!(status(Request::get("/api/v1/kv/a").key(None)).status, 401);
        assert_eq!(status(Request::get("/api/v1/kv/a/%zz")).status, 400);
        assert_eq!(status(Request::put("/api/v1/kv/a/k", "[")).status, 400);
        assert_eq!(status(Request::get("/api/v1/cluster/leader")).status, 200);
        assert_eq!(status(Request::get("/api/v1/openapi.json")).status, 200);
        let ready = status(Request::get("/api/v1/ready").key(None));
        match ready.status {
            503 => assert_eq!(ready.text(), r#"{"ok":false}"#),
            200 => break,
            other => panic!("ready: {other}"),
        }
    }
    assert!(unavailable > 0, "the replay was over before anybody looked");
    for (request, expected) in &requests {
        let mut own = Connection::open(server.unison());
        own.write(request).expect("send");
        assert_eq!(own.read_head().expect("a head").status, *expected, "{request}");
    }
    server.stop();
}
