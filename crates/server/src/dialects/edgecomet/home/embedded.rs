//! The engine of this process as home.

use manifold_engine::{
    Engine, Error, Kind, State,
    recache::{
        BotHit, DeadLetter, Depth, DimensionId, Enqueue, HostId, Lease, PageKey, Priority, Pull, Pulled, Queued,
        Record, Scheduled, Selection,
    },
};

use super::{HomeError, Result};

#[cfg(test)]
mod tests;

/// The engine of this process as home.
#[derive(Debug, Clone)]
pub(in super::super) struct Embedded {
    engine: Engine,
}

impl Embedded {
    pub(in super::super) fn new(engine: Engine) -> Self {
        Embedded { engine }
    }

    pub(super) async fn enqueue(&self, enqueue: Enqueue) -> Result<()> {
        Ok(self.engine.recache_enqueue(enqueue).await?)
    }

    pub(super) async fn pull(&self, pulls: &[Pull], now: u64) -> Result<Vec<Pulled>> {
        Ok(self.engine.recache_pull(pulls, now).await?)
    }

    pub(super) async fn finish(&self, leases: &[Lease]) -> Result<()> {
        Ok(self.engine.recache_finish(leases).await?)
    }

    pub(super) async fn wait_for_retry(&self, lease: &Lease, attempts: u32, ready_at: u64) -> Result<()> {
        Ok(self.engine.recache_wait_for_retry(lease, attempts, ready_at).await?)
    }

    pub(super) async fn bury(&self, lease: &Lease, letter: DeadLetter, most: u64) -> Result<()> {
        Ok(self.engine.recache_bury(lease, letter, most).await?)
    }

    pub(super) async fn give_back(&self, leases: &[Lease]) -> Result<()> {
        Ok(self.engine.recache_give_back(leases).await?)
    }

    pub(super) async fn recover(&self) -> Result<u64> {
        Ok(self.engine.recache_recover().await?)
    }

    pub(super) async fn depths(&self, hosts: &[HostId], now: u64) -> Result<Vec<[Depth; 3]>> {
        Ok(self.engine.recache_depths(hosts, now).await?)
    }

    pub(super) async fn queued(
        &self,
        host: HostId,
        priorities: &[Priority],
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<Queued>, bool)> {
        Ok(self.engine.recache_queued(host, priorities, offset, limit).await?)
    }

    pub(super) async fn purge(&self, host: HostId, priorities: &[Priority]) -> Result<u64> {
        Ok(self.engine.recache_purge(host, priorities).await?)
    }

    pub(super) async fn failed(&self, host: HostId, offset: usize, limit: usize) -> Result<(Vec<DeadLetter>, bool)> {
        Ok(self.engine.recache_failed(host, offset, limit).await?)
    }

    pub(super) async fn failed_counts(&self, hosts: &[HostId]) -> Result<Vec<u64>> {
        Ok(self.engine.recache_failed_counts(hosts).await?)
    }

    pub(super) async fn retry_failed(&self, host: HostId, now: u64, most: u64) -> Result<u64> {
        Ok(self.engine.recache_retry_failed(host, now, most).await?)
    }

    pub(super) async fn record(&self, key: PageKey) -> Result<Option<Record>> {
        Ok(self.engine.recache_record(key).await?)
    }

    pub(super) async fn store_record(&self, key: PageKey, record: &Record, gone_at: u64) -> Result<()> {
        Ok(self.engine.recache_store_record(key, record, gone_at).await?)
    }

    pub(super) async fn forget(&self, keys: &[PageKey], files_at: u64) -> Result<u64> {
        Ok(self.engine.recache_forget(keys, files_at).await?)
    }

    pub(super) async fn forget_selected(&self, host: HostId, selection: &Selection, files_at: u64) -> Result<u64> {
        Ok(self.engine.recache_forget_selected(host, selection, files_at).await?)
    }

    pub(super) async fn records(
        &self,
        host: HostId,
        cursor: Option<&str>,
        count: usize,
    ) -> Result<(Vec<(PageKey, Record)>, Option<String>)> {
        let after = cursor.map(|text| read_cursor(text).ok_or(HomeError::BadCursor)).transpose()?;
        let (page, next) = self.engine.recache_records(host, after, count).await?;
        Ok((page, next.map(cursor_text)))
    }

    pub(super) async fn bot_hit(&self, hit: BotHit) -> Result<Scheduled> {
        Ok(self.engine.recache_bot_hit(&hit).await?)
    }

    pub(super) async fn removable_files(&self, now: u64, most: usize) -> Result<Vec<String>> {
        Ok(self.engine.recache_removable_files(now, most).await?)
    }

    pub(super) async fn files_removed(&self, files: &[String]) -> Result<()> {
        Ok(self.engine.recache_files_removed(files).await?)
    }

    pub(super) async fn ping(&self) -> Result<()> {
        match self.engine.state() {
            // A full disk heals by itself, and reads work meanwhile.
            State::Ready | State::DiskFull => Ok(()),
            State::Starting => Err(HomeError::Unavailable("the engine is starting".to_owned())),
            State::Stopping => Err(HomeError::Unavailable("the engine is stopping".to_owned())),
            State::Failed(reason) => Err(HomeError::Unavailable(reason)),
        }
    }
}

/// A cursor is the key of the last record that was read: variant and hash in hexadecimal. It is never "0".
fn cursor_text((DimensionId(dimension), hash): (DimensionId, u64)) -> String {
    format!("{dimension:x}-{hash:016x}")
}

/// Reads what [`cursor_text`] made, and nothing else.
fn read_cursor(text: &str) -> Option<(DimensionId, u64)> {
    let (dimension, hash) = text.split_once('-')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let key = (DimensionId(hex(dimension)?), hex(hash)?);
    (cursor_text(key) == text).then_some(key)
}

impl From<Error> for HomeError {
    fn from(error: Error) -> Self {
        match error.kind() {
            // A full disk is another kind: only a queue says that there is no room in it.
            Kind::Busy => HomeError::Full,
            Kind::NotFound
            | Kind::Conflict { .. }
            | Kind::Invalid
            | Kind::WrongType { .. }
            | Kind::TooLarge
            | Kind::Full
            | Kind::Closed
            | Kind::Storage
            | Kind::Bug => HomeError::Unavailable(error.to_string()),
        }
    }
}
