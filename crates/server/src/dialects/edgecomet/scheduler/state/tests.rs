use std::collections::{BTreeMap, VecDeque};

use manifold_engine::recache::{DimensionId, Entry, Priority};

use super::*;

const HIGH: Priority = Priority::High;
const NORMAL: Priority = Priority::Normal;

/// A scheduler with the worker as target, a home in memory and a clock in the hand.
struct Desk {
    state: State,
    hosts: Vec<HostId>,
    queues: BTreeMap<(HostId, Priority), VecDeque<Lease>>,
    leases: u64,
    began: Instant,
    ms: u64,
}

impl Desk {
    fn new(slots: usize, change: impl FnOnce(&mut Config)) -> Desk {
        let mut config = Config::default();
        config.recache.rs_capacity_reserved = 0.0;
        change(&mut config);
        let state = State::new(&config, Some(slots), Timestamp(0));
        let hosts = vec![HostId(1), HostId(2)];
        Desk { state, hosts, queues: BTreeMap::new(), leases: 0, began: Instant::now(), ms: 1_000_000 }
    }

    fn enqueue(&mut self, host: u64, priority: Priority, pages: impl IntoIterator<Item = u64>) {
        for page in pages {
            self.leases += 1;
            let entry = Entry { url: format!("https://a.b/{page}").into(), dimension: DimensionId(1) };
            let lease = Lease { id: self.leases, host: HostId(host), priority, entry, due: 7, attempts: 0 };
            self.queues.entry((HostId(host), priority)).or_default().push_back(lease);
        }
    }

    fn queued(&self, host: u64, priority: Priority) -> usize {
        self.queues.get(&(HostId(host), priority)).map_or(0, VecDeque::len)
    }

    fn now(&self) -> Moment {
        Moment { instant: self.began + Duration::from_millis(self.ms), wall: Timestamp(self.ms) }
    }

    fn tick(&mut self) {
        self.state.tick(Timestamp(self.ms), &self.hosts);
        self.pull();
    }

    /// Pulls until there is nothing to pull; how many calls that were.
    fn pull(&mut self) -> usize {
        let mut calls = 0;
        loop {
            let pulls = self.state.pulls(self.now().instant);
            if pulls.is_empty() {
                return calls;
            }
            calls += 1;
            let pulled = pulls.into_iter().map(|pull| {
                let queue = self.queues.entry((pull.host, pull.priority)).or_default();
                let leases = queue.drain(..pull.most.min(queue.len())).collect();
                Pulled { pull, leases, due_left: !queue.is_empty() }
            });
            let pulled = pulled.collect();
            self.state.pulled(pulled);
        }
    }

    /// Begins what may begin.
    fn begin(&mut self) -> Vec<Lease> {
        let now = self.now().instant;
        self.state.waiting.wake(now);
        std::iter::from_fn(|| self.state.begin(now)).map(|(lease, _)| lease).collect()
    }

    fn end(&mut self, lease: Lease, outcome: Outcome) -> Option<JobEnd> {
        let now = self.now();
        self.state.ended(lease, outcome, Contact::Answered, now).0
    }

    /// What the home is told, by lease.
    fn told(&mut self) -> BTreeMap<u64, (Lease, End)> {
        let batch = self.state.owed.take();
        self.state.owed.told(Vec::new());
        batch.into_iter().map(|(lease, end)| (lease.id, (lease, end))).collect()
    }
}

fn failed() -> Outcome {
    Outcome::Temporary("no answer".to_owned())
}

#[test]
fn as_much_is_pulled_as_can_begin_and_the_rest_stays_queued() {
    let mut desk = Desk::new(10, |_| {});
    desk.enqueue(1, HIGH, 0..100);
    desk.tick();
    assert_eq!((desk.queued(1, HIGH), desk.state.waiting.len()), (90, 10));
    let begun = desk.begin();
    assert_eq!((begun.len(), desk.state.in_flight(), desk.state.waiting.len()), (10, 10, 0));
    // Without capacity a tick takes one more of the host.
    desk.tick();
    assert_eq!((desk.queued(1, HIGH), desk.state.waiting.len(), desk.begin().len()), (89, 1, 0));
    // What ends makes room at once, without a tick.
    for lease in begun {
        assert_eq!(desk.end(lease, Outcome::Done), Some(JobEnd::Success));
    }
    assert_eq!(desk.begin().len(), 1);
    assert_eq!(desk.pull(), 1, "nine entries by one call");
    assert_eq!((desk.begin().len(), desk.queued(1, HIGH)), (9, 80));
}

#[test]
fn less_urgent_queues_wait_for_their_look() {
    let mut desk = Desk::new(10, |config| {
        config.scheduler.normal_check_interval = config.scheduler.tick_interval;
        config.scheduler.normal_check_interval.0 *= 3;
    });
    desk.enqueue(1, NORMAL, 0..5);
    desk.tick();
    desk.tick();
    assert_eq!(desk.queued(1, NORMAL), 5);
    desk.tick();
    assert_eq!(desk.queued(1, NORMAL), 0);
}

#[test]
fn what_is_pulled_has_a_bound_and_what_failed_finds_room() {
    let mut desk = Desk::new(2, |config| config.internal_queue.max_size = 3);
    desk.enqueue(1, HIGH, 0..50);
    desk.enqueue(2, HIGH, 100..150);
    desk.tick();
    let begun = desk.begin();
    (0..5).for_each(|_| desk.tick());
    assert_eq!((desk.state.in_flight(), desk.state.waiting.len()), (2, 1));
    for lease in begun {
        assert_eq!(desk.end(lease, failed()), Some(JobEnd::Retry));
    }
    assert_eq!((desk.state.in_flight(), desk.state.waiting.len()), (0, 3));
    desk.tick();
    assert_eq!(desk.state.waiting.len(), 3);
}

#[test]
fn what_the_home_does_not_know_of_takes_space() {
    let mut desk = Desk::new(2, |config| config.internal_queue.max_size = 2);
    desk.enqueue(1, HIGH, 0..50);
    desk.tick();
    for lease in desk.begin() {
        desk.end(lease, Outcome::Done);
    }
    let batch = desk.state.owed.take();
    desk.tick();
    assert_eq!(desk.queued(1, HIGH), 48, "it is being told");
    desk.state.owed.told(batch);
    desk.tick();
    assert_eq!(desk.queued(1, HIGH), 48, "it was not told");
    desk.told();
    desk.tick();
    assert_eq!(desk.queued(1, HIGH), 46);
}

#[test]
fn an_entry_is_tried_as_often_as_configured_and_waits_longer_each_time() {
    let mut desk = Desk::new(10, |config| config.internal_queue.retry_base_delay = "100ms".parse().expect("a span"));
    desk.enqueue(1, HIGH, [5]);
    desk.tick();
    for (attempt, least) in [(1, 100), (2, 200)] {
        let lease = desk.begin().pop().expect("one job");
        assert_eq!(desk.end(lease, failed()), Some(JobEnd::Retry));
        let (lease, end) = desk.told().remove(&1).expect("the home is told");
        assert_eq!((end, lease.attempts, lease.due), (End::Wait, attempt, (desk.ms + least).div_ceil(1000)));
        desk.ms += least - 1;
        assert!(desk.begin().is_empty(), "too early");
        // A tenth later at the latest.
        desk.ms += 1 + least / 10;
    }
    let lease = desk.begin().pop().expect("one job");
    assert_eq!(desk.end(lease, failed()), Some(JobEnd::Failed));
    let (lease, end) = desk.told().remove(&1).expect("the home is told");
    let letter = DeadLetter {
        entry: lease.entry.clone(),
        priority: HIGH,
        attempts: 3,
        reason: "no answer".to_owned(),
        failed_at: desk.ms / 1000,
    };
    assert_eq!(end, End::Bury(letter));
    assert_eq!((desk.state.waiting.len(), desk.state.in_flight()), (0, 0));
}

#[test]
fn attempts_of_an_earlier_run_count() {
    let mut desk = Desk::new(10, |_| {});
    desk.enqueue(1, HIGH, [5]);
    desk.queues.values_mut().for_each(|queue| queue[0].attempts = 2);
    desk.tick();
    let lease = desk.begin().pop().expect("one job");
    assert_eq!(desk.end(lease, failed()), Some(JobEnd::Failed));
}

#[test]
fn what_would_fail_again_is_not_tried_again() {
    let mut desk = Desk::new(10, |_| {});
    desk.enqueue(1, HIGH, [5]);
    desk.tick();
    let lease = desk.begin().pop().expect("one job");
    assert_eq!(desk.end(lease, Outcome::Permanent("ö".repeat(5000))), Some(JobEnd::Failed));
    let Some((_, End::Bury(letter))) = desk.told().remove(&1) else { panic!("no letter") };
    assert_eq!((letter.attempts, letter.reason.chars().count()), (1, 500));
}

#[test]
fn nothing_to_store_ends_the_lease_without_a_letter() {
    let mut desk = Desk::new(10, |_| {});
    desk.enqueue(1, HIGH, [5]);
    desk.tick();
    let lease = desk.begin().pop().expect("one job");
    assert_eq!(desk.end(lease, Outcome::Skipped("off".to_owned())), Some(JobEnd::Skipped));
    assert_eq!(desk.told()[&1].1, End::Finish);
}

#[test]
fn a_target_that_was_not_there_is_no_attempt() {
    let mut desk = Desk::new(10, |_| {});
    desk.enqueue(1, HIGH, [5]);
    desk.tick();
    for _ in 0..10 {
        let lease = desk.begin().pop().expect("one job");
        assert_eq!(lease.attempts, 0);
        assert_eq!(desk.end(lease, Outcome::NotTried("nobody".to_owned())), None);
        assert!(desk.begin().is_empty(), "not at once");
        desk.ms += 1000;
    }
    assert!(desk.told().is_empty(), "for the home nothing changed");
}

#[test]
fn a_page_of_two_queues_is_done_one_after_the_other() {
    let mut desk = Desk::new(10, |config| config.scheduler.normal_check_interval = "0".parse().expect("a span"));
    desk.enqueue(1, HIGH, [5]);
    desk.tick();
    let first = desk.begin().pop().expect("one job");
    desk.enqueue(1, NORMAL, [5]);
    desk.tick();
    assert_eq!((desk.begin().len(), desk.queued(1, NORMAL)), (0, 0));
    desk.end(first, Outcome::Done);
    assert_eq!(desk.begin().len(), 1);
}

#[test]
fn of_two_that_wait_for_one_page_one_is_done() {
    let mut desk = Desk::new(10, |config| config.scheduler.normal_check_interval = "0".parse().expect("a span"));
    desk.enqueue(1, NORMAL, [5]);
    desk.enqueue(1, HIGH, [5]);
    desk.tick();
    let begun = desk.begin();
    assert_eq!((begun.len(), begun[0].priority), (1, HIGH));
    assert_eq!(desk.told().remove(&1).expect("the other lease").1, End::Finish);
    desk.end(begun[0].clone(), Outcome::Done);
    assert_eq!((desk.begin().len(), desk.state.waiting.len()), (0, 0));
}

#[test]
fn a_pause_stops_pulling_and_beginning_but_not_ticks_and_ends() {
    let mut desk = Desk::new(1, |_| {});
    desk.enqueue(1, HIGH, 0..5);
    desk.tick();
    desk.tick();
    let running = desk.begin().pop().expect("one job");
    assert_eq!(desk.state.waiting.len(), 1);
    desk.state.paused = true;
    desk.ms += 500;
    desk.tick();
    assert_eq!((desk.state.last_tick, desk.queued(1, HIGH)), (Timestamp(desk.ms), 3));
    assert_eq!(desk.end(running, Outcome::Done), Some(JobEnd::Success));
    assert_eq!((desk.begin().len(), desk.pull()), (0, 0));
    desk.state.paused = false;
    desk.tick();
    assert_eq!(desk.begin().len(), 1);
}

#[test]
fn entries_of_a_removed_host_go_back() {
    let mut desk = Desk::new(1, |_| {});
    desk.enqueue(1, HIGH, 0..2);
    desk.enqueue(2, HIGH, 10..14);
    desk.tick();
    desk.tick();
    desk.hosts.pop();
    let queued = desk.queued(2, HIGH);
    desk.tick();
    assert_eq!(desk.queued(2, HIGH), queued, "not pulled");
    let told = desk.told();
    assert!(!told.is_empty() && told.values().all(|(lease, end)| lease.host == HostId(2) && *end == End::GiveBack));
    assert_eq!(desk.state.waiting.of(HostId(2)), 0);
}

#[test]
fn at_the_end_everything_goes_back() {
    let mut desk = Desk::new(2, |_| {});
    desk.enqueue(1, HIGH, 0..9);
    (0..4).for_each(|_| desk.tick());
    let mut begun = desk.begin();
    desk.end(begun.pop().expect("a job"), failed());
    desk.state.closing = true;
    assert_eq!((desk.begin().len(), desk.pull()), (0, 0));
    let held = desk.state.waiting.len() + desk.state.in_flight();
    desk.state.give_back();
    let told = desk.told();
    assert_eq!(told.len(), held);
    assert!(told.values().all(|(_, end)| *end == End::GiveBack));
    // What waited for a retry is due when it is ready, with its attempts.
    assert!(told.values().any(|(lease, _)| lease.attempts == 1 && lease.due > desk.ms / 1000));
    assert_eq!((desk.state.waiting.len(), desk.state.in_flight()), (0, 0));
}

#[test]
fn one_host_does_not_take_all_that_others_need() {
    let mut desk = Desk::new(4, |config| config.worker.host_concurrency = 1);
    desk.enqueue(1, HIGH, 0..1000);
    desk.enqueue(2, HIGH, 2000..2003);
    desk.tick();
    let begun = desk.begin();
    assert_eq!(begun.iter().map(|lease| lease.host.0).collect::<Vec<_>>(), [2, 1]);
    // The slow host 1 still runs; host 2 goes on with each job that ends.
    let (_slow, mut quick): (Vec<_>, Vec<_>) = begun.into_iter().partition(|lease| lease.host == HostId(1));
    for _ in 0..2 {
        desk.end(quick.pop().expect("a job of host 2"), Outcome::Done);
        desk.pull();
        quick = desk.begin();
        assert_eq!(quick.iter().map(|lease| lease.host.0).collect::<Vec<_>>(), [2]);
    }
}
