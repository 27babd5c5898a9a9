//! Where queues, records and leases live: the engine of this process, or Redis. Both know the same verbs, and each verb is
//! one atomic step of its home.

use manifold_engine::recache::{
    BotHit, DeadLetter, Depth, Enqueue, HostId, Lease, PageKey, Priority, Pull, Pulled, Queued, Record, Scheduled,
    Selection,
};

mod embedded;
pub(super) mod redis;
mod registry;

pub(super) use embedded::Embedded;
pub(super) use redis::Redis;
pub(super) use registry::{RegisteredGateway, Registry, RenderService, reachable};

/// Why a home did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HomeError {
    /// It cannot be reached, or cannot write. What was asked may have happened or not.
    #[error("{0}")]
    Unavailable(String),
    /// It runs something that takes long, and says so.
    #[error("busy")]
    Busy,
    /// The queue would be longer than allowed; nothing was stored.
    #[error("the queue is full")]
    Full,
    /// The cursor is none that was given out.
    #[error("the cursor is unknown")]
    BadCursor,
}

type Result<T> = std::result::Result<T, HomeError>;

/// Where queues, records and leases live.
#[derive(Debug, Clone)]
pub(super) enum Home {
    Embedded(Embedded),
    Redis(Redis),
}

impl Home {
    /// Puts entries into a queue, all at once, or none of them.
    pub(super) async fn enqueue(&self, enqueue: Enqueue) -> Result<()> {
        match self {
            Home::Embedded(home) => home.enqueue(enqueue).await,
            Home::Redis(home) => home.calls().count("enqueue", home.enqueue(enqueue)).await,
        }
    }

    /// Takes entries that are due at `now` and leases them, each queue by itself. Answers in the order of `pulls`.
    pub(super) async fn pull(&self, pulls: &[Pull], now: u64) -> Result<Vec<Pulled>> {
        match self {
            Home::Embedded(home) => home.pull(pulls, now).await,
            Home::Redis(home) => home.calls().count("pull", home.pull(pulls, now)).await,
        }
    }

    /// Ends leases: their entries were brought to an end.
    pub(super) async fn finish(&self, leases: &[Lease]) -> Result<()> {
        match self {
            Home::Embedded(home) => home.finish(leases).await,
            Home::Redis(home) => home.calls().count("finish", home.finish(leases)).await,
        }
    }

    /// Notes that a leased entry failed `attempts` times and is tried again at `ready_at`: a crash must not forget
    /// either.
    pub(super) async fn wait_for_retry(&self, lease: &Lease, attempts: u32, ready_at: u64) -> Result<()> {
        match self {
            Home::Embedded(home) => home.wait_for_retry(lease, attempts, ready_at).await,
            Home::Redis(home) => {
                home.calls().count("wait_for_retry", home.wait_for_retry(lease, attempts, ready_at)).await
            }
        }
    }

    /// Ends a lease and keeps a dead letter instead; of a host's letters the oldest beyond `most` go.
    pub(super) async fn bury(&self, lease: &Lease, letter: DeadLetter, most: u64) -> Result<()> {
        match self {
            Home::Embedded(home) => home.bury(lease, letter, most).await,
            Home::Redis(home) => home.calls().count("bury", home.bury(lease, letter, most)).await,
        }
    }

    /// Puts leased entries back into their queues, due as `due` of each lease says; where one is queued again already,
    /// the earlier time stays. Attempts are kept.
    pub(super) async fn give_back(&self, leases: &[Lease]) -> Result<()> {
        match self {
            Home::Embedded(home) => home.give_back(leases).await,
            Home::Redis(home) => home.calls().count("give_back", home.give_back(leases)).await,
        }
    }

    /// Puts back what this process had leased when it ended, and tells how much that was. In a shared home also what
    /// others left that are gone.
    pub(super) async fn recover(&self) -> Result<u64> {
        match self {
            Home::Embedded(home) => home.recover().await,
            Home::Redis(home) => home.calls().count("recover", home.recover()).await,
        }
    }

    /// How full the queues of hosts are at `now`, in the order of `hosts` and of [`Priority::ALL`].
    pub(super) async fn depths(&self, hosts: &[HostId], now: u64) -> Result<Vec<[Depth; 3]>> {
        match self {
            Home::Embedded(home) => home.depths(hosts, now).await,
            Home::Redis(home) => home.calls().count("depths", home.depths(hosts, now)).await,
        }
    }

    /// Entries of a host's queues, one queue after the other as listed, by due time inside; and whether more follow.
    pub(super) async fn queued(
        &self,
        host: HostId,
        priorities: &[Priority],
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<Queued>, bool)> {
        match self {
            Home::Embedded(home) => home.queued(host, priorities, offset, limit).await,
            Home::Redis(home) => home.calls().count("queued", home.queued(host, priorities, offset, limit)).await,
        }
    }

    /// Removes what waits in queues of a host; how many entries that were.
    pub(super) async fn purge(&self, host: HostId, priorities: &[Priority]) -> Result<u64> {
        match self {
            Home::Embedded(home) => home.purge(host, priorities).await,
            Home::Redis(home) => home.calls().count("purge", home.purge(host, priorities)).await,
        }
    }

    /// Dead letters of a host, the newest first; and whether more follow.
    pub(super) async fn failed(&self, host: HostId, offset: usize, limit: usize) -> Result<(Vec<DeadLetter>, bool)> {
        match self {
            Home::Embedded(home) => home.failed(host, offset, limit).await,
            Home::Redis(home) => home.calls().count("failed", home.failed(host, offset, limit)).await,
        }
    }

    /// How many dead letters hosts have, in the order of `hosts`.
    pub(super) async fn failed_counts(&self, hosts: &[HostId]) -> Result<Vec<u64>> {
        match self {
            Home::Embedded(home) => home.failed_counts(hosts).await,
            Home::Redis(home) => home.calls().count("failed_counts", home.failed_counts(hosts)).await,
        }
    }

    /// Puts all dead letters of a host back into their queues, due at `now`, attempts forgotten; how many there were.
    pub(super) async fn retry_failed(&self, host: HostId, now: u64, most: u64) -> Result<u64> {
        match self {
            Home::Embedded(home) => home.retry_failed(host, now, most).await,
            Home::Redis(home) => home.calls().count("retry_failed", home.retry_failed(host, now, most)).await,
        }
    }

    /// The record of a page.
    pub(super) async fn record(&self, key: PageKey) -> Result<Option<Record>> {
        match self {
            Home::Embedded(home) => home.record(key).await,
            Home::Redis(home) => home.calls().count("record", home.record(key)).await,
        }
    }

    /// Keeps the record of a page until `gone_at`.
    pub(super) async fn store_record(&self, key: PageKey, record: &Record, gone_at: u64) -> Result<()> {
        match self {
            Home::Embedded(home) => home.store_record(key, record, gone_at).await,
            Home::Redis(home) => home.calls().count("store_record", home.store_record(key, record, gone_at)).await,
        }
    }

    /// Deletes records; how many there were. Files of theirs are for removal from `files_at` on.
    pub(super) async fn forget(&self, keys: &[PageKey], files_at: u64) -> Result<u64> {
        match self {
            Home::Embedded(home) => home.forget(keys, files_at).await,
            Home::Redis(home) => home.calls().count("forget", home.forget(keys, files_at)).await,
        }
    }

    /// Deletes the records of a host that are selected; how many there were. Files as with `forget`.
    pub(super) async fn forget_selected(&self, host: HostId, selection: &Selection, files_at: u64) -> Result<u64> {
        match self {
            Home::Embedded(home) => home.forget_selected(host, selection, files_at).await,
            Home::Redis(home) => {
                home.calls().count("forget_selected", home.forget_selected(host, selection, files_at)).await
            }
        }
    }

    /// Records of a host, about `count` of them, from a cursor on that an earlier call gave, or from the beginning; with
    /// the cursor that goes on, none at the end.
    pub(super) async fn records(
        &self,
        host: HostId,
        cursor: Option<&str>,
        count: usize,
    ) -> Result<(Vec<(PageKey, Record)>, Option<String>)> {
        match self {
            Home::Embedded(home) => home.records(host, cursor, count).await,
            Home::Redis(home) => home.calls().count("records", home.records(host, cursor, count)).await,
        }
    }

    /// Notes a visit in the page's record, if there is one, and makes sure its entry is due no later than the hit says.
    pub(super) async fn bot_hit(&self, hit: BotHit) -> Result<Scheduled> {
        match self {
            Home::Embedded(home) => home.bot_hit(hit).await,
            Home::Redis(home) => home.calls().count("bot_hit", home.bot_hit(hit)).await,
        }
    }

    /// Files of forgotten records that are for removal at `now`, at most `most` of them.
    pub(super) async fn removable_files(&self, now: u64, most: usize) -> Result<Vec<String>> {
        match self {
            Home::Embedded(home) => home.removable_files(now, most).await,
            Home::Redis(home) => home.calls().count("removable_files", home.removable_files(now, most)).await,
        }
    }

    /// Says that files are removed.
    pub(super) async fn files_removed(&self, files: &[String]) -> Result<()> {
        match self {
            Home::Embedded(home) => home.files_removed(files).await,
            Home::Redis(home) => home.calls().count("files_removed", home.files_removed(files)).await,
        }
    }

    /// Whether it answers.
    pub(super) async fn ping(&self) -> Result<()> {
        match self {
            Home::Embedded(home) => home.ping().await,
            Home::Redis(home) => home.calls().count("ping", home.ping()).await,
        }
    }

    /// Members of queues that could not be read and were removed, since the start.
    pub(super) fn malformed_members(&self) -> u64 {
        match self {
            Home::Embedded(_) => 0,
            Home::Redis(home) => home.malformed_members(),
        }
    }

    /// Says that this process ends.
    pub(super) async fn close(&self) {
        match self {
            Home::Embedded(_) => {}
            Home::Redis(home) => home.close().await,
        }
    }

    /// Who is there besides this process.
    pub(super) async fn registry(&self) -> Result<Registry> {
        match self {
            Home::Embedded(_) => Ok(Registry::alone()),
            Home::Redis(home) => home.calls().count("registry", home.registry()).await,
        }
    }
}
