//! What executes jobs: gateways or the built-in worker.
//!
//! `roster` knows which of them there are and who does what, `budget` how many jobs may begin, `gateway` speaks with
//! gateways, `verdict` understands what they say.

use std::sync::Arc;

use super::{
    config::Config,
    job::{Job, Outcome},
    worker::Worker,
};

mod budget;
mod gateway;
mod roster;
mod verdict;

pub(super) use budget::reserved;
pub(super) use roster::{Contact, Roster, Target};

/// Everything jobs may be given to. Clones share connections.
#[derive(Debug, Clone)]
pub(super) struct Targets {
    pub(super) worker: Option<Arc<Worker>>,
    gateways: gateway::Client,
}

impl Targets {
    /// The worker, if it is on, and gateways that know the key of the configuration.
    pub(super) fn new(config: &Config, worker: Option<Arc<Worker>>) -> Self {
        Targets { worker, gateways: gateway::Client::new(config) }
    }

    /// Does one job; what became of it, and how the target was met. Dropping the future ends the job.
    pub(super) async fn run(&self, target: &Target, job: &Job) -> (Outcome, Contact) {
        match (target, &self.worker) {
            (Target::Gateway(gateway), _) => self.gateways.run(gateway, job).await,
            (Target::Worker, Some(worker)) => (worker.run(job).await, Contact::Answered),
            (Target::Worker, None) => (Outcome::NotTried("the worker is off".to_owned()), Contact::Answered),
        }
    }
}
