//! Plays a script as one client and keeps the model: as many worlds as what is known leaves possible. What happens by
//! itself may fall into a request, and of a request that was never answered nobody knows whether it was done; what comes
//! after tells the worlds apart.

use super::{
    look,
    model::{Span, World},
    script::{Author, Names},
    spell::{Addresses, Lines, Step},
    want::Answer,
};
use crate::harness::now_ms;

/// More worlds than this say that nothing is checked any more.
const WORLDS: usize = 256;

pub struct Player {
    pub names: Names,
    pub worlds: Vec<World>,
    /// How much was asked so far, and how much of it was refused.
    pub steps: usize,
    pub refused: usize,
    to: Addresses,
    lines: Option<Lines>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It was answered as it has to be.
    Answer,
    /// The server went away, or said that it will.
    Nothing,
}

impl Player {
    pub fn new(client: usize, to: Addresses) -> Player {
        Player { names: Names::of(client), worlds: vec![World::default()], steps: 0, refused: 0, to, lines: None }
    }

    /// The step that comes next, written for what there is.
    pub fn write(&self, author: &mut Author) -> Step {
        let mut world = self.worlds[0].clone();
        let now = now_ms();
        world.pass(now);
        author.next(&world, now)
    }

    /// From here on over new connections.
    pub fn reconnect(&mut self) {
        self.lines = None;
    }

    /// Sends a step and compares what comes back.
    pub fn play(&mut self, step: Step) -> Result<Heard, String> {
        self.steps += 1;
        let from = now_ms();
        let answers = self.send(&step);
        let now = Span { from, to: now_ms() };
        let Ok(answers) = answers else {
            self.lines = None;
            self.guess(&step, now);
            return Ok(Heard::Nothing);
        };
        if answers.iter().any(is_refusal_of_a_stopping_server) {
            self.guess(&step, now);
            return Ok(Heard::Nothing);
        }
        self.refused += usize::from(!answers.iter().all(|answer| answer.success));
        let mut why = String::new();
        let mut left = Vec::new();
        for mut world in self.worlds.iter().flat_map(|world| pasts(world, now)) {
            let wants = step.apply(&mut world, now);
            let fits = if wants.len() == answers.len() {
                wants.iter().zip(&answers).try_for_each(|(want, answer)| want.check(answer))
            } else {
                Err(format!("{} answers to {} requests", answers.len(), wants.len()))
            };
            world.forget_what_is_far(now.to);
            match fits {
                Ok(()) if left.contains(&world) => {}
                Ok(()) => left.push(world),
                Err(reason) => why = reason,
            }
        }
        self.keep(left, || format!("{step:?}\n  {why}"))?;
        Ok(Heard::Answer)
    }

    /// Reads everything through every dialect and compares it with the model.
    pub fn look(&mut self) -> Result<(), String> {
        loop {
            self.wait_for_quiet();
            let from = now_ms();
            let looks = look::all(&self.names);
            let lines = self.lines().map_err(|error| error.to_string())?;
            let answers = looks.iter().map(|look| look.send(lines)).collect::<Result<Vec<_>, _>>();
            let answers = answers.map_err(|error| format!("a server that runs does not answer: {error}"))?;
            let now = Span { from, to: now_ms() };
            if self.worlds.iter().any(|world| world.quiet_until() <= now.to) {
                continue;
            }
            let mut why = String::new();
            let mut left = Vec::new();
            for mut world in std::mem::take(&mut self.worlds) {
                world.pass(now.from);
                match looks.iter().zip(&answers).try_for_each(|(look, answer)| look.check(&world, answer, now)) {
                    Ok(()) if left.contains(&world) => {}
                    Ok(()) => left.push(world),
                    Err(reason) => why = reason,
                }
            }
            return self.keep(left, || why);
        }
    }

    /// The worlds that the feed tells the story of.
    pub fn retain(&mut self, story: impl Fn(&World) -> Result<(), String>) -> Result<(), String> {
        let mut why = String::new();
        let mut left = std::mem::take(&mut self.worlds);
        left.retain(|world| story(world).map_err(|reason| why = reason).is_ok());
        self.keep(left, || why)
    }

    fn keep(&mut self, left: Vec<World>, why: impl FnOnce() -> String) -> Result<(), String> {
        if left.is_empty() {
            return Err(why());
        }
        assert!(left.len() <= WORLDS, "{} worlds are possible", left.len());
        self.worlds = left;
        Ok(())
    }

    fn send(&mut self, step: &Step) -> std::io::Result<Vec<Answer>> {
        step.send(self.lines()?)
    }

    fn lines(&mut self) -> std::io::Result<&mut Lines> {
        let lines = match self.lines.take() {
            Some(lines) => lines,
            None => Lines::open(self.to)?,
        };
        Ok(self.lines.insert(lines))
    }

    /// The step was done, or it was not, or the beginning of it was.
    fn guess(&mut self, step: &Step, now: Span) {
        let mut possible = self.worlds.clone();
        for world in self.worlds.iter().flat_map(|world| pasts(world, now)) {
            for beginning in step.beginnings() {
                let mut world = world.clone();
                beginning.apply(&mut world, now);
                world.forget_what_is_far(now.to);
                if !possible.contains(&world) {
                    possible.push(world);
                }
            }
        }
        self.worlds = possible;
    }

    /// Waits until nothing is about to happen by itself.
    pub fn wait_for_quiet(&mut self) {
        const AHEAD_MS: u64 = 150;
        loop {
            let now = now_ms();
            self.worlds.iter_mut().for_each(|world| world.pass(now));
            let soon = self.worlds.iter().flat_map(|world| world.perhaps_due(now + AHEAD_MS)).max();
            let Some(soon) = soon else { return };
            std::thread::sleep(std::time::Duration::from_millis(soon.saturating_sub(now) + 1));
        }
    }
}

/// What the world may have been when the server did what it was asked in `now`.
fn pasts(world: &World, now: Span) -> Vec<World> {
    let mut world = world.clone();
    world.pass(now.from);
    let due = world.perhaps_due(now.to);
    let later = due.into_iter().map(|due| {
        let mut world = world.clone();
        world.pass(due);
        world
    });
    let mut pasts: Vec<World> = later.collect();
    pasts.push(world);
    pasts
}

/// Nobody knows what became of a request that was answered like this.
fn is_refusal_of_a_stopping_server(answer: &Answer) -> bool {
    let says = ["Store unavailable", "SERVICE_UNAVAILABLE", "Node not ready or shutting down"];
    !answer.success && says.iter().any(|says| answer.body.contains(says))
}
