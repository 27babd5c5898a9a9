//! A queue against plain maps: random steps, with restarts and crashes in between; after every step answers and counts
//! must be equal.
//!
//! `MANIFOLD_MODEL_CASES` says how many cases are tried, 500 unless it is set.

use std::collections::BTreeSet;

use manifold_store::disk::Reboot;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use plain::{At, Letter, Model, give_up};

use super::*;
use crate::{Level, Result, tests::cases};

mod plain;

const SETTINGS: Settings = Settings {
    max_depth: Some(12),
    max_attempts: 3,
    max_dead: Some(4),
    max_held: Some(3),
    dedup_window: Duration::from_millis(200),
    lease: Duration::from_millis(100),
    default_priority: 1,
};

#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        priority: Option<i64>,
        delay: u64,
        key: Option<u8>,
        max_attempts: Option<u32>,
    },
    Dequeue {
        count: usize,
        lease: Option<u64>,
        consumer: Option<u64>,
    },
    TakeLetters {
        count: usize,
        lease: Option<u64>,
        consumer: Option<u64>,
    },
    SettleLetters(Vec<Pick>, LetterDeed),
    Ack(Vec<Pick>),
    Nack(Vec<Pick>, NackTo),
    Extend(Vec<Pick>, u64),
    Requeue(Vec<u64>),
    Peek(usize),
    Letters {
        skip: usize,
        limit: usize,
    },
    Purge,
    PurgeDead,
    PurgeLetters(PurgeLetters),
    Delete,
    Advance(u64),
    /// Stop and start, or crash and recover.
    Again,
}

/// A delivery counted from the latest one back, named with its lease or without.
#[derive(Debug, Clone, Copy)]
struct Pick {
    back: usize,
    by_lease: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let pick = (0usize..10, proptest::bool::ANY).prop_map(|(back, by_lease)| Pick { back, by_lease });
    let picks = proptest::collection::vec(pick, 1..4);
    let to = prop_oneof![
        3 => Just(NackTo::Ready(Duration::ZERO)),
        2 => (1u64..150).prop_map(|delay| NackTo::Ready(ms(delay))),
        1 => Just(NackTo::Undelivered),
        2 => Just(NackTo::Dead),
    ];
    let enqueue = (
        proptest::option::of(-2i64..3),
        prop_oneof![3 => Just(0u64), 1 => 1u64..200],
        proptest::option::weighted(0.3, 0u8..4),
        proptest::option::weighted(0.3, 1u32..4),
    );
    let take = (1usize..4, proptest::option::of(1u64..300), proptest::option::of(1u64..3));
    let deed = prop_oneof![2 => Just(LetterDeed::Return), 1 => Just(LetterDeed::Ack), 1 => Just(LetterDeed::Discard)];
    prop_oneof![
        8 => enqueue.prop_map(|(priority, delay, key, max_attempts)| Step::Enqueue { priority, delay, key, max_attempts }),
        6 => take.clone().prop_map(|(count, lease, consumer)| Step::Dequeue { count, lease, consumer }),
        3 => take.prop_map(|(count, lease, consumer)| Step::TakeLetters { count, lease, consumer }),
        3 => (picks.clone(), deed).prop_map(|(picks, deed)| Step::SettleLetters(picks, deed)),
        4 => picks.clone().prop_map(Step::Ack),
        4 => (picks.clone(), to).prop_map(|(picks, to)| Step::Nack(picks, to)),
        1 => (picks, 1u64..300).prop_map(|(picks, lease)| Step::Extend(picks, lease)),
        1 => proptest::collection::vec(1u64..40, 1..4).prop_map(Step::Requeue),
        1 => (0usize..5).prop_map(Step::Peek),
        1 => (0usize..3, 1usize..4).prop_map(|(skip, limit)| Step::Letters { skip, limit }),
        1 => prop_oneof![
            8 => Just(Step::Purge),
            2 => Just(Step::PurgeDead),
            1 => Just(Step::PurgeLetters(PurgeLetters::All)),
            2 => Just(Step::PurgeLetters(PurgeLetters::NotHeld)),
            3 => Just(Step::Delete)
        ],
        4 => (1u64..150).prop_map(Step::Advance),
        1 => Just(Step::Again),
    ]
}

/// An engine and the model of one of its queues.
struct Rig<'a> {
    engine: &'a Engine,
    queue: QueueName,
    model: Model,
    /// Numbers and leases of all deliveries.
    seen: Vec<Held>,
}

fn found<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(found) => Some(found),
        Err(error) => {
            assert_eq!(error.kind(), &Kind::NotFound, "{error}");
            None
        }
    }
}

impl Rig<'_> {
    fn held(&self, picks: &[Pick]) -> Vec<Held> {
        let held = |pick: &Pick| {
            let at = self.seen.len().checked_sub(pick.back + 1);
            let held = at.map_or(Held { sequence: 999, lease: Some(1) }, |at| self.seen[at]);
            Held { lease: held.lease.filter(|_| pick.by_lease), ..held }
        };
        picks.iter().map(held).collect()
    }

    async fn apply(&mut self, step: &Step) {
        self.model.due();
        let namespace = ns("model");
        let (engine, queue) = (self.engine, self.queue.clone());
        match step {
            Step::Enqueue { priority, delay, key, max_attempts } => {
                let enqueue = Enqueue {
                    priority: *priority,
                    delay: ms(*delay),
                    dedup_key: key.map(|key| format!("key {key}").into()),
                    max_attempts: *max_attempts,
                    settings: SETTINGS,
                    ..say("payload")
                };
                let done = engine.queue_enqueue(&namespace, &queue, enqueue).await;
                let done = done.map_err(|error| error.kind().clone());
                assert_eq!(done, self.enqueue(*priority, *delay, *key, *max_attempts));
            }
            Step::Dequeue { count, lease, consumer } => {
                let taken = engine.queue_dequeue(&namespace, &queue, take(*count, *lease, *consumer)).await;
                assert_eq!(told(&taken.expect("dequeue")), self.dequeue(*count, lease.unwrap_or(100), *consumer));
            }
            Step::TakeLetters { count, lease, consumer } => {
                let taken = engine.queue_take_letters(&namespace, &queue, take(*count, *lease, *consumer)).await;
                assert_eq!(told(&taken.expect("take")), self.take_letters(*count, lease.unwrap_or(100), *consumer));
            }
            Step::SettleLetters(picks, deed) => {
                let held = self.held(picks);
                let done = found(engine.queue_settle_letters(&namespace, &queue, held.clone(), *deed).await);
                assert_eq!(done, self.model.settle_letters(&held, *deed));
            }
            Step::Ack(picks) => {
                let held = self.held(picks);
                let done = found(engine.queue_ack(&namespace, &queue, held.clone()).await);
                let expected = self.model.each(&held, |model, sequence| {
                    model.messages.remove(&sequence);
                    model.acked += 1;
                    false
                });
                assert_eq!(done, expected);
            }
            Step::Nack(picks, to) => {
                let messages = self.held(picks);
                let nack = Nack { messages: messages.clone(), to: *to };
                let done = found(engine.queue_nack(&namespace, &queue, nack).await);
                assert_eq!(done, self.model.each(&messages, |model, sequence| give_up(model, sequence, *to)));
            }
            Step::Extend(picks, lease) => {
                let held = self.held(picks);
                let done = found(engine.queue_extend(&namespace, &queue, held.clone(), ms(*lease)).await);
                let expected = self.model.each(&held, |model, sequence| {
                    let until = model.now + lease;
                    let letter = model.messages.get_mut(&sequence).expect("a leased message");
                    let At::Leased { lease, .. } = letter.at else { panic!("a leased message") };
                    letter.at = At::Leased { lease, until };
                    false
                });
                assert_eq!(done, expected);
            }
            Step::Requeue(dead) => {
                let done = found(engine.queue_requeue(&namespace, &queue, dead.clone()).await);
                assert_eq!(done, self.requeue(dead));
            }
            Step::Peek(count) => {
                let peeked = found(engine.queue_peek(&namespace, &queue, *count, usize::MAX).await);
                let peeked = peeked.map(|peeked| peeked.iter().map(|m| (m.sequence, m.attempts)).collect::<Vec<_>>());
                let visible = self.model.visible().into_iter().take(*count);
                let expected = visible.map(|sequence| (sequence, self.model.messages[&sequence].attempts)).collect();
                assert_eq!(peeked, self.model.exists.then_some(expected));
            }
            Step::Letters { skip, limit } => self.list_letters(*skip, *limit).await,
            Step::Purge => {
                let purged = found(engine.queue_purge(&namespace, &queue).await);
                let exists = self.model.exists;
                assert_eq!(purged, exists.then(|| self.model.purge(|at| matches!(at, At::Waiting(_)))));
            }
            Step::PurgeDead => {
                let purged = found(engine.queue_purge_dead(&namespace, &queue).await);
                let exists = self.model.exists;
                assert_eq!(purged, exists.then(|| self.model.purge(|at| matches!(at, At::Dead { .. }))));
            }
            Step::PurgeLetters(what) => {
                let purged = found(engine.queue_purge_letters(&namespace, &queue, *what).await);
                let there = self.model.has_letters();
                let goes = |at: &At| match (at, what) {
                    (At::Dead { .. }, PurgeLetters::All) => true,
                    (At::Dead { held, .. }, PurgeLetters::NotHeld) => held.is_none(),
                    (At::Waiting(_) | At::Leased { .. }, _) => false,
                };
                assert_eq!(purged, there.then(|| self.model.purge(goes)));
            }
            Step::Delete => {
                assert_eq!(engine.queue_delete(&namespace, &queue).await.expect("delete"), self.model.exists);
                if self.model.exists {
                    self.model.delete();
                }
            }
            Step::Advance(_) | Step::Again => unreachable!("steps of the whole house"),
        }
    }

    async fn check(&mut self) {
        self.model.due();
        let stats = found(self.engine.queue_stats(&ns("model"), &self.queue).await);
        let lasting = stats.map(|stats| Stats { by_itself: ByItself::default(), ..stats });
        assert_eq!(lasting, self.model.stats());
        let letters = found(self.engine.queue_letter_stats(&ns("model"), &self.queue).await);
        assert_eq!(letters, self.model.letter_stats());
        if let Some(Stats { enqueued_total, ready, leased, dead, acked_total, purged_total, .. }) = stats {
            assert_eq!(enqueued_total, ready + leased + dead + acked_total + purged_total);
        }
    }

    fn enqueue(
        &mut self,
        priority: Option<i64>,
        delay: u64,
        key: Option<u8>,
        max_attempts: Option<u32>,
    ) -> Result<Enqueued, Kind> {
        let model = &mut self.model;
        model.exists = true;
        let earlier = key.and_then(|key| model.keys.get(&key));
        if let Some((sequence, _)) =
            earlier.copied().filter(|(sequence, until)| model.messages.contains_key(sequence) || model.now < *until)
        {
            return Ok(Enqueued { sequence, deduplicated: true, position: None });
        }
        if model.waiting() >= 12 {
            return Err(Kind::Busy);
        }
        model.last += 1;
        model.enqueued += 1;
        let sequence = model.last;
        let at = At::Waiting((delay > 0).then_some(model.now + delay));
        let letter = Letter {
            priority: priority.unwrap_or(1),
            max_attempts: max_attempts.unwrap_or(3),
            attempts: 0,
            enqueued_at: model.now,
            at,
            holder: None,
        };
        model.messages.insert(sequence, letter);
        model.keys.extend(key.map(|key| (key, (sequence, model.now + 200))));
        let place = model.visible().iter().position(|visible| *visible == sequence).map(|place| place as u64 + 1);
        Ok(Enqueued { sequence, deduplicated: false, position: place })
    }

    fn dequeue(&mut self, count: usize, lease: u64, consumer: Option<u64>) -> Vec<Told> {
        let model = &mut self.model;
        if !model.exists {
            return Vec::new();
        }
        let mut taken = Vec::new();
        let count =
            if consumer.is_some() { count.min(3usize.saturating_sub(model.held_by(consumer, false))) } else { count };
        for sequence in model.visible().into_iter().take(count) {
            model.last_lease += 1;
            model.delivered += 1;
            let until = model.now + lease;
            let letter = model.messages.get_mut(&sequence).expect("a visible message");
            letter.attempts += 1;
            letter.at = At::Leased { lease: model.last_lease, until };
            letter.holder = consumer;
            taken.push((sequence, letter.attempts, model.last_lease, until));
            self.seen.push(Held { sequence, lease: Some(model.last_lease) });
        }
        taken
    }

    fn take_letters(&mut self, count: usize, lease: u64, consumer: Option<u64>) -> Vec<Told> {
        let model = &mut self.model;
        let mut taken = Vec::new();
        let count =
            if consumer.is_some() { count.min(3usize.saturating_sub(model.held_by(consumer, true))) } else { count };
        for sequence in model.free_letters().into_iter().take(count) {
            model.last_lease += 1;
            model.letters.delivered += 1;
            let until = model.now + lease;
            let letter = model.messages.get_mut(&sequence).expect("a letter");
            if let At::Dead { held, .. } = &mut letter.at {
                *held = Some((model.last_lease, until));
            }
            letter.holder = consumer;
            taken.push((sequence, letter.attempts, model.last_lease, until));
            self.seen.push(Held { sequence, lease: Some(model.last_lease) });
        }
        taken
    }

    fn requeue(&mut self, dead: &[u64]) -> Option<Settled> {
        self.model.exists.then_some(())?;
        let mut settled = Settled::default();
        let mut named = BTreeSet::new();
        for sequence in dead.iter().filter(|sequence| named.insert(**sequence)) {
            match self.model.messages.get_mut(sequence) {
                Some(letter) if matches!(letter.at, At::Dead { .. }) => {
                    letter.at = At::Waiting(None);
                    letter.attempts = 0;
                    letter.holder = None;
                    settled.done += 1;
                }
                _ => settled.not_found.push(*sequence),
            }
        }
        Some(settled)
    }

    async fn list_letters(&self, skip: usize, limit: usize) {
        let dead: Vec<_> = self.model.dead().into_iter().collect();
        let after =
            skip.checked_sub(1).and_then(|last| dead.get(last)).map(|(at, sequence)| (Timestamp(*at), *sequence));
        let rest = if after.is_some() { &dead[skip..] } else { &dead };
        let list = ListDead { after, limit, max_bytes: usize::MAX };
        let page = found(self.engine.queue_dead(&ns("model"), &self.queue, list).await);
        let page = page.map(|page| {
            let letters = page.letters.iter().map(|l| (l.dead_at.0, l.message.sequence, l.message.attempts, l.reason));
            (letters.collect::<Vec<_>>(), page.more)
        });
        let expected = rest.iter().take(limit).map(|(dead_at, sequence)| {
            let letter = &self.model.messages[sequence];
            let At::Dead { reason, .. } = letter.at else { panic!("a dead letter") };
            (*dead_at, *sequence, letter.attempts, reason)
        });
        assert_eq!(page, self.model.exists.then(|| (expected.collect(), rest.len() > limit)));
    }
}

/// Number, attempts, lease and its end of a delivery.
type Told = (u64, u32, u64, u64);

fn told(taken: &[Delivery]) -> Vec<Told> {
    taken.iter().map(|d| (d.message.sequence, d.message.attempts, d.lease, d.expires_at.0)).collect()
}

fn take(count: usize, lease: Option<u64>, consumer: Option<u64>) -> Dequeue {
    Dequeue { count, lease: lease.map(ms), consumer: consumer.map(Consumer::Named), ..ONE }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Cases that share an engine: opening one costs more than a case, and what it has written it keeps in memory.
const SHARE: u32 = 50;

#[test]
fn a_queue_does_what_plain_maps_would() {
    let runtime = runtime();
    let house = async || House::with(|options| options.level = Level::Os).await;
    let shared = std::cell::RefCell::new((0, runtime.block_on(house())));
    let mut runner = proptest::test_runner::TestRunner::new(cases(500, 1));
    let steps = proptest::collection::vec(step(), 1..200);
    let done = runner.run(&steps, |steps| {
        let (number, shared) = &mut *shared.borrow_mut();
        *number += 1;
        runtime.block_on(async {
            if *number % SHARE == 0 {
                shared.engine.close().await.expect("closes");
                *shared = house().await;
            }
            let model = Model { now: shared.engine.now().0, ..Model::default() };
            let queue = q(&format!("q{number}"));
            let mut rig = Rig { engine: &shared.engine, queue, model, seen: Vec::new() };
            for step in &steps {
                match step {
                    Step::Advance(by) => {
                        shared.advance(*by);
                        rig.model.now += by;
                    }
                    Step::Again => {}
                    step => rig.apply(step).await,
                }
                rig.check().await;
            }
            shared.queue_delete(&ns("model"), &rig.queue).await.expect("delete");
        });
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

proptest! {
    #![proptest_config(cases(32, 1))]
    #[test]
    fn a_queue_is_what_it_was_after_every_crash(
        steps in proptest::collection::vec(step(), 1..100),
        power in proptest::bool::ANY,
        seed in 0u64..1000,
    ) {
        runtime().block_on(async {
            let mut house = House::new().await;
            let mut model = Model { now: START.0, ..Model::default() };
            let mut seen = Vec::new();
            for step in &steps {
                match step {
                    Step::Advance(by) => {
                        house.advance(*by);
                        model.now += by;
                    }
                    Step::Again => {
                        house.crash(if power { Reboot::Mixed(seed) } else { Reboot::Lost }).await;
                        model.messages.values_mut().for_each(|letter| letter.holder = None);
                    }
                    _ => {}
                }
                let mut rig = Rig { engine: &house.engine, queue: q("q"), model, seen };
                if !matches!(step, Step::Advance(_) | Step::Again) {
                    rig.apply(step).await;
                }
                rig.check().await;
                Rig { model, seen, .. } = rig;
            }
        });
    }
}
