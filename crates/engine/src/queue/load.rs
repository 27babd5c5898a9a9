//! Reading a queue's rows into memory, a bounded piece at a time.

use manifold_store::{Range, Store, View};

use crate::{
    Error, Result,
    keys::{self, RowKey},
    queue::{
        order::{BLOCK, Move, Place},
        pack::{self, PACK},
        rows::{Card, Dedup, Fate, Mark, Slip, Tally},
        state::State,
    },
};

/// Blocks of messages read at a time.
const BLOCKS: usize = 4;
/// Deduplication keys read at a time.
const KEYS: usize = 4096;

/// A queue that is being read.
#[derive(Debug)]
pub(crate) struct Load {
    state: State,
    next: Next,
}

/// Where to go on.
#[derive(Debug)]
enum Next {
    Blocks(Vec<u8>),
    Keys(Vec<u8>),
    Nothing,
}

impl Load {
    /// Begins to read the queue with this row key.
    pub(crate) fn begin(store: &Store, row: &RowKey) -> Result<Self> {
        let mut state = State::unborn(row.clone(), 0);
        let card = store.get(View::Latest, keys::QUEUE, row).ok_or_else(damaged)?;
        state.card = Card::read(&card)?;
        // A queue that was only made has counted nothing, and so has no row for it.
        let tally = store.get(View::Latest, keys::QUEUE_TALLY, &keys::number(state.card.id));
        state.tally = tally.as_ref().map(Tally::read).transpose()?.unwrap_or_default();
        state.frame = card.seq().max(tally.map_or(0, |tally| tally.seq()));
        let next = Next::Blocks(keys::number(state.card.id).to_vec());
        Ok(Load { state, next })
    }

    /// Reads a piece; whether there is more.
    pub(crate) fn advance(&mut self, store: &Store) -> Result<bool> {
        self.next = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Blocks(from) => self.read_blocks(store, from)?,
            Next::Keys(from) => self.read_keys(store, from)?,
            Next::Nothing => Next::Nothing,
        };
        Ok(!matches!(self.next, Next::Nothing))
    }

    /// The queue, read to its end.
    pub(crate) fn finish(self) -> Result<State> {
        if self.state.adds_up() { Ok(self.state) } else { Err(damaged()) }
    }

    fn read_blocks(&mut self, store: &Store, from: Vec<u8>) -> Result<Next> {
        let id = self.state.card.id;
        let blocks = store.range(View::Latest, keys::QUEUE_BLOCK, &self.range(from, BLOCKS));
        for (row, _) in &blocks.rows {
            let block = row.get(8..).and_then(keys::read_number).ok_or_else(damaged)?;
            let first = block.checked_mul(BLOCK).ok_or_else(damaged)?;
            let last = first.saturating_add(BLOCK - 1).min(self.state.tally.last);
            for number in first / PACK..=last / PACK {
                self.read_pack(store, number)?;
            }
            for sequence in first..=last {
                self.read_message(store, sequence)?;
            }
            // A block that is there has messages: without the row that says how far the numbers go they would not be looked for.
            if !self.state.order.blocks.contains_key(&block) {
                return Err(damaged());
            }
        }
        Ok(match blocks.resume {
            Some(from) => Next::Blocks(from),
            None => Next::Keys(keys::number(id).to_vec()),
        })
    }

    fn read_pack(&mut self, store: &Store, number: u64) -> Result<()> {
        let Some((pack, content)) = pack::read(store, self.state.card.id, number)? else { return Ok(()) };
        for (sequence, stored) in content.numbered(number) {
            if pack.has(sequence) {
                self.place(store, sequence, &stored.slip()?)?;
            }
        }
        self.state.packs.insert(number, pack);
        Ok(())
    }

    fn read_message(&mut self, store: &Store, sequence: u64) -> Result<()> {
        let key = keys::in_queue(self.state.card.id, sequence);
        let Some(row) = store.get(View::Latest, keys::QUEUE_MESSAGE, &key) else { return Ok(()) };
        self.state.frame = self.state.frame.max(row.seq());
        self.place(store, sequence, &Slip::read(&row)?)
    }

    fn place(&mut self, store: &Store, sequence: u64, slip: &Slip<'_>) -> Result<()> {
        let key = keys::in_queue(self.state.card.id, sequence);
        let mark = store.get(View::Latest, keys::QUEUE_MARK, &key);
        let fate = match &mark {
            Some(mark) => Mark::read(mark)?.fate,
            None => Fate::Waiting(slip.due),
        };
        let place = Place::of(slip.priority, fate);
        self.state.order.apply(&Move { sequence, from: None, to: Some(place) });
        self.state.frame = self.state.frame.max(mark.map_or(0, |mark| mark.seq()));
        Ok(())
    }

    /// All keys count as open windows: those that have ended are closed by whatever looks for what is due.
    fn read_keys(&mut self, store: &Store, from: Vec<u8>) -> Result<Next> {
        let keys = store.range(View::Latest, keys::QUEUE_DEDUP, &self.range(from, KEYS));
        for (key, row) in &keys.rows {
            let Dedup { sequence, until } = Dedup::read(row)?;
            self.state.windows.insert((until, sequence), key[8..].into());
            self.state.frame = self.state.frame.max(row.seq());
        }
        Ok(keys.resume.map_or(Next::Nothing, Next::Keys))
    }

    fn range(&self, from: Vec<u8>, limit: usize) -> Range {
        let to = keys::prefix_end(&keys::number(self.state.card.id));
        Range { from, to, limit, reverse: false }
    }
}

fn damaged() -> Error {
    Error::unreadable("a queue")
}
