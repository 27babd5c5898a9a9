//! One client, one script over all dialects: every answer is what the model says, whatever dialect asks, and so is
//! everything that can be read, through every dialect.

use std::time::{Duration, Instant};

use super::{
    feed::Feed,
    followers::Followers,
    look,
    play::Player,
    rounds,
    script::Author,
    seed,
    spell::{Addresses, Step},
    steps,
};
use crate::harness::{Server, Settings};

/// Steps between two looks at everything.
const LOOK_EVERY: usize = 40;
/// A key that is due is gone for good after this, however busy the machine is.
const SWEPT: Duration = Duration::from_secs(2);
/// Steps of a failing script that are shown.
const SHOWN: usize = 50;
/// For so long scripts are tried to make a failing one shorter.
const SHORTENING: Duration = Duration::from_secs(60);

#[test]
fn all_dialects_agree_with_one_model() {
    let first = seed();
    for round in 0..rounds(2) {
        let seed = first.wrapping_add(round);
        let mut author = Author::new(0, seed);
        let mut script = Vec::new();
        let played = play(steps(250), |player| {
            let step = player.write(&mut author);
            script.push(step.clone());
            Some(step)
        });
        if let Ok((steps, refused)) = played {
            println!("seed {seed}: {steps} steps, {refused} of them refused");
        }
        if let Err(why) = played {
            println!("seed {seed}: {why}");
            let (script, shorter_why) = shorter(script, why.clone());
            let last = &script[script.len().saturating_sub(SHOWN)..];
            let last: Vec<String> = last.iter().map(|step| format!("  {step:?}")).collect();
            let steps = script.len();
            panic!("seed {seed}: {why}\nmade shorter: {shorter_why}\nafter {steps} steps:\n{}", last.join("\n"));
        }
    }
}

/// Plays on a server of its own, and looks at everything now and then; steps, and how many of them were refused.
fn play(steps: usize, mut next: impl FnMut(&Player) -> Option<Step>) -> Result<(usize, usize), String> {
    let mut server = Server::with(Settings::fast());
    let mut player = Player::new(0, Addresses::of(&server));
    let followers = Followers::start(&server, &player.names);
    for step in 1..=steps {
        let Some(next) = next(&player) else { break };
        player.play(next)?;
        if step % LOOK_EVERY == 0 {
            player.look()?;
        }
    }
    player.look()?;
    let mut feed = Feed::default();
    assert!(feed.read(server.unison())?, "the server is gone");
    let prefix = player.names.prefix.clone();
    player.retain(|world| feed.tells(&prefix, world))?;
    followers.heard(&feed)?;
    counts_agree(&server, &mut player)?;
    server.restart();
    player.reconnect();
    player.look()?;
    counts_agree(&server, &mut player)?;
    Ok((player.steps, player.refused))
}

/// What dialects and metrics count, where all there is belongs to one client. A key may count until it is swept.
fn counts_agree(server: &Server, player: &mut Player) -> Result<(), String> {
    let until = Instant::now() + SWEPT;
    loop {
        player.wait_for_quiet();
        match look::counts(server, &player.worlds[0]) {
            Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
            done => return done,
        }
    }
}

/// A script that fails as well, with fewer steps, and why.
fn shorter(mut script: Vec<Step>, mut why: String) -> (Vec<Step>, String) {
    let fails = |script: &[Step]| {
        let mut steps = script.iter().cloned();
        play(script.len(), |_| steps.next()).err()
    };
    let until = Instant::now() + SHORTENING;
    let mut piece = script.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < script.len() && Instant::now() < until {
            let mut without = script.clone();
            without.drain(at..(at + piece).min(script.len()));
            if let Some(reason) = fails(&without) {
                (script, why) = (without, reason);
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    (script, why)
}
