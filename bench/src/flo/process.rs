//! The engine without a dialect. A batch of enqueues is a hundred futures that wait together, which is what as many
//! clients of a dialect are to it.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use futures_util::future::try_join_all;
use manifold_engine::{
    Engine, Level, Name, Namespace, Options,
    kv::{Encoding, Value},
    queue::{Dequeue, Enqueue, Held, QueueName, Settings},
    stream::{Append, NewRecord, StreamRead, StreamRetention, StreamStart},
};

use super::{PAYLOAD, Step};
use crate::Result;

/// An engine with a queue and a stream.
pub struct Process {
    pub engine: Engine,
    pub namespace: Namespace,
    stream: Name,
    queue: QueueName,
    /// Where the next read begins.
    offset: u64,
    _dir: tempfile::TempDir,
}

impl Process {
    pub async fn open(level: &str, scratch: &Path) -> Result<Process> {
        let dir = tempfile::tempdir_in(scratch)?;
        let level = match level {
            "always" => Level::Always,
            "interval" => Level::Interval,
            "os" => Level::Os,
            _ => return Err(format!("no level {level:?}").into()),
        };
        let engine = Engine::open(Options { level, ..Options::new(dir.path()) });
        engine.recovered().await?;
        let namespace = Namespace::new("bench")?;
        Ok(Process { engine, namespace, stream: Name::new("s")?, queue: QueueName::new("q")?, offset: 0, _dir: dir })
    }

    pub async fn step(&mut self, step: Step, batch: usize) -> Result<usize> {
        match step {
            Step::Cycle => cycle(&self.engine, &self.namespace, &self.queue, batch).await?,
            Step::Append => append(&self.engine, &self.namespace, &self.stream, batch).await?,
            Step::Read => return self.read(batch).await,
        }
        Ok(batch)
    }

    async fn read(&mut self, batch: usize) -> Result<usize> {
        let start = StreamStart::Offset(self.offset);
        let read = StreamRead { start, limit: batch, max_bytes: 32 << 20, wait: None };
        let page = self.engine.read_stream(&self.namespace, &self.stream, read).await?;
        self.offset = if page.records.is_empty() { 0 } else { page.next };
        Ok(page.records.len())
    }

    pub async fn close(self) -> Result<()> {
        Ok(self.engine.close().await?)
    }
}

/// Enqueues `batch` messages, takes as many in one dequeue, and acknowledges them together.
pub async fn cycle(engine: &Engine, namespace: &Namespace, queue: &QueueName, batch: usize) -> Result<()> {
    try_join_all((0..batch).map(|_| engine.queue_enqueue(namespace, queue, message()))).await?;
    let dequeue = Dequeue { count: batch, max_bytes: usize::MAX, lease: None, wait: Duration::ZERO, consumer: None };
    let taken = engine.queue_dequeue(namespace, queue, dequeue).await?;
    let held = taken.iter().map(|taken| Held { sequence: taken.message.sequence, lease: Some(taken.lease) });
    let acked = engine.queue_ack(namespace, queue, held.collect()).await?;
    if acked.done != batch as u64 {
        return Err(format!("{batch} messages were enqueued, {} acknowledged", acked.done).into());
    }
    Ok(())
}

/// Appends `batch` records at once.
pub async fn append(engine: &Engine, namespace: &Namespace, stream: &Name, batch: usize) -> Result<()> {
    let record = NewRecord { payload: vec![b'x'; PAYLOAD].into(), ..NewRecord::default() };
    let append = Append { stream: stream.clone(), records: vec![record; batch], create: StreamRetention::default() };
    engine.append(namespace, append).await?;
    Ok(())
}

/// A message of the usual size.
pub fn message() -> Enqueue {
    Enqueue {
        payload: Value { encoding: Encoding::Binary, bytes: vec![b'x'; PAYLOAD].into() },
        headers: Bytes::new(),
        priority: None,
        delay: Duration::ZERO,
        dedup_key: None,
        max_attempts: None,
        settings: Settings::default(),
    }
}
