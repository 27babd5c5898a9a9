use std::{collections::BTreeMap, fs};

use tempfile::TempDir;

use super::*;
use crate::config::{Flags, Loaded, load};

/// A directory with these files; directories of theirs are made.
fn home(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    home
}

/// Loads `daemon.yaml` of a directory, as a start that serves EdgeComet alone does.
fn load_in(home: &TempDir, env: &[(&str, &str)]) -> Result<Loaded, String> {
    let flags = Flags { edgecomet_alone: Some(home.path().join("daemon.yaml")), ..Flags::default() };
    let env: BTreeMap<_, _> = env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let shown = format!("{}/", home.path().display());
    load(&flags, env).map_err(|error| error.to_string().replace(&shown, ""))
}

fn config(files: &[(&str, &str)]) -> Config {
    load_in(&home(files), &[]).unwrap_or_else(|error| panic!("{error}")).config.edgecomet
}

fn refusal(files: &[(&str, &str)]) -> String {
    load_in(&home(files), &[]).map(drop).unwrap_err()
}

const DAEMON: &str = "eg_config: eg.yaml\ndaemon_id: d1\n";
const GATEWAY: &str = "internal: {auth_key: k, listen: ':10071'}\neg_id: eg7\nhosts: {include: hosts.d}\n";
const HOSTS: &str = "hosts:\n- {id: 1, domain: a.b}\n";

#[test]
fn the_daemons_file_goes_before_the_gateways_and_both_before_nothing() {
    let daemon = format!("{DAEMON}storage: {{compression: none}}\nscheduler: {{tick_interval: 2s}}\nredis:\n");
    let gateway = format!(
        "{GATEWAY}storage: {{base_path: /pages, compression: lz4, cleanup: {{enabled: true, interval: 1h, safety_margin: 2h}}}}\n\
         render: {{timeout: 30s, cache: {{ttl: 3h, expired: {{strategy: serve_stale, stale_ttl: 1d}}}}}}\n\
         bypass: {{timeout: 9s, user_agent: Ours, cache: {{enabled: true}}}}\n\
         server: {{listen: ':10070'}}\nunknown: [1, {{a: b}}]\nredis: {{addr: 'x:1'}}\n"
    );
    let config = config(&[("daemon.yaml", &daemon), ("eg.yaml", &gateway), ("hosts.d/a.yaml", HOSTS)]);
    assert_eq!((config.daemon_id.as_str(), config.internal_auth_key.expose()), ("d1", "k"));
    assert_eq!(config.scheduler.tick_interval.0.as_secs(), 2);
    assert_eq!(config.storage.base_path, Some("/pages".into()));
    assert_eq!(format!("{:?}", config.storage.compression), "None");
    assert_eq!(config.storage.cleanup.interval.0.as_secs(), 3600);
    assert_eq!(config.storage.cleanup.enabled, Some(true));
    assert_eq!(config.render.cache.ttl.unwrap().0.as_secs(), 3 * 3600);
    assert_eq!(config.bypass.user_agent.as_deref(), Some("Ours"));
    assert!(config.is_embedded() && config.http_api.enabled);
    assert_eq!(config.gateway_file, GatewayFile { listen: Some(":10071".into()), eg_id: Some("eg7".into()) });
    assert_eq!(config.all_hosts().map(|host| host.id).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_gateway_that_shares_its_cache_is_no_target_and_in_a_shared_home_files_are_the_gateways() {
    let daemon = format!("{DAEMON}redis: {{addr: 'x:1', db: 2}}\n");
    let gateway =
        format!("{GATEWAY}cache_sharding: {{enabled: true}}\nstorage: {{base_path: p, cleanup: {{enabled: true}}}}\n");
    let config = config(&[("daemon.yaml", &daemon), ("eg.yaml", &gateway), ("hosts.d/a.yaml", HOSTS)]);
    assert_eq!(config.gateway_file.listen, None);
    assert_eq!((config.storage.cleanup.enabled, config.redis.db), (None, 2));
}

#[test]
fn sources_have_their_ranks() {
    let files = [
        ("daemon.yaml", "eg_config: eg.yaml\ndaemon_id: d1\ninternal_queue: {max_size: 5}\nworker: {concurrency: 2}\n"),
        ("eg.yaml", GATEWAY),
        ("hosts.d/a.yaml", HOSTS),
        ("m.toml", "[edgecomet]\nconfig_file = \"HOME/daemon.yaml\"\n[edgecomet.internal_queue]\nmax_size = 6\n"),
    ];
    let home = home(&files);
    let own = fs::read_to_string(home.path().join("m.toml")).unwrap();
    fs::write(home.path().join("m.toml"), own.replace("HOME", &home.path().display().to_string())).unwrap();
    let flags = Flags { config: Some(home.path().join("m.toml")), ..Flags::default() };
    let read = |env: &[(&str, &str)]| {
        let env = env.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        load(&flags, env).unwrap().config.edgecomet
    };
    let config = read(&[]);
    assert_eq!(
        (config.internal_queue.max_size, config.worker.concurrency, config.internal_queue.max_retries),
        (6, 2, 3)
    );
    let env = [("MANIFOLD_EDGECOMET_INTERNAL_QUEUE_MAX_SIZE", "7"), ("MANIFOLD_EDGECOMET_RENDER_CACHE_TTL", "5m")];
    let config = read(&env);
    assert_eq!((config.internal_queue.max_size, config.render.cache.ttl.unwrap().0.as_secs()), (7, 300));
    assert_eq!(read(&[("MANIFOLD_EDGECOMET_INTERNAL_AUTH_KEY", "e")]).internal_auth_key.expose(), "e");
    assert_eq!(read(&[("MANIFOLD_EDGECOMET_DAEMON_ID", "d2")]).daemon_id, "d2");
}

#[test]
fn hosts_come_from_a_file_a_pattern_or_a_directory_in_the_order_of_names() {
    let host = |id: u8| format!("hosts:\n- {{id: {id}, domain: h{id}.b, render_key: k, future: 1}}\n");
    let (one, two, three) = (host(1), host(2), host(3));
    let hosts = [("h/20.yaml", two.as_str()), ("h/10.yaml", &one), ("h/30.yml", &three), ("h/sub.yaml/x", "")];
    for (include, expected) in [
        ("h", vec![1, 2]),
        ("h/", vec![1, 2]),
        ("h/2*", vec![2]),
        ("h/30.yml", vec![3]),
        ("./h/[12]0.yaml", vec![1, 2]),
    ] {
        let gateway = format!("internal: {{auth_key: k}}\nhosts: {{include: '{include}'}}\n");
        let mut files =
            vec![("daemon.yaml", "eg_config: eg/eg.yaml\ndaemon_id: d\n"), ("eg/eg.yaml", gateway.as_str())];
        let below: Vec<_> = hosts.iter().map(|(name, text)| (format!("eg/{name}"), *text)).collect();
        files.extend(below.iter().map(|(name, text)| (name.as_str(), *text)));
        let home = home(&files);
        let loaded = load_in(&home, &[]).unwrap_or_else(|error| panic!("{include}: {error}"));
        let ids: Vec<_> = loaded.config.edgecomet.all_hosts().map(|host| host.id).collect();
        assert_eq!(ids, expected, "{include}");
        assert!(loaded.notes[0].ends_with("ignoring hosts[0].future: no such key"), "{:?}", loaded.notes);
    }
}

#[test]
fn inline_hosts_go_before_those_of_the_gateway() {
    let daemon =
        format!("{DAEMON}hosts:\n- {{id: 5, domain: [c.d, e.f], render: {{timeout: 3s, cache: {{ttl: 1m}}}}}}\n");
    let read = config(&[("daemon.yaml", &daemon), ("eg.yaml", GATEWAY)]);
    assert_eq!(read.all_hosts().map(|host| host.id).collect::<Vec<_>>(), [5]);
    let alone = daemon.replace("eg_config: eg.yaml\n", "");
    assert_eq!(config(&[("daemon.yaml", &alone)]).hosts.len(), 1);
    let included = "daemon_id: d\nhosts_include: h.yaml\nhosts: [{id: 5, domain: c.d}]\n";
    let read = config(&[("daemon.yaml", included), ("h.yaml", HOSTS)]);
    assert_eq!(read.all_hosts().map(|host| host.id).collect::<Vec<_>>(), [5, 1]);
}

#[test]
fn what_is_wrong_is_told_in_one_line_with_file_and_key() {
    let inline = |lines: &str| format!("daemon_id: d\nhosts: [{{id: 1, domain: a.b}}]\n{lines}\n");
    for (daemon, expected) in [
        ("daemon_id: d\n".to_owned(), "daemon.yaml: eg_config must be specified"),
        ("eg_config: ''\ndaemon_id: d\n".into(), "daemon.yaml: eg_config must be specified"),
        ("eg_config: eg.yaml\n".into(), "daemon.yaml: daemon_id must be specified"),
        ("eg_config: eg.yaml\ndaemon_id: ''\n".into(), "daemon.yaml: daemon_id must be specified"),
        (inline("colour: red"), "daemon.yaml: unknown key \"colour\" in [edgecomet]; known are "),
        (
            inline("scheduler: {tick_intervall: 1s}"),
            "daemon.yaml: unknown key \"tick_intervall\" in [edgecomet.scheduler]; did you mean \"tick_interval\"?",
        ),
        (inline("internal_auth_key: 'sesame '"), "daemon.yaml: internal_auth_key must not begin or end with a blank"),
        (inline("scheduler: {tick_interval: 50ms}"), "daemon.yaml: scheduler.tick_interval must be >= 100ms"),
        (
            inline("scheduler: {tick_interval: 7s}"),
            "daemon.yaml: scheduler.normal_check_interval must be a multiple of tick_interval",
        ),
        (
            inline("scheduler: {tick_interval: 60}"),
            "daemon.yaml: edgecomet.scheduler.tick_interval: \"60\" is no length of time",
        ),
        (inline("internal_queue: {max_size: 0}"), "daemon.yaml: internal_queue.max_size must be > 0"),
        (inline("internal_queue: {max_size: -4}"), "daemon.yaml: internal_queue.max_size must be > 0"),
        (inline("internal_queue: {max_retries: 0}"), "daemon.yaml: internal_queue.max_retries must be >= 1"),
        (
            inline("recache: {rs_capacity_reserved: 1.5}"),
            "daemon.yaml: recache.rs_capacity_reserved must be between 0.0 and 1.0",
        ),
        (
            inline("recache: {rs_capacity_reserved: .nan}"),
            "daemon.yaml: recache.rs_capacity_reserved must be between 0.0 and 1.0",
        ),
        (inline("recache: {timeout_per_url: 0}"), "daemon.yaml: recache.timeout_per_url must be > 0"),
        (inline("http_api: {request_timeout: 0s}"), "daemon.yaml: http_api.request_timeout must be > 0"),
        (inline("http_api: {max_body_bytes: 5}"), "daemon.yaml: http_api.max_body_bytes must be >= 1048576"),
        (inline("http_api: {listen: ':0'}"), "daemon.yaml: http_api.listen port must be between 1 and 65535"),
        (inline("http_api: {listen: 99999}"), "daemon.yaml: http_api.listen port must be between 1 and 65535"),
        (inline("http_api: {listen: 'h:x'}"), "daemon.yaml: http_api.listen port must be between 1 and 65535"),
        (inline("http_api: {listen: here}"), "daemon.yaml: http_api.listen \"here\" is not :port, host:port or port"),
        (
            inline("metrics: {enabled: true, listen: ':10090'}"),
            "daemon.yaml: metrics.listen port must differ from http_api.listen port",
        ),
        (inline("redis: {addr: 'x:1', db: -1}"), "daemon.yaml: redis.db must be >= 0"),
        (
            inline("worker: {enabled: maybe}"),
            "daemon.yaml: edgecomet.worker.enabled: \"maybe\" is not one of auto, true, false",
        ),
        (
            inline("worker: {mode: firefox}"),
            "daemon.yaml: edgecomet.worker.mode: \"firefox\" is not one of fetch, chrome",
        ),
        (inline("worker: {max_redirects: 6}"), "daemon.yaml: worker.max_redirects must be between 0 and 5"),
        (
            inline("worker: {allow_networks: [10.0.0.0/8, nets]}"),
            "daemon.yaml: worker.allow_networks must be a list of networks, and \"nets\" is none",
        ),
        (inline("gateways: ['a:1', b]"), "daemon.yaml: gateways must be a list of host:port, and \"b\" is none"),
        (
            inline("storage: {cleanup: {interval: 9m}}"),
            "daemon.yaml: storage.cleanup.interval must be between 10m and 24h",
        ),
        (
            inline("storage: {cleanup: {safety_margin: 59m}}"),
            "daemon.yaml: storage.cleanup.safety_margin must be >= 1h",
        ),
        (inline("logging: {level: loud}"), "daemon.yaml: logging.level must be one of debug, info, warn, error"),
        (inline("logging: {file: {enabled: true}}"), "daemon.yaml: logging.file.path must be specified"),
        (inline("internal_auth_key: [sesame]"), "daemon.yaml: edgecomet.internal_auth_key has the wrong type"),
        ("a: [sesame".into(), "daemon.yaml: did not find expected"),
        ("daemon_id: d\nhosts: [{id: 1, domian: a.b}]".into(), "daemon.yaml: edgecomet.hosts: unknown field `domian`"),
        ("daemon_id: d\nhosts: [{id: 0, domain: a.b}]".into(), "edgecomet.hosts: host 0 (a.b): id must be > 0"),
        ("daemon_id: d\nhosts_include: nowhere\n".into(), "nowhere: there is no file of hosts"),
        ("daemon_id: d\neg_config: nowhere.yaml\n".into(), "nowhere.yaml: No such file"),
    ] {
        let refused = refusal(&[("daemon.yaml", &daemon), ("eg.yaml", GATEWAY), ("hosts.d/a.yaml", HOSTS)]);
        assert!(refused.starts_with(expected), "{daemon}\n{refused}");
        assert!(!refused.contains('\n') && !refused.contains("sesame"), "{refused}");
    }
}

#[test]
fn what_is_wrong_with_the_gateways_file_or_hosts_is_told_with_theirs() {
    for (gateway, hosts, expected) in [
        ("render: {cache: {ttl: 5}}\n", HOSTS, "eg.yaml: edgecomet.render.cache.ttl: \"5\" is no length of time"),
        ("bothit_recache: {interval: 25h}\n", HOSTS, "edgecomet: bothit_recache.interval must be between 30m and 24h"),
        ("", "hosts: 5", "hosts.d/a.yaml: hosts must be a list"),
        ("", "hosts: [5]", "hosts.d/a.yaml: hosts[0]: is not a table of keys"),
        ("", "hosts: [{id: one, domain: a.b}]", "hosts.d/a.yaml: hosts[0]: invalid type"),
        ("", "hosts: [{id: 1}]", "hosts.d/a.yaml: host number 1: domain is required"),
        (
            "",
            "hosts: [{id: 1, domain: a.b}, {id: 1, domain: c.d}]",
            "hosts.d/a.yaml: host 1 (c.d): id 1 belongs to host 'a.b' already",
        ),
    ] {
        let gateway = format!("{GATEWAY}{gateway}");
        let refused = refusal(&[("daemon.yaml", DAEMON), ("eg.yaml", &gateway), ("hosts.d/a.yaml", hosts)]);
        assert!(refused.starts_with(expected) && !refused.contains('\n'), "{refused}");
    }
    let empty = refusal(&[("daemon.yaml", DAEMON), ("eg.yaml", GATEWAY), ("hosts.d/readme", "")]);
    assert_eq!(empty, "hosts.d: there is no file of hosts");
}

#[test]
fn sections_that_are_off_may_be_empty_and_tests_may_sweep_often() {
    let daemon = "daemon_id: d\nhosts: []\nmetrics: {enabled: false, listen: ''}\nhttp_api: {enabled: false, listen: ''}\n\
                  redis: {addr: ''}\nlogging: {file: {enabled: false, path: ''}}\nscheduler: {normal_check_interval: 0}\n";
    let read = config(&[("daemon.yaml", daemon)]);
    assert!(read.listener().is_none() && read.metrics_listener().is_none() && read.is_embedded());
    let often =
        home(&[("daemon.yaml", "daemon_id: d\nhosts: []\nstorage: {cleanup: {interval: 1s, safety_margin: 2s}}\n")]);
    assert!(load_in(&often, &[("TEST_MODE", "local")]).is_ok());
    assert!(load_in(&often, &[("TEST_MODE", "ci")]).is_err());
}

#[test]
fn what_the_file_says_about_the_log_counts_unless_it_is_said_in_our_words() {
    let daemon = "daemon_id: d\nhosts: []\nlogging: {level: warn, console: {format: json}, \
                  file: {enabled: true, path: /l, level: debug, rotation: {max_size: 2, max_age: 0}}}\n";
    let home = home(&[("daemon.yaml", daemon)]);
    let log = load_in(&home, &[]).unwrap().config.log;
    assert_eq!((log.level.as_str(), log.console), ("warn", false));
    let file = log.file.unwrap();
    assert_eq!((file.level.as_str(), file.rotation.max_bytes, file.rotation.max_age), ("debug", 2 << 20, None));
    assert_eq!((file.rotation.max_backups, file.rotation.compress), (Some(10), true));
    let log =
        load_in(&home, &[("MANIFOLD_LOG_LEVEL", "trace"), ("MANIFOLD_EDGECOMET_LOGGING_CONSOLE_ENABLED", "true")]);
    let log = log.unwrap().config.log;
    assert_eq!((log.level.as_str(), log.console), ("trace", true));
}
