//! Dead letters: what was given up, until somebody has it tried again or there are too many.

use manifold_store::View;

use super::{
    DeadLetter, HostId, Lease, Priority, queues,
    rows::{Waiting, unreadable},
    step,
};
use crate::{Result, keys, live::Live};

/// Longest reason in bytes; what is longer is cut.
const REASON_BYTES: usize = 2048;
/// Letters that go in one commit, should far fewer be allowed than before: the next ones take the rest.
const DROPPED: u64 = 1024;

pub(super) async fn bury(live: &Live, lease: &Lease, mut letter: DeadLetter, most: u64) -> Result<()> {
    queues::check(&letter.entry)?;
    letter.reason.truncate(letter.reason.floor_char_boundary(REASON_BYTES));
    let host = lease.host;
    step::change(live, [host], |step| {
        if !step.is_leased(lease) {
            return Ok(());
        }
        step.end_lease(lease);
        let letters = &step.host(host).letters;
        if most > 0 {
            let number = letters.last().map_or(1, |last| last + 1);
            step.keep_letter(host, number, &letter);
        }
        let surplus = (letters.len() as u64 + 1).saturating_sub(most.max(1)).min(DROPPED);
        letters.iter().take(surplus as usize).for_each(|number| step.remove_letter(host, *number));
        Ok(())
    })
    .await
}

pub(super) async fn failed(live: &Live, host: HostId, offset: usize, limit: usize) -> Result<(Vec<DeadLetter>, bool)> {
    let Some(found) = live.recache.find(host) else { return Ok(Default::default()) };
    let (letters, more, frame) = {
        let found = found.lock();
        let mut numbers = found.letters.iter().rev().skip(offset);
        let letters: Result<Vec<_>> = numbers.by_ref().take(limit).map(|number| read(live, host, *number)).collect();
        (letters?, numbers.next().is_some(), found.frame)
    };
    live.durable(frame).await?;
    Ok((letters, more))
}

/// How many letters of each host are kept.
pub(super) async fn count(live: &Live, hosts: &[HostId]) -> Result<Vec<u64>> {
    let mut frame = 0;
    let count = |host: &HostId| {
        let Some(host) = live.recache.find(*host) else { return 0 };
        let host = host.lock();
        frame = frame.max(host.frame);
        host.letters.len() as u64
    };
    let counts = hosts.iter().map(count).collect();
    live.durable(frame).await?;
    Ok(counts)
}

fn read(live: &Live, host: HostId, number: u64) -> Result<DeadLetter> {
    let row = live.store.get(View::Latest, keys::RECACHE_LETTER, &keys::recache_letter(host.0, number));
    DeadLetter::read(&row.ok_or_else(|| unreadable("a dead letter"))?)
}

pub(super) async fn retry_failed(live: &Live, host: HostId, now: u64, most: u64) -> Result<u64> {
    step::change(live, [host], |step| {
        let letters = &step.host(host).letters;
        for number in letters {
            let DeadLetter { entry, priority, .. } = read(live, host, *number)?;
            step.waiting(host, priority, &entry)?;
            step.set_waiting(host, priority, &entry, Some(Waiting { due: now, attempts: 0 }));
            step.remove_letter(host, *number);
        }
        for priority in Priority::ALL {
            queues::check_length(step, host, priority, most)?;
        }
        Ok(letters.len() as u64)
    })
    .await
}
