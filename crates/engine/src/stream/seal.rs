//! Sealing: rows of few records become one row of many, so that ten million small records cost the index little. It is
//! one commit, and a row's key is the offset of its first record before and after: a reader that looks for the row of an
//! offset finds the small one or the large one, and the same record in it.

use std::sync::Arc;

use manifold_store::{Seq, View};

use crate::{
    Error, Result, keys,
    live::Live,
    stream::{
        row::{Span, SpanReader, SpanWriter},
        state::{Stream, is_full},
    },
    txn,
};

/// Seals one run of rows, if there is one: the frame to wait for, and whether there is more to do.
pub(crate) fn seal(live: &Live, stream: &Arc<Stream>) -> Result<(Seq, bool)> {
    let Some(run) = next_run(stream) else { return Ok((0, false)) };
    // Read without the lock: nobody else writes these rows, and who trims them is seen below.
    let Some(sealed) = merge(live, stream, &run)? else { return Ok((0, true)) };
    let mut tail = stream.tail.lock();
    if tail.deleted || tail.runs.front() != Some(&run) || run.iter().any(|span| span.end() <= tail.meta.first) {
        return Ok((0, true));
    }
    let span = *sealed.span();
    let frame = txn::decide(live, |txn| {
        let key = |span: &Span| keys::stream_records(stream.id, span.first);
        run[1..].iter().for_each(|span| txn.delete(keys::STREAM_RECORDS, &key(span)));
        txn.put(keys::STREAM_RECORDS, &key(&span), &span.encode(), sealed.body());
        Ok(())
    })
    .into_frame()?;
    tail.frame = frame;
    tail.runs.pop_front();
    let newer = tail.small.front().map_or(tail.end, |newer| newer.first);
    if !is_full(&span) && tail.runs.is_empty() && newer == span.end() {
        tail.small.push_front(span);
    }
    Ok((frame, !tail.runs.is_empty()))
}

/// The oldest run, without what has been trimmed.
fn next_run(stream: &Stream) -> Option<Vec<Span>> {
    let mut tail = stream.tail.lock();
    let first = tail.meta.first;
    if tail.deleted {
        tail.runs.clear();
    }
    while let Some(run) = tail.runs.front_mut() {
        run.retain(|span| span.end() > first);
        if run.len() > 1 {
            return Some(run.clone());
        }
        tail.runs.pop_front();
    }
    None
}

/// Reads the rows of a run into one; none when they were trimmed meanwhile.
fn merge(live: &Live, stream: &Stream, run: &[Span]) -> Result<Option<SpanWriter>> {
    let mut merged = SpanWriter::new(run[0].first, run[0].before);
    for span in run {
        let row = live.store.get(View::Latest, keys::STREAM_RECORDS, &keys::stream_records(stream.id, span.first));
        let Some(row) = row else {
            let tail = stream.tail.lock();
            if tail.deleted || span.end() <= tail.meta.first {
                return Ok(None);
            }
            return Err(Error::unreadable(&format!("record {} of a stream", span.first)));
        };
        let body = row.body()?;
        let mut records = SpanReader::new(span, &body);
        while let Some(record) = records.next()? {
            merged.push(&record);
        }
    }
    Ok(Some(merged))
}
