use super::*;

fn laid(ours: &str, theirs: &str) -> Result<(Layers, Vec<String>), String> {
    let mut layers = Layers { file: ours.parse().unwrap(), ..Layers::default() };
    lay("flo.toml", theirs, &mut layers).map(|notes| (layers, notes)).map_err(|error| error.to_string())
}

#[test]
fn keys_of_the_original_mean_ours_unless_ours_say_otherwise() {
    let theirs = r#"
        dashboard_port = 7000
        [dashboard]
        port = 7001
        hosts = ["a", "b"]
        [metrics]
        port = 7002
        [storage]
        durability = "async_flush"
        hot_buffer_capacity = 5
        [logging]
        level = "err"
        [auth]
        enabled = true
        tokens = ["t"]
    "#;
    let (layers, notes) = laid("[flo]\nmetrics_port = 1", theirs).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    for (key, value) in [
        ("flo.port", "7001"),
        ("flo.metrics_port", "1"),
        ("flo.dashboard.hosts", r#"["a", "b"]"#),
        ("durability.level", r#""interval""#),
        ("log.level", r#""error""#),
        ("flo.auth.enabled", "true"),
    ] {
        assert!(layers.says(key, value), "{key}: {}", layers.file);
    }
}

#[test]
fn unknown_keys_are_mentioned_and_wrong_types_refused_with_their_line() {
    let (_, notes) = laid("", "dashbord_port = 1\n[gossip]\nport = 2\n[queue]\nmax = 3").unwrap();
    assert_eq!(notes, ["flo.toml: ignoring dashbord_port (line 1), queue.max (line 5): no such key"]);
    assert_eq!(
        laid("", "\ndashboard_port = \"x\"").unwrap_err(),
        "flo.toml: line 2: dashboard_port must be an integer"
    );
    assert_eq!(
        laid("", "[storage]\ndurability = \"often\"").unwrap_err(),
        "flo.toml: line 2: storage.durability must be sync_flush, async_flush, none or ephemeral"
    );
    let broken = laid("", "[auth]\ntokens = [\"secret").unwrap_err();
    assert!(broken.starts_with("flo.toml: line 2: ") && !broken.contains("secret"), "{broken}");
}
