//! Who may be given jobs now, and who has how many.
//!
//! Registered gateways come before configured ones, then the one of the original's file, then the worker. A gateway that
//! cannot be reached is left out for a while.

use std::{collections::HashMap, sync::Arc, time::Duration};

use foldhash::quality::RandomState;
use manifold_engine::recache::HostId;
use tokio::time::Instant;

use super::budget::{Load, may_begin};
use crate::dialects::edgecomet::{
    config::Config,
    home::{Registry, reachable},
};

#[cfg(test)]
mod tests;

/// How long a gateway is left out.
const LEFT_OUT: Duration = Duration::from_secs(10);
/// So many errors in a row, and a gateway is left out.
const ERRORS_IN_A_ROW: u32 = 3;
/// Render services report a job after this time at the latest.
const REPORTED_AFTER: Duration = Duration::from_secs(2);

/// A gateway that jobs may be given to.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Gateway {
    /// What it calls itself, or its address.
    pub(in super::super) id: String,
    /// `host:port`.
    pub(in super::super) address: String,
    /// Whether it says itself that it is there. Of others nobody knows before they are asked.
    pub(in super::super) registered: bool,
}

/// What does a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Target {
    /// A gateway.
    Gateway(Arc<Gateway>),
    /// This process.
    Worker,
}

/// How a target was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Contact {
    /// It answered, whatever it said.
    Answered,
    /// It did not answer, or not to the end.
    Broke,
    /// Nobody is there.
    Refused,
}

/// Everybody who may be given jobs, and all jobs in flight.
#[derive(Debug)]
pub(in super::super) struct Roster {
    registered: Vec<Arc<Gateway>>,
    configured: Vec<Arc<Gateway>>,
    of_file: Vec<Arc<Gateway>>,
    /// Jobs the worker takes at a time; none = it is off.
    slots: Option<u64>,
    /// Jobs of one host that the worker takes at a time.
    of_host: Option<u64>,
    /// Jobs a gateway takes at a time; none = services report what is free.
    of_gateway: Option<u64>,
    reserved_share: f64,
    /// What render services report as free.
    reported_free: u64,
    daemons: u64,
    standings: HashMap<Arc<str>, Standing, RandomState>,
    flights: HashMap<u64, Flight, RandomState>,
    /// Jobs of the worker by host.
    worker_jobs: HashMap<HostId, u64, RandomState>,
}

/// What is known of a gateway from its jobs.
#[derive(Debug, Default)]
struct Standing {
    in_flight: u64,
    errors_in_a_row: u32,
    left_out: Option<LeftOut>,
}

#[derive(Debug, Clone, Copy)]
struct LeftOut {
    until: Instant,
    /// Also when there is nobody else.
    by_all_means: bool,
}

/// A job in flight.
#[derive(Debug)]
struct Flight {
    target: Target,
    host: HostId,
    began: Instant,
}

/// Who gets the next job.
enum Current<'a> {
    /// The one of these with the fewest, by id.
    Gateways(Vec<&'a Arc<Gateway>>),
    Worker,
    Nobody,
}

impl Roster {
    /// Those of the configuration. `slots` are the worker's, if it is on.
    pub(in super::super) fn new(config: &Config, slots: Option<usize>) -> Self {
        let embedded = config.is_embedded();
        let known = |address: &String| {
            let address = reachable(address).unwrap_or_else(|| address.clone());
            Arc::new(Gateway { id: address.clone(), address, registered: false })
        };
        let mut configured: Vec<_> = config.gateways.iter().map(known).collect();
        configured.sort_by(|a, b| a.id.cmp(&b.id));
        configured.dedup();
        // Where nobody else could have put its jobs there, a gateway of the file gets none either.
        let of_file = config.gateway_file.listen.as_ref().filter(|_| !embedded);
        let of_file = of_file.map(|listen| {
            let address = reachable(listen).or_else(|| reachable(&format!(":{listen}")));
            let address = address.unwrap_or_else(|| listen.clone());
            let id = config.gateway_file.eg_id.clone().unwrap_or_else(|| address.clone());
            Arc::new(Gateway { id, address, registered: false })
        });
        let of_host = config.worker.host_concurrency as u64;
        Roster {
            registered: Vec::new(),
            configured,
            of_file: of_file.into_iter().collect(),
            slots: slots.map(|slots| slots as u64),
            of_host: (of_host > 0).then_some(of_host),
            of_gateway: embedded.then_some(config.recache.gateway_concurrency),
            reserved_share: config.recache.rs_capacity_reserved,
            reported_free: 0,
            daemons: 1,
            standings: HashMap::default(),
            flights: HashMap::default(),
            worker_jobs: HashMap::default(),
        }
    }

    /// Takes over who is there, and what is free.
    pub(in super::super) fn learn(&mut self, registry: Registry) {
        let Registry { render_services, gateways, daemons } = registry;
        let services = render_services.iter();
        self.reported_free =
            services.map(|found| found.capacity.saturating_sub(found.load)).fold(0, u64::saturating_add);
        self.daemons = daemons;
        let gateways = gateways.into_iter();
        let gateways = gateways.map(|found| {
            let (id, address) = (found.eg_id, found.address);
            Arc::new(Gateway { id, address, registered: true })
        });
        self.registered = gateways.collect();
        self.registered.sort_by(|a, b| a.id.cmp(&b.id));
        let known = self.registered.iter().chain(&self.configured).chain(&self.of_file);
        let known: Vec<&str> = known.map(|gateway| gateway.id.as_str()).collect();
        self.standings.retain(|id, standing| standing.in_flight > 0 || known.contains(&&**id));
    }

    /// Nobody is known to be there but those of the configuration.
    pub(in super::super) fn forget(&mut self) {
        self.learn(Registry::alone());
    }

    /// Jobs that healthy targets could begin, the share of visitors included.
    pub(in super::super) fn free(&self, now: Instant) -> u64 {
        let own = match self.current(now) {
            Current::Worker => self.openings_of_worker(),
            Current::Gateways(gateways) => {
                self.of_gateway.map_or(0, |most| gateways.iter().map(|gateway| self.openings(gateway, most)).sum())
            }
            Current::Nobody => 0,
        };
        self.reported_free.saturating_add(own)
    }

    /// Jobs that may begin now.
    pub(in super::super) fn capacity(&self, now: Instant) -> u64 {
        let openings = match self.current(now) {
            Current::Nobody => 0,
            Current::Worker => self.openings_of_worker(),
            Current::Gateways(_) if self.of_gateway.is_none() => u64::MAX,
            Current::Gateways(_) => self.free(now),
        };
        may_begin(self.load(now), self.reserved_share).min(openings)
    }

    /// Jobs of a host that may begin now, whatever others do.
    pub(in super::super) fn room_of(&self, host: HostId, now: Instant) -> u64 {
        match (self.of_host, self.current(now)) {
            (Some(most), Current::Worker) => most.saturating_sub(self.worker_jobs.get(&host).copied().unwrap_or(0)),
            _ => u64::MAX,
        }
    }

    /// Gives a job to whom it belongs; none when nobody takes it.
    pub(in super::super) fn begin(&mut self, job: u64, host: HostId, now: Instant) -> Option<Target> {
        let target = match self.current(now) {
            Current::Gateways(gateways) => {
                let open = gateways
                    .into_iter()
                    .filter(|gateway| self.of_gateway.is_none_or(|most| self.openings(gateway, most) > 0));
                Target::Gateway(open.min_by_key(|gateway| self.in_flight_at(gateway))?.clone())
            }
            Current::Worker if self.openings_of_worker() > 0 => Target::Worker,
            Current::Worker | Current::Nobody => return None,
        };
        match &target {
            Target::Gateway(gateway) => self.standing(gateway).in_flight += 1,
            Target::Worker => *self.worker_jobs.entry(host).or_default() += 1,
        }
        self.flights.insert(job, Flight { target: target.clone(), host, began: now });
        Some(target)
    }

    /// A job has ended, and so was its target met. True when a gateway is left out from now on.
    pub(in super::super) fn ended(&mut self, job: u64, contact: Contact, now: Instant) -> bool {
        let Some(Flight { target, host, .. }) = self.flights.remove(&job) else { return false };
        let Target::Gateway(gateway) = target else {
            if let Some(jobs) = self.worker_jobs.get_mut(&host) {
                *jobs -= 1;
                if *jobs == 0 {
                    self.worker_jobs.remove(&host);
                }
            }
            return false;
        };
        let standing = self.standing(&gateway);
        standing.in_flight -= 1;
        if contact == Contact::Answered {
            (standing.errors_in_a_row, standing.left_out) = (0, None);
            return false;
        }
        standing.errors_in_a_row = standing.errors_in_a_row.saturating_add(1);
        let by_all_means = contact == Contact::Refused && !gateway.registered;
        if !by_all_means && standing.errors_in_a_row < ERRORS_IN_A_ROW {
            return false;
        }
        let was_left_out = standing.left_out.is_some_and(|left_out| now < left_out.until);
        standing.left_out = Some(LeftOut { until: now + LEFT_OUT, by_all_means });
        !was_left_out
    }

    /// Jobs of a host in flight.
    pub(in super::super) fn in_flight_of(&self, host: HostId) -> usize {
        self.flights.values().filter(|flight| flight.host == host).count()
    }

    fn current(&self, now: Instant) -> Current<'_> {
        let classes = [&self.registered, &self.configured, &self.of_file];
        let open = |all: &'_ Vec<Arc<Gateway>>, only_by_all_means: bool| -> Vec<usize> {
            (0..all.len()).filter(|at| !self.is_left_out(&all[*at], only_by_all_means, now)).collect()
        };
        let find = |only_by_all_means| {
            let found = classes.into_iter().map(|all| (all, open(all, only_by_all_means)));
            let mut found = found.filter(|(_, open)| !open.is_empty());
            found.next().map(|(all, open)| Current::Gateways(open.into_iter().map(|at| &all[at]).collect()))
        };
        match (find(false), self.slots) {
            (Some(gateways), _) => gateways,
            (None, Some(_)) => Current::Worker,
            // Better one that broke off than nobody.
            (None, None) => find(true).unwrap_or(Current::Nobody),
        }
    }

    fn is_left_out(&self, gateway: &Gateway, only_by_all_means: bool, now: Instant) -> bool {
        let left_out = self.standings.get(gateway.id.as_str()).and_then(|standing| standing.left_out);
        left_out.is_some_and(|left_out| now < left_out.until && (left_out.by_all_means || !only_by_all_means))
    }

    /// What the budget is made of: the jobs that take what is counted as free.
    fn load(&self, now: Instant) -> Load {
        let free = self.free(now);
        let (mut own, mut reported) = (0, 0);
        match self.current(now) {
            Current::Worker => {
                own = self.at_worker();
                reported = own;
            }
            Current::Gateways(gateways) if self.of_gateway.is_some() => {
                own = gateways.iter().map(|gateway| self.in_flight_at(gateway)).sum();
                reported = own;
            }
            Current::Gateways(_) | Current::Nobody => {}
        }
        if self.of_gateway.is_none() {
            let at_gateways = self.flights.values().filter(|flight| flight.target != Target::Worker);
            for flight in at_gateways {
                own += 1;
                reported += u64::from(now.saturating_duration_since(flight.began) >= REPORTED_AFTER);
            }
        }
        Load { free, reported, own, daemons: self.daemons }
    }

    fn at_worker(&self) -> u64 {
        self.worker_jobs.values().sum()
    }

    fn openings_of_worker(&self) -> u64 {
        self.slots.map_or(0, |slots| slots.saturating_sub(self.at_worker()))
    }

    fn openings(&self, gateway: &Gateway, most: u64) -> u64 {
        most.saturating_sub(self.in_flight_at(gateway))
    }

    fn in_flight_at(&self, gateway: &Gateway) -> u64 {
        self.standings.get(gateway.id.as_str()).map_or(0, |standing| standing.in_flight)
    }

    fn standing(&mut self, gateway: &Gateway) -> &mut Standing {
        self.standings.entry(gateway.id.as_str().into()).or_default()
    }
}
