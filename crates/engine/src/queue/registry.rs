//! The queues in memory, by name. A queue comes here with its first use and stays.

use std::{collections::HashMap, sync::Arc};

use foldhash::quality::RandomState;
use manifold_store::{Seq, View};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    Error, Kind, Result, Timestamp,
    keys::{self, RowKey},
    live::Live,
    queue::{QueueName, Shelf, line::Line, load::Load, rows, state::State, step::Step},
};

/// All queues that were used since the start.
#[derive(Debug)]
pub(crate) struct Queues {
    /// What was over by then is not counted as something that happens now.
    pub(crate) started: Timestamp,
    by_name: Mutex<HashMap<RowKey, Arc<Queue>, RandomState>>,
    /// The last number given to a queue, once it is known. Locked by whoever makes a queue.
    last_id: Mutex<Option<u64>>,
}

/// One queue. Its lock is taken before that of the feed's turn, and is never held while anything is awaited.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) row: RowKey,
    inner: Mutex<Inner>,
}

/// What the lock of a queue guards.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) stage: Stage,
    /// Those who wait for a message.
    pub(crate) line: Line,
    /// Those who wait for a dead letter.
    pub(crate) letter_line: Line,
}

/// How far a queue is known.
#[derive(Debug)]
pub(crate) enum Stage {
    /// It has no rows; somebody waits for it to appear, or makes it.
    Absent,
    /// Its rows were not read yet.
    Unread,
    /// They are being read, a piece by every caller who needs them.
    Loading(Box<Load>),
    /// It is in memory.
    Open(Box<State>),
}

/// What a verb answers, and the frame that must be durable before anybody is told.
#[derive(Debug)]
pub(crate) struct Told<T> {
    pub(crate) result: Result<T>,
    pub(crate) frame: Seq,
}

/// Whether a queue is ready for a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is read, and nothing in it is due.
    AtRest,
    /// There is more to read or more due: go on, but let others run first.
    More,
}

/// A queue in use. Dropped, it forgets a queue that is not there and that nobody else uses: names that clients make up
/// cost nothing.
#[derive(Debug)]
pub(crate) struct Use<'a> {
    queues: &'a Queues,
    /// Taken when it is dropped.
    queue: Option<Arc<Queue>>,
}

impl Queues {
    /// None yet; the engine starts now.
    pub(crate) fn new(started: Timestamp) -> Self {
        Queues { started, by_name: Mutex::default(), last_id: Mutex::default() }
    }

    /// The queue with this row key, if there are rows of it or somebody waits for it.
    pub(crate) fn find<'a>(&'a self, live: &Live, row: &RowKey) -> Option<Use<'a>> {
        let mut by_name = self.by_name.lock();
        if let Some(queue) = by_name.get(row) {
            return Some(Use { queues: self, queue: Some(queue.clone()) });
        }
        live.store.get(View::Latest, keys::QUEUE, row)?;
        let queue = Arc::new(Queue::new(row.clone(), Stage::Unread));
        by_name.insert(row.clone(), queue.clone());
        Some(Use { queues: self, queue: Some(queue) })
    }

    /// The same for who makes it, or waits for it to be made.
    pub(crate) fn find_or_expect<'a>(&'a self, live: &Live, row: &RowKey) -> Use<'a> {
        if let Some(queue) = self.find(live, row) {
            return queue;
        }
        let mut by_name = self.by_name.lock();
        // Whoever made it since has it in the map.
        let queue = by_name.entry(row.clone()).or_insert_with(|| Arc::new(Queue::new(row.clone(), Stage::Absent)));
        Use { queues: self, queue: Some(queue.clone()) }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.by_name.lock().is_empty()
    }
}

impl std::ops::Deref for Use<'_> {
    type Target = Queue;
    fn deref(&self) -> &Queue {
        self.queue.as_ref().expect("only the drop takes it")
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        let absent = |queue: &Queue| matches!(queue.lock().stage, Stage::Absent);
        // A queue that is there stays: only an absent one has to be looked at under the lock of all.
        let Some(queue) = self.queue.take_if(|queue| absent(queue)) else { return };
        let mut by_name = self.queues.by_name.lock();
        let row = queue.row.clone();
        drop(queue);
        // The map is the only one that has it left, and whoever comes next must take this lock first.
        if by_name.get(&row).is_some_and(|queue| Arc::strong_count(queue) == 1 && absent(queue)) {
            by_name.remove(&row);
        }
    }
}

impl Queue {
    fn new(row: RowKey, stage: Stage) -> Self {
        Queue { row, inner: Mutex::new(Inner { stage, line: Line::default(), letter_line: Line::default() }) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }

    /// Runs a verb as soon as the queue is read and nothing in it is due; completes when its answer is durable.
    pub(crate) async fn run<T>(&self, live: &Live, verb: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        self.run_if(live, verb, |_, error| Err(error)).await
    }

    /// The same for a verb that only looks: when what is due cannot be recorded, for want of space or because the log
    /// has failed, it sees the queue as the last record left it.
    pub(crate) async fn look<T>(&self, live: &Live, verb: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        self.run_if(live, verb, |inner, error| match inner.stage {
            Stage::Open(_) => Ok(Progress::AtRest),
            Stage::Absent | Stage::Unread | Stage::Loading(_) => Err(error),
        })
        .await
    }

    async fn run_if<T>(
        &self,
        live: &Live,
        verb: impl FnOnce(&mut Inner) -> Result<T>,
        failed: impl Fn(&Inner, Error) -> Result<Progress>,
    ) -> Result<T> {
        let told = loop {
            {
                let mut inner = self.lock();
                let progress = inner.advance(live, &self.row).or_else(|error| failed(&inner, error))?;
                if progress == Progress::AtRest {
                    break inner.tell(verb);
                }
            }
            tokio::task::yield_now().await;
        };
        told.settle(live).await
    }
}

impl Inner {
    /// Runs a verb on a queue at rest, and says what its answer rests on.
    pub(crate) fn tell<T>(&mut self, verb: impl FnOnce(&mut Inner) -> Result<T>) -> Told<T> {
        let result = verb(self);
        self.rouse();
        Told { result, frame: self.state().map_or(0, |state| state.frame) }
    }

    /// Wakes whoever can go on now.
    pub(crate) fn rouse(&mut self) {
        let Inner { stage, line, letter_line } = self;
        let state = stage.state();
        for (shelf, line) in [(Shelf::Messages, line), (Shelf::Letters, letter_line)] {
            let there = state.is_some_and(|state| state.has(shelf));
            line.rouse(there, |consumer| state.is_some_and(|state| state.allows(shelf, consumer) > 0));
        }
    }

    pub(crate) fn state(&self) -> Option<&State> {
        self.stage.state()
    }

    /// The queue as its rows have it, whether it exists or was deleted.
    pub(crate) fn open(&mut self) -> Option<&mut State> {
        match &mut self.stage {
            Stage::Open(state) => Some(state),
            Stage::Absent | Stage::Unread | Stage::Loading(_) => None,
        }
    }

    /// A message was added.
    pub(crate) fn pack_behind(&mut self, live: &Live) {
        if let Stage::Open(state) = &mut self.stage {
            state.pack_behind(live);
        }
    }

    /// The queue if it exists.
    pub(crate) fn existing(&mut self, name: &QueueName) -> Result<&mut State> {
        self.queue_of(Shelf::Messages, name)
    }

    /// The same for what is on a shelf: dead letters outlive their queue.
    pub(crate) fn queue_of(&mut self, shelf: Shelf, name: &QueueName) -> Result<&mut State> {
        match &mut self.stage {
            Stage::Open(state) if !state.card.deleted || (shelf == Shelf::Letters && state.had_letters()) => Ok(state),
            _ => Err(absent(name)),
        }
    }

    /// Changes the queue by a rule that may make it: an absent one has a deleted card.
    pub(crate) fn make<T>(
        &mut self,
        live: &Live,
        row: &RowKey,
        rule: impl FnOnce(&mut Step<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        if let Stage::Open(state) = &mut self.stage {
            return state.step(live, rule);
        }
        let mut last_id = live.queues.last_id.lock();
        let id = 1 + match *last_id {
            Some(last) => last,
            None => rows::last_id(&live.store)?,
        };
        let mut state = State::unborn(row.clone(), id);
        let done = state.step(live, |step| {
            step.txn.put(keys::META, keys::META_QUEUE, &rows::encode_last_id(id), &[]);
            rule(step)
        })?;
        *last_id = Some(id);
        self.stage = Stage::Open(Box::new(state));
        Ok(done)
    }
}

impl Stage {
    pub(crate) fn state(&self) -> Option<&State> {
        match self {
            Stage::Open(state) => Some(state),
            Stage::Absent | Stage::Unread | Stage::Loading(_) => None,
        }
    }
}

impl<T> Told<T> {
    /// An answer that rests on nothing.
    pub(crate) fn at_once(result: Result<T>) -> Self {
        Told { result, frame: 0 }
    }

    /// Waits until the answer may be told.
    pub(crate) async fn settle(self, live: &Live) -> Result<T> {
        live.durable(self.frame).await?;
        self.result
    }
}

pub(crate) fn absent(name: &QueueName) -> Error {
    Error::new(Kind::NotFound, format!("there is no queue {name}"))
}
