//! What the lines of an export say: one structure for each type of line. The names of members are the format, which
//! `docs/export-format.md` describes. Times are milliseconds since 1970, or seconds where the model has seconds.
#![allow(missing_docs, reason = "what each member means is said where the format is described")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::{Real, Stored, Text};

/// Whether a member is left out.
fn absent<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A namespace.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceLine {
    pub namespace: Text,
    pub created_at: u64,
}

/// The highest version of keys of a namespace that were removed and are forgotten.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloorLine {
    pub namespace: Text,
    pub version: u64,
}

/// A key with a value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLine {
    pub namespace: Text,
    pub key: Text,
    pub value: Stored,
    pub version: u64,
    pub actor: Text,
    pub updated_at: u64,
    #[serde(default, skip_serializing_if = "absent")]
    pub expires_at: Option<u64>,
}

/// The version of a key that was removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TombstoneLine {
    pub namespace: Text,
    pub key: Text,
    pub version: u64,
}

/// A key with a collection, or a further part of one: `from` elements stand in the lines before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionLine<E> {
    pub namespace: Text,
    pub key: Text,
    #[serde(default, skip_serializing_if = "absent")]
    pub expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub from: u64,
    pub elements: Vec<E>,
}

/// A queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueLine {
    pub namespace: Text,
    pub queue: Text,
    #[serde(default, skip_serializing_if = "absent")]
    pub deleted: bool,
    #[serde(default, skip_serializing_if = "absent")]
    pub configured: bool,
    pub settings: QueueSettings,
    pub last: u64,
    pub last_lease: u64,
    pub counted: QueueCounted,
}

/// How a queue treats its messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSettings {
    #[serde(default, skip_serializing_if = "absent")]
    pub max_depth: Option<u64>,
    pub max_attempts: u32,
    #[serde(default, skip_serializing_if = "absent")]
    pub max_dead: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub max_held: Option<u64>,
    pub dedup_window_ms: u64,
    pub lease_ms: u64,
    pub default_priority: i64,
}

/// What happened in a queue so far. How many messages were accepted follows from what is there and what is gone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueCounted {
    pub acked: u64,
    pub purged: u64,
    pub delivered: u64,
    pub returned: u64,
    pub died: u64,
    pub letters_arrived: u64,
    pub letters_delivered: u64,
    pub letters_returned: u64,
    pub letters_acked: u64,
}

/// A message of the queue named last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageLine {
    pub namespace: Text,
    pub queue: Text,
    pub sequence: u64,
    pub payload: Stored,
    #[serde(default, skip_serializing_if = "absent")]
    pub headers: Text,
    pub priority: i64,
    pub enqueued_at: u64,
    #[serde(default, skip_serializing_if = "absent")]
    pub max_attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "absent")]
    pub dedup_key: Text,
    #[serde(default, skip_serializing_if = "absent")]
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "absent")]
    pub visible_at: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub leased: Option<LeaseLine>,
    #[serde(default, skip_serializing_if = "absent")]
    pub dead: Option<DeadLine>,
}

/// Who has a message, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseLine {
    pub lease: u64,
    pub until: u64,
}

/// Since when a message is a dead letter, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLine {
    pub at: u64,
    pub reason: DeadReason,
}

/// Why a message is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadReason {
    Expired,
    Nack,
}

/// A deduplication key of the queue named last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DedupLine {
    pub namespace: Text,
    pub queue: Text,
    pub dedup_key: Text,
    pub sequence: u64,
    pub until: u64,
}

/// A stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamLine {
    pub namespace: Text,
    pub stream: Text,
    pub created_at: u64,
    pub first: u64,
    pub last_at: u64,
    #[serde(default, skip_serializing_if = "absent")]
    pub retention_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub retention_records: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub retention_bytes: Option<u64>,
}

/// A record of the stream named last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    pub namespace: Text,
    pub stream: Text,
    pub offset: u64,
    pub at: u64,
    #[serde(default, skip_serializing_if = "absent")]
    pub kind: Text,
    #[serde(default, skip_serializing_if = "absent")]
    pub headers: Vec<(String, String)>,
    pub payload: Text,
}

/// A group of consumers of the stream named last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupLine {
    pub namespace: Text,
    pub stream: Text,
    pub group: Text,
    pub position: u64,
    pub dead: u64,
    pub consumers: Vec<Text>,
}

/// Records that a group was given and has not acknowledged: offset, deliveries, and until when a consumer has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingLine {
    pub namespace: Text,
    pub stream: Text,
    pub group: Text,
    pub pending: Vec<(u64, u32, Option<u64>)>,
}

/// Points of a field of a series: as many values, of one type, as there are times, which are nanoseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsLine {
    pub namespace: Text,
    pub measurement: String,
    pub tags: BTreeMap<String, String>,
    pub field: String,
    pub times: Vec<i64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub floats: Vec<Real>,
    #[serde(default, skip_serializing_if = "absent")]
    pub ints: Vec<i64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub uints: Vec<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub bools: Vec<bool>,
    #[serde(default, skip_serializing_if = "absent")]
    pub texts: Vec<String>,
}

/// The queue of a host that an entry waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueOfHost {
    High,
    Normal,
    Autorecache,
}

/// A page that waits to be fetched anew. Times are seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecacheEntryLine {
    pub host: u64,
    pub queue: QueueOfHost,
    pub url: String,
    pub dimension: u64,
    pub due: u64,
    #[serde(default, skip_serializing_if = "absent")]
    pub attempts: u32,
}

/// A page that was given up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecacheLetterLine {
    pub host: u64,
    pub number: u64,
    pub queue: QueueOfHost,
    pub url: String,
    pub dimension: u64,
    pub attempts: u32,
    pub reason: String,
    pub failed_at: u64,
}

/// What is known of a stored page; the page itself is a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageRecordLine {
    pub host: u64,
    pub dimension: u64,
    pub hash: u64,
    pub gone_at: u64,
    pub url: String,
    pub file_path: String,
    #[serde(default, skip_serializing_if = "absent")]
    pub dimension_name: String,
    #[serde(default, skip_serializing_if = "absent")]
    pub request_id: String,
    #[serde(default, skip_serializing_if = "absent")]
    pub created_at: Option<i64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub expires_at: Option<i64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub last_access: Option<i64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub size: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub disk_size: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub source: String,
    #[serde(default, skip_serializing_if = "absent")]
    pub status_code: Option<u16>,
    #[serde(default, skip_serializing_if = "absent")]
    pub headers: Vec<(String, Vec<String>)>,
    #[serde(default, skip_serializing_if = "absent")]
    pub eg_ids: String,
    #[serde(default, skip_serializing_if = "absent")]
    pub last_bot_hit: Option<i64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub index_status: Option<u8>,
    #[serde(default, skip_serializing_if = "absent")]
    pub title: String,
}

/// A document with its tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentLine {
    pub space: String,
    pub key: String,
    pub value: String,
    pub created_at: u64,
    pub updated_at: u64,
    #[serde(default, skip_serializing_if = "absent")]
    pub expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub tags: Vec<String>,
}

/// A registered connection to another database, with its secrets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorLine {
    pub name: String,
    pub kind: String,
    pub connection_string: String,
    pub read_only: bool,
    #[serde(default, skip_serializing_if = "absent")]
    pub max_cache_ttl_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "absent")]
    pub default_tags: Vec<String>,
    #[serde(default, skip_serializing_if = "absent")]
    pub headers: Vec<(String, String)>,
}

/// Without what may be secret.
impl std::fmt::Debug for ConnectorLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorLine").field("name", &self.name).finish_non_exhaustive()
    }
}
