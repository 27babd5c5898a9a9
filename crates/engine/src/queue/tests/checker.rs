//! Producers and consumers at once, and a machine that stops at any moment: nothing that was acknowledged is undone.
//!
//! `MANIFOLD_CHECKER_MESSAGES` says how many messages go through, 4,000 unless it is set.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use manifold_store::disk::Reboot;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::*;

const CRASHES: u64 = 20;
/// Producers, and as many consumers.
const CROWD: u64 = 16;
/// Consumers of dead letters.
const UNDERTAKERS: u64 = 4;
const LEASE: Duration = Duration::from_millis(200);

/// What everybody has been told so far.
#[derive(Debug, Default)]
struct Told {
    /// Messages whose enqueue was acknowledged.
    enqueued: HashSet<u64>,
    /// Messages whose ack was answered, and the end of the lease it was made under.
    acked: HashMap<u64, Timestamp>,
    /// Messages whose ack was sent and the lease it named, unless the answer was that it did not hold.
    perhaps_acked: HashSet<(u64, Option<u64>)>,
    /// Messages that somebody holds, and until when.
    held: HashMap<u64, Timestamp>,
}

#[derive(Debug)]
struct Check {
    messages: u64,
    next: AtomicU64,
    told: Mutex<Told>,
}

/// Enough chance for a consumer to make up its mind.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn content(message: &Message) -> u64 {
    let text = std::str::from_utf8(&message.payload.bytes).expect("digits");
    text.split(' ').next().and_then(|digits| digits.parse().ok()).expect("digits")
}

impl Check {
    /// Sends until all is sent or the machine stops.
    async fn produce(self: Arc<Self>, engine: Engine) {
        loop {
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            if id >= self.messages {
                return;
            }
            let length = (id % 7) as usize * 100;
            let message = urgent(&format!("{id} {}", "x".repeat(length)), (id % 3) as i64);
            if engine.queue_enqueue(&ns("n"), &q("q"), message).await.is_err() {
                return;
            }
            self.told.lock().enqueued.insert(id);
        }
    }

    /// Takes, and acknowledges most, until the machine stops or nothing is left.
    async fn consume(self: Arc<Self>, engine: Engine, mut dice: Dice) {
        loop {
            let dequeue = Dequeue { lease: Some(LEASE), wait: ms(100), ..up_to(1 + dice.roll(5) as usize) };
            let Ok(taken) = engine.queue_dequeue(&ns("n"), &q("q"), dequeue).await else { return };
            if taken.is_empty() && self.is_drained(&engine).await {
                return;
            }
            for delivery in taken {
                let id = content(&delivery.message);
                let held = Held { sequence: delivery.message.sequence, lease: Some(delivery.lease) };
                self.delivered(id, delivery.expires_at);
                let goes_on = match dice.roll(10) {
                    0 => true,
                    1 => self.give_back(&engine, id, held, NackTo::Ready(Duration::ZERO)).await,
                    2 => self.give_back(&engine, id, held, NackTo::Ready(ms(30))).await,
                    3 => self.give_back(&engine, id, held, NackTo::Dead).await,
                    _ => self.ack(&engine, Shelf::Messages, id, held, delivery.expires_at).await,
                };
                if !goes_on {
                    return;
                }
            }
        }
    }

    /// The same with dead letters, of which many are left where they are.
    async fn consume_letters(self: Arc<Self>, engine: Engine, mut dice: Dice) {
        loop {
            let dequeue = Dequeue { lease: Some(LEASE), wait: ms(100), ..up_to(1 + dice.roll(3) as usize) };
            let Ok(taken) = engine.queue_take_letters(&ns("n"), &q("q"), dequeue).await else { return };
            if taken.is_empty() && self.is_drained(&engine).await {
                return;
            }
            for delivery in taken {
                let id = content(&delivery.message);
                let held = Held { sequence: delivery.message.sequence, lease: Some(delivery.lease) };
                self.delivered(id, delivery.expires_at);
                let goes_on = match dice.roll(4) {
                    0 => true,
                    1 => self.return_letter(&engine, id, held).await,
                    _ => self.ack(&engine, Shelf::Letters, id, held, delivery.expires_at).await,
                };
                if !goes_on {
                    return;
                }
            }
        }
    }

    async fn is_drained(&self, engine: &Engine) -> bool {
        let stats = engine.queue_stats(&ns("n"), &q("q")).await;
        let drained = stats.is_ok_and(|stats| stats.ready + stats.leased == 0);
        drained && self.next.load(Ordering::Relaxed) >= self.messages
    }

    fn delivered(&self, id: u64, until: Timestamp) {
        let mut told = self.told.lock();
        // Two consumers may come here in another order than they were served.
        let acked_later = told.acked.get(&id).is_none_or(|acked| until < *acked);
        assert!(acked_later, "message {id} was acknowledged and comes again");
        if let Some(other) = told.held.insert(id, until) {
            let apart = other.plus(LEASE) <= until || until.plus(LEASE) <= other;
            assert!(apart, "message {id} is delivered while it is leased");
        }
    }

    async fn give_back(&self, engine: &Engine, id: u64, held: Held, to: NackTo) -> bool {
        self.told.lock().held.remove(&id);
        engine.queue_nack(&ns("n"), &q("q"), Nack { messages: vec![held], to }).await.is_ok()
    }

    async fn return_letter(&self, engine: &Engine, id: u64, held: Held) -> bool {
        self.told.lock().held.remove(&id);
        engine.queue_settle_letters(&ns("n"), &q("q"), vec![held], LetterDeed::Return).await.is_ok()
    }

    async fn ack(&self, engine: &Engine, shelf: Shelf, id: u64, held: Held, until: Timestamp) -> bool {
        self.told.lock().perhaps_acked.insert((id, held.lease));
        let answer = match shelf {
            Shelf::Messages => engine.queue_ack(&ns("n"), &q("q"), vec![held]).await,
            Shelf::Letters => engine.queue_settle_letters(&ns("n"), &q("q"), vec![held], LetterDeed::Ack).await,
        };
        let Ok(settled) = answer else { return false };
        let mut told = self.told.lock();
        match settled.done {
            1 => drop(told.acked.insert(id, until)),
            _ => drop(told.perhaps_acked.remove(&(id, held.lease))),
        }
        true
    }

    fn start(self: &Arc<Self>, house: &House, round: u64) -> JoinSet<()> {
        let mut crowd = JoinSet::new();
        for number in 0..CROWD {
            crowd.spawn(self.clone().produce(house.engine.clone()));
            crowd.spawn(self.clone().consume(house.engine.clone(), Dice(round * 100 + number)));
            if number < UNDERTAKERS {
                crowd.spawn(self.clone().consume_letters(house.engine.clone(), Dice(round * 100 + number + 50)));
            }
        }
        crowd
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_undone_by_crashes() {
    let messages = std::env::var("MANIFOLD_CHECKER_MESSAGES").ok().and_then(|messages| messages.parse().ok());
    let check = Arc::new(Check { messages: messages.unwrap_or(4000), next: AtomicU64::new(0), told: Mutex::default() });
    let mut house = House::new().await;
    let clock = house.options.clock.clone();
    let ticking = tokio::spawn(async move {
        loop {
            tokio::time::sleep(ms(1)).await;
            clock.advance(5);
        }
    });
    for round in 0..CRASHES {
        let mut crowd = check.start(&house, round);
        while check.next.load(Ordering::Relaxed) < check.messages * (round + 1) / (CRASHES + 1) {
            tokio::time::sleep(ms(1)).await;
        }
        house.crash(Reboot::Mixed(round)).await;
        while let Some(member) = crowd.join_next().await {
            member.expect("nothing was undone");
        }
        house.counts().await;
    }
    let mut crowd = check.start(&house, CRASHES);
    while let Some(member) = crowd.join_next().await {
        member.expect("nothing was undone");
    }
    ticking.abort();

    let list = ListDead { after: None, limit: usize::MAX, max_bytes: usize::MAX };
    let letters = house.queue_dead(&ns("n"), &q("q"), list).await.expect("dead").letters;
    let dead: HashSet<u64> = letters.iter().map(|letter| content(&letter.message)).collect();
    house.advance(1000);
    let mut left = HashSet::new();
    // The last consumer may have gone before the last message came.
    while let [delivery] = &house.take(ONE).await[..] {
        left.insert(content(&delivery.message));
    }
    let told = check.told.lock();
    assert!(dead.iter().chain(&left).all(|id| !told.acked.contains_key(id)), "an acknowledged message is still there");
    let gone: HashSet<u64> = told.perhaps_acked.iter().map(|(id, _)| *id).collect();
    for id in &told.enqueued {
        assert!(gone.contains(id) || dead.contains(id) || left.contains(id), "message {id} is lost");
    }
    assert!(told.enqueued.len() as u64 + CROWD * CRASHES >= check.messages);
}
