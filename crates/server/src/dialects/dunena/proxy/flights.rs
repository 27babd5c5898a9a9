//! Calls that many share: while a query is on its way, whoever asks the same waits for its answer.
//!
//! A call runs in a task of its own, so it belongs to none of those who wait and ends for none of them when one goes away.
//! An invalidation lets calls go that began before it: they still answer those who wait already, but nobody joins them any
//! more and their result is not kept, for it may show what was before.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use foldhash::quality::RandomState;
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet};

use super::{Failure, connector::Fetched};

#[cfg(test)]
mod tests;

/// Most calls that belong to no client. Who comes when there are as many makes a call of its own, which ends with it.
const MOST: usize = 1024;

/// What became of a call.
pub(super) type Outcome = Result<Fetched, Failure>;

/// All calls that are shared.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    by_key: HashMap<Arc<str>, Flight, RandomState>,
    launched: u64,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    tags: Arc<[String]>,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// What whoever asked gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shared<T> {
    /// The result was there already.
    Kept(T),
    /// From the call.
    Landed(Outcome),
    /// The call ended without an outcome, which only a defect or the end of the process explains.
    Lost,
}

impl Flights {
    /// The result of the one call for `key`. When none is on its way and nothing is `kept` meanwhile, `call` begins, and
    /// `keep` begins to keep its result, as one with these tags; what that gives back is waited for after everybody has
    /// the answer. Neither `kept` nor the beginning of `keep` may take long: others wait for them.
    pub(super) async fn share<T, K>(
        &self,
        key: &str,
        tags: &[String],
        kept: impl FnOnce() -> Option<T>,
        call: impl Future<Output = Outcome> + Send + 'static,
        keep: impl FnOnce(&Fetched) -> K + Send + 'static,
    ) -> Shared<T>
    where
        K: Future<Output = ()> + Send + 'static,
    {
        let outcome = {
            let mut state = self.0.lock();
            state.reap();
            match state.by_key.get(key) {
                Some(flight) => Ok(flight.outcome.clone()),
                None => match kept() {
                    Some(kept) => return Shared::Kept(kept),
                    None if state.tasks.len() >= MOST => Err(call),
                    None => Ok(self.launch(&mut state, key, tags, call, keep)),
                },
            }
        };
        let mut outcome = match outcome {
            Ok(outcome) => outcome,
            Err(call) => return Shared::Landed(call.await),
        };
        let landed = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        landed.map_or(Shared::Lost, Shared::Landed)
    }

    fn launch<K: Future<Output = ()> + Send + 'static>(
        &self,
        state: &mut State,
        key: &str,
        tags: &[String],
        call: impl Future<Output = Outcome> + Send + 'static,
        keep: impl FnOnce(&Fetched) -> K + Send + 'static,
    ) -> watch::Receiver<Option<Outcome>> {
        let key: Arc<str> = key.into();
        let (sender, receiver) = watch::channel(None);
        state.launched += 1;
        let number = state.launched;
        state.by_key.insert(key.clone(), Flight { number, tags: tags.into(), outcome: receiver.clone() });
        let place = Place { flights: self.clone(), key, number };
        state.tasks.spawn(async move {
            let outcome = call.await;
            let kept = place.leave(|| outcome.as_ref().ok().map(keep));
            // Nobody is left to be told when all went away.
            sender.send_replace(Some(outcome));
            if let Some(kept) = kept.flatten() {
                kept.await;
            }
        });
        receiver
    }

    /// Lets go of calls whose result would have any of the tags, or this key.
    pub(super) fn forget(&self, tags: &[String], key: Option<&str>) {
        let tags: HashSet<&str, RandomState> = tags.iter().map(String::as_str).collect();
        let doomed = |flown: &str, flight: &Flight| {
            key == Some(flown) || flight.tags.iter().any(|tag| tags.contains(tag.as_str()))
        };
        self.0.lock().by_key.retain(|key, flight| !doomed(key, flight));
    }

    /// Lets go of all calls.
    pub(super) fn forget_all(&self) {
        self.0.lock().by_key.clear();
    }

    /// Ends what still runs; only calls whose clients are gone do, after the last request.
    pub(super) async fn close(&self) {
        let mut tasks = std::mem::take(&mut self.0.lock().tasks);
        tasks.shutdown().await;
    }
}

impl State {
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!("a call of an upstream panicked");
            }
        }
    }
}

/// A call's place among those that can be joined; it is given up however the call ends.
struct Place {
    flights: Flights,
    key: Arc<str>,
    number: u64,
}

impl Place {
    /// Gives the place up; before anybody else can have it, `last` is done, unless it was lost meanwhile.
    fn leave<T>(&self, last: impl FnOnce() -> T) -> Option<T> {
        let mut state = self.flights.0.lock();
        let has_it = state.by_key.get(&self.key).is_some_and(|flight| flight.number == self.number);
        let done = has_it.then(last);
        if has_it {
            state.by_key.remove(&self.key);
        }
        done
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave(|| ());
    }
}
