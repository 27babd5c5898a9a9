//! What the file holds. Other programs read and write it, so nothing here may change its meaning.

/// Makes what is missing; nothing, when it is all there.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS kv (
    key TEXT NOT NULL,
    namespace TEXT NOT NULL DEFAULT '',
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (namespace, key)
);
CREATE TABLE IF NOT EXISTS kv_tags (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (namespace, key, tag),
    FOREIGN KEY (namespace, key) REFERENCES kv (namespace, key) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS idx_kv_expires ON kv (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_kv_tags_tag ON kv_tags (tag);
CREATE INDEX IF NOT EXISTS idx_kv_ns ON kv (namespace);
";

/// Can be prepared only where the tables have the columns and keys that we need.
pub(super) const PROBES: [&str; 2] = [super::set::WRITE, "SELECT namespace, key, tag FROM kv_tags"];

/// Steps from one space to the next: what begins a statement about `spaces (name)`, in which the last name is null.
macro_rules! all_spaces {
    () => {
        "WITH RECURSIVE spaces (name) AS (
    SELECT min(namespace) FROM kv
    UNION ALL
    SELECT (SELECT min(namespace) FROM kv WHERE namespace > name) FROM spaces WHERE name IS NOT NULL
) "
    };
}
pub(super) use all_spaces;
