//! The built-in worker: fetches pages, or renders them, and stores them.

mod fetched;

use super::{
    config::Config,
    home::Home,
    hosts::CurrentHosts,
    job::{Job, Outcome},
    pages::Pages,
};

/// The worker.
#[derive(Debug)]
pub(super) struct Worker {
    hosts: CurrentHosts,
    home: Home,
    pages: Pages,
    slots: usize,
}

impl Worker {
    /// A worker within the bounds of the configuration.
    pub(super) fn new(config: &Config, hosts: CurrentHosts, home: Home, pages: Pages) -> Self {
        Worker { hosts, home, pages, slots: config.worker.concurrency }
    }

    /// Jobs it takes at a time.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Does one job. The caller keeps to the number of slots. Dropping the future ends the job.
    pub(super) async fn run(&self, _job: &Job) -> Outcome {
        Outcome::Temporary("not yet".to_owned())
    }

    /// Ends what it runs beside jobs.
    pub(super) async fn close(&self) {}
}
