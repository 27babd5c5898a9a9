//! The one door: everything that changes a row goes through here, whatever model it belongs to.
//!
//! A verb takes the locks of what it decides on, runs its rule with [`decide`], lets the locks go and then waits with
//! [`Live::settle`]. What the rule wrote becomes one batch, one frame, one acknowledgement; a rule that fails has
//! changed nothing. Numbers and time are given out at the very end, under the feed's turn, so that their order is the
//! order of frames.

use std::{sync::Arc, time::Duration};

use manifold_store::{Batch, Row, Seq, Table, View};
use smallvec::SmallVec;

use crate::{
    Actor, Key, Namespace, Result, Timestamp,
    feed::{Change, ChangeOp},
    keys::{self, RowKey},
    kv::{self, Value},
    live::Live,
    namespaces::Founding,
    timers::{self, Target},
    types::{Card, Traces},
};

mod locks;

pub(crate) use locks::Locks;

/// What one call is about to do.
pub(crate) struct Txn<'a> {
    live: &'a Live,
    now: Timestamp,
    batch: Batch,
    drafts: SmallVec<[Draft; 2]>,
    /// The newest frame a decision rests on.
    seen: Seq,
    /// Whether it may not leave more behind than there was.
    is_weighed: bool,
    earliest: Option<Timestamp>,
    /// Namespaces that something was written to and that did not exist when that was decided.
    entered: SmallVec<[Namespace; 1]>,
    /// Keys that hold a collection afterwards. Their rows are written behind those of changes: a value that was there
    /// goes first.
    cards: SmallVec<[(RowKey, Card); 1]>,
    /// What becomes of collections in memory once this is committed.
    pub(crate) traces: Traces,
}

/// A change of a key that has no number and no time yet.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) op: ChangeOp,
    pub(crate) namespace: Namespace,
    pub(crate) key: Key,
    pub(crate) value: Option<Value>,
    pub(crate) version: u64,
    pub(crate) actor: Actor,
    pub(crate) deadline: Deadline,
    /// When it was written, if that was elsewhere and not now.
    pub(crate) written_at: Option<Timestamp>,
    /// What the key's rows were before the transaction.
    pub(crate) stored: kv::Stored,
    /// The draft of the same key before this one.
    pub(crate) earlier: Option<usize>,
    /// A later draft of the same transaction writes the key's rows.
    pub(crate) superseded: bool,
}

/// When a key will expire, as far as it is known before the commit has its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    Never,
    At(Timestamp),
    /// After the commit.
    In(Duration),
}

impl Deadline {
    /// Whether it has passed at `now`.
    pub(crate) fn is_due(self, now: Timestamp) -> bool {
        matches!(self, Deadline::At(deadline) if deadline <= now)
    }

    /// The deadline of a commit made `at`; the end of time is none.
    fn resolve(self, at: Timestamp) -> Option<Timestamp> {
        let deadline = match self {
            Deadline::Never => return None,
            Deadline::At(deadline) => deadline,
            Deadline::In(duration) => at.plus(duration),
        };
        (deadline.0 < u64::MAX).then_some(deadline)
    }
}

/// What was committed.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// The changes in the order of their drafts.
    pub(crate) changes: SmallVec<[Arc<Change>; 2]>,
}

/// What a rule decided, and the frame that must be durable before anybody is told.
#[derive(Debug)]
pub(crate) struct Decided<T> {
    result: Result<(T, Committed)>,
    frame: Seq,
}

/// Runs `rule` and commits what it wrote. The caller holds the locks of everything the rule reads.
pub(crate) fn decide<T>(live: &Live, rule: impl FnOnce(&mut Txn<'_>) -> Result<T>) -> Decided<T> {
    let mut txn = Txn {
        live,
        now: live.clock.now(),
        batch: Batch::new(),
        drafts: SmallVec::new(),
        seen: 0,
        is_weighed: false,
        earliest: None,
        entered: SmallVec::new(),
        cards: SmallVec::new(),
        traces: Traces::default(),
    };
    match rule(&mut txn) {
        Ok(done) => txn.commit(done),
        // A refusal rests on what was read: it may not be told before that is durable.
        Err(error) => Decided { result: Err(error), frame: txn.seen },
    }
}

impl<'a> Txn<'a> {
    /// What exists.
    pub(crate) fn live(&self) -> &'a Live {
        self.live
    }

    /// The time the rule decides by.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The newest row, durable or not.
    pub(crate) fn get(&mut self, table: Table, key: &[u8]) -> Option<Row> {
        let row = self.live.store.get(View::Latest, table, key)?;
        self.seen = self.seen.max(row.seq());
        Some(row)
    }

    /// Says that the rule rests on the absence of a row: it may not be told while readers still see one.
    pub(crate) fn saw_none(&mut self, table: Table, key: &[u8]) -> Result<()> {
        if self.live.store.get(View::Durable, table, key).is_some() {
            self.seen = self.seen.max(self.live.store.commit(Batch::new())?);
        }
        Ok(())
    }

    /// Writes a row.
    pub(crate) fn put(&mut self, table: Table, key: &[u8], head: &[u8], body: &[u8]) {
        self.batch.put(table, key, head, body);
    }

    /// Removes a row.
    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.batch.delete(table, key);
    }

    /// Says that the transaction frees space: it may use the reserve of a full disk.
    pub(crate) fn relief(&mut self) {
        self.batch.relief();
    }

    /// Refuses what can only grow once the memory limit is reached.
    pub(crate) fn grow(&self) -> Result<()> {
        if self.live.is_at_memory_limit() { Err(self.live.memory_is_full()) } else { Ok(()) }
    }

    /// Says that what is written may take the place of something longer. Once the memory limit is reached the transaction
    /// is refused if it leaves more behind than there was.
    pub(crate) fn replace(&mut self) {
        self.is_weighed = self.is_weighed || self.live.is_at_memory_limit();
    }

    fn weigh(&self) -> Result<()> {
        if self.is_weighed && self.live.grows_by(&self.batch) { Err(self.live.memory_is_full()) } else { Ok(()) }
    }

    /// Wakes the timer worker for `target` at `deadline`.
    pub(crate) fn set_timer(&mut self, deadline: Timestamp, target: Target<'_>) {
        timers::set(&mut self.batch, deadline, target);
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
    }

    /// Forgets a timer.
    pub(crate) fn clear_timer(&mut self, deadline: Timestamp, target: Target<'_>) {
        timers::clear(&mut self.batch, deadline, target);
    }

    /// Lets a key hold a collection.
    pub(crate) fn hold(&mut self, row: &RowKey, card: Card) {
        self.cards.push((row.clone(), card));
    }

    /// Says that something is written in `namespace`: it exists from then on.
    pub(crate) fn enter(&mut self, namespace: &Namespace) {
        if !self.live.namespaces.contains(namespace) && !self.entered.contains(namespace) {
            self.entered.push(namespace.clone());
        }
    }

    /// The same for the namespace that the row key of a key, a queue or a stream begins with.
    pub(crate) fn enter_of(&mut self, row: &[u8]) {
        keys::namespace(row).into_iter().for_each(|namespace| self.enter(&namespace));
    }

    /// Adds a change; its index tells where [`Committed::changes`] has it.
    pub(crate) fn change(&mut self, draft: Draft) -> usize {
        self.drafts.push(draft);
        self.drafts.len() - 1
    }

    /// Says that the value of a change was written then, elsewhere. The change itself is of now.
    pub(crate) fn written_at(&mut self, draft: usize, at: Timestamp) {
        self.drafts[draft].written_at = Some(at);
    }

    /// Says that a later draft writes the rows of this one's key.
    pub(crate) fn supersede(&mut self, draft: usize) {
        self.drafts[draft].superseded = true;
    }

    fn commit<T>(mut self, done: T) -> Decided<T> {
        let live = self.live;
        let entered = std::mem::take(&mut self.entered);
        let founding = (!entered.is_empty()).then(|| live.namespaces.found(&mut self.batch, entered, self.now));
        let committed = if !self.drafts.is_empty() {
            self.commit_changes()
        } else if self.write_cards() || !self.batch.is_empty() {
            self.weigh().and_then(|()| {
                let batch = std::mem::take(&mut self.batch);
                Ok((Committed::default(), live.store.commit(batch)?))
            })
        } else {
            Ok((Committed::default(), self.seen))
        };
        if committed.is_ok() {
            founding.into_iter().for_each(Founding::done);
            self.earliest.into_iter().for_each(|earliest| live.timers.wake(earliest));
            self.traces.follow(live);
        }
        match committed {
            Ok((committed, frame)) => Decided { result: Ok((done, committed)), frame },
            Err(error) => Decided { result: Err(error), frame: self.seen },
        }
    }

    /// Writes the rows of keys that hold collections; whether there were any.
    fn write_cards(&mut self) -> bool {
        let cards = std::mem::take(&mut self.cards);
        for (row, card) in &cards {
            self.batch.put(keys::KV, row, &card.encode(), &[]);
            if card.timer != card.expires_at {
                card.timer.into_iter().for_each(|deadline| self.clear_timer(deadline, Target::Key(row)));
                card.expires_at.into_iter().for_each(|deadline| self.set_timer(deadline, Target::Key(row)));
            }
        }
        !cards.is_empty()
    }

    /// Gives the drafts their numbers and their time, and writes the rows that depend on them.
    fn commit_changes(&mut self) -> Result<(Committed, Seq)> {
        let live = self.live;
        let drafts = std::mem::take(&mut self.drafts);
        let mut turn = live.feed.turn();
        let at = turn.time(live.clock.now());
        let commit = (turn.next(), turn.next() + drafts.len() as u64 - 1);
        let mut changes = SmallVec::with_capacity(drafts.len());
        for (seq, draft) in (commit.0..).zip(drafts) {
            let (stored, superseded, written_at) = (draft.stored, draft.superseded, draft.written_at);
            let change = draft.stamp(seq, at, commit);
            turn.record(&mut self.batch, &change);
            if !superseded {
                kv::write(self, &change, stored, written_at.unwrap_or(at));
            }
            changes.push(Arc::new(change));
        }
        self.write_cards();
        self.weigh()?;
        let frame = turn.commit(&live.store, std::mem::take(&mut self.batch), &changes)?;
        live.counters.expired(&changes);
        Ok((Committed { changes }, frame))
    }
}

impl Draft {
    fn stamp(self, seq: u64, at: Timestamp, commit: (u64, u64)) -> Change {
        let Draft {
            op,
            namespace,
            key,
            value,
            version,
            actor,
            deadline,
            written_at: _,
            stored,
            earlier,
            superseded: _,
        } = self;
        let previous = earlier.map(|draft| commit.0 + draft as u64).or(stored.seq());
        let expires_at = deadline.resolve(at);
        Change { seq, op, namespace, key, value, version, actor, at, expires_at, commit, previous }
    }
}

impl Live {
    /// Waits until what was decided may be told.
    pub(crate) async fn settle<T>(&self, decided: Decided<T>) -> Result<(T, Committed)> {
        self.durable(decided.frame).await?;
        decided.result
    }
}

impl<T> Decided<T> {
    /// Whether it was committed.
    pub(crate) fn is_ok(&self) -> bool {
        self.result.is_ok()
    }

    /// For models that follow in memory what they commit: what was done, and its frame.
    pub(crate) fn into_done(self) -> Result<(T, Seq)> {
        self.result.map(|(done, _)| (done, self.frame))
    }

    /// For workers, which have nobody to tell: the frame to wait for.
    pub(crate) fn into_frame(self) -> Result<Seq> {
        self.result.map(|_| self.frame)
    }
}
