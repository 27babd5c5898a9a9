//! Verbs that wait for the disk together.

use std::{cell::Cell, future::Future};

use manifold_store::Seq;

use crate::{Engine, Result, live::Live};

#[cfg(test)]
mod tests;

tokio::task_local! {
    /// The newest frame that the verb which runs on this task would have waited for.
    static OWED: Cell<Seq>;
}

/// Verbs one after the other whose answers nobody is told before [`Together::wait`]: so they need not wait for the disk
/// one by one. Each decides on what is written, as always, and sees those before it. What reads is another matter:
/// readers see only what is durable, so a verb that reads has to come after a wait.
#[derive(Debug)]
pub struct Together {
    engine: Engine,
    /// The newest frame that nobody waited for; 0 = none.
    owed: Seq,
}

/// What must be durable before the answer of a verb may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Debt(Seq);

impl Engine {
    /// For verbs that shall wait for the disk together.
    pub fn together(&self) -> Together {
        Together { engine: self.clone(), owed: 0 }
    }
}

impl Together {
    /// Runs a verb without waiting for the disk; none = its answer rests on nothing that has to become durable.
    pub async fn run<T>(&mut self, verb: impl Future<Output = T>) -> (T, Option<Debt>) {
        let running = OWED.scope(Cell::new(0), async {
            let done = verb.await;
            (done, OWED.with(Cell::get))
        });
        let (done, frame) = running.await;
        self.owed = self.owed.max(frame);
        (done, (frame > 0).then_some(Debt(frame)))
    }

    /// Waits until everything that was run is durable. An error says that it never will be, except for what
    /// [`Together::is_settled`] knows.
    pub async fn wait(&mut self) -> Result<()> {
        let owed = std::mem::take(&mut self.owed);
        match self.engine.opened() {
            Some(live) if owed > 0 => Ok(live.store.durable(owed).await?),
            _ => Ok(()),
        }
    }

    /// Whether that is durable.
    pub fn is_settled(&self, debt: Debt) -> bool {
        self.engine.opened().is_some_and(|live| live.store.durable_seq() >= debt.0)
    }
}

impl Drop for Together {
    /// Who goes away without waiting must not leave frames in the buffer until somebody else comes.
    fn drop(&mut self) {
        if let Some(live) = self.engine.opened()
            && self.owed > 0
        {
            drop(live.store.durable(self.owed));
        }
    }
}

impl Live {
    /// Waits until a frame is durable, or leaves that to whoever runs the verb together with others.
    pub(crate) async fn durable(&self, frame: Seq) -> Result<()> {
        let left = OWED.try_with(|owed| owed.set(owed.get().max(frame)));
        match left {
            Ok(()) => Ok(()),
            Err(_) => Ok(self.store.durable(frame).await?),
        }
    }
}
