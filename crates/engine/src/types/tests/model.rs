//! The harness of the tests against plain collections: random steps; each answer, and from time to time everything that
//! can be read, must be what the plain collection says. In between the engine is stopped and started, or the machine.
//!
//! A twentieth of `MANIFOLD_MODEL_CASES` is tried, 60 unless it is set: a case is a whole engine, with elements by the hundred.

use std::{fmt::Debug, future::Future};

use manifold_store::disk::Reboot;
use proptest::{prelude::*, test_runner::TestRunner};

use super::*;
use crate::tests::cases;

/// What a type is held against.
pub(crate) trait Model: Default {
    type Step: Clone + Debug;
    fn step() -> BoxedStrategy<Self::Step>;
    /// Does a step in both worlds, and compares the answers.
    fn apply(&mut self, house: &House, step: &Self::Step) -> impl Future<Output = ()>;
    /// Compares everything that can be read.
    fn check(&self, house: &House) -> impl Future<Output = ()>;
    /// Time goes on.
    fn advance(&mut self, _now: u64) {}
}

#[derive(Debug, Clone)]
enum Move<S> {
    Step(S),
    Check,
    Advance(u64),
    Again(u64),
}

/// Whether the engine is stopped in order, or the machine stops.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Between {
    Restarts,
    Crashes,
}

pub(crate) fn holds<M: Model>(between: Between) {
    let config = cases(60, 20);
    let moves = prop_oneof![
        20 => M::step().prop_map(Move::Step),
        2 => Just(Move::Check),
        1 => (1u64..40).prop_map(Move::Advance),
        1 => any::<u64>().prop_map(Move::Again),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let done = TestRunner::new(config).run(&proptest::collection::vec(moves, 1..80), |moves| {
        runtime.block_on(async {
            let mut house = House::new().await;
            let mut model = M::default();
            model.advance(house.now().0);
            for step in &moves {
                match step {
                    Move::Step(step) => model.apply(&house, step).await,
                    Move::Check => {}
                    Move::Advance(ms) => {
                        house.advance(*ms);
                        model.advance(house.now().0);
                    }
                    Move::Again(how) => match between {
                        Between::Restarts => house.restart().await,
                        Between::Crashes => house.crash(Reboot::Mixed(*how)).await,
                    },
                }
                if !matches!(step, Move::Step(_)) {
                    model.check(&house).await;
                }
            }
            model.check(&house).await;
            house.close().await.expect("closes");
        });
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}
