//! The name of every metric of the process. A name, once released, is never changed and never reused.

/// Requests answered, by route template, method and status.
pub const UNISON_REQUESTS: &str = "unison_requests_total";
/// Seconds from the head of a request to the head of its answer.
pub const UNISON_REQUEST_DURATION: &str = "unison_request_duration_seconds";
/// Requests refused for their credential.
pub const UNISON_AUTH_FAILURES: &str = "unison_auth_failures_total";
/// Live keys.
pub const UNISON_KV_ENTRIES: &str = "unison_kv_entries";
/// Remembered versions of removed keys.
pub const UNISON_KV_TOMBSTONES: &str = "unison_kv_tombstones";
/// Newest number of the change feed.
pub const UNISON_CHANGES_HEAD_SEQ: &str = "unison_changes_head_seq";
/// Oldest number kept in the change feed.
pub const UNISON_CHANGES_OLDEST_SEQ: &str = "unison_changes_oldest_seq";
/// Bytes of the change feed.
pub const UNISON_CHANGES_BYTES: &str = "unison_changes_bytes";
/// Keys that expired.
pub const UNISON_EXPIRED: &str = "unison_expired_total";
/// Writes refused by their condition.
pub const UNISON_CAS_CONFLICTS: &str = "unison_cas_conflicts_total";
/// Answers repeated for a known idempotency key.
pub const UNISON_IDEMPOTENT_REPLAYS: &str = "unison_idempotent_replays_total";
/// Clients that follow the feed now.
pub const UNISON_STREAM_CLIENTS: &str = "unison_stream_clients";
/// Followers that retention overtook.
pub const UNISON_STREAM_RESETS: &str = "unison_stream_resets_total";

/// Open connections.
pub const FLO_CONNECTIONS: &str = "flo_connections_current";
/// Requests answered.
pub const FLO_COMMANDS: &str = "flo_commands_total";
/// Bytes of request bodies.
pub const FLO_BYTES_RECEIVED: &str = "flo_bytes_received_total";
/// Bytes of answers.
pub const FLO_BYTES_SENT: &str = "flo_bytes_sent_total";
/// Seconds since the start.
pub const FLO_UPTIME: &str = "flo_uptime_seconds";
/// Shards.
pub const FLO_SHARDS: &str = "flo_shards_total";
/// Nodes of the cluster.
pub const FLO_CLUSTER_NODES: &str = "flo_cluster_nodes";
/// Partitions of the cluster.
pub const FLO_CLUSTER_PARTITIONS: &str = "flo_cluster_partitions";
/// Members that gossip.
pub const FLO_GOSSIP_MEMBERS: &str = "flo_gossip_members";
/// Open connections, by shard.
pub const FLO_SHARD_CONNECTIONS: &str = "flo_shard_connections";
/// Partitions, by shard.
pub const FLO_SHARD_PARTITIONS: &str = "flo_shard_partitions";
/// Requests answered, by shard.
pub const FLO_SHARD_COMMANDS: &str = "flo_shard_commands_total";
/// Bytes of request bodies, by shard.
pub const FLO_SHARD_BYTES_RECEIVED: &str = "flo_shard_bytes_received_total";
/// Bytes of answers, by shard.
pub const FLO_SHARD_BYTES_SENT: &str = "flo_shard_bytes_sent_total";
/// Keys written, by namespace.
pub const FLO_KV_SET: &str = "flo_kv_set_ops_total";
/// Keys read, by namespace.
pub const FLO_KV_GET: &str = "flo_kv_get_ops_total";
/// Keys removed, by namespace.
pub const FLO_KV_DELETE: &str = "flo_kv_delete_ops_total";
/// Enqueues, by queue.
pub const FLO_QUEUE_ENQUEUE_OPS: &str = "flo_queue_enqueue_ops_total";
/// Messages accepted, by queue.
pub const FLO_QUEUE_ENQUEUE_MESSAGES: &str = "flo_queue_enqueue_messages_total";
/// Bytes of payloads accepted, by queue.
pub const FLO_QUEUE_ENQUEUE_BYTES: &str = "flo_queue_enqueue_bytes_total";
/// Messages accepted with a delay, by queue.
pub const FLO_QUEUE_ENQUEUE_DELAYED: &str = "flo_queue_enqueue_delayed_total";
/// Enqueues refused, by queue.
pub const FLO_QUEUE_ENQUEUE_ERRORS: &str = "flo_queue_enqueue_errors_total";
/// Enqueues of a known key, by queue.
pub const FLO_QUEUE_ENQUEUE_DEDUP: &str = "flo_queue_enqueue_dedup_rejected_total";
/// Dequeues, by queue.
pub const FLO_QUEUE_DEQUEUE_OPS: &str = "flo_queue_dequeue_ops_total";
/// Messages delivered, by queue.
pub const FLO_QUEUE_DEQUEUE_MESSAGES: &str = "flo_queue_dequeue_messages_total";
/// Bytes of payloads delivered, by queue.
pub const FLO_QUEUE_DEQUEUE_BYTES: &str = "flo_queue_dequeue_bytes_total";
/// Dequeues without a message, by queue.
pub const FLO_QUEUE_DEQUEUE_EMPTY: &str = "flo_queue_dequeue_empty_total";
/// Leases given, by queue.
pub const FLO_QUEUE_LEASES_CREATED: &str = "flo_queue_leases_created_total";
/// Leases ended by an ack, by queue.
pub const FLO_QUEUE_LEASES_COMPLETED: &str = "flo_queue_leases_completed_total";
/// Leases made longer, by queue.
pub const FLO_QUEUE_LEASES_EXTENDED: &str = "flo_queue_leases_extended_total";
/// Leases that ran out, by queue.
pub const FLO_QUEUE_LEASES_EXPIRED: &str = "flo_queue_leases_expired_total";
/// Messages whose delay was over, by queue.
pub const FLO_QUEUE_DELAYED_PROMOTED: &str = "flo_queue_delayed_promoted_total";
/// Messages that became dead letters, by queue.
pub const FLO_QUEUE_DLQ_MESSAGES: &str = "flo_queue_dlq_messages_total";
/// Dead letters put back, by queue.
pub const FLO_QUEUE_DLQ_REQUEUE: &str = "flo_queue_dlq_requeue_total";
/// Dead letters thrown away, by queue.
pub const FLO_QUEUE_DLQ_DELETE: &str = "flo_queue_dlq_delete_total";
/// Appends, by stream.
pub const FLO_STREAM_APPEND_OPS: &str = "flo_stream_append_ops_total";
/// Records appended, by stream.
pub const FLO_STREAM_APPEND_RECORDS: &str = "flo_stream_append_records_total";
/// Bytes of payloads appended, by stream.
pub const FLO_STREAM_APPEND_BYTES: &str = "flo_stream_append_bytes_total";
/// Appends refused, by stream.
pub const FLO_STREAM_APPEND_ERRORS: &str = "flo_stream_append_errors_total";
/// Reads, by stream.
pub const FLO_STREAM_READ_OPS: &str = "flo_stream_read_ops_total";
/// Records read, by stream.
pub const FLO_STREAM_READ_RECORDS: &str = "flo_stream_read_records_total";
/// Bytes of payloads read, by stream.
pub const FLO_STREAM_READ_BYTES: &str = "flo_stream_read_bytes_total";
/// Reads without a record, by stream.
pub const FLO_STREAM_READ_EMPTY: &str = "flo_stream_read_empty_total";
/// Readers that wait, by stream.
pub const FLO_STREAM_BLOCKING_READERS: &str = "flo_stream_blocking_readers_current";
/// Reads by consumers of groups, by stream.
pub const FLO_STREAM_GROUP_READS: &str = "flo_stream_consumer_group_reads_total";
/// Records acknowledged, by stream.
pub const FLO_STREAM_GROUP_ACKS: &str = "flo_stream_consumer_group_acks_total";
/// Trims, by stream.
pub const FLO_STREAM_TRIM_OPS: &str = "flo_stream_trim_ops_total";
/// Records trimmed, by stream.
pub const FLO_STREAM_TRIM_RECORDS: &str = "flo_stream_trim_records_total";
/// Values written, by namespace.
pub const FLO_TS_POINTS_WRITTEN: &str = "flo_ts_points_written_total";
/// Lines that were not written, by namespace.
pub const FLO_TS_LINES_REJECTED: &str = "flo_ts_lines_rejected_total";
/// Queries, by namespace.
pub const FLO_TS_QUERIES: &str = "flo_ts_queries_total";
/// Time series.
pub const FLO_TS_SERIES: &str = "flo_ts_series";
/// Values of points that are not sealed into blocks yet.
pub const FLO_TS_POINTS_BUFFERED: &str = "flo_ts_points_buffered";
/// Values of points in blocks.
pub const FLO_TS_POINTS_SEALED: &str = "flo_ts_points_sealed";
/// Blocks.
pub const FLO_TS_BLOCKS: &str = "flo_ts_blocks";
/// Bytes of blocks.
pub const FLO_TS_BLOCK_BYTES: &str = "flo_ts_block_bytes";
/// Messages held by consumers, by queue.
pub const FLO_QUEUE_LEASES_ACTIVE: &str = "flo_queue_leases_active";
/// Dead letters, by queue.
pub const FLO_QUEUE_DLQ_CURRENT: &str = "flo_queue_dlq_messages_current";
/// Messages that are not visible yet, by queue.
pub const FLO_QUEUE_DELAYED_CURRENT: &str = "flo_queue_delayed_messages_current";
/// Messages that a consumer could get, by queue.
pub const FLO_QUEUE_AVAILABLE: &str = "flo_queue_available_current";
/// Messages accepted, which is the number of the last one, by queue.
pub const FLO_QUEUE_LAST_SEQ: &str = "flo_queue_last_seq";
/// Records delivered and not acknowledged, by stream.
pub const FLO_STREAM_PENDING: &str = "flo_stream_consumer_group_pending_current";
/// Offset of the last record, by stream.
pub const FLO_STREAM_LAST_SEQ: &str = "flo_stream_last_seq";
/// Requests answered, by route and status.
pub const FLO_HTTP_REQUESTS: &str = "flo_http_requests_total";
/// Seconds from the head of a request to the head of its answer.
pub const FLO_HTTP_REQUEST_DURATION: &str = "flo_http_request_duration_seconds";
/// How long fsyncs of the log took.
pub const FLO_WAL_FSYNC_DURATION: &str = "flo_wal_fsync_duration_seconds";

/// Commands executed, by component and operation.
pub const SYNAP_OPERATIONS: &str = "synap_operations_total";
/// Memory that the limit is about.
pub const SYNAP_MEMORY: &str = "synap_memory_bytes";
/// How far replicas are behind.
pub const SYNAP_REPLICATION_LAG: &str = "synap_replication_lag_ms";
/// Messages that wait, by queue.
pub const SYNAP_QUEUE_DEPTH: &str = "synap_queue_depth";
/// Dead letters, by queue.
pub const SYNAP_QUEUE_DLQ: &str = "synap_queue_dlq_messages";
/// Offset of the newest event, by room.
pub const SYNAP_STREAM_LAST: &str = "synap_stream_last_offset";
/// Events kept, by room.
pub const SYNAP_STREAM_BUFFER: &str = "synap_stream_buffer_size";
/// Subscribers, by room.
pub const SYNAP_STREAM_SUBSCRIBERS: &str = "synap_stream_subscribers";
/// Commands on keys, by operation and outcome.
pub const SYNAP_KV_OPERATIONS: &str = "synap_kv_operations_total";
/// Requests answered, by method, route and status.
pub const SYNAP_HTTP_REQUESTS: &str = "synap_http_requests_total";

/// Reads of cached values that found one.
pub const DUNENA_CACHE_HITS: &str = "dunena_cache_hits_total";
/// Reads of cached values that found none.
pub const DUNENA_CACHE_MISSES: &str = "dunena_cache_misses_total";
/// Entries pushed out by others.
pub const DUNENA_CACHE_EVICTIONS: &str = "dunena_cache_evictions_total";
/// Values written to the cache.
pub const DUNENA_CACHE_PUTS: &str = "dunena_cache_puts_total";
/// Entries deleted or expired.
pub const DUNENA_CACHE_DELETES: &str = "dunena_cache_deletes_total";
/// Entries.
pub const DUNENA_CACHE_ENTRIES: &str = "dunena_cache_entries";
/// Most entries.
pub const DUNENA_CACHE_MAX_ENTRIES: &str = "dunena_cache_max_entries";
/// Part of the reads that found something.
pub const DUNENA_CACHE_HIT_RATE: &str = "dunena_cache_hit_rate";
/// Bytes of keys, values and names of namespaces.
pub const DUNENA_CACHE_MEMORY: &str = "dunena_cache_memory_bytes";
/// Writes on a condition that held.
pub const DUNENA_CACHE_CAS_HITS: &str = "dunena_cache_cas_hits_total";
/// Writes on a condition that did not hold.
pub const DUNENA_CACHE_CAS_MISSES: &str = "dunena_cache_cas_misses_total";
/// Locks that somebody holds.
pub const DUNENA_LOCKS_ACTIVE: &str = "dunena_locks_active";
/// Milliseconds requests took in the last minute, by quantile.
pub const DUNENA_REQUEST_LATENCY: &str = "dunena_request_latency_ms";
/// Milliseconds all requests took together.
pub const DUNENA_REQUEST_LATENCY_SUM: &str = "dunena_request_latency_ms_sum";
/// Requests.
pub const DUNENA_REQUEST_LATENCY_COUNT: &str = "dunena_request_latency_ms_count";
/// Seconds since the start.
pub const DUNENA_UPTIME: &str = "dunena_uptime_seconds";
/// Requests answered, by route template, method and status.
pub const DUNENA_HTTP_REQUESTS: &str = "dunena_http_requests_total";
/// Seconds from the head of a request to the head of its answer.
pub const DUNENA_HTTP_REQUEST_DURATION: &str = "dunena_http_request_duration_seconds";
/// Open WebSockets.
pub const DUNENA_SOCKETS_OPEN: &str = "dunena_websockets_open";
/// WebSockets closed because too much waited for their clients.
pub const DUNENA_SOCKETS_BEHIND: &str = "dunena_websockets_fallen_behind_total";

/// Attempts of entries, by what became of them and by queue. Names of this dialect get the namespace of its configuration
/// in front.
pub const EDGECOMET_REQUESTS: &str = "recache_requests_total";
/// Entries that wait, by queue; `internal` are those that were pulled.
pub const EDGECOMET_QUEUE_DEPTH: &str = "queue_depth";
/// Seconds an attempt took, by host.
pub const EDGECOMET_DURATION: &str = "recache_duration_seconds";
/// Calls of Redis, by operation and outcome.
pub const EDGECOMET_REDIS_OPERATIONS: &str = "redis_operations_total";
/// Jobs given to gateways, by gateway and outcome.
pub const EDGECOMET_GATEWAY_REQUESTS: &str = "eg_requests_total";
/// Entries that wait, by host and queue.
pub const EDGECOMET_QUEUE_SIZE: &str = "queue_size";
/// Entries that are due, by host and queue.
pub const EDGECOMET_QUEUE_DUE: &str = "queue_due_now";
/// Attempts of entries, by host and by what became of them.
pub const EDGECOMET_RECACHED: &str = "recache_total";
/// Jobs in flight.
pub const EDGECOMET_JOBS_IN_FLIGHT: &str = "jobs_in_flight";
/// Dead letters that are kept, by host.
pub const EDGECOMET_DEAD_LETTERS: &str = "dead_letters";
/// Members of queues that could not be read and were removed.
pub const EDGECOMET_MALFORMED_MEMBERS: &str = "malformed_members_total";

/// 1, with the version as label.
pub const BUILD: &str = "manifold_build";
/// Seconds since the process started.
pub const UPTIME: &str = "manifold_uptime_seconds";
/// Resident memory of the process.
pub const RESIDENT: &str = "manifold_resident_memory_bytes";
/// Open file descriptors of the process.
pub const OPEN_FILES: &str = "manifold_open_fds";
/// 1 when writes are accepted, else 0.
pub const ENGINE_READY: &str = "manifold_engine_ready";
/// Memory of the index.
pub const INDEX_MEMORY: &str = "manifold_index_memory_bytes";
/// Bytes of all log segments.
pub const LOG_BYTES: &str = "manifold_log_bytes";
/// Bytes of the log that no live row needs.
pub const LOG_DEAD_BYTES: &str = "manifold_log_dead_bytes";
/// Log segments.
pub const LOG_SEGMENTS: &str = "manifold_log_segments";
/// Batches committed.
pub const LOG_COMMITS: &str = "manifold_log_commits_total";
/// fsyncs of the log.
pub const LOG_FSYNCS: &str = "manifold_log_fsyncs_total";
/// Time spent in them.
pub const LOG_FSYNC_SECONDS: &str = "manifold_log_fsync_seconds_total";
/// Bytes replayed at the start.
pub const LOG_REPLAYED: &str = "manifold_log_replayed_bytes";
/// Bytes cut off the end of the log at the start.
pub const LOG_TORN: &str = "manifold_log_torn_bytes";
/// Open connections, by listener.
pub const CONNECTIONS_OPEN: &str = "manifold_connections_open";
/// Connections accepted, by listener.
pub const CONNECTIONS_ACCEPTED: &str = "manifold_connections_accepted_total";
/// Connections turned away at the cap, by listener.
pub const CONNECTIONS_REFUSED: &str = "manifold_connections_refused_total";
/// Bytes of request bodies that are held.
pub const BODIES: &str = "manifold_request_bodies_bytes";
/// Request bodies refused because all together were too large.
pub const BODIES_REFUSED: &str = "manifold_request_bodies_refused_total";
/// Connections to listeners that speak TLS, by listener and by what came of their handshake.
pub const TLS_HANDSHAKES: &str = "manifold_tls_handshakes_total";
/// When the certificate of a listener ends, in seconds since 1970.
pub const TLS_CERTIFICATE_EXPIRES: &str = "manifold_tls_certificate_expires_seconds";
/// Handlers that panicked, by listener.
pub const PANICS: &str = "manifold_handler_panics_total";
