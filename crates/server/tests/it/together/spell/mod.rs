//! How each dialect says what the model knows: the request of a step, and the answer it has to get.

pub mod flo;
mod lines;
pub mod synap;
pub mod unison;

pub use lines::{Addresses, Lines};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use super::model::{Span, World};
use super::want::{Answer, Want};

/// One request.
#[derive(Debug, Clone)]
pub enum Step {
    Unison(unison::Ask),
    Flo(flo::Ask),
    Synap(synap::Ask),
}

/// All but the characters that mean themselves everywhere in a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one part of a path, or a value of a query.
pub fn part(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, PART).to_string()
}

impl Step {
    /// Sends it; the answers to it, or why there are none.
    pub fn send(&self, lines: &mut Lines) -> std::io::Result<Vec<Answer>> {
        match self {
            Step::Unison(ask) => ask.send(lines).map(|answer| vec![answer]),
            Step::Flo(ask) => lines.flo(&ask.request()).map(|answer| vec![answer]),
            Step::Synap(ask) => ask.send(lines),
        }
    }

    /// Lets it happen in the model; what the answers have to be.
    pub fn apply(&self, world: &mut World, now: Span) -> Vec<Want> {
        match self {
            Step::Unison(ask) => {
                world.begin();
                vec![ask.apply(world, now)]
            }
            Step::Flo(ask) => {
                world.begin();
                vec![ask.apply(world, now)]
            }
            Step::Synap(ask) => ask.apply(world, now),
        }
    }

    /// What may have happened of it when nobody was told: all of it, and each beginning of a batch that is not atomic.
    pub fn beginnings(&self) -> Vec<Step> {
        match self {
            Step::Synap(ask) => ask.beginnings().into_iter().map(Step::Synap).collect(),
            step => vec![step.clone()],
        }
    }
}
