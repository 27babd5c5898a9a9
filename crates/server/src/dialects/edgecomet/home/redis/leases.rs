//! Taking entries from queues, and what becomes of what was taken.

use manifold_engine::recache::{Lease, Pull, Pulled};
use redis::{Pipeline, RedisError, RedisResult, Value};

use super::{
    Redis, Result,
    connection::{read, said},
    held::{self, Held},
    keys, member, scripts,
};

#[cfg(test)]
mod tests;

/// Entries that one script takes at most.
const MOST_PER_PULL: usize = 1000;
/// Queues that one pipeline asks.
const PULLS_AT_ONCE: usize = 256;
/// How often one call looks for entries behind members that are none, and how many members it looks at each time.
const SWEEPS: usize = 8;
const SWEPT_AT_ONCE: usize = 1000;
/// Leases that one command or script is about.
pub(super) const LEASES_AT_ONCE: usize = 500;

/// What a script took from one queue.
#[derive(Debug, Default)]
struct Taken {
    leases: Vec<Lease>,
    /// Members that are no entries, with the numbers of their leases.
    malformed: Vec<(u64, Vec<u8>)>,
    due_left: bool,
}

impl Redis {
    pub(in super::super) async fn pull(&self, pulls: &[Pull], now: u64) -> Result<Vec<Pulled>> {
        let mut pulled: Vec<Pulled> = Vec::with_capacity(pulls.len());
        for chunk in pulls.chunks(PULLS_AT_ONCE) {
            match self.pull_chunk(chunk, now).await {
                Ok(more) => pulled.extend(more),
                // What was taken before counts. Of the rest nobody knows, so it is asked again.
                Err(_) if pulled.iter().any(|pulled| !pulled.leases.is_empty()) => break,
                Err(error) => return Err(error),
            }
        }
        let unknown = |pull: &Pull| Pulled { pull: *pull, leases: Vec::new(), due_left: true };
        pulled.extend(pulls[pulled.len()..].iter().map(unknown));
        Ok(pulled)
    }

    async fn pull_chunk(&self, pulls: &[Pull], now: u64) -> Result<Vec<Pulled>> {
        let taken = self.take(pulls, now).await?;
        let mut pulled = Vec::with_capacity(pulls.len());
        for (pull, taken) in pulls.iter().zip(taken) {
            let Taken { mut leases, malformed, mut due_left } = taken;
            if !malformed.is_empty() {
                // What is no entry does not use up the queue's turn.
                self.refill(pull, now, &mut leases, malformed, &mut due_left).await;
            }
            pulled.push(Pulled { pull: *pull, leases, due_left });
        }
        Ok(pulled)
    }

    /// Removes what is no entry, and takes others instead. What was taken stays taken when that fails on the way.
    async fn refill(
        &self,
        pull: &Pull,
        now: u64,
        leases: &mut Vec<Lease>,
        mut malformed: Vec<(u64, Vec<u8>)>,
        due_left: &mut bool,
    ) {
        let queue = keys::queue(pull.host, pull.priority);
        for _ in 0..SWEEPS {
            let (ids, members): (Vec<u64>, Vec<Vec<u8>>) = malformed.into_iter().unzip();
            let fields: Vec<String> = ids.into_iter().map(|id| held::field(&self.0.run, id)).collect();
            self.count_malformed(&queue, &members);
            // Should this fail, they go back into the queue as leases that nobody knows, and come again.
            if self.end(&fields).await.is_err() || self.sweep(&queue, now).await.is_err() {
                return;
            }
            let rest = Pull { most: pull.most.min(MOST_PER_PULL) - leases.len(), ..*pull };
            let Ok(mut more) = self.take(&[rest], now).await else { return };
            let Some(more) = more.pop() else { return };
            leases.extend(more.leases);
            *due_left = more.due_left;
            malformed = more.malformed;
            if malformed.is_empty() {
                return;
            }
        }
    }

    /// Removes members that are no entries from the part of a queue that is due longest.
    async fn sweep(&self, queue: &str, now: u64) -> Result<()> {
        let mut look = redis::cmd("ZRANGEBYSCORE");
        look.arg(queue).arg("-inf").arg(now).arg("LIMIT").arg(0).arg(SWEPT_AT_ONCE);
        let mut members: Vec<Vec<u8>> = self.0.connection.one(look).await?;
        members.retain(|member| member::read(member).is_none());
        if members.is_empty() {
            return Ok(());
        }
        let mut remove = redis::cmd("ZREM");
        remove.arg(queue).arg(&members);
        let _: Value = self.0.connection.one(remove).await?;
        self.count_malformed(queue, &members);
        Ok(())
    }

    /// One script for each queue. A queue that is none, because somebody stores something else under its name, is empty.
    async fn take(&self, pulls: &[Pull], now: u64) -> Result<Vec<Taken>> {
        let most = |pull: &Pull| pull.most.min(MOST_PER_PULL);
        let reserved = Held::reserve(&self.0.held, pulls.iter().map(|pull| most(pull) as u64).sum());
        let leases = keys::leases(&self.0.daemon_id);
        let mut pipeline = Pipeline::with_capacity(pulls.len());
        let mut first = reserved.first();
        for pull in pulls {
            let (queue, attempts) = (keys::queue(pull.host, pull.priority), keys::attempts(pull.host));
            let mut script = scripts::eval(scripts::PULL, &[&queue, &leases, &attempts]);
            script.arg(now).arg(most(pull)).arg(&self.0.run).arg(first).arg(pull.host.0).arg(pull.priority.as_str());
            pipeline.add_command(script);
            first += most(pull) as u64;
        }
        let answers = self.0.connection.all_once(pipeline).await?;
        let mut taken = Vec::with_capacity(pulls.len());
        let mut refused = None;
        let mut first = reserved.first();
        for (pull, answer) in pulls.iter().zip(answers) {
            let queue = keys::queue(pull.host, pull.priority);
            let answer = self.unless_foreign(&queue, answer);
            taken.push(match answer.and_then(|answer| from_answer(pull, first, answer)) {
                Ok(from_queue) => from_queue,
                Err(error) => {
                    refused = Some(error);
                    Taken::default()
                }
            });
            first += most(pull) as u64;
        }
        let ids: Vec<u64> = taken.iter().flat_map(|taken| taken.leases.iter().map(|lease| lease.id)).collect();
        match refused {
            Some(error) if ids.is_empty() => return Err(error),
            Some(_) | None => self.0.held.lock().insert(ids),
        }
        Ok(taken)
    }

    /// Nothing where somebody stores something else under the name of a queue: other queues go on.
    fn unless_foreign(&self, queue: &str, answer: RedisResult<Value>) -> Result<Value> {
        let foreign = answer.as_ref().is_err_and(is_wrong_type);
        let mut known = self.0.foreign.lock();
        if !foreign {
            known.remove(queue);
            return answer.map_err(said);
        }
        if known.insert(queue.to_owned()) {
            tracing::warn!(queue, "edgecomet: what redis has under the name of a queue is none");
        }
        Ok(Value::Array(Vec::new()))
    }

    pub(in super::super) async fn finish(&self, leases: &[Lease]) -> Result<()> {
        let fields: Vec<String> = leases.iter().map(|lease| self.field(lease)).collect();
        self.end(&fields).await?;
        self.0.held.lock().remove(leases);
        Ok(())
    }

    /// Deletes leases, whether they are there or not.
    pub(super) async fn end(&self, fields: &[String]) -> Result<()> {
        let leases = keys::leases(&self.0.daemon_id);
        for fields in fields.chunks(LEASES_AT_ONCE) {
            let mut delete = redis::cmd("HDEL");
            delete.arg(&leases).arg(fields);
            match self.0.connection.command(delete).await? {
                // Then there is no lease at all.
                Err(error) if is_wrong_type(&error) => {}
                answer => drop(read::<Value>(answer)?),
            }
        }
        Ok(())
    }

    pub(in super::super) async fn wait_for_retry(&self, lease: &Lease, attempts: u32, ready_at: u64) -> Result<()> {
        let mut script = scripts::eval(scripts::WAIT, &[&keys::leases(&self.0.daemon_id)]);
        script.arg(self.field(lease)).arg(attempts).arg(ready_at);
        self.0.connection.one::<Value>(script).await.map(drop)
    }

    pub(in super::super) async fn give_back(&self, leases: &[Lease]) -> Result<()> {
        let given: Vec<Back> = leases.iter().map(|lease| self.back(lease)).collect();
        self.put_back(&keys::leases(&self.0.daemon_id), None, &given).await?;
        self.0.held.lock().remove(leases);
        Ok(())
    }

    fn back(&self, lease: &Lease) -> Back {
        Back { field: self.field(lease).into_bytes(), due: lease.due, attempts: lease.attempts }
    }

    /// Puts entries back from a hash of leases into queues, if the daemon of this heartbeat is gone; how many there were.
    pub(super) async fn put_back(&self, leases: &str, heartbeat: Option<&str>, given: &[Back]) -> Result<u64> {
        let keys: Vec<&str> = [Some(leases), heartbeat].into_iter().flatten().collect();
        let mut returned = 0;
        for given in given.chunks(LEASES_AT_ONCE) {
            let mut script = scripts::eval(scripts::GIVE_BACK, &keys);
            for back in given {
                script.arg(&back.field).arg(back.due).arg(back.attempts);
            }
            let (entries, senseless): (u64, u64) = self.0.connection.one(script).await?;
            returned += entries;
            self.count_senseless(leases, senseless);
        }
        Ok(returned)
    }

    pub(super) fn field(&self, lease: &Lease) -> String {
        held::field(&self.0.run, lease.id)
    }
}

/// A lease that is to go back into its queue, not due before `due`, and tried `attempts` times at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) field: Vec<u8>,
    pub(super) due: u64,
    pub(super) attempts: u32,
}

fn from_answer(pull: &Pull, first: u64, answer: Value) -> Result<Taken> {
    let mut values = read::<Vec<Value>>(Ok(answer))?.into_iter();
    let due_left = values.next().is_some_and(|left| left == Value::Int(1));
    let mut taken = Taken { due_left, ..Taken::default() };
    let mut id = first;
    while let (Some(member), Some(score), Some(attempts)) = (values.next(), values.next(), values.next()) {
        let member: Vec<u8> = read(Ok(member))?;
        match member::read(&member) {
            Some(entry) => taken.leases.push(Lease {
                id,
                host: pull.host,
                priority: pull.priority,
                entry,
                due: seconds(&read::<String>(Ok(score))?),
                attempts: read::<String>(Ok(attempts))?.parse().unwrap_or(u32::MAX),
            }),
            None => taken.malformed.push((id, member)),
        }
        id += 1;
    }
    Ok(taken)
}

/// A due time as queues have it. Whole seconds, but anything that a double can be is possible.
pub(super) fn seconds(score: &str) -> u64 {
    // Out of range is the nearest end, and what is no number is due.
    let seconds = score.parse::<f64>().unwrap_or(0.0) as u64;
    // Lists tell it, and their readers may count with a sign.
    seconds.min(i64::MAX.cast_unsigned())
}

/// Whether a key holds something else than it should. Before version 7, errors in scripts are wrapped in words.
pub(super) fn is_wrong_type(error: &RedisError) -> bool {
    error.to_string().contains("WRONGTYPE")
}
