//! Retention: the oldest records go when the feed passes its bounds.

use std::time::Duration;

use manifold_store::{Row, View};

use crate::{
    Error, Result,
    feed::{record, recover::Trimmed},
    keys,
    live::Live,
    txn,
    work::{Tick, Work},
};

/// Most records removed in one commit; so many may wait to be removed.
const BATCH: usize = 256;
/// Looks at the bounds are this far apart: well within the second that the contract grants.
const LOOK: Duration = Duration::from_millis(250);

/// Removes the oldest records beyond the bounds.
pub(crate) struct Trim;

impl Work for Trim {
    fn name(&self) -> &'static str {
        "feed retention"
    }

    async fn trigger(&self, live: &Live) {
        live.clock.sleep(LOOK).await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let floor = live.feed.floor();
        let Some(surplus) = surplus(live, floor)? else { return Ok(Tick::DONE) };
        // Readers are told before the rows go: one that misses a row then finds it below the floor.
        live.feed.set_floor(surplus.trimmed.floor);
        let decided = txn::decide(live, |txn| {
            txn.relief();
            for seq in &surplus.records {
                txn.delete(keys::FEED, &keys::number(*seq));
            }
            let (key, head) = surplus.trimmed.row();
            txn.put(keys::META, key, &head, &[]);
            Ok(())
        });
        let frame = decided.into_frame().inspect_err(|_| live.feed.set_floor(floor))?;
        Ok(Tick { more: surplus.records.len() == BATCH, frame })
    }
}

/// The oldest records that are to go now.
struct Surplus {
    records: Vec<u64>,
    trimmed: Trimmed,
}

/// Finds them; none when the feed is within its bounds.
fn surplus(live: &Live, floor: u64) -> Result<Option<Surplus>> {
    let head = live.feed.published();
    let bounds = &live.retention;
    let oldest_kept = live.clock.now().minus(bounds.age);
    let mut count = live.store.rows(keys::FEED);
    let mut bytes = live.store.table_bytes(keys::FEED);
    let mut records = Vec::new();

    let mut seq = live.feed.gaps().next_used(floor);
    while seq <= head && records.len() < BATCH {
        let row = row(live, seq)?;
        // The time of a record is on the disk: it is read only where it decides.
        if count <= bounds.records && bytes <= bounds.bytes && record::read(seq, &row)?.at >= oldest_kept {
            break;
        }
        count = count.saturating_sub(1);
        bytes = bytes.saturating_sub(row.body_len() as u64);
        records.push(seq);
        seq = live.feed.gaps().next_used(seq + 1);
    }
    let Some(&last) = records.last() else { return Ok(None) };
    let last_at = record::read(last, &row(live, last)?)?.at;
    Ok(Some(Surplus { records, trimmed: Trimmed { floor: last + 1, last_at } }))
}

fn row(live: &Live, seq: u64) -> Result<Row> {
    let row = live.store.get(View::Latest, keys::FEED, &keys::number(seq));
    row.ok_or_else(|| Error::unreadable(&format!("record {seq} of the feed")))
}
