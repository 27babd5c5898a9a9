//! Taking entries from their queues, and what becomes of them then. A lease that was brought to an end already is left
//! alone, so whoever did not hear the answer may ask again.

use std::collections::BTreeSet;

use manifold_store::{Range, View};

use super::{
    HostId, Lease, Pull, Pulled,
    rows::{Leased, Waiting},
    step::{self, Step},
};
use crate::{Result, keys, live::Live};

/// Leases of the run before that are put back in one commit.
const RECOVERED: usize = 1024;

pub(super) async fn pull(live: &Live, pulls: &[Pull], now: u64) -> Result<Vec<Pulled>> {
    let due: BTreeSet<HostId> = pulls.iter().filter(|pull| has_due(live, pull, now)).map(|pull| pull.host).collect();
    let nothing = |pull: &Pull| Pulled { pull: *pull, leases: Vec::new(), due_left: false };
    if due.is_empty() {
        return Ok(pulls.iter().map(nothing).collect());
    }
    let take = |step: &mut Step<'_, '_>| {
        let one = |pull: &Pull| if due.contains(&pull.host) { take(step, pull, now) } else { Ok(nothing(pull)) };
        pulls.iter().map(one).collect()
    };
    live.store.room().await;
    let (pulled, frame) = step::change_now(live, due.iter().copied(), take);
    let untold = Untold { live, pulled: pulled? };
    live.durable(frame).await?;
    Ok(untold.told())
}

/// What was taken while nobody was told. Dropped, it goes back: a caller that went away takes nothing.
struct Untold<'a> {
    live: &'a Live,
    pulled: Vec<Pulled>,
}

impl Untold<'_> {
    fn told(mut self) -> Vec<Pulled> {
        std::mem::take(&mut self.pulled)
    }
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        let leases: Vec<&Lease> = self.pulled.iter().flat_map(|pulled| &pulled.leases).collect();
        if leases.is_empty() {
            return;
        }
        let hosts = leases.iter().map(|lease| lease.host);
        let (given_back, _) = step::change_now(self.live, hosts, |step| {
            leases.iter().try_for_each(|lease| put_back(step, lease).map(drop))
        });
        if let Err(error) = given_back {
            tracing::warn!(%error, "what a caller that went away had taken stays leased until the next start");
        }
    }
}

fn has_due(live: &Live, pull: &Pull, now: u64) -> bool {
    live.recache.find(pull.host).is_some_and(|host| host.lock().queue(pull.priority).due_at(now).next().is_some())
}

fn take(step: &mut Step<'_, '_>, pull: &Pull, now: u64) -> Result<Pulled> {
    let Pull { host, priority, most } = *pull;
    let mut leases = Vec::new();
    for place in step.host(host).queue(priority).due_at(now) {
        if step.is_taken(host, priority, &place.entry) {
            continue;
        }
        if leases.len() == most {
            return Ok(Pulled { pull: *pull, leases, due_left: true });
        }
        let entry = place.entry.clone();
        let attempts = step.waiting(host, priority, &entry)?.map_or(0, |waiting| waiting.attempts);
        step.set_waiting(host, priority, &entry, None);
        let id = step.txn.live().recache.next_lease();
        let lease = Lease { id, host, priority, entry, due: place.due, attempts };
        step.put_lease(&Leased { lease: lease.clone(), ready_at: None });
        leases.push(lease);
    }
    Ok(Pulled { pull: *pull, leases, due_left: false })
}

pub(super) async fn finish(live: &Live, leases: &[Lease]) -> Result<()> {
    step::change(live, hosts(leases), |step| {
        step.txn.relief();
        leases.iter().for_each(|lease| step.end_lease(lease));
        Ok(())
    })
    .await
}

pub(super) async fn wait_for_retry(live: &Live, lease: &Lease, attempts: u32, ready_at: u64) -> Result<()> {
    step::change(live, [lease.host], |step| {
        if step.is_leased(lease) {
            let lease = Lease { attempts, ..lease.clone() };
            step.put_lease(&Leased { lease, ready_at: Some(ready_at) });
        }
        Ok(())
    })
    .await
}

pub(super) async fn give_back(live: &Live, leases: &[Lease]) -> Result<()> {
    step::change(live, hosts(leases), |step| leases.iter().try_for_each(|lease| put_back(step, lease).map(drop))).await
}

/// Puts back what runs before this one had leased, in pieces.
pub(super) async fn recover(live: &Live) -> Result<u64> {
    let mut recovered = 0;
    let mut next = Some(Vec::new());
    while let Some(from) = next {
        let left;
        (left, next) = left_behind(live, from)?;
        recovered += step::change(live, hosts(&left), |step| {
            let mut put = 0;
            for lease in &left {
                put += u64::from(put_back(step, lease)?);
            }
            Ok(put)
        })
        .await?;
    }
    Ok(recovered)
}

/// Leases of runs before this one, as they go back: what waited for a retry is due when it would have been tried again.
/// And where to go on.
fn left_behind(live: &Live, from: Vec<u8>) -> Result<(Vec<Lease>, Option<Vec<u8>>)> {
    let to = keys::number(live.recache.left_behind.saturating_add(1)).to_vec();
    let range = Range { from, to: Some(to), limit: RECOVERED, reverse: false };
    let chunk = live.store.range(View::Latest, keys::RECACHE_LEASE, &range);
    let lease = |(key, row): &(bytes::Bytes, manifold_store::Row)| {
        let Leased { lease, ready_at } = Leased::read(key, row)?;
        Ok(Lease { due: ready_at.unwrap_or(lease.due), ..lease })
    };
    Ok((chunk.rows.iter().map(lease).collect::<Result<_>>()?, chunk.resume))
}

/// Lets a leased entry wait again; where it was queued meanwhile, the earlier time stays and attempts are those of the
/// queue. Whether the lease was there.
fn put_back(step: &mut Step<'_, '_>, lease: &Lease) -> Result<bool> {
    if !step.is_leased(lease) {
        return Ok(false);
    }
    let Lease { host, priority, ref entry, due, attempts, .. } = *lease;
    step.end_lease(lease);
    let waiting = match step.waiting(host, priority, entry)? {
        Some(queued) => Waiting { due: queued.due.min(due), attempts: queued.attempts },
        None => Waiting { due, attempts },
    };
    step.set_waiting(host, priority, entry, Some(waiting));
    Ok(true)
}

fn hosts(leases: &[Lease]) -> impl Iterator<Item = HostId> {
    leases.iter().map(|lease| lease.host)
}
