//! A disk that stops, fails or is full at any moment.

use manifold_store::{
    Batch, Range, Store, View,
    disk::{Fault, Reboot, SimDisk},
};

use super::*;
use crate::{Clock, Options, State, keys, tests::ground};

/// What of the numbers of a queue survives a restart.
fn lasting(stats: Stats) -> Stats {
    Stats { waiting: 0, by_itself: ByItself::default(), ..stats }
}

/// A queue, and its dead letters as one.
type Seen = (Option<Stats>, Option<LetterStats>);

async fn look(engine: &Engine) -> Seen {
    let (n, q) = (ns("n"), q("q"));
    (engine.queue_stats(&n, &q).await.map(lasting).ok(), engine.queue_letter_stats(&n, &q).await.ok())
}

/// Operations in a fixed order; after each of them the queue is told to `after`, until one is refused.
async fn script(engine: &Engine, mut after: impl FnMut(Seen)) -> crate::Result<()> {
    let (n, q) = (ns("n"), q("q"));
    let tell = async || look(engine).await;
    let nack = |sequence, to| Nack { messages: any(sequence), to };
    for text in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        engine.queue_enqueue(&n, &q, keyed(text, text)).await?;
        after(tell().await);
    }
    engine.queue_dequeue(&n, &q, up_to(4)).await?;
    after(tell().await);
    engine.queue_ack(&n, &q, any(1)).await?;
    after(tell().await);
    engine.queue_nack(&n, &q, nack(2, NackTo::Dead)).await?;
    after(tell().await);
    engine.queue_nack(&n, &q, nack(3, NackTo::Ready(ms(10)))).await?;
    after(tell().await);
    engine.queue_extend(&n, &q, any(4), ms(5000)).await?;
    after(tell().await);
    engine.queue_take_letters(&n, &q, ONE).await?;
    after(tell().await);
    engine.queue_settle_letters(&n, &q, any(2), LetterDeed::Return).await?;
    after(tell().await);
    engine.queue_requeue(&n, &q, vec![2]).await?;
    after(tell().await);
    engine.queue_nack(&n, &q, nack(4, NackTo::Dead)).await?;
    after(tell().await);
    engine.queue_take_letters(&n, &q, ONE).await?;
    after(tell().await);
    engine.queue_purge(&n, &q).await?;
    after(tell().await);
    engine.queue_delete(&n, &q).await?;
    after(tell().await);
    engine.queue_settle_letters(&n, &q, any(4), LetterDeed::Ack).await?;
    after(tell().await);
    engine.queue_enqueue(&n, &q, keyed("a", "a")).await?;
    after(tell().await);
    Ok(())
}

fn options() -> Options {
    Options { clock: Clock::manual(START), ..Options::new("/data") }
}

#[tokio::test]
async fn a_machine_that_stops_at_any_call_keeps_what_was_acknowledged() {
    let house = House::new().await;
    let opened = house.disk.calls();
    let mut states = vec![(None, None)];
    script(&house.engine, |seen| states.push(seen)).await.expect("no fault");
    let calls = house.disk.calls();
    for call in opened + 1..=calls {
        for (fault, how) in
            [(Fault::Crash, Reboot::Lost), (Fault::Crash, Reboot::Kept), (Fault::Tear, Reboot::Mixed(call))]
        {
            let disk = SimDisk::new();
            let mut house = House::on(disk, options()).await;
            house.disk.fault_at(call, fault);
            let mut acknowledged = 0;
            if script(&house.engine, |_| acknowledged += 1).await.is_ok() {
                continue;
            }
            house.crash(how).await;
            let found = look(&house.engine).await;
            let told = &states[acknowledged..states.len().min(acknowledged + 2)];
            assert!(told.contains(&found), "call {call}, {how:?}: {found:?} is neither of {told:?}");
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_messages_takes_acks_and_heals() {
    let house = House::new().await;
    house.send(say("first")).await;
    house.send(say("second")).await;
    house.taken(up_to(2)).await;
    house.disk.set_capacity(Some(house.disk.used()));
    let mut sent = 2;
    let long = "x".repeat(3000);
    let refusal = loop {
        match house.queue_enqueue(&ns("n"), &q("q"), say(&long)).await {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refusal.kind(), &Kind::Full);
    assert_eq!(house.state(), State::DiskFull);
    assert_eq!(house.counts().await.enqueued_total, sent);
    assert_eq!(house.ack(any(1)).await, done(1));
    house.advance(1000);
    assert_eq!(house.counts().await.leased, 0, "the end of a lease is recorded");
    house.disk.set_capacity(None);
    house.send(say("after")).await;
    assert_eq!(house.taken(ONE).await, [(2, 2)]);
}

#[tokio::test]
async fn nothing_is_told_that_a_failed_disk_may_not_have() {
    let mut house = House::new().await;
    house.send(say("first")).await;
    house.disk.fail_syncs(true);
    assert_eq!(refused(house.queue_dequeue(&ns("n"), &q("q"), ONE).await).kind(), &Kind::Storage);
    house.disk.fail_syncs(false);
    assert_eq!(refused(house.queue_enqueue(&ns("n"), &q("q"), say("second")).await).kind(), &Kind::Storage);
    assert_eq!(refused(house.queue_stats(&ns("n"), &q("q")).await).kind(), &Kind::Storage);
    house.crash(Reboot::Lost).await;
    assert_eq!(house.taken(up_to(2)).await, [(1, 1)]);
}

#[tokio::test]
async fn a_queue_that_lacks_a_row_is_refused_and_stays_as_it_is() {
    let (n, q) = (ns("n"), q("q"));
    let mut house = House::new().await;
    for text in ["a", "b"] {
        house.engine.queue_enqueue(&n, &q, keyed(text, text)).await.expect("enqueue");
    }
    house.engine.queue_dequeue(&n, &q, up_to(1)).await.expect("dequeue");
    house.engine.queue_nack(&n, &q, Nack { messages: any(1), to: NackTo::Dead }).await.expect("nack");
    house.engine.close().await.expect("closes");

    let options = manifold_store::Options { maintenance: false, ..manifold_store::Options::new(keys::TABLES) };
    let disk = std::sync::Arc::new(house.disk.clone());
    let store = Store::open(disk, "/data".as_ref(), options).expect("the log is whole");
    let mut batch = Batch::new();
    // How far the numbers of its messages go.
    let range = Range { from: Vec::new(), to: None, limit: 10, reverse: false };
    for (row, _) in store.range(View::Latest, keys::QUEUE_BLOCK, &range).rows {
        batch.delete(keys::QUEUE_TALLY, &row[..8]);
    }
    store.commit(batch).expect("accepted");
    store.close().expect("closes");

    house.engine = Engine::open_on(ground(&house.disk), house.options.clone());
    house.engine.recovered().await.expect("the other rows are whole");
    for _ in 0..2 {
        house.engine.queue_requeue(&n, &q, vec![1]).await.expect_err("a row is missing");
        house.engine.queue_stats(&n, &q).await.expect_err("a row is missing");
    }
    house.engine.close().await.expect("closes");
}
