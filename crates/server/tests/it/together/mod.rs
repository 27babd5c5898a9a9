//! All dialects that share data, together: one random script, one model, and kills in between.
//!
//! - `model` is what the server must hold, in plain maps; `spell` is how each dialect asks and answers; `script` writes
//!   the steps; `play` sends them and keeps the model; `look` reads everything through every dialect; `feed` reads the
//!   change feed.
//! - `differential`: one client. `kills`: several, whose server is killed, stopped and started at another level.
//!   `races`: several on the same keys, queues and streams. `spelling`: any name and any value. `waits`: one waits,
//!   another one writes.
//!
//! A run is made from a seed, which a failure prints; `MANIFOLD_TOGETHER_SEED` repeats it, `MANIFOLD_TOGETHER_STEPS`
//! makes scripts longer, `MANIFOLD_TOGETHER_ROUNDS` makes more of them.

mod dice;
mod differential;
mod feed;
mod followers;
mod kills;
mod look;
mod model;
mod play;
mod races;
mod script;
mod spell;
mod spelling;
mod waits;
mod want;

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

/// Steps of one script.
fn steps(default: usize) -> usize {
    setting("MANIFOLD_TOGETHER_STEPS").map_or(default, |steps| steps as usize)
}

/// How often a test goes round.
fn rounds(default: u64) -> u64 {
    setting("MANIFOLD_TOGETHER_ROUNDS").unwrap_or(default)
}

/// What a run is made from: another one each time, unless it is said.
fn seed() -> u64 {
    setting("MANIFOLD_TOGETHER_SEED").unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("the clock is past 1970");
        since.as_nanos() as u64
    })
}
