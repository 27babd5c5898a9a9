//! One cut of everything, feature by feature.

use std::{
    ops::Deref,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use manifold_store::Snapshot;
use tokio::sync::mpsc;

use super::{Section, Selection, Sink, line::Header, sink::Taken};
use crate::{
    Engine, Result, Timestamp, chance, keys, kv, live::Live, namespaces, queue, recache, series, stream, types,
};

/// What an export reads: one instant, however long that takes.
pub(crate) struct Cut {
    pub(crate) live: Arc<Live>,
    pub(crate) snapshot: Snapshot,
    /// Deadlines are judged by the time of the cut.
    pub(crate) now: Timestamp,
    /// The same in nanoseconds.
    pub(crate) now_nanos: i64,
    selection: Selection,
}

impl Deref for Cut {
    type Target = Snapshot;
    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Cut {
    pub(crate) fn wants(&self, section: Section) -> bool {
        self.selection.wants(section)
    }

    /// What row keys that begin with a namespace and a NUL begin with.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        self.selection.namespace.as_ref().map_or_else(Vec::new, |namespace| keys::kv_start(namespace).to_vec())
    }

    /// Whether a namespace is exported.
    pub(crate) fn has(&self, namespace: &[u8]) -> bool {
        self.selection.namespace.as_ref().is_none_or(|only| only.as_bytes() == namespace)
    }
}

/// An export that is being made. Whoever drops it ends it.
#[derive(Debug)]
pub struct Export(mpsc::Receiver<Taken>);

impl Export {
    /// The next piece of the file; none at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        self.0.recv().await.transpose()
    }

    /// The same for streams.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        self.0.poll_recv(context)
    }
}

impl Engine {
    /// Begins to export what is durable now, and the documents that are looked after as they are now. It holds no writer up; while it is taken,
    /// the store keeps the versions it may still meet.
    pub fn export(&self, selection: Selection) -> Result<Export> {
        let live = self.live()?.clone();
        let (mut sink, pieces) = Sink::new();
        tokio::task::spawn_blocking(move || {
            let walked = walk(live, selection, &mut sink);
            sink.end(walked);
        });
        Ok(Export(pieces))
    }
}

fn walk(live: Arc<Live>, selection: Selection, sink: &mut Sink) -> Result<()> {
    // First, for a file has to be opened: the two cuts are moments apart.
    let documents = live.documents.get().map(|upkeep| upkeep.documents.cut()).transpose()?.flatten();
    let (snapshot, sequence) = live.store.snapshot(|| live.feed.published());
    let (now, now_nanos) = (live.clock.now(), live.clock.nanos());
    let cut = Cut { live, snapshot, now, now_nanos, selection };
    let id = [(); 4].map(|()| format!("{:08x}", chance::number())).concat();
    sink.header(&Header { manifold: Header::KIND.to_owned(), format: Header::FORMAT, id, sequence, at: now.0 });
    namespaces::export(&cut, sink)?;
    types::export(&cut, sink)?;
    if cut.wants(Section::Kv) {
        kv::export(&cut, sink)?;
    }
    if cut.wants(Section::Queue) {
        queue::export(&cut, sink)?;
    }
    if cut.wants(Section::Stream) {
        stream::export(&cut, sink)?;
    }
    if cut.wants(Section::Series) {
        series::export(&cut, sink)?;
    }
    if cut.wants(Section::Recache) {
        recache::export(&cut, sink)?;
    }
    match documents {
        Some(documents) => documents.export(&cut, sink),
        None => Ok(()),
    }
}
