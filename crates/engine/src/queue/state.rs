//! One open queue: its order, its counters, and how both change together with the rows.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use manifold_store::Seq;
use smallvec::SmallVec;

use crate::{
    Result, Timestamp,
    keys::RowKey,
    live::Live,
    queue::{
        ByItself, Consumer, Settings, Shelf,
        holders::Holders,
        order::{Move, Order},
        pack::{LastRead, Pack},
        rows::{Card, Tally},
        step::Step,
    },
    txn,
};

/// The end of a deduplication window, and the message that opened it.
pub(crate) type Window = (Timestamp, u64);

/// A queue in memory. It changes only after the commit that says so, so a refused commit has changed nothing.
#[derive(Debug)]
pub(crate) struct State {
    /// Its row key.
    pub(crate) row: RowKey,
    pub(crate) card: Card,
    pub(crate) tally: Tally,
    pub(crate) order: Order,
    /// Who holds messages.
    pub(crate) holders: Holders,
    /// Who holds dead letters.
    pub(crate) letter_holders: Holders,
    /// Deduplication windows that are open, by their ends.
    pub(crate) windows: BTreeMap<Window, Box<[u8]>>,
    /// Packs that hold messages, by their numbers.
    pub(crate) packs: HashMap<u64, Pack, RandomState>,
    pub(crate) last_read: LastRead,
    /// Counted here and nowhere on the disk.
    pub(crate) by_itself: ByItself,
    /// The newest frame that anything here rests on.
    pub(crate) frame: Seq,
}

/// What a step leaves behind once it is committed.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) card: Card,
    pub(crate) tally: Tally,
    pub(crate) moves: SmallVec<[Move; 4]>,
    /// Who has taken what was leased.
    pub(crate) consumer: Option<u64>,
    pub(crate) opened: Vec<(Window, Box<[u8]>)>,
    pub(crate) closed: Vec<Window>,
    /// Packs as they are afterwards; an empty one is gone.
    pub(crate) packs: BTreeMap<u64, Pack>,
}

impl State {
    /// A queue that is not there yet: the first message or its creation revives it.
    pub(crate) fn unborn(row: RowKey, id: u64) -> Self {
        let card = Card { id, deleted: true, configured: false, settings: Settings::default() };
        State {
            row,
            card,
            tally: Tally::default(),
            order: Order::default(),
            holders: Holders::default(),
            letter_holders: Holders::default(),
            windows: BTreeMap::new(),
            packs: HashMap::default(),
            last_read: LastRead::default(),
            by_itself: ByItself::default(),
            frame: 0,
        }
    }

    /// Runs a rule and commits what it wrote, as one frame.
    pub(crate) fn step<T>(&mut self, live: &Live, rule: impl FnOnce(&mut Step<'_, '_>) -> Result<T>) -> Result<T> {
        // Rows of a file that somebody else wrote need not add up; no rule may be the one that makes it so.
        let added_up = cfg!(debug_assertions) && self.adds_up();
        let decided = txn::decide(live, |txn| {
            let mut step = Step::new(txn, self);
            let done = rule(&mut step)?;
            Ok((done, step.finish()))
        });
        let ((done, effect), frame) = decided.into_done()?;
        self.apply(effect);
        self.frame = self.frame.max(frame);
        debug_assert!(!added_up || self.adds_up());
        Ok(done)
    }

    fn apply(&mut self, effect: Effect) {
        let Effect { card, tally, moves, consumer, opened, closed, packs } = effect;
        self.card = card;
        self.tally = tally;
        self.holders.follow(Shelf::Messages, &moves, consumer);
        self.letter_holders.follow(Shelf::Letters, &moves, consumer);
        moves.iter().for_each(|step| self.order.apply(step));
        self.windows.extend(opened);
        for (number, pack) in packs {
            match pack.left {
                0 => self.packs.remove(&number),
                _ => self.packs.insert(number, pack),
            };
        }
        for window in closed {
            self.windows.remove(&window);
        }
    }

    /// Every message ever accepted is somewhere.
    pub(crate) fn adds_up(&self) -> bool {
        self.tally.enqueued == self.order.len() + self.tally.acked + self.tally.purged
    }

    /// Whether there is something on the shelf that nobody holds.
    pub(crate) fn has(&self, shelf: Shelf) -> bool {
        match shelf {
            Shelf::Messages => !self.card.deleted && !self.order.ready.is_empty(),
            Shelf::Letters => !self.order.letters.is_empty(),
        }
    }

    /// How much of the shelf a consumer may take besides what it holds.
    pub(crate) fn allows(&self, shelf: Shelf, consumer: Option<Consumer>) -> usize {
        let (Some(max), Some(Consumer::Named(number))) = (self.card.settings.max_held, consumer) else {
            return usize::MAX;
        };
        usize::try_from(max.saturating_sub(self.holders_of(shelf).held_by(number))).unwrap_or(usize::MAX)
    }

    pub(crate) fn holders_of(&self, shelf: Shelf) -> &Holders {
        match shelf {
            Shelf::Messages => &self.holders,
            Shelf::Letters => &self.letter_holders,
        }
    }

    /// The first instant at which anything happens by itself.
    pub(crate) fn soonest(&self) -> Option<Timestamp> {
        let window = self.windows.first_key_value().map(|((end, _), _)| *end);
        self.order.soonest().into_iter().chain(window).min()
    }
}
