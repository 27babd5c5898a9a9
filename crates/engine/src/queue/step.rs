//! A change of one queue while it is decided: what it does to rows, and what it will do to memory once it is committed.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::{
    Error, Result, Timestamp, keys,
    queue::{
        Held, Reason, Settings,
        letters::Letter,
        order::{BLOCK, Move, Place},
        pack::{self, PACK, Pack, Stored},
        rows::{Card, Dedup, Fate, Lease, Mark, Slip, Tally},
        state::{Effect, State, Window},
    },
    timers::Target,
    txn::Txn,
};

/// A change of one queue. The state is the one before it.
pub(crate) struct Step<'a, 't> {
    pub(crate) txn: &'a mut Txn<'t>,
    pub(crate) state: &'a State,
    pub(crate) card: Card,
    pub(crate) tally: Tally,
    moves: SmallVec<[Move; 4]>,
    /// Who takes what is leased in this step.
    pub(crate) consumer: Option<u64>,
    opened: Vec<(Window, Box<[u8]>)>,
    closed: Vec<Window>,
    /// Letters that died in this step, and their priorities.
    died: BTreeMap<u64, i64>,
    /// Packs that were written, or out of which messages go, as they are afterwards.
    packs: BTreeMap<u64, Pack>,
    /// How many of the oldest letters of before are thrown away.
    dropped: usize,
}

/// What becomes of a deduplication key when its window is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// Its message is still there, and takes it along.
    Stays,
    /// It is forgotten.
    Goes,
}

/// A message that is leased.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leased {
    pub(crate) sequence: u64,
    pub(crate) attempts: u32,
    pub(crate) lease: u64,
    pub(crate) until: Timestamp,
}

impl<'a, 't> Step<'a, 't> {
    pub(crate) fn new(txn: &'a mut Txn<'t>, state: &'a State) -> Self {
        Step {
            txn,
            state,
            card: state.card,
            tally: state.tally,
            moves: SmallVec::new(),
            consumer: None,
            opened: Vec::new(),
            closed: Vec::new(),
            died: BTreeMap::new(),
            packs: BTreeMap::new(),
            dropped: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.txn.now()
    }

    /// Makes the queue exist again.
    pub(crate) fn revive(&mut self, settings: Settings, configured: bool) {
        self.card = Card { deleted: false, configured, settings, ..self.card };
        self.txn.enter_of(&self.state.row);
    }

    /// A message; every number of the order has one.
    pub(crate) fn message(&mut self, sequence: u64) -> Result<Stored> {
        self.find_message(sequence)?.ok_or_else(|| Error::unreadable("a queue"))
    }

    pub(crate) fn find_message(&mut self, sequence: u64) -> Result<Option<Stored>> {
        self.state.find(sequence, |table, key| self.txn.get(table, key))
    }

    /// What became of a message, if anything.
    pub(crate) fn mark(&mut self, sequence: u64) -> Result<Option<Mark>> {
        let row = self.txn.get(keys::QUEUE_MARK, &self.key(sequence));
        row.as_ref().map(Mark::read).transpose()
    }

    /// The message, if it is held as the caller says.
    pub(crate) fn held(&mut self, held: Held) -> Result<Option<Leased>> {
        let Some(Mark { attempts, fate: Fate::Leased(lease) }) = self.mark(held.sequence)? else { return Ok(None) };
        let Lease { number, until } = lease;
        Ok(held.by(lease).then_some(Leased { sequence: held.sequence, attempts, lease: number, until }))
    }

    /// Adds a message under the next number.
    pub(crate) fn add(&mut self, slip: &Slip<'_>, body: &[u8]) -> u64 {
        self.tally.last += 1;
        self.tally.enqueued += 1;
        let sequence = self.tally.last;
        self.txn.put(keys::QUEUE_MESSAGE, &self.key(sequence), &slip.encode(), body);
        let place = slip.due.map_or(Place::Ready(slip.priority), Place::Delayed);
        self.moves.push(Move { sequence, from: None, to: Some(place) });
        sequence
    }

    /// Adds a message that has a number, and a place, from elsewhere.
    pub(crate) fn restore(&mut self, sequence: u64, slip: &Slip<'_>, body: &[u8], place: Place, mark: Option<Mark>) {
        self.tally.enqueued += 1;
        self.txn.put(keys::QUEUE_MESSAGE, &self.key(sequence), &slip.encode(), body);
        mark.into_iter().for_each(|mark| self.write_mark(sequence, mark));
        self.moves.push(Move { sequence, from: None, to: Some(place) });
    }

    /// Lets `key` stand for `sequence` until `until`, and as long as the message is there.
    pub(crate) fn open_window(&mut self, key: &[u8], sequence: u64, until: Timestamp) {
        let row = keys::dedup(self.card.id, key);
        self.txn.put(keys::QUEUE_DEDUP, &row, &Dedup { sequence, until }.encode(), &[]);
        self.opened.push(((until, sequence), key.into()));
    }

    /// Closes a window.
    pub(crate) fn close_window(&mut self, window: Window, key: &[u8], becomes: Key) {
        let (until, sequence) = window;
        let row = keys::dedup(self.card.id, key);
        match becomes {
            Key::Goes => self.txn.delete(keys::QUEUE_DEDUP, &row),
            // Closed before its time: the row must say so, or the next start would open it again.
            Key::Stays if until > self.now() => {
                let ended = Dedup { sequence, until: self.now() };
                self.txn.put(keys::QUEUE_DEDUP, &row, &ended.encode(), &[]);
            }
            Key::Stays => {}
        }
        self.closed.push(window);
    }

    /// Leases a visible message; gives the lease's number.
    pub(crate) fn lease(&mut self, sequence: u64, priority: i64, attempts: u32, until: Timestamp) -> u64 {
        self.tally.delivered += 1;
        let lease = self.next_lease(until);
        self.write_mark(sequence, Mark { attempts, fate: Fate::Leased(lease) });
        self.shift(sequence, Place::Ready(priority), Place::Leased(until));
        lease.number
    }

    /// A lease that nobody has had.
    pub(crate) fn next_lease(&mut self, until: Timestamp) -> Lease {
        self.tally.last_lease += 1;
        Lease { number: self.tally.last_lease, until }
    }

    /// Lets the lease of a message end at another time.
    pub(crate) fn extend(&mut self, leased: Leased, until: Timestamp) {
        let Leased { sequence, attempts, lease, until: before } = leased;
        self.write_mark(sequence, Mark { attempts, fate: Fate::Leased(Lease { number: lease, until }) });
        self.shift(sequence, Place::Leased(before), Place::Leased(until));
    }

    /// A delivery did not lead to an acknowledgement: the message waits again, or dies when that was its last one.
    /// Whether it died.
    pub(crate) fn give_back(&mut self, leased: Leased, reason: Reason, due: Option<Timestamp>) -> Result<bool> {
        let message = self.message(leased.sequence)?;
        let slip = message.slip()?;
        if leased.attempts >= slip.max_attempts.unwrap_or(self.card.settings.max_attempts) {
            self.kill(leased, slip.priority, reason)?;
            return Ok(true);
        }
        self.tally.returned += 1;
        self.wait(leased, slip.priority, leased.attempts, due);
        Ok(false)
    }

    /// A delivery that never reached its consumer does not count.
    pub(crate) fn take_back(&mut self, leased: Leased) -> Result<()> {
        let priority = self.message(leased.sequence)?.slip()?.priority;
        self.tally.delivered = self.tally.delivered.saturating_sub(1);
        self.wait(leased, priority, leased.attempts.saturating_sub(1), None);
        Ok(())
    }

    fn wait(&mut self, leased: Leased, priority: i64, attempts: u32, due: Option<Timestamp>) {
        let Leased { sequence, until, .. } = leased;
        self.write_mark(sequence, Mark { attempts, fate: Fate::Waiting(due) });
        let place = due.map_or(Place::Ready(priority), Place::Delayed);
        self.shift(sequence, Place::Leased(until), place);
    }

    /// Makes a leased message a dead letter; the oldest letter goes when there are too many.
    pub(crate) fn kill(&mut self, leased: Leased, priority: i64, reason: Reason) -> Result<()> {
        let Leased { sequence, attempts, until, .. } = leased;
        let at = self.now();
        self.tally.returned += 1;
        self.tally.died += 1;
        self.tally.letters.arrived += 1;
        self.write_mark(sequence, Mark { attempts, fate: Fate::Dead { at, reason, held: None } });
        self.shift(sequence, Place::Leased(until), Place::Dead { died: at, priority, held: None });
        self.died.insert(sequence, priority);
        self.bound_the_dead()
    }

    fn bound_the_dead(&mut self) -> Result<()> {
        let Some(max) = self.card.settings.max_dead else { return Ok(()) };
        let before = &self.state.order.dead;
        while (before.len() - self.dropped + self.died.len()) as u64 > max {
            let known = before.iter().nth(self.dropped).copied();
            let new = self.died.first_key_value().map(|(sequence, _)| (self.now(), *sequence));
            let Some((died, sequence)) = known.into_iter().chain(new).min() else { break };
            let place = if known == Some((died, sequence)) {
                self.dropped += 1;
                self.known_letter(sequence)?.place()
            } else {
                let priority = self.died.remove(&sequence).unwrap_or_default();
                Place::Dead { died, priority, held: None }
            };
            let queue = self.state.row.escape_ascii();
            tracing::warn!(%queue, sequence, "the oldest dead letter is dropped: there are too many");
            self.tally.purged += 1;
            self.remove(sequence, place)?;
        }
        Ok(())
    }

    /// Lets a dead letter wait again as if it had never been delivered.
    pub(crate) fn requeue(&mut self, letter: Letter) {
        self.txn.delete(keys::QUEUE_MARK, &self.key(letter.sequence));
        self.shift(letter.sequence, letter.place(), Place::Ready(letter.priority));
    }

    /// Removes a message for good.
    pub(crate) fn remove(&mut self, sequence: u64, from: Place) -> Result<()> {
        let pack = self.state.packs.get(&(sequence / PACK)).filter(|pack| pack.has(sequence)).copied();
        if pack.is_none_or(|pack| pack.is_keyed(sequence)) {
            let message = self.message(sequence)?;
            let key = message.slip()?.dedup_key;
            if !key.is_empty() {
                self.forget_key(key)?;
            }
        }
        match pack {
            Some(pack) => self.packs.entry(sequence / PACK).or_insert(pack).left &= !pack::bit(sequence),
            None => self.txn.delete(keys::QUEUE_MESSAGE, &self.key(sequence)),
        }
        let marked = !matches!(from, Place::Ready(_) | Place::Delayed(_)) || self.mark(sequence)?.is_some();
        if marked {
            self.txn.delete(keys::QUEUE_MARK, &self.key(sequence));
        }
        self.moves.push(Move { sequence, from: Some(from), to: None });
        Ok(())
    }

    /// Forgets the key of a message that goes, unless its window is open: then the end of the window does.
    fn forget_key(&mut self, key: &[u8]) -> Result<()> {
        let key = keys::dedup(self.card.id, key);
        let Some(row) = self.txn.get(keys::QUEUE_DEDUP, &key) else { return Ok(()) };
        let Dedup { sequence, until } = Dedup::read(&row)?;
        if !self.state.windows.contains_key(&(until, sequence)) {
            self.txn.delete(keys::QUEUE_DEDUP, &key);
        }
        Ok(())
    }

    /// Moves messages from their rows to a pack.
    pub(crate) fn pack(&mut self, number: u64, pack: Pack, body: &[u8]) {
        self.txn.put(keys::QUEUE_PACK, &self.key(number), &pack::encode_head(pack), body);
        for sequence in pack::members(number, pack.left) {
            self.txn.delete(keys::QUEUE_MESSAGE, &self.key(sequence));
        }
        self.packs.insert(number, pack);
    }

    fn key(&self, sequence: u64) -> [u8; 16] {
        keys::in_queue(self.card.id, sequence)
    }

    pub(crate) fn write_mark(&mut self, sequence: u64, mark: Mark) {
        self.txn.put(keys::QUEUE_MARK, &self.key(sequence), &mark.encode(), &[]);
    }

    pub(crate) fn shift(&mut self, sequence: u64, from: Place, to: Place) {
        self.moves.push(Move { sequence, from: Some(from), to: Some(to) });
    }

    /// Writes what belongs to the queue as a whole.
    pub(crate) fn finish(mut self) -> Effect {
        self.write_blocks();
        self.write_packs();
        self.arm();
        if self.card != self.state.card {
            self.txn.put(keys::QUEUE, &self.state.row, &self.card.encode(), &[]);
        }
        if self.tally != self.state.tally {
            self.txn.put(keys::QUEUE_TALLY, &keys::number(self.card.id), &self.tally.encode(), &[]);
        }
        let Step { card, tally, moves, consumer, opened, closed, packs, .. } = self;
        Effect { card, tally, moves, consumer, opened, closed, packs }
    }

    /// A block has a row as long as it holds a message.
    fn write_blocks(&mut self) {
        let mut changes: BTreeMap<u64, i64> = BTreeMap::new();
        for Move { sequence, from, to } in &self.moves {
            let change = i64::from(to.is_some()) - i64::from(from.is_some());
            if change != 0 {
                *changes.entry(sequence / BLOCK).or_default() += change;
            }
        }
        for (block, change) in changes {
            let before = self.state.order.blocks.get(&block).copied().map_or(0, i64::from);
            let key = keys::in_queue(self.card.id, block);
            match (before > 0, before + change > 0) {
                (false, true) => self.txn.put(keys::QUEUE_BLOCK, &key, &[], &[]),
                (true, false) => self.txn.delete(keys::QUEUE_BLOCK, &key),
                _ => {}
            }
        }
    }

    /// A pack has a row as long as it holds a message.
    fn write_packs(&mut self) {
        for (number, pack) in &self.packs {
            if !self.state.packs.contains_key(number) {
                continue;
            }
            let key = keys::in_queue(self.card.id, *number);
            if pack.left > 0 {
                self.txn.put(keys::QUEUE_PACK_LEFT, &key, &pack::encode_left(pack.left), &[]);
            } else {
                self.txn.delete(keys::QUEUE_PACK, &key);
                self.txn.delete(keys::QUEUE_PACK_LEFT, &key);
            }
        }
    }

    /// Moves the queue's timer forward when something will be due before it. A timer that rings too early is set anew
    /// then: moving it back each time would cost a row for every lease.
    fn arm(&mut self) {
        let place = |place: Option<Place>| match place {
            Some(Place::Delayed(at) | Place::Leased(at)) => Some(at),
            Some(Place::Dead { held, .. }) => held,
            Some(Place::Ready(_)) | None => None,
        };
        let due = self.moves.iter().filter_map(|step| place(step.to));
        let Some(due) = due.chain(self.opened.iter().map(|((end, _), _)| *end)).min() else { return };
        if self.tally.armed.is_none_or(|armed| due < armed) {
            self.set_timer(Some(due));
        }
    }

    /// Sets the queue's timer, in place of the one it has.
    pub(crate) fn set_timer(&mut self, due: Option<Timestamp>) {
        let target = Target::Queue(&self.state.row);
        if let Some(armed) = std::mem::replace(&mut self.tally.armed, due) {
            self.txn.clear_timer(armed, target);
        }
        if let Some(due) = due {
            self.txn.set_timer(due, target);
        }
    }
}
