//! Staying alive in the eyes of others, and leases that belong to nobody: of this process' last run, of daemons that are
//! gone, and of pulls whose answers never arrived.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use super::{
    Inner, Redis, Result,
    connection::read,
    held, keys,
    leases::{Back, LEASES_AT_ONCE, is_wrong_type},
};

/// Time between heartbeats.
const BEAT: Duration = Duration::from_secs(3);
/// Seconds without one until a daemon is gone.
const GONE_AFTER: u64 = 15;
/// Steps through the hash of one daemon's leases before others have their turn.
const STEPS_AT_ONCE: usize = 1000;

impl Redis {
    /// Begins to say that this process is alive, until [`Redis::close`] or the last handle is gone.
    pub(super) fn beat_from_now_on(&self) {
        let home = Arc::downgrade(&self.0);
        *self.0.heart.lock() = Some(tokio::spawn(beat(home)));
    }

    /// Stops saying so, and says that others need not wait for it.
    pub(in super::super) async fn close(&self) {
        let heart = self.0.heart.lock().take();
        if let Some(heart) = heart {
            heart.abort();
            // It was told to end, so that it was cancelled is all it can say.
            heart.await.ok();
        }
        let mut delete = redis::cmd("DEL");
        delete.arg(keys::heartbeat(&self.0.daemon_id));
        if let Err(error) = self.0.connection.one::<redis::Value>(delete).await {
            tracing::warn!(%error, "edgecomet: redis could not be told of the end; others will notice");
        }
    }

    pub(in super::super) async fn recover(&self) -> Result<u64> {
        self.say_alive().await?;
        let own = self.recover_own().await?;
        Ok(own + self.recover_others().await?)
    }

    /// What has to be done again and again.
    async fn keep(&self) -> Result<()> {
        let own = self.recover_own().await?;
        let count = own + self.recover_others().await?;
        if count > 0 {
            tracing::info!(count, "edgecomet: leased entries that belonged to nobody are queued again");
        }
        Ok(())
    }

    async fn say_alive(&self) -> Result<()> {
        let mut set = redis::cmd("SET");
        set.arg(keys::heartbeat(&self.0.daemon_id)).arg(&self.0.run).arg("EX").arg(GONE_AFTER);
        self.0.connection.one::<redis::Value>(set).await.map(drop)
    }

    /// Puts back leases of this daemon that nobody has: of its runs before once on each connection, because Redis may have
    /// come back with what it knew long ago, and of this run whenever there are more than are known.
    async fn recover_own(&self) -> Result<u64> {
        let leases = keys::leases(&self.0.daemon_id);
        let connection = self.0.connection.number();
        let of_runs_before = self.0.recovered_on.load(Ordering::Relaxed) != connection;
        let mut count = redis::cmd("HLEN");
        count.arg(&leases);
        let there = match self.0.connection.command(count).await? {
            // The next pull puts that right.
            Err(error) if is_wrong_type(&error) => return Ok(0),
            there => read::<usize>(there)?,
        };
        let known = self.0.held.lock().len();
        let mut lost = Vec::new();
        if there != known || of_runs_before {
            let mut list = redis::cmd("HKEYS");
            list.arg(&leases);
            let fields: Vec<String> = self.0.connection.one(list).await?;
            let held = self.0.held.lock();
            lost = fields;
            lost.retain(|field| match held::number(&self.0.run, field) {
                Some(id) => held.is_lost(id),
                None => of_runs_before,
            });
        }
        let returned = self.put_back(&leases, None, &as_they_are(lost)).await?;
        self.0.recovered_on.store(connection, Ordering::Relaxed);
        Ok(returned)
    }

    /// Puts back leases of daemons that are gone.
    async fn recover_others(&self) -> Result<u64> {
        let daemons = {
            let mut presence = self.0.presence.lock().await;
            presence.look(&self.0).await?;
            presence.with_leases()
        };
        let mut returned = 0;
        for daemon_id in daemons.iter().filter(|id| **id != self.0.daemon_id) {
            let heartbeat = keys::heartbeat(daemon_id);
            let mut exists = redis::cmd("EXISTS");
            exists.arg(&heartbeat);
            if !self.0.connection.one::<bool>(exists).await? {
                returned += self.recover_of(&keys::leases(daemon_id), &heartbeat).await?;
            }
        }
        Ok(returned)
    }

    async fn recover_of(&self, leases: &str, heartbeat: &str) -> Result<u64> {
        let (mut returned, mut cursor) = (0, 0);
        for _ in 0..STEPS_AT_ONCE {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(leases).arg(cursor).arg("COUNT").arg(LEASES_AT_ONCE);
            let (next, fields): (u64, Vec<Vec<u8>>) = match self.0.connection.command(scan).await? {
                Err(error) if is_wrong_type(&error) => return Ok(returned),
                answer => read(answer)?,
            };
            // Each is followed by its lease, which the script reads itself.
            let lost = fields.into_iter().step_by(2);
            returned += self.put_back(leases, Some(heartbeat), &as_they_are(lost)).await?;
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        Ok(returned)
    }
}

/// Leases that go back as they say themselves.
fn as_they_are(fields: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Vec<Back> {
    fields.into_iter().map(|field| Back { field: field.into(), due: 0, attempts: 0 }).collect()
}

/// Says that this process is alive, beside looking for what others left: however long that takes, it must not be taken for
/// one that is gone.
async fn beat(home: Weak<Inner>) {
    tokio::join!(
        each_beat(&home, async |home| home.say_alive().await),
        each_beat(&home, async |home| home.keep().await)
    );
}

async fn each_beat(home: &Weak<Inner>, act: impl AsyncFn(&Redis) -> Result<()>) {
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        let Some(home) = home.upgrade() else { return };
        if let Err(error) = act(&Redis(home)).await {
            // The connection says when it breaks; this is for what Redis refuses in words.
            tracing::debug!(%error, "edgecomet: redis was not told that this process is alive, or not asked who is gone");
        }
    }
}
