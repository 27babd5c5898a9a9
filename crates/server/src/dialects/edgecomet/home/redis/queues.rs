//! Queues as sorted sets: putting entries in, counting, listing and emptying them.

use std::collections::HashSet;

use manifold_engine::recache::{Depth, Enqueue, Entry, HostId, Priority, Queued};
use redis::{Pipeline, Value};

use super::{
    HomeError, Redis, Result,
    connection::{read, said},
    keys, leases, member, scripts,
};

/// Members of one command.
pub(super) const MEMBERS_AT_ONCE: usize = 1000;
/// Bytes of members after which a pipeline is sent: it has to be answered in time.
const PIPELINE_BYTES: usize = 4 << 20;
/// Hosts that one pipeline asks for depths.
const HOSTS_AT_ONCE: usize = 500;

impl Redis {
    pub(in super::super) async fn enqueue(&self, enqueue: Enqueue) -> Result<()> {
        let Enqueue { host, priority, entries, due, most } = enqueue;
        if most > 0 {
            self.check_room(host, priority, &entries, most).await?;
        }
        let (queue, attempts) = (keys::queue(host, priority), keys::attempts(host));
        let mut exists = redis::cmd("EXISTS");
        exists.arg(&attempts);
        let has_attempts: bool = self.0.connection.one(exists).await?;
        let mut entries = entries.iter().peekable();
        while entries.peek().is_some() {
            let mut pipeline = Pipeline::new();
            let mut bytes = 0;
            while bytes < PIPELINE_BYTES && entries.peek().is_some() {
                let mut members = Vec::new();
                while members.len() < MEMBERS_AT_ONCE
                    && bytes < PIPELINE_BYTES
                    && let Some(entry) = entries.next()
                {
                    let member = entry.member();
                    bytes += member.len();
                    members.push(member);
                }
                add(&mut pipeline, &queue, due, &members);
                if has_attempts {
                    let fields: Vec<Vec<u8>> =
                        members.iter().map(|member| keys::attempts_field(priority, member)).collect();
                    pipeline.cmd("HDEL").arg(&attempts).arg(fields).ignore();
                }
            }
            for answer in self.0.connection.all(pipeline).await? {
                answer.map_err(said)?;
            }
        }
        Ok(())
    }

    /// Refuses entries for which a queue has no room. Others may fill it at the same moment: the limit is a good guess, as
    /// gateways do not know it at all.
    pub(super) async fn check_room(
        &self,
        host: HostId,
        priority: Priority,
        entries: &[Entry],
        most: u64,
    ) -> Result<()> {
        let queue = keys::queue(host, priority);
        let mut count = redis::cmd("ZCARD");
        count.arg(&queue);
        let length: u64 = self.0.connection.one(count).await?;
        if length + entries.len() as u64 <= most {
            return Ok(());
        }
        let distinct: Vec<&Entry> = entries.iter().collect::<HashSet<_>>().into_iter().collect();
        let mut added = 0;
        for entries in distinct.chunks(MEMBERS_AT_ONCE) {
            let mut pipeline = Pipeline::with_capacity(entries.len());
            for entry in entries {
                pipeline.cmd("ZSCORE").arg(&queue).arg(entry.member());
            }
            for answer in self.0.connection.all(pipeline).await? {
                added += u64::from(read::<Value>(answer)? == Value::Nil);
            }
            if length + added > most {
                return Err(HomeError::Full);
            }
        }
        Ok(())
    }

    pub(in super::super) async fn depths(&self, hosts: &[HostId], now: u64) -> Result<Vec<[Depth; 3]>> {
        let mut depths = Vec::with_capacity(hosts.len());
        for hosts in hosts.chunks(HOSTS_AT_ONCE) {
            let mut pipeline = Pipeline::with_capacity(hosts.len() * 6);
            for host in hosts {
                for priority in Priority::ALL {
                    let queue = keys::queue(*host, priority);
                    pipeline.cmd("ZCARD").arg(&queue).cmd("ZCOUNT").arg(&queue).arg("-inf").arg(now);
                }
            }
            let mut counts = self.0.connection.all(pipeline).await?.into_iter().map(|count| match count {
                // No queue, so nothing is in it.
                Err(error) if leases::is_wrong_type(&error) => Ok(0),
                count => read::<u64>(count),
            });
            let mut next = || counts.next().unwrap_or(Ok(0));
            for _ in hosts {
                let mut of_host = [Depth::default(); 3];
                for depth in &mut of_host {
                    *depth = Depth { total: next()?, due: next()? };
                }
                depths.push(of_host);
            }
        }
        Ok(depths)
    }

    pub(in super::super) async fn queued(
        &self,
        host: HostId,
        priorities: &[Priority],
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<Queued>, bool)> {
        let mut lengths = Pipeline::with_capacity(priorities.len());
        for priority in priorities {
            lengths.cmd("ZCARD").arg(keys::queue(host, *priority));
        }
        let lengths = self.0.connection.all(lengths).await?;
        let (mut skip, mut room) = (offset as u64, limit as u64);
        let mut queued = Vec::new();
        let mut more = false;
        for (priority, length) in priorities.iter().zip(lengths) {
            let length: u64 = read(length)?;
            let here = length.saturating_sub(skip).min(room);
            if here > 0 {
                queued.extend(self.listed(host, *priority, skip, skip + here - 1).await?);
            }
            more |= length.saturating_sub(skip) > here;
            skip = skip.saturating_sub(length);
            room -= here;
        }
        Ok((queued, more))
    }

    /// Entries at these ranks, both included.
    async fn listed(&self, host: HostId, priority: Priority, from: u64, to: u64) -> Result<Vec<Queued>> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(keys::queue(host, priority)).arg(from).arg(to).arg("WITHSCORES");
        let members: Vec<(Vec<u8>, String)> = self.0.connection.one(range).await?;
        let queued = members.into_iter().filter_map(|(member, score)| {
            Some(Queued { entry: member::read(&member)?, priority, due: leases::seconds(&score) })
        });
        Ok(queued.collect())
    }

    pub(in super::super) async fn purge(&self, host: HostId, priorities: &[Priority]) -> Result<u64> {
        let attempts = keys::attempts(host);
        let mut purged = 0;
        for priority in priorities {
            let mut script = scripts::eval(scripts::PURGE, &[&keys::queue(host, *priority), &attempts]);
            script.arg(priority.as_str());
            purged += self.0.connection.one_once::<u64>(script).await?;
        }
        Ok(purged)
    }
}

/// Adds members to a queue, all due at one time.
pub(super) fn add(pipeline: &mut Pipeline, queue: &str, due: u64, members: &[Vec<u8>]) {
    let add = pipeline.cmd("ZADD").arg(queue);
    for member in members {
        add.arg(due).arg(member);
    }
}
