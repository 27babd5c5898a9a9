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
/// Handlers that panicked, by listener.
pub const PANICS: &str = "manifold_handler_panics_total";
