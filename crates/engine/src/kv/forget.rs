//! Forgetting tombstones: the oldest go when there are more than may be kept and the feed no longer has the removal.
//! What a namespace forgot raises its floor, so that no version ever names two states of a key.

use std::{collections::BTreeMap, time::Duration};

use manifold_store::{Range, View};

use crate::{
    Error, Result, keys,
    kv::row::{Floor, Tomb},
    live::Live,
    txn::{self, Txn},
    work::{Tick, Work},
};

/// Most tombstones dropped in one commit.
const BATCH: usize = 256;
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Drops tombstones beyond the limit.
pub(crate) struct Forget;

impl Work for Forget {
    fn name(&self) -> &'static str {
        "tombstones"
    }

    async fn trigger(&self, live: &Live) {
        live.clock.sleep(LOOK).await;
    }

    fn tick(&self, live: &Live) -> Result<Tick> {
        let surplus = live.store.rows(keys::TOMB).saturating_sub(live.limits.tombstones);
        let limit = BATCH.min(usize::try_from(surplus).unwrap_or(BATCH));
        if limit == 0 {
            return Ok(Tick::DONE);
        }
        let removals = oldest_removals(live, limit)?;
        if removals.is_empty() {
            return Ok(Tick::DONE);
        }
        let decided = {
            // Floors belong to namespaces: an import raises them too.
            let namespaces = removals.iter().filter_map(|removal| keys::split_kv(&removal.row)).map(|(name, _)| name);
            let _held = live.locks.lock_all(removals.iter().map(|removal| &removal.row[..]).chain(namespaces));
            txn::decide(live, |txn| forget(txn, &removals))
        };
        Ok(Tick { more: removals.len() == BATCH, frame: decided.into_frame()? })
    }
}

/// A line of the order of removals.
struct Removal {
    seq: u64,
    /// The key's row key.
    row: bytes::Bytes,
}

/// The oldest removals that the feed no longer has.
fn oldest_removals(live: &Live, limit: usize) -> Result<Vec<Removal>> {
    let below_the_feed = keys::number(live.feed.floor()).to_vec();
    let range = Range { from: Vec::new(), to: Some(below_the_feed), limit, reverse: false };
    let chunk = live.store.range(View::Durable, keys::TOMB_ORDER, &range);
    let removal = |(key, row): &(bytes::Bytes, manifold_store::Row)| {
        let seq = keys::read_number(key).ok_or_else(|| Error::unreadable("the order of tombstones"))?;
        Ok(Removal { seq, row: row.body()? })
    };
    chunk.rows.iter().map(removal).collect()
}

fn forget(txn: &mut Txn<'_>, removals: &[Removal]) -> Result<()> {
    txn.relief();
    let mut raised: BTreeMap<&[u8], u64> = BTreeMap::new();
    for Removal { seq, row } in removals {
        txn.delete(keys::TOMB_ORDER, &keys::number(*seq));
        let Some(tomb) = txn.get(keys::TOMB, row).map(|row| Tomb::read(&row)).transpose()? else { continue };
        // The key may have lived and died again since: that removal has its own line.
        if tomb.seq == *seq {
            txn.delete(keys::TOMB, row);
            let (namespace, _) = keys::split_kv(row).ok_or_else(|| Error::unreadable("the order of tombstones"))?;
            let floor = raised.entry(namespace).or_default();
            *floor = tomb.version.max(*floor);
        }
    }
    for (namespace, version) in raised {
        let known = txn.get(keys::FLOOR, namespace).map(|row| Floor::read(&row)).transpose()?;
        if known.is_none_or(|Floor(known)| known < version) {
            txn.put(keys::FLOOR, namespace, &Floor(version).encode(), &[]);
        }
    }
    Ok(())
}
