//! Several clients at once, each with its own names, while the server is killed or stopped in the middle and started
//! again, perhaps at another level. What was acknowledged is there, what was not is there as a whole or not at all, and
//! the feed goes on where it was.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    dice::Dice,
    feed::Feed,
    play::{Heard, Player},
    rounds,
    script::Author,
    seed,
    spell::Addresses,
    steps,
};
use crate::harness::{Server, Settings};

const CLIENTS: usize = 4;
/// How long clients are at work before the end, at least; on top of it come up to as many milliseconds as steps.
const WORK_MS: u64 = 50;

/// How one run of the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Kill,
    Stop,
}

#[test]
fn what_was_acknowledged_is_there_after_every_end() {
    let seed = seed();
    let told = run(seed, rounds(4));
    println!("seed {seed}: {}", told.unwrap_or_else(|why| panic!("seed {seed}: {why}")));
}

fn run(seed: u64, rounds: u64) -> Result<String, String> {
    let mut dice = Dice::new(seed);
    let mut level = "always";
    let mut server = Server::with(Settings::default().set("durability.level", level));
    let to = Addresses::of(&server);
    let client = |client| (Player::new(client, to), Author::new(client, dice.next()));
    let mut clients: Vec<(Player, Author)> = (0..CLIENTS).map(client).collect();
    let mut feed = Feed::default();
    let mut kills = 0;
    for round in 0..rounds {
        let end = if dice.percent(75) { End::Kill } else { End::Stop };
        let work_ms = WORK_MS + dice.below(steps(450) as u64);
        work(&mut server, &mut clients, &mut feed, Duration::from_millis(work_ms), end)
            .map_err(|why| format!("round {round}, before the end: {why}"))?;
        kills += u64::from(end == End::Kill);
        if end == End::Kill && level != "always" {
            feed.may_leap();
        }
        level = *dice.pick(&["always", "interval"]);
        server.set("durability.level", level);
        server.start_again();
        let settled = settle(&server, &mut clients, &mut feed);
        settled.map_err(|why| format!("round {round}, after {end:?}: {why}"))?;
    }
    server.stop();
    let steps: usize = clients.iter().map(|(player, _)| player.steps).sum();
    Ok(format!("{steps} steps, {rounds} ends, {kills} of them kills, {} changes", feed.seen.len()))
}

/// Everybody asks until the server is gone.
fn work(
    server: &mut Server,
    clients: &mut [(Player, Author)],
    feed: &mut Feed,
    time: Duration,
    end: End,
) -> Result<(), String> {
    let address = server.unison();
    let gone = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let working: Vec<_> = clients
            .iter_mut()
            .map(|(player, author)| scope.spawn(move || play_until_it_is_gone(player, author)))
            .collect();
        let reading = scope.spawn(|| {
            while !gone.load(Ordering::Relaxed) {
                if !feed.read(address)? {
                    break;
                }
            }
            Ok(())
        });
        std::thread::sleep(time);
        match end {
            End::Kill => server.kill(),
            End::Stop => server.stop(),
        }
        gone.store(true, Ordering::Relaxed);
        let mut done: Result<(), String> = reading.join().expect("the reader of the feed");
        for worker in working {
            done = done.and(worker.join().expect("a client"));
        }
        done
    })
}

fn play_until_it_is_gone(player: &mut Player, author: &mut Author) -> Result<(), String> {
    loop {
        let step = player.write(author);
        if player.play(step)? == Heard::Nothing {
            return Ok(());
        }
    }
}

/// What is there, against what everybody was told.
fn settle(server: &Server, clients: &mut [(Player, Author)], feed: &mut Feed) -> Result<(), String> {
    for (player, _) in clients.iter_mut() {
        player.reconnect();
        player.look()?;
    }
    if !feed.read(server.unison())? {
        return Err("the server is gone".to_owned());
    }
    for (player, _) in clients {
        let prefix = player.names.prefix.clone();
        player.retain(|world| feed.tells(&prefix, world))?;
    }
    Ok(())
}
