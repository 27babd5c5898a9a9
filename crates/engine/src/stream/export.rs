//! Streams, as lines of an export: what they are, the records that are kept, groups with what they have not acknowledged.

use std::time::Duration;

use manifold_store::Range;

use crate::{
    Error, Result, Timestamp,
    export::{
        Cut, Record as Line, Sink,
        record::{GroupLine, PendingLine, RecordLine, StreamLine},
        text::Text,
    },
    keys,
    stream::row::{GroupHead, Meta, Pending, Span, SpanReader},
    types::Rows,
};

/// Pending records of one line.
const PENDING: usize = 1024;

/// All streams in the order of their names.
pub(crate) fn export(cut: &Cut, sink: &mut Sink) -> Result<()> {
    for (row_key, row) in Rows::all(cut, keys::STREAM, &cut.prefix()) {
        let (namespace, name) = keys::split_kv(&row_key).ok_or_else(|| Error::unreadable("a stream"))?;
        let stream = Exported { cut, namespace: Text::of(namespace), name: Text::of(name), meta: Meta::read(&row)? };
        stream.export(sink)?;
    }
    Ok(())
}

struct Exported<'a> {
    cut: &'a Cut,
    namespace: Text,
    name: Text,
    meta: Meta,
}

impl Exported<'_> {
    fn export(&self, sink: &mut Sink) -> Result<()> {
        let newest = self.newest()?;
        let end = newest.map_or(self.meta.first, |span| span.end().max(self.meta.first));
        // A bound by number holds at every moment, whenever the rows beyond it go.
        let most = self.meta.retention.records.unwrap_or(u64::MAX);
        let first = self.meta.first.max(end.saturating_sub(most));
        let mut begun = false;
        for (key, row) in Rows::all(self.cut, keys::STREAM_RECORDS, &keys::number(self.meta.id)) {
            let span = Span::read(&key, &row)?;
            if span.end() <= first {
                continue;
            }
            let body = row.body()?;
            let mut records = SpanReader::new(&span, &body);
            records.skip_to(first)?;
            while let Some(record) = records.next()? {
                if !std::mem::replace(&mut begun, true) {
                    self.begin(first, record.at, sink)?;
                }
                sink.put(&Line::Record(RecordLine {
                    namespace: self.namespace.clone(),
                    stream: self.name.clone(),
                    offset: record.offset,
                    at: record.at.0,
                    kind: Text(record.kind.clone()),
                    headers: record.headers.clone(),
                    payload: Text(record.payload.clone()),
                }))?;
            }
        }
        if !begun {
            // The times of records go on from those that are gone.
            let last_at = newest.map_or(self.meta.last_at, |span| span.last_at.max(self.meta.last_at));
            self.begin(first, last_at, sink)?;
        }
        self.groups(sink)
    }

    /// The newest row of records.
    fn newest(&self) -> Result<Option<Span>> {
        let id = keys::number(self.meta.id);
        let last = Range { from: id.to_vec(), to: keys::prefix_end(&id), limit: 1, reverse: true };
        let row = Rows::new(self.cut, keys::STREAM_RECORDS, last).next();
        row.map(|(key, row)| Span::read(&key, &row)).transpose()
    }

    fn begin(&self, first: u64, last_at: Timestamp, sink: &mut Sink) -> Result<()> {
        let Meta { created_at, retention, .. } = &self.meta;
        let millis = |age: Duration| u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        sink.put(&Line::Stream(StreamLine {
            namespace: self.namespace.clone(),
            stream: self.name.clone(),
            created_at: created_at.0,
            first,
            last_at: last_at.0,
            retention_ms: retention.age.map(millis),
            retention_records: retention.records,
            retention_bytes: retention.bytes,
        }))
    }

    fn groups(&self, sink: &mut Sink) -> Result<()> {
        let id = keys::number(self.meta.id);
        for (key, row) in Rows::all(self.cut, keys::STREAM_GROUP, &id) {
            let (group, head) = (Text(key.slice(id.len()..)), GroupHead::read(&row)?);
            let rows = keys::stream_group_rows(self.meta.id, head.number);
            let consumers = Rows::all(self.cut, keys::STREAM_CONSUMER, &rows);
            sink.put(&Line::Group(GroupLine {
                namespace: self.namespace.clone(),
                stream: self.name.clone(),
                group: group.clone(),
                position: head.position,
                dead: head.dead,
                consumers: consumers.map(|(key, _)| Text(key.slice(rows.len()..))).collect(),
            }))?;
            let mut pending = Vec::new();
            for (key, row) in Rows::all(self.cut, keys::STREAM_PENDING, &rows) {
                let offset = keys::read_number(&key[rows.len()..]);
                let offset = offset.ok_or_else(|| Error::unreadable("a pending record"))?;
                let Pending { deliveries, deadline } = Pending::read(&row)?;
                pending.push((offset, deliveries, deadline.map(|at| at.0)));
                if pending.len() == PENDING {
                    self.pending(&group, std::mem::take(&mut pending), sink)?;
                }
            }
            if !pending.is_empty() {
                self.pending(&group, pending, sink)?;
            }
        }
        Ok(())
    }

    fn pending(&self, group: &Text, pending: Vec<(u64, u32, Option<u64>)>, sink: &mut Sink) -> Result<()> {
        let (namespace, stream) = (self.namespace.clone(), self.name.clone());
        sink.put(&Line::Pending(PendingLine { namespace, stream, group: group.clone(), pending }))
    }
}
