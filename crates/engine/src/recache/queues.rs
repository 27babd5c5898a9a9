//! Putting entries into queues, looking at queues, and throwing away what waits in them.

use super::{
    Depth, Enqueue, Entry, HostId, Priority, Queued,
    hosts::Host,
    rows::Waiting,
    step::{self, Step},
};
use crate::{Error, Kind, Result, live::Live};

/// Longest address in bytes. One of 16 KiB, the longest that a request may bring, has less than 74,000 in normal form:
/// two bytes may become three in lower case, and each of these three characters.
const URL_BYTES: usize = 80_000;
/// Entries thrown away in one commit.
const PURGED: usize = 4096;

pub(super) async fn enqueue(live: &Live, mut enqueue: Enqueue) -> Result<()> {
    enqueue.entries.iter().try_for_each(check)?;
    // Neighbours in the order are neighbours in memory: inserted one after the other they cost less.
    enqueue.entries.sort_unstable_by(Entry::cmp_member);
    enqueue.entries.dedup();
    let Enqueue { host, priority, entries, due, most } = enqueue;
    step::change(live, [host], |step| {
        step.txn.grow()?;
        // What cannot fit need not be looked up.
        if most > 0 && entries.len() as u64 > most.max(step.host(host).queue(priority).len()) {
            return Err(full(host, priority));
        }
        for entry in &entries {
            step.waiting(host, priority, entry)?;
            step.set_waiting(host, priority, entry, Some(Waiting { due, attempts: 0 }));
        }
        check_length(step, host, priority, most)
    })
    .await
}

/// Refuses an entry that is no address in normal form.
pub(super) fn check(entry: &Entry) -> Result<()> {
    let url = entry.url.as_bytes();
    if url.len() > URL_BYTES {
        return Err(Error::new(
            Kind::TooLarge,
            format!("the address has {} bytes, the limit is {URL_BYTES}", url.len()),
        ));
    }
    let begins = url.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'/');
    if !begins || url.iter().any(u8::is_ascii_control) {
        return Err(Error::new(Kind::Invalid, "the address is not in normal form"));
    }
    Ok(())
}

/// Refuses what would make a queue too long; 0 = no limit.
pub(super) fn check_length(step: &Step<'_, '_>, host: HostId, priority: Priority, most: u64) -> Result<()> {
    if most > 0 && step.queue_len(host, priority) > most.max(step.host(host).queue(priority).len()) {
        return Err(full(host, priority));
    }
    Ok(())
}

fn full(host: HostId, priority: Priority) -> Error {
    Error::new(Kind::Busy, format!("the queue {:?} of host {host} would be longer than allowed", priority.as_str()))
}

pub(super) async fn depths(live: &Live, hosts: &[HostId], now: u64) -> Result<Vec<[Depth; 3]>> {
    let mut frame = 0;
    let depths = hosts.iter().map(|host| {
        let Some(host) = live.recache.find(*host) else { return Default::default() };
        let mut host = host.lock();
        frame = frame.max(host.frame);
        Priority::ALL.map(|priority| host.queue_mut(priority).depth(now))
    });
    let depths = depths.collect();
    live.durable(frame).await?;
    Ok(depths)
}

pub(super) async fn queued(
    live: &Live,
    host: HostId,
    priorities: &[Priority],
    offset: usize,
    limit: usize,
) -> Result<(Vec<Queued>, bool)> {
    let Some(found) = live.recache.find(host) else { return Ok(Default::default()) };
    let (page, frame) = {
        let host = found.lock();
        (page(&host, priorities, offset, limit), host.frame)
    };
    live.durable(frame).await?;
    Ok(page)
}

fn page(host: &Host, priorities: &[Priority], offset: usize, limit: usize) -> (Vec<Queued>, bool) {
    let mut page = Vec::new();
    let mut skip = offset;
    for priority in priorities {
        let queue = host.queue(*priority);
        let len = usize::try_from(queue.len()).unwrap_or(usize::MAX);
        if skip >= len {
            skip -= len;
            continue;
        }
        let left = limit - page.len();
        let found = queue.iter().skip(skip).take(left);
        page.extend(found.map(|place| Queued { entry: place.entry.clone(), priority: *priority, due: place.due }));
        if len - skip > left {
            return (page, true);
        }
        skip = 0;
    }
    (page, false)
}

/// Throws away what waits, in pieces.
pub(super) async fn purge(live: &Live, host: HostId, priorities: &[Priority]) -> Result<u64> {
    let mut purged = 0;
    for priority in priorities {
        let len = |host: &Host| host.queue(*priority).len();
        // What comes in meanwhile is not waited for.
        let mut left = live.recache.find(host).map_or(0, |host| len(&host.lock()));
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PURGED).min(PURGED);
            let gone = step::change(live, [host], |step| {
                step.txn.relief();
                let first: Vec<Entry> =
                    step.host(host).queue(*priority).iter().take(most).map(|place| place.entry.clone()).collect();
                for entry in &first {
                    step.waiting(host, *priority, entry)?;
                    step.set_waiting(host, *priority, entry, None);
                }
                Ok(first.len() as u64)
            })
            .await?;
            purged += gone;
            left = if gone == 0 { 0 } else { left - gone };
        }
    }
    Ok(purged)
}
