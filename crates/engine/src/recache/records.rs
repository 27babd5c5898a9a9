//! Records of stored pages: kept, read, walked over, forgotten, and ended by time.

use manifold_store::{Range, Row, Seq, View};

use super::{
    BotHit, DimensionId, HostId, PageKey, Priority, Record, RecordPage, Scheduled, Selection, queues,
    record_row::{self, Head},
    rows::{Waiting, unreadable},
    step::{self, Step},
};
use crate::{Error, Kind, Result, Timestamp, keys, live::Live, timers::Target};

/// Records forgotten, or looked at, in one piece.
const PIECE: usize = 1024;
/// A file whose record was replaced stays so many seconds: who read that record has opened the file by then.
const REPLACED_FILE_SECONDS: u64 = 60;

/// The record of a page; none that has ended.
pub(super) fn record(live: &Live, key: PageKey) -> Result<Option<Record>> {
    let Some(row) = live.store.get(View::Durable, keys::RECACHE_RECORD, &row_key(key)) else { return Ok(None) };
    let head = Head::read(&row)?;
    if head.is_gone(live.clock.now()) { Ok(None) } else { record_row::read(head, &row).map(Some) }
}

/// The path of the file that the record in a row has, if it has one.
pub(crate) fn file_of(row: &Row) -> Result<Option<String>> {
    let Head { file_path, .. } = Head::read(row)?;
    Ok((!file_path.is_empty()).then_some(file_path))
}

pub(super) async fn store(live: &Live, key: PageKey, record: &Record, gone_at: u64) -> Result<()> {
    step::change(live, [key.host], |step| {
        step.txn.replace();
        write(step, live, key, record, gone_at)
    })
    .await
}

/// Writes a record in place of the one that was there.
pub(super) fn write(step: &mut Step<'_, '_>, live: &Live, key: PageKey, record: &Record, gone_at: u64) -> Result<()> {
    let body = record_row::body(record);
    check_size("record", body.len(), live.limits.value_bytes)?;
    check_size("path", record.file_path.len(), record_row::PATH_BYTES)?;
    let head = Head { gone_at, file_path: record.file_path.clone() };
    if let Some(before) = step.record(key)? {
        step.clear_end(key, &before);
        // The file of one that has ended goes with all files of its time.
        if before.file_path != head.file_path && !before.is_gone(step.txn.now()) {
            let at = seconds(step.txn.now()).saturating_add(REPLACED_FILE_SECONDS);
            step.note_file(key.host, &before.file_path, at)?;
        }
    }
    step.keep_file(&head.file_path)?;
    step.txn.set_timer(head.end(), Target::Record(&row_key(key)));
    step.txn.put(keys::RECACHE_RECORD, &row_key(key), &head.encode(), &body);
    Ok(())
}

fn check_size(what: &str, size: usize, limit: usize) -> Result<()> {
    if size <= limit {
        return Ok(());
    }
    Err(Error::new(Kind::TooLarge, format!("the {what} has {size} bytes, the limit is {limit}")))
}

/// Forgets records, in pieces.
pub(super) async fn forget(live: &Live, keys: &[PageKey], files_at: u64) -> Result<u64> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let mut forgotten = 0;
    for piece in keys.chunks(PIECE) {
        forgotten += forget_piece(live, piece, files_at).await?;
    }
    Ok(forgotten)
}

async fn forget_piece(live: &Live, keys: &[PageKey], files_at: u64) -> Result<u64> {
    step::change(live, keys.iter().map(|key| key.host), |step| {
        step.txn.relief();
        let mut forgotten = 0;
        for key in keys {
            let Some(head) = step.record(*key)? else { continue };
            step.end_record(*key, &head);
            if !head.is_gone(step.txn.now()) {
                step.note_file(key.host, &head.file_path, files_at)?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    })
    .await
}

/// Forgets the records of a host that are selected, in pieces.
pub(super) async fn forget_selected(live: &Live, host: HostId, selection: &Selection, files_at: u64) -> Result<u64> {
    let mut forgotten = 0;
    let starts = match &selection.dimensions {
        None => vec![keys::number(host.0).to_vec()],
        Some(dimensions) => {
            let start = |dimension: &DimensionId| keys::recache_record(host.0, dimension.0, 0)[..16].to_vec();
            dimensions.iter().map(start).collect()
        }
    };
    for start in starts {
        let to = keys::prefix_end(&start);
        let mut next = Some(start);
        while let Some(from) = next {
            let range = Range { from, to: to.clone(), limit: PIECE, reverse: false };
            let chunk = live.store.range(View::Latest, keys::RECACHE_RECORD, &range);
            let mut selected = Vec::new();
            for (key, row) in &chunk.rows {
                if selection.prefix.as_ref().map_or(Ok(true), |prefix| record_row::url_begins_with(row, prefix))? {
                    selected.push(read_key(key)?);
                }
            }
            if !selected.is_empty() {
                forgotten += forget_piece(live, &selected, files_at).await?;
            }
            next = chunk.resume;
            tokio::task::yield_now().await;
        }
    }
    Ok(forgotten)
}

/// A page of the records of a host behind a key.
pub(super) fn list(live: &Live, host: HostId, after: Option<(DimensionId, u64)>, count: usize) -> Result<RecordPage> {
    let mut from = match after {
        None => keys::number(host.0).to_vec(),
        Some((dimension, hash)) => {
            let mut behind = keys::recache_record(host.0, dimension.0, hash).to_vec();
            behind.push(0);
            behind
        }
    };
    let to = keys::prefix_end(&keys::number(host.0));
    // A piece of a range may have nothing but rows that were removed: a page goes on behind a row.
    let chunk = loop {
        let range = Range { from, to: to.clone(), limit: count.clamp(1, PIECE), reverse: false };
        let chunk = live.store.range(View::Durable, keys::RECACHE_RECORD, &range);
        match &chunk.resume {
            Some(resume) if chunk.rows.is_empty() => from = resume.clone(),
            _ => break chunk,
        }
    };
    let last = chunk.rows.last().map(|(key, _)| read_key(key)).transpose()?;
    let next = last.filter(|_| chunk.resume.is_some()).map(|key| (key.dimension, key.hash));
    let now = live.clock.now();
    let mut page = Vec::new();
    for (key, row) in &chunk.rows {
        let head = Head::read(row)?;
        if !head.is_gone(now) {
            page.push((read_key(key)?, record_row::read(head, row)?));
        }
    }
    Ok((page, next))
}

pub(super) async fn bot_hit(live: &Live, hit: &BotHit) -> Result<Scheduled> {
    queues::check(&hit.entry)?;
    let BotHit { key, entry, at, due, most } = hit;
    let (host, priority) = (key.host, Priority::Autorecache);
    step::change(live, [host], |step| {
        note_hit(step, *key, *at)?;
        let scheduled = match step.waiting(host, priority, entry)? {
            None => Scheduled::Added,
            Some(waiting) if *due < waiting.due => Scheduled::Earlier,
            Some(_) => return Ok(Scheduled::Unchanged),
        };
        if scheduled == Scheduled::Added {
            step.txn.grow()?;
        }
        step.set_waiting(host, priority, entry, Some(Waiting { due: *due, attempts: 0 }));
        queues::check_length(step, host, priority, *most)?;
        Ok(scheduled)
    })
    .await
}

/// Notes a visit in the record of a page, if there is one.
fn note_hit(step: &mut Step<'_, '_>, key: PageKey, at: u64) -> Result<()> {
    let Some(row) = step.txn.get(keys::RECACHE_RECORD, &row_key(key)) else { return Ok(()) };
    let head = Head::read(&row)?;
    if head.is_gone(step.txn.now()) {
        return Ok(());
    }
    let record = Record { last_bot_hit: Some(i64::try_from(at).unwrap_or(i64::MAX)), ..record_row::read(head, &row)? };
    step.txn.put(keys::RECACHE_RECORD, &row_key(key), row.head(), &record_row::body(&record));
    Ok(())
}

/// Removes records whose timers rang, all in one commit.
pub(crate) fn expire<'a>(live: &Live, due: impl Iterator<Item = (Timestamp, &'a [u8])>) -> Result<Seq> {
    let due = due.map(|(at, row)| Ok((at, read_key(row)?))).collect::<Result<Vec<_>>>()?;
    if due.is_empty() {
        return Ok(0);
    }
    let (expired, frame) = step::change_now(live, due.iter().map(|(_, key)| key.host), |step| {
        step.txn.relief();
        for (at, key) in &due {
            match step.record(*key)? {
                Some(head) if head.end() == *at => step.end_record(*key, &head),
                // The timer is of a record that was replaced.
                _ => step.txn.clear_timer(*at, Target::Record(&row_key(*key))),
            }
        }
        Ok(())
    });
    expired.map(|()| frame)
}

impl Step<'_, '_> {
    /// What decides about the record of a page, whether it has ended or not.
    fn record(&mut self, key: PageKey) -> Result<Option<Head>> {
        self.txn.get(keys::RECACHE_RECORD, &row_key(key)).as_ref().map(Head::read).transpose()
    }

    fn end_record(&mut self, key: PageKey, head: &Head) {
        self.clear_end(key, head);
        self.txn.delete(keys::RECACHE_RECORD, &row_key(key));
    }

    fn clear_end(&mut self, key: PageKey, head: &Head) {
        self.txn.clear_timer(head.end(), Target::Record(&row_key(key)));
    }
}

pub(super) fn row_key(key: PageKey) -> [u8; 24] {
    keys::recache_record(key.host.0, key.dimension.0, key.hash)
}

pub(super) fn read_key(row: &[u8]) -> Result<PageKey> {
    let (host, dimension, hash) = keys::read_recache_record(row).ok_or_else(|| unreadable("a record"))?;
    Ok(PageKey { host: HostId(host), dimension: DimensionId(dimension), hash })
}

/// Whole seconds.
fn seconds(at: Timestamp) -> u64 {
    at.0 / 1000
}
