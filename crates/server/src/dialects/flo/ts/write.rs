//! Writes: lines of points in, how many of them were stored out.

use std::sync::Arc;

use bytes::Bytes;
use manifold_engine::{
    Engine, Namespace,
    series::{Points, Written},
};

use super::{
    book::{Book, Shelf},
    fill::{self, EngineNames},
    line::{Parsed, Precision, Times},
    report::Rejection,
};
use crate::{
    dialects::flo::{Reply, call::Call, error::Error, names},
    http::{json, query::Query, reply},
    net::Incoming,
};

/// KiB of bodies whose lines are read and written at one time: points in memory take several times what their lines took.
pub(in crate::dialects::flo) const WRITING_KIB: u32 = 128 << 10;
/// Longer bodies are read by another thread than those that serve sockets.
const LONG_BODY: usize = 128 << 10;

/// POST /write.
pub(in crate::dialects::flo) async fn post(call: Call<'_>, incoming: Incoming) -> Reply {
    let namespace = names::namespace(&call)?;
    let manner = Manner::asked(&call.query()?, Precision::NANOSECOND)?;
    let stored = write(&call, &namespace, manner, incoming).await?;
    Ok(reply::json(stored.json()))
}

/// How a body is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    precision: Precision,
    /// All lines or none.
    atomic: bool,
}

impl Manner {
    /// As a request says it; times are in `default` when it says nothing of them.
    pub(super) fn asked(query: &Query<'_>, default: Precision) -> Result<Self, Error> {
        let rule = "one of ns, us, ms, s, m, h, auto";
        let precision = query
            .text("precision")
            .map(|name| Precision::named(name).ok_or(Error::Parameter { parameter: "precision", rule }));
        let whole = query.text("accept_partial").is_some() && !query.flag("accept_partial")?;
        Ok(Manner { precision: precision.transpose()?.unwrap_or(default), atomic: query.flag("atomic")? || whole })
    }
}

/// What a write without a bad line stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored {
    lines: u64,
    values: u64,
    suspicious: u64,
}

impl Stored {
    fn json(&self) -> Vec<u8> {
        let mut out = b"{\"written\":".to_vec();
        json::write_u64(&mut out, self.lines);
        out.extend_from_slice(b",\"values\":");
        json::write_u64(&mut out, self.values);
        out.extend_from_slice(b",\"rejected\":0");
        if let Some(warning) = self.warning() {
            out.extend_from_slice(b",\"warnings\":");
            json::write_array(&mut out, [warning], |out, warning| json::write_str(out, &warning));
        }
        out.push(b'}');
        out
    }

    fn warning(&self) -> Option<String> {
        let count = self.suspicious;
        (count > 0).then(|| format!("{count} timestamps are before 1970-01-12 in nanoseconds: is precision right?"))
    }
}

/// Stores the lines of a body.
pub(super) async fn write(
    call: &Call<'_>,
    namespace: &Namespace,
    manner: Manner,
    incoming: Incoming,
) -> Result<Stored, Error> {
    let body = call.bytes(incoming, call.flo.max_write_bytes).await?;
    let times = Times::new(manner.precision, call.engine().now_nanos());
    let (parsed, written) = store(call, namespace, &body, times, manner.atomic).await?;
    let counters = call.flo.metrics.ts(namespace.as_bytes());
    if parsed.suspicious > 0 && written.lines > 0 {
        let (namespace, count) = (namespace.as_bytes().escape_ascii(), parsed.suspicious);
        tracing::warn!(%namespace, count, "timestamps before 1970-01-12 were written: perhaps precision is wrong");
    }
    if parsed.bad == 0 && written.refused.is_empty() {
        counters.wrote(written.values, 0);
        return Ok(Stored { lines: written.lines, values: written.values, suspicious: parsed.suspicious });
    }
    let rejection = Rejection::new(&body, &parsed, &written.refused, manner.atomic);
    counters.wrote(written.values, rejection.rejected);
    Err(Error::Lines(rejection.into()))
}

/// Reads a body and writes its points. When series are deleted meanwhile, what was looked up means nothing: then they are
/// all written by name, which always means the same.
async fn store(
    call: &Call<'_>,
    namespace: &Namespace,
    body: &Bytes,
    times: Times,
    atomic: bool,
) -> Result<(Parsed, Written), Error> {
    let engine = call.engine();
    let kib = u32::try_from(body.len() >> 10).map_or(WRITING_KIB, |kib| (kib + 1).min(WRITING_KIB));
    let _turn = call.flo.writing.acquire_many(kib).await.map_err(|_| Error::Internal)?;
    for epoch in [engine.series_epoch(namespace)?, 0] {
        let (points, parsed) = read(call, namespace, body, times, epoch).await?;
        if points.is_empty() || atomic && parsed.bad > 0 {
            return Ok((parsed, Written::default()));
        }
        if let Some(written) = engine.write_points(namespace, points, atomic).await? {
            return Ok((parsed, written));
        }
    }
    tracing::error!("points written by name were refused for numbers");
    Err(Error::Internal)
}

/// Reads a body with what is known of the namespace's names in `epoch`; 0 = nothing.
async fn read(
    call: &Call<'_>,
    namespace: &Namespace,
    body: &Bytes,
    times: Times,
    epoch: u64,
) -> Result<(Points, Parsed), Error> {
    let reader = Reader {
        engine: call.engine().clone(),
        shelf: call.flo.shelf.clone(),
        namespace: namespace.clone(),
        max_series: call.flo.max_series,
    };
    if body.len() <= LONG_BODY {
        return Ok(reader.read(body, times, epoch));
    }
    let body = body.clone();
    tokio::task::spawn_blocking(move || reader.read(&body, times, epoch)).await.map_err(|_| Error::Internal)
}

struct Reader {
    engine: Engine,
    shelf: Arc<Shelf>,
    namespace: Namespace,
    max_series: u64,
}

impl Reader {
    fn read(&self, body: &[u8], times: Times, epoch: u64) -> (Points, Parsed) {
        let names = EngineNames { engine: &self.engine, namespace: &self.namespace, max_series: self.max_series };
        if epoch == 0 {
            return fill::read(body, times, &names, &mut Book::new(epoch));
        }
        let mut book = self.shelf.take(&self.namespace, epoch);
        let read = fill::read(body, times, &names, &mut book);
        self.shelf.give_back(&self.namespace, book);
        read
    }
}
