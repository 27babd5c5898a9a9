//! The model from outside: what its verbs promise, with restarts in between.

use super::*;
use crate::{
    Kind,
    tests::{House, START, refused},
};

mod concurrency;
mod crash;
mod model;
mod queues;
mod records;

const HOST: HostId = HostId(1);
/// The manual clock's first second.
const NOW: u64 = START.0 / 1000;

fn entry(url: &str, dimension: u64) -> Entry {
    Entry { url: format!("https://a.b/{url}").into(), dimension: DimensionId(dimension) }
}

fn entries(urls: &[&str]) -> Vec<Entry> {
    urls.iter().map(|url| entry(url, 1)).collect()
}

/// Entries for the high queue of the host.
fn high(urls: &[&str], due: u64) -> Enqueue {
    Enqueue { host: HOST, priority: Priority::High, entries: entries(urls), due, most: 0 }
}

fn from_high(most: usize) -> Pull {
    Pull { host: HOST, priority: Priority::High, most }
}

/// What was asked for of an address, short enough to compare.
fn short(entry: &Entry) -> String {
    entry.url.strip_prefix("https://a.b/").unwrap_or(&entry.url).to_owned()
}

impl House {
    async fn enqueue(&self, enqueue: Enqueue) {
        self.recache_enqueue(enqueue).await.expect("enqueue");
    }

    async fn pull(&self, most: usize, now: u64) -> Vec<Lease> {
        let mut pulled = self.recache_pull(&[from_high(most)], now).await.expect("pull");
        pulled.pop().expect("one answer for each pull").leases
    }

    /// Everything that waits for the host: address, queue, due time.
    async fn all_queued(&self) -> Vec<(String, Priority, u64)> {
        let (page, more) = self.recache_queued(HOST, &Priority::ALL, 0, 1000).await.expect("queued");
        assert!(!more);
        page.iter().map(|queued| (short(&queued.entry), queued.priority, queued.due)).collect()
    }

    /// The high queue of the host: addresses and due times.
    async fn queued(&self) -> Vec<(String, u64)> {
        self.all_queued().await.into_iter().map(|(url, _, due)| (url, due)).collect()
    }

    async fn depth(&self, now: u64) -> Depth {
        self.recache_depths(&[HOST], now).await.expect("depths")[0][0]
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.recache_failed(HOST, 0, 1000).await.expect("failed").0
    }
}

fn pairs(of: &[(&str, u64)]) -> Vec<(String, u64)> {
    of.iter().map(|(url, due)| ((*url).to_owned(), *due)).collect()
}

fn letter_of(lease: &Lease, reason: &str) -> DeadLetter {
    DeadLetter {
        entry: lease.entry.clone(),
        priority: lease.priority,
        attempts: lease.attempts + 1,
        reason: reason.to_owned(),
        failed_at: NOW,
    }
}
