//! Request/response scenarios: one test per file of `tests/exchanges`. The format is explained in `docs/testing.md`.

mod file;
mod run;
mod template;

/// One test per scenario file of a dialect, and one that says that no file was forgotten.
macro_rules! exchanges {
    ($dialect:ident: $($name:ident)*) => {
        mod $dialect {
            $(
                #[test]
                fn $name() {
                    let file = concat!(stringify!($dialect), "/", stringify!($name), ".yaml");
                    let text = include_str!(concat!(
                        env!("CARGO_MANIFEST_DIR"), "/tests/exchanges/", stringify!($dialect), "/", stringify!($name), ".yaml"
                    ));
                    super::run::run(file, text);
                }
            )*

            #[test]
            fn every_scenario_file_is_listed() {
                let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exchanges/", stringify!($dialect));
                let listed = [$(concat!(stringify!($name), ".yaml")),*];
                for entry in std::fs::read_dir(folder).expect("the folder of the scenarios") {
                    let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
                    assert!(listed.contains(&name.as_str()), "{name} is not listed in exchange/mod.rs");
                }
            }
        }
    };
}

/// Scenarios that are run over TLS too.
macro_rules! over_tls {
    ($($dialect:ident: $($name:ident)*;)*) => {
        mod over_tls {
            $(mod $dialect {
                $(
                    #[test]
                    fn $name() {
                        let file = concat!(stringify!($dialect), "/", stringify!($name), ".yaml");
                        let text = include_str!(concat!(
                            env!("CARGO_MANIFEST_DIR"), "/tests/exchanges/", stringify!($dialect), "/", stringify!($name), ".yaml"
                        ));
                        crate::exchange::run::run_over_tls(file, text);
                    }
                )*
            })*
        }
    };
}

exchanges! { unison:
    authentication
    authentication_without_agent_key
    batch
    batch_refusals
    bodies
    body_size
    changes
    changes_page_size
    conditions
    entries
    event_stream
    examples
    expiry
    expiry_refusals
    filters
    list
    list_paging
    names
    nesting
    order_of_checks
    paths
    queries
    read_your_writes
    restart
    retention_age
    retention_bytes
    retention_records
    routes
    small_body_limit
    tombstones
    values
    watch
    websocket
    websocket_size
}

exchanges! { flo:
    acceptance
    authentication
    base64
    bodies
    browsers
    cluster
    cross_dialect
    examples
    expiry
    gzip
    jwt
    kv
    kv_conditions
    kv_extras
    metrics
    namespaces
    order_of_checks
    paths
    queue
    queue_dead_letters
    queue_extras
    queue_lower_first
    queue_metrics
    queue_restart
    queue_timing
    routes
    scan
    stream
    stream_extras
    stream_groups
    stream_restart
    ts_influx
    ts_influx_authentication
    ts_limits
    ts_line
    ts_measurements
    ts_query_examples
    ts_query_members
    ts_query_mistakes
    ts_query_stages
    ts_retention
    ts_write
    ts_write_size
}

exchanges! { dunena:
    authentication
    cache
    cache_batch
    cache_capacity
    cache_counters
    cache_keys
    cache_memory
    cache_ttl
    cache_warmup
    dashboard
    db
    db_batch
    db_batch_refusals
    db_disabled
    db_purge
    db_query
    db_refusals
    db_whole
    explorer
    health
    health_without_database
    http
    locks
    locks_restart
    metrics
    metrics_public
    pages_off
    proxy_disabled
    proxy_query
    proxy_register
    query_cache
    query_cache_restart
    rate_limits
    snapshot
    snapshot_at_the_end
    snapshot_interval
    snapshot_off
    stats
    stats_history
    websocket
    websocket_access
    without_database
}

exchanges! { edgecomet:
    authentication
    bodies
    bot_hit
    failed
    format_both
    format_legacy
    invalidate
    invalidate_more
    queue
    queue_limit
    recache
    recache_many
    recache_order
    restart
    routes
    schedule_at
    status
    tracking
    tracking_off
    urls
}

exchanges! { synap:
    admin
    authentication
    batch
    body_size
    browsers
    compression
    envelope
    examples
    hash
    kv
    kv_extras
    kv_flush
    kv_numbers
    kv_stats
    kv_texts
    kv_types
    list
    pubsub
    queue
    queue_letters
    queue_long_names
    queue_rules
    queue_timing
    rate_limit
    rest_hash
    rest_keys
    rest_kv
    rest_kv_binary
    rest_list
    rest_old
    rest_paths
    rest_pubsub
    rest_queue
    rest_roles
    rest_set
    rest_snapshot
    rest_sorted_set
    rest_stream
    rooms_anew
    scan
    sdk
    set
    shared_collections
    shared_deadlines
    shared_keys
    shared_queues
    shared_rooms
    sorted_set
    stream
    stream_rules
    stream_sdk
    types
    websocket
    websocket_access
    websocket_keys
    websocket_pubsub
    websocket_rate
    websocket_rooms
    websocket_size
    websocket_topics
}

over_tls! {
    unison: websocket event_stream bodies;
    flo: acceptance;
    synap: websocket;
    dunena: http websocket;
    edgecomet: bodies;
}
