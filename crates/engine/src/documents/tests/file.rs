//! The file: how it is made, what it holds, what is taken over.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;

use super::*;

/// What another program makes of the schema that both have agreed on.
const FOREIGN: &str = "
CREATE TABLE kv (key TEXT NOT NULL, namespace TEXT NOT NULL DEFAULT '', value TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, expires_at INTEGER, PRIMARY KEY (namespace, key));
CREATE TABLE kv_tags (namespace TEXT NOT NULL, key TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (namespace, key, tag),
    FOREIGN KEY (namespace, key) REFERENCES kv (namespace, key) ON DELETE CASCADE);
CREATE INDEX idx_kv_expires ON kv (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX idx_kv_tags_tag ON kv_tags (tag);
CREATE INDEX idx_kv_ns ON kv (namespace);
INSERT INTO kv VALUES ('user:1', '', '{\"name\":\"Alice\"}', 1690000000000, 1690000000001, NULL);
INSERT INTO kv_tags VALUES ('', 'user:1', 'users'), ('', 'user:1', 'active');
INSERT INTO kv VALUES ('half', 's', 'v', 1690000000000, 1690000000000, 1700000000000.5);
INSERT INTO kv VALUES ('due', 's', 'v', 1690000000000, 1690000000000, 1700000000000);
INSERT INTO kv VALUES ('q', '__qcache__', '{\"data\":1,\"tags\":[],\"storedAt\":1690000000000}', 1, 1, NULL);
";

fn foreign(dir: &Path, sql: &str) -> PathBuf {
    let path = dir.join("original.db");
    let conn = Connection::open(&path).expect("a database");
    conn.execute_batch(sql).expect("a schema");
    path
}

fn refusal(path: &Path) -> String {
    let options = DocumentsOptions { level: Level::Always, clock: Clock::manual(START) };
    Documents::open(path, options).expect_err("refused").to_string()
}

#[tokio::test]
async fn a_file_of_another_program_is_taken_over_and_stays_readable_to_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = foreign(dir.path(), FOREIGN);
    let clock = Clock::manual(START);
    let documents = open(&path, Level::Always, &clock);
    let user = documents.get(Space::default(), "user:1".to_owned()).await.expect("a read").expect("a document");
    assert_eq!((user.created, user.updated), (Timestamp(1_690_000_000_000), Timestamp(1_690_000_000_001)));
    assert_eq!((user.expires, user.tags), (None, strings(&["active", "users"])));
    let half = documents.get(named("s"), "half".to_owned()).await.expect("a read").expect("a document");
    assert_eq!(half.expires, Some(Timestamp(START.0 + 1)));
    assert_eq!(documents.stats().await.expect("stats").documents, 2);
    clock.advance(1);
    assert_eq!(documents.purge().await.expect("a count"), 2);
    documents.set(Space::default(), vec![put("ours", "v").tagged(&["t"])]).await.expect("a write");
    documents.close().await;
    let conn = Connection::open(&path).expect("a database");
    let text = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).expect(sql);
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert_eq!(text("SELECT group_concat(key) FROM (SELECT key FROM kv ORDER BY key)"), "ours,q,user:1");
    assert_eq!(text("SELECT group_concat(tag) FROM (SELECT tag FROM kv_tags ORDER BY tag)"), "active,t,users");
}

#[tokio::test]
async fn our_schema_is_the_one_agreed_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let original = Connection::open(foreign(dir.path(), FOREIGN)).expect("a database");
    let house = House::new();
    house.documents.close().await;
    let ours = Connection::open(house.path()).expect("a database");
    for table in ["kv", "kv_tags"] {
        for about in ["table_info", "foreign_key_list", "index_list"] {
            let rows = |conn: &Connection| {
                let mut rows = conn.prepare(&format!("PRAGMA {about}({table})")).expect("a pragma");
                let columns = rows.column_count();
                let row = |row: &rusqlite::Row<'_>| {
                    (0..columns)
                        .map(|column| row.get::<_, rusqlite::types::Value>(column))
                        .collect::<Result<Vec<_>, _>>()
                };
                rows.query_map([], row).expect("rows").collect::<Result<Vec<_>, _>>().expect("rows")
            };
            assert_eq!(rows(&ours), rows(&original), "{about} of {table}");
        }
    }
}

#[tokio::test]
async fn a_new_file_is_its_owners_only_and_has_a_write_ahead_log_that_is_synced() {
    let house = House::new();
    house.set("", [put("k", "v")]).await;
    for file in std::fs::read_dir(house.path().parent().expect("a directory")).expect("a list") {
        let file = file.expect("a file");
        assert_eq!(file.metadata().expect("metadata").permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    let settings = async |house: &House| {
        let pragma = |tx: tx::Tx<'_>, name: &str| {
            Ok::<_, crate::Error>(tx.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))?)
        };
        let names = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"];
        let look = move |tx: tx::Tx<'_>| names.iter().map(|name| pragma(tx, name)).collect::<crate::Result<Vec<_>>>();
        house.documents.write(look).await.expect("settings")
    };
    let full = ["wal".to_owned().into(), 2.into(), 1.into(), 5000.into()];
    assert_eq!(settings(&house).await, full);
    for level in [Level::Interval, Level::Os] {
        assert_eq!(settings(&House::at(level)).await[1], 1.into());
    }
}

#[tokio::test]
async fn without_a_file_everything_works_until_the_end() {
    let documents = open(Path::new(":memory:"), Level::Always, &Clock::manual(START));
    assert_eq!(documents.path(), None);
    documents.set(named("s"), vec![put("k", "v").tagged(&["t"])]).await.expect("a write");
    assert_eq!(whole(documents.query(everything(Within::All))).await.len(), 1);
    assert_eq!(documents.stats().await.expect("stats").documents, 1);
    assert!(!Path::new(":memory:").exists());
    documents.close().await;
}

#[test]
fn what_cannot_be_opened_is_refused_in_one_sentence_that_names_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = dir.path().join("text.db");
    std::fs::write(&text, "this is no database, however long it may be".repeat(100)).expect("a file");
    assert_eq!(refusal(&text), format!("{} cannot be read by this version: file is not a database", text.display()));
    let inside = text.join("documents.db");
    assert!(refusal(&inside).starts_with(&format!("{}: ", inside.display())), "{}", refusal(&inside));
    assert!(refusal(dir.path()).contains("Is a directory"));
    let other = foreign(dir.path(), "CREATE TABLE kv (name TEXT PRIMARY KEY, what BLOB)");
    let said = refusal(&other);
    assert!(said.starts_with(&format!("{} cannot be read by this version: no such column", other.display())), "{said}");
}

#[tokio::test]
async fn a_name_that_looks_like_a_uri_is_a_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("file:k?mode=memory");
    let documents = open(&path, Level::Always, &Clock::manual(START));
    documents.close().await;
    assert!(path.exists());
}

#[tokio::test]
async fn a_check_notices_that_the_file_is_gone() {
    let house = House::new();
    house.documents.check().await.expect("a file");
    let (path, aside) = (house.path(), house.dir.path().join("aside"));
    std::fs::rename(&path, &aside).expect("moved");
    assert_eq!(*house.documents.check().await.expect_err("gone").kind(), crate::Kind::Storage);
    std::fs::rename(&aside, &path).expect("moved back");
    house.documents.check().await.expect("a file");
    house.documents.close().await;
    let closed = house.documents.check().await.expect_err("closed");
    assert_eq!(*closed.kind(), crate::Kind::Closed);
}

/// A page, a purge or a count must not look at all rows where an index leads to those it is about.
#[tokio::test]
async fn indexes_lead_to_what_verbs_are_about() {
    let house = House::new();
    let under = |within, tags: &[&str]| DocumentQuery { prefix: "k".into(), tags: strings(tags), ..everything(within) };
    let statements = [
        query::statement(&under(Within::All, &["t"])),
        query::statement(&under(Within::All, &[])),
        query::statement(&under(Within::Space(named("s")), &[])),
        purge::REMOVE.to_owned(),
        delete::DELETE_TAGGED.to_owned(),
        stats::DOCUMENTS.to_owned(),
        stats::SPACES.to_owned(),
    ];
    let plan = |tx: tx::Tx<'_>, statement: &str| {
        let mut plan = tx.prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
        let lines = plan.raw_query().mapped(|row| row.get::<_, String>("detail")).collect::<Result<Vec<_>, _>>();
        Ok::<_, crate::Error>(lines?)
    };
    let plans = move |tx: tx::Tx<'_>| statements.iter().map(|text| plan(tx, text)).collect::<crate::Result<Vec<_>>>();
    let plans = house.documents.read(plans).await.expect("plans");
    for lines in &plans {
        assert!(lines.iter().all(|line| !line.starts_with("SCAN kv")), "{lines:#?}");
    }
    // In the order of keys nothing needs to be sorted either.
    assert_eq!(plans[2], ["SEARCH kv USING INDEX sqlite_autoindex_kv_1 (namespace=? AND key>? AND key<?)"]);
}
