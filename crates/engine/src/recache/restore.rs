//! Pages to fetch anew, from lines of an export.

use manifold_store::Row;

use super::{
    DeadLetter, DimensionId, Entry, HostId, PageKey, Record, queues,
    record_row::{self, Head},
    records,
    rows::Waiting,
    step::{self, Step},
};
use crate::{
    Error, Kind, Result,
    export::{
        Done, How, Record as Line, count,
        record::{PageRecordLine, RecacheEntryLine, RecacheLetterLine},
    },
    keys,
    live::Live,
};

/// Whether a line is about pages to fetch anew.
pub(crate) fn has(line: &Line) -> bool {
    host(line).is_some()
}

fn host(line: &Line) -> Option<HostId> {
    match line {
        Line::RecacheEntry(line) => Some(HostId(line.host)),
        Line::RecacheLetter(line) => Some(HostId(line.host)),
        Line::PageRecord(line) => Some(HostId(line.host)),
        _ => None,
    }
}

/// Writes lines in one commit; what became of each. An error names the line by its index.
pub(crate) async fn restore(live: &Live, lines: &[&Line], how: How<'_>) -> Result<Vec<Done>> {
    step::change(live, lines.iter().filter_map(|line| host(line)), |step| {
        step.txn.grow()?;
        let mut done = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            let one = match line {
                Line::RecacheEntry(line) => entry(step, line),
                Line::RecacheLetter(line) => letter(step, line, how),
                Line::PageRecord(line) => record(step, live, line, how),
                other => Err(Error::new(Kind::Bug, format!("no host has a {:?}", other.name()))),
            };
            done.push(one.map_err(|error| error.at(index))?);
        }
        (how.mark)(&done).write(step.txn);
        Ok(done)
    })
    .await
}

/// Where the page waits already, the earlier time stays and attempts are those of the queue: as when a lease goes back.
fn entry(step: &mut Step<'_, '_>, line: &RecacheEntryLine) -> Result<Done> {
    let RecacheEntryLine { host, queue, url, dimension, due, attempts } = line;
    let (host, priority) = (HostId(*host), (*queue).into());
    let entry = Entry { url: url.as_str().into(), dimension: DimensionId(*dimension) };
    queues::check(&entry)?;
    let due = count(*due)?;
    let before = step.waiting(host, priority, &entry)?;
    let after = match before {
        Some(queued) => Waiting { due: queued.due.min(due), attempts: queued.attempts },
        None => Waiting { due, attempts: *attempts },
    };
    if before == Some(after) {
        return Ok(Done::Same);
    }
    step.set_waiting(host, priority, &entry, Some(after));
    Ok(Done::Written)
}

fn letter(step: &mut Step<'_, '_>, line: &RecacheLetterLine, how: How<'_>) -> Result<Done> {
    let host = HostId(line.host);
    let entry = Entry { url: line.url.as_str().into(), dimension: DimensionId(line.dimension) };
    queues::check(&entry)?;
    let letter = DeadLetter {
        entry,
        priority: line.queue.into(),
        attempts: line.attempts,
        reason: line.reason.clone(),
        failed_at: count(line.failed_at)?,
    };
    let row = step.txn.get(keys::RECACHE_LETTER, &keys::recache_letter(line.host, count(line.number)?));
    match row.as_ref().map(DeadLetter::read).transpose()? {
        Some(known) if known == letter => return Ok(Done::Same),
        Some(_) if !how.on_conflict.decide(|| format!("host {host} has a dead letter {} already", line.number))? => {
            return Ok(Done::Skipped);
        }
        _ => {}
    }
    step.keep_letter(host, line.number, &letter);
    Ok(Done::Written)
}

fn record(step: &mut Step<'_, '_>, live: &Live, line: &PageRecordLine, how: How<'_>) -> Result<Done> {
    let key = PageKey { host: HostId(line.host), dimension: DimensionId(line.dimension), hash: line.hash };
    let record = Record {
        url: line.url.clone(),
        file_path: line.file_path.clone(),
        dimension: line.dimension_name.clone(),
        request_id: line.request_id.clone(),
        created_at: line.created_at,
        expires_at: line.expires_at,
        last_access: line.last_access,
        size: line.size,
        disk_size: line.disk_size,
        source: line.source.clone(),
        status_code: line.status_code,
        headers: line.headers.clone(),
        eg_ids: line.eg_ids.clone(),
        last_bot_hit: line.last_bot_hit,
        index_status: line.index_status,
        title: line.title.clone(),
    };
    // Files of records that end are removed: what an export names must be where pages are.
    let outside = |part: &str| matches!(part, "" | "." | "..") || part.contains('\0');
    if !record.file_path.is_empty() && record.file_path.split('/').any(outside) {
        return Err(Error::new(Kind::Invalid, "the path of the page leads out of the directory of pages"));
    }
    let head = Head { gone_at: line.gone_at, file_path: record.file_path.clone() };
    if head.is_gone(step.txn.now()) {
        return Ok(Done::Expired);
    }
    let row: Option<Row> = step.txn.get(keys::RECACHE_RECORD, &records::row_key(key));
    if let Some(row) = row {
        let known = Head::read(&row)?;
        let gone = known.is_gone(step.txn.now());
        if !gone && known == head && record_row::read(known, &row)? == record {
            return Ok(Done::Same);
        }
        if !gone && !how.on_conflict.decide(|| format!("there is a record of {} already", record.url))? {
            return Ok(Done::Skipped);
        }
    }
    records::write(step, live, key, &record, line.gone_at)?;
    Ok(Done::Written)
}
