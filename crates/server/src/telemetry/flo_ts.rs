//! What happens to the time series of each namespace.

use std::fmt;

use manifold_engine::series::SeriesStats;
use prometheus_client::encoding::DescriptorEncoder;

use super::{
    Counter,
    labelled::Labelled,
    names,
    write::{self, Series, one},
};

/// What happens to the time series of one namespace.
#[derive(Debug, Default)]
pub struct TsCounters {
    points_written: Counter,
    lines_rejected: Counter,
    queries: Counter,
}

impl TsCounters {
    /// A write, with how many values of it were stored and how many lines were not.
    pub fn wrote(&self, values: u64, lines_rejected: u64) {
        self.points_written.add(values);
        self.lines_rejected.add(lines_rejected);
    }

    /// A query that could be read.
    pub fn queried(&self) {
        self.queries.inc();
    }
}

/// The families of all namespaces.
pub(super) fn encode(ts: &Labelled<TsCounters>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let all = ts.all();
    type Read = fn(&TsCounters) -> &Counter;
    let families: [(&'static str, &str, Read); 3] = [
        (names::FLO_TS_POINTS_WRITTEN, "Values written", |ts| &ts.points_written),
        (names::FLO_TS_LINES_REJECTED, "Lines that were not written", |ts| &ts.lines_rejected),
        (names::FLO_TS_QUERIES, "Queries", |ts| &ts.queries),
    ];
    for (name, help, read) in families {
        let series: Series =
            all.iter().map(|(namespace, _, ts)| (vec![("namespace", namespace.clone())], read(ts).get())).collect();
        write::counter_series(encoder, name, help, &series)?;
    }
    Ok(())
}

/// What all time series hold.
pub(super) fn encode_standing(stats: &SeriesStats, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let SeriesStats { series, buffered, sealed, blocks, block_bytes } = *stats;
    for (name, help, value) in [
        (names::FLO_TS_SERIES, "Time series", series),
        (names::FLO_TS_POINTS_BUFFERED, "Values that are not sealed into blocks yet", buffered),
        (names::FLO_TS_POINTS_SEALED, "Values in blocks", sealed),
        (names::FLO_TS_BLOCKS, "Blocks of values", blocks),
        (names::FLO_TS_BLOCK_BYTES, "Bytes of blocks", block_bytes),
    ] {
        write::gauge(encoder, name, help, one(value))?;
    }
    Ok(())
}
