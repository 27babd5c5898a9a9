//! Dead letters: a list for each host, the newest first.

use manifold_engine::recache::{DeadLetter, DimensionId, Entry, HostId, Lease, Priority};
use serde::{Deserialize, Serialize};

use super::{Redis, Result, connection, keys, leases, scripts};

/// Letters that one script puts back into queues.
const LETTERS_AT_ONCE: usize = 500;

/// A letter as it stands in the list.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    url: String,
    dimension_id: u64,
    priority: String,
    attempts: u32,
    reason: String,
    failed_at: u64,
}

impl Redis {
    pub(in super::super) async fn bury(&self, lease: &Lease, letter: DeadLetter, most: u64) -> Result<()> {
        if most == 0 {
            return self.finish(std::slice::from_ref(lease)).await;
        }
        let (leases, letters) = (keys::leases(&self.0.daemon_id), keys::letters(lease.host));
        let mut script = scripts::eval(scripts::BURY, &[&leases, &letters]);
        script.arg(self.field(lease)).arg(written(&letter)).arg(most);
        self.0.connection.one::<redis::Value>(script).await?;
        self.0.held.lock().remove([lease]);
        Ok(())
    }

    pub(in super::super) async fn failed_counts(&self, hosts: &[HostId]) -> Result<Vec<u64>> {
        let mut lengths = redis::Pipeline::with_capacity(hosts.len());
        for host in hosts {
            lengths.cmd("LLEN").arg(keys::letters(*host));
        }
        let answers = self.0.connection.all(lengths).await?.into_iter().map(|length| match length {
            // No list, so there is no letter.
            Err(error) if leases::is_wrong_type(&error) => Ok(0),
            length => connection::read(length),
        });
        answers.collect()
    }

    pub(in super::super) async fn failed(
        &self,
        host: HostId,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<DeadLetter>, bool)> {
        let end = offset.saturating_add(limit);
        let mut range = redis::cmd("LRANGE");
        range.arg(keys::letters(host)).arg(offset).arg(end);
        let mut letters: Vec<Vec<u8>> = self.0.connection.one(range).await?;
        let more = letters.len() > limit;
        letters.truncate(limit);
        Ok((letters.iter().filter_map(|letter| letter_of(letter)).collect(), more))
    }

    pub(in super::super) async fn retry_failed(&self, host: HostId, now: u64, most: u64) -> Result<u64> {
        let mut count = redis::cmd("LLEN");
        let letters = keys::letters(host);
        count.arg(&letters);
        let mut left: usize = self.0.connection.one(count).await?;
        let mut retried = 0;
        while left > 0 {
            let mut range = redis::cmd("LRANGE");
            let step = left.min(LETTERS_AT_ONCE);
            range.arg(&letters).arg(-i64::try_from(step).unwrap_or(1)).arg(-1);
            let oldest: Vec<Vec<u8>> = self.0.connection.one(range).await?;
            if oldest.is_empty() {
                break;
            }
            retried += self.retry(host, now, most, &oldest).await?;
            left -= step;
        }
        Ok(retried)
    }

    /// Puts letters back; how many were still there. What is no letter goes.
    async fn retry(&self, host: HostId, now: u64, most: u64, letters: &[Vec<u8>]) -> Result<u64> {
        let letters: Vec<(&[u8], Option<DeadLetter>)> =
            letters.iter().map(|letter| (&letter[..], letter_of(letter))).collect();
        if most > 0 {
            for priority in Priority::ALL {
                let here = letters.iter().filter_map(|(_, letter)| letter.as_ref());
                let here = here.filter(|letter| letter.priority == priority).map(|letter| letter.entry.clone());
                self.check_room(host, priority, &here.collect::<Vec<_>>(), most).await?;
            }
        }
        let queues = Priority::ALL.map(|priority| keys::queue(host, priority));
        let (list, attempts) = (keys::letters(host), keys::attempts(host));
        let mut script = scripts::eval(scripts::RETRY, &[&list, &attempts, &queues[0], &queues[1], &queues[2]]);
        script.arg(now);
        for (text, letter) in &letters {
            script.arg(*text);
            match letter {
                Some(letter) => script.arg(1 + letter.priority as usize).arg(letter.entry.member()),
                None => script.arg(0).arg(""),
            };
        }
        self.0.connection.one_once(script).await
    }
}

fn written(letter: &DeadLetter) -> Vec<u8> {
    let DeadLetter { entry, priority, attempts, reason, failed_at } = letter;
    let written = Written {
        url: entry.url.to_string(),
        dimension_id: entry.dimension.0,
        priority: priority.as_str().to_owned(),
        attempts: *attempts,
        reason: reason.clone(),
        failed_at: *failed_at,
    };
    serde_json::to_vec(&written).expect("texts and numbers can be written")
}

fn letter_of(letter: &[u8]) -> Option<DeadLetter> {
    let Written { url, dimension_id, priority, attempts, reason, failed_at } = serde_json::from_slice(letter).ok()?;
    let priority = Priority::ALL.into_iter().find(|known| known.as_str() == priority)?;
    let entry = Entry { url: url.into(), dimension: DimensionId(dimension_id) };
    Some(DeadLetter { entry, priority, attempts, reason, failed_at })
}
