//! Pages to fetch anew, as lines of an export. What is leased is exported as it would go back into its queue.

use crate::{
    Result,
    export::{
        Cut, Record as Line, Sink,
        record::{PageRecordLine, QueueOfHost, RecacheEntryLine, RecacheLetterLine},
    },
    keys,
    namespaces::each_row,
};

use super::{
    DeadLetter, HostId, Lease, Priority, Record,
    record_row::{self, Head},
    records,
    rows::{Leased, Waiting, read_entry, read_priority, unreadable},
};

/// Entries, letters and records of all hosts.
pub(crate) fn export(cut: &Cut, sink: &mut Sink) -> Result<()> {
    each_row(cut, keys::RECACHE_ENTRY, |key, row| {
        let damaged = || unreadable("an entry");
        let (host, priority) = keys::read_recache_entry(key).ok_or_else(damaged)?;
        let priority = read_priority(priority).ok_or_else(damaged)?;
        let (entry, Waiting { due, attempts }) = (read_entry(row)?, Waiting::read(row)?);
        put_entry(sink, &Lease { id: 0, host: HostId(host), priority, entry, due, attempts })
    })?;
    each_row(cut, keys::RECACHE_LEASE, |key, row| {
        let Leased { lease, ready_at } = Leased::read(key, row)?;
        put_entry(sink, &Lease { due: ready_at.unwrap_or(lease.due), ..lease })
    })?;
    each_row(cut, keys::RECACHE_LETTER, |key, row| {
        let (host, number) = keys::read_recache_letter(key).ok_or_else(|| unreadable("a dead letter"))?;
        let DeadLetter { entry, priority, attempts, reason, failed_at } = DeadLetter::read(row)?;
        sink.put(&Line::RecacheLetter(RecacheLetterLine {
            host,
            number,
            queue: priority.into(),
            url: entry.url.to_string(),
            dimension: entry.dimension.0,
            attempts,
            reason,
            failed_at,
        }))
    })?;
    each_row(cut, keys::RECACHE_RECORD, |key, row| {
        let head = Head::read(row)?;
        if head.is_gone(cut.now) {
            return Ok(());
        }
        let key = records::read_key(key)?;
        let gone_at = head.gone_at;
        let record = record_row::read(head, row)?;
        let Record { url, file_path, dimension, request_id, created_at, expires_at, last_access, .. } = record;
        let Record { size, disk_size, source, status_code, headers, eg_ids, last_bot_hit, index_status, title, .. } =
            record;
        sink.put(&Line::PageRecord(PageRecordLine {
            host: key.host.0,
            dimension: key.dimension.0,
            hash: key.hash,
            gone_at,
            url,
            file_path,
            dimension_name: dimension,
            request_id,
            created_at,
            expires_at,
            last_access,
            size,
            disk_size,
            source,
            status_code,
            headers,
            eg_ids,
            last_bot_hit,
            index_status,
            title,
        }))
    })
}

fn put_entry(sink: &mut Sink, lease: &Lease) -> Result<()> {
    sink.put(&Line::RecacheEntry(RecacheEntryLine {
        host: lease.host.0,
        queue: lease.priority.into(),
        url: lease.entry.url.to_string(),
        dimension: lease.entry.dimension.0,
        due: lease.due,
        attempts: lease.attempts,
    }))
}

impl From<Priority> for QueueOfHost {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::High => QueueOfHost::High,
            Priority::Normal => QueueOfHost::Normal,
            Priority::Autorecache => QueueOfHost::Autorecache,
        }
    }
}

impl From<QueueOfHost> for Priority {
    fn from(queue: QueueOfHost) -> Self {
        match queue {
            QueueOfHost::High => Priority::High,
            QueueOfHost::Normal => Priority::Normal,
            QueueOfHost::Autorecache => Priority::Autorecache,
        }
    }
}
