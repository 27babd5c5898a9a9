//! Documents as lines of an export, and back: of one cut of the file, on a connection of its own, so that nobody waits
//! for whoever takes the lines.

use rusqlite::{Connection, params};

use super::{
    Documents, Space, connectors, get, open,
    tx::{Tx, text, time},
};
use crate::{
    Error, Kind, Result,
    export::{
        Cut, Done, OnConflict, Record, Section, Sink, count,
        record::{ConnectorLine, DocumentLine},
    },
};

/// A cut of the file.
#[derive(Debug)]
pub(crate) struct DocumentCut(Connection);

impl Documents {
    /// What is committed now; none where documents are in memory only, as volatile as a cache. Call it where blocking is
    /// allowed.
    pub(crate) fn cut(&self) -> Result<Option<DocumentCut>> {
        let Some(path) = self.path() else { return Ok(None) };
        let conn = open::reader(path)?;
        // The transaction begins with its first look.
        conn.execute_batch("BEGIN")?;
        conn.query_row("SELECT count(*) FROM (SELECT 1 FROM kv LIMIT 1)", [], |_| Ok(()))?;
        Ok(Some(DocumentCut(conn)))
    }

    /// Writes lines in one step; what became of each. An error names the line by its index.
    pub(crate) async fn restore(&self, lines: Vec<Record>, on_conflict: OnConflict) -> Result<Vec<Done>> {
        self.write(move |tx| {
            let one = |(index, line): (usize, &Record)| {
                let done = match line {
                    Record::Document(line) => document(tx, line, on_conflict),
                    Record::Connector(line) => connector(tx, line, on_conflict),
                    other => Err(Error::new(Kind::Bug, format!("{:?} is kept elsewhere", other.name()))),
                };
                done.map_err(|error| error.at(index))
            };
            lines.iter().enumerate().map(one).collect()
        })
        .await
    }
}

impl DocumentCut {
    /// All documents by space and key, then registered connections.
    pub(crate) fn export(self, cut: &Cut, sink: &mut Sink) -> Result<()> {
        let tx = Tx::new(&self.0, cut.now);
        if cut.wants(Section::Document) {
            documents(tx, sink)?;
        }
        if cut.wants(Section::Connector) {
            for connector in connectors::load(tx)? {
                sink.put(&Record::Connector(ConnectorLine {
                    name: connector.name,
                    kind: connector.kind,
                    connection_string: connector.connection_string,
                    read_only: connector.read_only,
                    max_cache_ttl_ms: connector.max_cache_ttl_ms,
                    default_tags: connector.default_tags,
                    headers: connector.headers,
                }))?;
            }
        }
        Ok(())
    }
}

fn documents(tx: Tx<'_>, sink: &mut Sink) -> Result<()> {
    let mut all = tx.prepare(
        "SELECT namespace, key, value, created_at, updated_at, expires_at FROM kv
         WHERE namespace <> ?1 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY namespace, key",
    )?;
    let mut rows = all.query(params![Space::RESERVED, tx.now_ms()])?;
    while let Some(row) = rows.next()? {
        let (space, key) = (text(row, 0)?, text(row, 1)?);
        let at = |column| Ok::<_, Error>(time(row, column)?.map(|at| at.0));
        let tags = get::tags(tx, &space, &key)?;
        sink.put(&Record::Document(DocumentLine {
            value: text(row, 2)?,
            created_at: at(3)?.unwrap_or_default(),
            updated_at: at(4)?.unwrap_or_default(),
            expires_at: at(5)?,
            space,
            key,
            tags,
        }))?;
    }
    Ok(())
}

fn document(tx: Tx<'_>, line: &DocumentLine, on_conflict: OnConflict) -> Result<Done> {
    let DocumentLine { space, key, value, created_at, updated_at, expires_at, tags } = line;
    let space = Space::new(space.as_str()).map_err(|error| Error::new(Kind::Invalid, error.to_string()))?;
    let at = |ms: u64| count(ms).map(u64::cast_signed);
    let (created, updated) = (at(*created_at)?, at(*updated_at)?);
    let expires = expires_at.map(at).transpose()?;
    if expires.is_some_and(|at| at <= tx.now_ms()) {
        return Ok(Done::Expired);
    }
    if let Some(known) = get::one(tx, &space, key)? {
        let mut sorted = tags.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let same = known.value == *value
            && (known.created.0, known.updated.0) == (*created_at, *updated_at)
            && known.expires.map(|at| at.0) == *expires_at
            && known.tags == sorted;
        if same {
            return Ok(Done::Same);
        }
        if !on_conflict.decide(|| format!("there is a document {key:?} in {:?} already", space.as_str()))? {
            return Ok(Done::Skipped);
        }
    }
    let name = space.as_str();
    tx.prepare_cached("DELETE FROM kv_tags WHERE namespace = ?1 AND key = ?2")?.execute(params![name, key])?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO kv (namespace, key, value, created_at, updated_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![name, key, value, created, updated, expires])?;
    let mut add = tx.prepare_cached("INSERT OR IGNORE INTO kv_tags (namespace, key, tag) VALUES (?1, ?2, ?3)")?;
    tags.iter().try_for_each(|tag| add.execute(params![name, key, tag]).map(drop))?;
    Ok(Done::Written)
}

fn connector(tx: Tx<'_>, line: &ConnectorLine, on_conflict: OnConflict) -> Result<Done> {
    let ConnectorLine { name, kind, connection_string, read_only, max_cache_ttl_ms, default_tags, headers } =
        line.clone();
    let max_cache_ttl_ms = max_cache_ttl_ms.map(count).transpose()?;
    let connector =
        connectors::Connector { name, kind, connection_string, read_only, max_cache_ttl_ms, default_tags, headers };
    if connectors::insert(tx, &connector)? {
        return Ok(Done::Written);
    }
    let known = connectors::load(tx)?.into_iter().find(|known| known.name == connector.name);
    if known.is_some_and(|known| known == connector) {
        return Ok(Done::Same);
    }
    if !on_conflict.decide(|| format!("there is a connection {:?} already", connector.name))? {
        return Ok(Done::Skipped);
    }
    tx.execute("DELETE FROM manifold_connectors WHERE name = ?1", [&connector.name])?;
    connectors::insert(tx, &connector)?;
    Ok(Done::Written)
}
