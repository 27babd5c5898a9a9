//! The verbs of the model on the engine's handle.

use super::{
    BotHit, DeadLetter, Depth, DimensionId, Enqueue, HostId, Lease, PageKey, Priority, Pull, Pulled, Queued, Record,
    RecordPage, Scheduled, Selection, files, leases, letters, queues, records,
};
use crate::{Engine, Result};

/// Pages to fetch anew. Every answer is durable; each verb is one step unless it says otherwise.
impl Engine {
    /// Puts entries into a queue, all at once. `Busy` when the queue would be longer than allowed, and nothing is stored.
    pub async fn recache_enqueue(&self, enqueue: Enqueue) -> Result<()> {
        queues::enqueue(self.live()?, enqueue).await
    }
    /// Takes entries that are due at `now` and leases them. Answers in the order of `pulls`.
    pub async fn recache_pull(&self, pulls: &[Pull], now: u64) -> Result<Vec<Pulled>> {
        leases::pull(self.live()?, pulls, now).await
    }
    /// Ends leases: their entries were brought to an end.
    pub async fn recache_finish(&self, leases: &[Lease]) -> Result<()> {
        leases::finish(self.live()?, leases).await
    }
    /// Notes that a leased entry failed `attempts` times and is tried again at `ready_at`.
    pub async fn recache_wait_for_retry(&self, lease: &Lease, attempts: u32, ready_at: u64) -> Result<()> {
        leases::wait_for_retry(self.live()?, lease, attempts, ready_at).await
    }
    /// Ends a lease and keeps a dead letter instead; of a host's letters the oldest beyond `most` go.
    pub async fn recache_bury(&self, lease: &Lease, letter: DeadLetter, most: u64) -> Result<()> {
        letters::bury(self.live()?, lease, letter, most).await
    }
    /// Puts leased entries back into their queues, due as `due` of each lease says; where one is queued again already,
    /// the earlier time stays. Attempts are kept.
    pub async fn recache_give_back(&self, leases: &[Lease]) -> Result<()> {
        leases::give_back(self.live()?, leases).await
    }
    /// Puts back what was leased when the run before ended, some at a time, and tells how much that was.
    pub async fn recache_recover(&self) -> Result<u64> {
        leases::recover(self.live()?).await
    }
    /// How full the queues of hosts are at `now`, in the order of `hosts` and of [`Priority::ALL`].
    pub async fn recache_depths(&self, hosts: &[HostId], now: u64) -> Result<Vec<[Depth; 3]>> {
        queues::depths(self.live()?, hosts, now).await
    }
    /// Entries of a host's queues, one queue after the other as listed, by due time inside; and whether more follow.
    pub async fn recache_queued(
        &self,
        host: HostId,
        priorities: &[Priority],
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<Queued>, bool)> {
        queues::queued(self.live()?, host, priorities, offset, limit).await
    }
    /// Removes what waits in queues of a host, some at a time; how many entries that were. What comes in meanwhile may
    /// stay.
    pub async fn recache_purge(&self, host: HostId, priorities: &[Priority]) -> Result<u64> {
        queues::purge(self.live()?, host, priorities).await
    }
    /// Dead letters of a host, the newest first; and whether more follow.
    pub async fn recache_failed(&self, host: HostId, offset: usize, limit: usize) -> Result<(Vec<DeadLetter>, bool)> {
        letters::failed(self.live()?, host, offset, limit).await
    }
    /// How many dead letters hosts have, in the order of `hosts`.
    pub async fn recache_failed_counts(&self, hosts: &[HostId]) -> Result<Vec<u64>> {
        letters::count(self.live()?, hosts).await
    }
    /// Puts all dead letters of a host back into their queues, due at `now`, attempts forgotten; how many there were.
    /// `Busy` when a queue would be longer than `most` (0 = no limit), and nothing changes.
    pub async fn recache_retry_failed(&self, host: HostId, now: u64, most: u64) -> Result<u64> {
        letters::retry_failed(self.live()?, host, now, most).await
    }
    /// The record of a page.
    pub async fn recache_record(&self, key: PageKey) -> Result<Option<Record>> {
        records::record(self.live()?, key)
    }
    /// Keeps the record of a page until the second `gone_at`. Its file is not for removal then, but that of the record
    /// before is soon, if it is another.
    pub async fn recache_store_record(&self, key: PageKey, record: &Record, gone_at: u64) -> Result<()> {
        records::store(self.live()?, key, record, gone_at).await
    }
    /// Deletes records, some at a time; how many there were. Files of theirs are for removal from `files_at` on.
    pub async fn recache_forget(&self, keys: &[PageKey], files_at: u64) -> Result<u64> {
        records::forget(self.live()?, keys, files_at).await
    }
    /// Deletes the records of a host that are selected, some at a time; how many there were. A record that is stored
    /// meanwhile goes or stays. Files as with [`Engine::recache_forget`].
    pub async fn recache_forget_selected(&self, host: HostId, selection: &Selection, files_at: u64) -> Result<u64> {
        records::forget_selected(self.live()?, host, selection, files_at).await
    }
    /// Records of a host in the order of their keys, at most `count` of them (fewer where some have ended), behind a
    /// key; with the key that goes on, none at the end. A record that is there throughout is met exactly once.
    pub async fn recache_records(
        &self,
        host: HostId,
        after: Option<(DimensionId, u64)>,
        count: usize,
    ) -> Result<RecordPage> {
        records::list(self.live()?, host, after, count)
    }
    /// Notes a visit in the page's record, if there is one, and makes sure its entry is due no later than the hit says.
    /// `Busy` when the queue is full, and nothing changes.
    pub async fn recache_bot_hit(&self, hit: &BotHit) -> Result<Scheduled> {
        records::bot_hit(self.live()?, hit).await
    }
    /// Files of forgotten records that are for removal at `now`, at most `most` of them.
    pub async fn recache_removable_files(&self, now: u64, most: usize) -> Result<Vec<String>> {
        files::removable(self.live()?, now, most)
    }
    /// Says that files are removed.
    pub async fn recache_files_removed(&self, files: &[String]) -> Result<()> {
        files::removed(self.live()?, files).await
    }
}
