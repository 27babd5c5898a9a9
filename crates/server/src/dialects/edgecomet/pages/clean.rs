//! Removing files that nobody needs: those of forgotten records soon, all others once they are long past their expiry.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use manifold_engine::Clock;
use tokio::time::{MissedTickBehavior, interval};

use super::{Config, Pages, blocking, path, sweep};
use crate::dialects::edgecomet::{
    home::{Home, HomeError},
    hosts::CurrentHosts,
};

#[cfg(test)]
mod tests;

/// Time between looks for files of forgotten records.
const LOOK: Duration = Duration::from_secs(1);
/// Files removed between two looks at most.
const AT_ONCE: usize = 64;

impl Pages {
    /// Removes files that nobody needs. Never completes.
    pub(in super::super) async fn keep_clean(&self, config: &Config, home: &Home, hosts: &CurrentHosts) {
        let owns = config.owns_pages();
        if owns {
            self.kept.tidy(&self.base);
        }
        // What belongs to others is touched only when that was asked for.
        let removes = config.storage.cleanup.enabled.unwrap_or(owns);
        tokio::join!(self.keep_removing(home, removes), async {
            if removes {
                self.keep_sweeping(config, hosts).await;
            }
        });
    }

    async fn keep_removing(&self, home: &Home, removes: bool) {
        let clock = Clock::system();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let now = clock.now().0 / 1000;
            if let Err(error) = self.remove_forgotten(home, now, removes).await {
                tracing::debug!(%error, "edgecomet: files of forgotten pages are looked for again later");
            }
        }
    }

    /// Removes the files of records that were forgotten long enough ago. Where nothing is to be removed they are only
    /// crossed off, so that the list does not grow.
    async fn remove_forgotten(&self, home: &Home, now: u64, removes: bool) -> Result<(), HomeError> {
        loop {
            let files = home.removable_files(now, AT_ONCE).await?;
            if files.is_empty() {
                return Ok(());
            }
            for file in files.iter().filter(|_| removes) {
                self.remove_unless_needed(home, file).await?;
            }
            // One that could not be removed is left to the sweeper: tried again and again it would keep the others waiting.
            home.files_removed(&files).await?;
            if files.len() < AT_ONCE {
                return Ok(());
            }
        }
    }

    /// Removes a file, unless a newer record refers to it: a page that expires in the same minute again has the same file.
    async fn remove_unless_needed(&self, home: &Home, file: &str) -> Result<(), HomeError> {
        let Some(key) = path::page_of(file) else {
            tracing::warn!(file, "edgecomet: not removed, because it is no file of a page");
            return Ok(());
        };
        let _held = self.hold(key).await;
        let needed = home.record(key).await?.is_some_and(|record| record.file_path == file);
        if needed {
            return Ok(());
        }
        let (base, relative, kept) = (self.base.clone(), file.to_owned(), self.kept.clone());
        let removing = move || {
            kept.keep(&base, &relative);
            std::fs::remove_file(base.join(&relative))
        };
        match blocking(removing).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(file, %error, "edgecomet: cannot remove the file of a forgotten page");
            }
            Ok(()) | Err(_) => {}
        }
        Ok(())
    }

    async fn keep_sweeping(&self, config: &Config, hosts: &CurrentHosts) {
        let clock = Clock::system();
        let cleanup = &config.storage.cleanup;
        let mut round = interval(cleanup.interval.0.max(Duration::from_secs(1)));
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            round.tick().await;
            let kept = hosts.get().longest_stale_ttl.saturating_add(cleanup.safety_margin.0);
            let now = clock.now().0 / 1000;
            let before = i64::try_from(now.saturating_sub(kept.as_secs())).unwrap_or(i64::MAX);
            match self.sweep(before).await {
                Ok(0) => {}
                Ok(files) => tracing::info!(files, "edgecomet: removed files of pages that expired long ago"),
                Err(error) => tracing::warn!(%error, "edgecomet: cannot look through the directory of pages"),
            }
        }
    }

    /// Removes the files of pages that expired before a Unix second; how many they were. Stops when it is dropped.
    async fn sweep(&self, before: i64) -> io::Result<u64> {
        // Records of a backup may be about to end: the next round removes their files.
        if self.kept.is_needed() {
            return Ok(0);
        }
        let (base, stop) = (self.base.clone(), Arc::new(AtomicBool::new(false)));
        let _stops = StopOnDrop(stop.clone());
        blocking(move || sweep::sweep(&base, before, &stop)).await
    }
}

/// Tells a thread to come to its end when nobody waits for it any more: the end of the process would wait otherwise.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
