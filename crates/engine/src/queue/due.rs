//! What happens in a queue by itself: delays and leases end, deduplication windows close. Every verb does what is due
//! before it looks, so nobody sees a queue that is late; the timer does it when nobody asks.

use manifold_store::Seq;

use crate::{
    Error, Result, Timestamp,
    keys::RowKey,
    live::Live,
    queue::{
        Held, Reason,
        load::Load,
        order::{Move, Place},
        registry::{Inner, Progress, Stage},
        state::State,
        step::Key,
    },
    timers::Target,
    txn,
};

/// Most transitions made at a time.
const BATCH: usize = 256;

impl Inner {
    /// Reads a piece of the queue, or makes a bounded number of due transitions.
    pub(crate) fn advance(&mut self, live: &Live, row: &RowKey) -> Result<Progress> {
        match &mut self.stage {
            Stage::Absent => return Ok(Progress::AtRest),
            Stage::Unread => self.stage = Stage::Loading(Box::new(Load::begin(&live.store, row)?)),
            Stage::Loading(load) => {
                // A queue that turns out unreadable is unread again, and says so to the next caller too.
                let more = load.advance(&live.store);
                if !matches!(more, Ok(true))
                    && let Stage::Loading(load) = std::mem::replace(&mut self.stage, Stage::Unread)
                {
                    more?;
                    self.stage = Stage::Open(Box::new(load.finish()?));
                }
            }
            Stage::Open(state) => {
                let progress = state.do_what_is_due(live)?;
                self.rouse();
                return Ok(progress);
            }
        }
        Ok(Progress::More)
    }
}

impl State {
    fn do_what_is_due(&mut self, live: &Live) -> Result<Progress> {
        let now = live.clock.now();
        if self.soonest().is_none_or(|soonest| now < soonest) {
            return Ok(Progress::AtRest);
        }
        self.end_delays(live, now)?;
        self.end_leases(live, now)?;
        self.end_leases_of_letters(live, now)?;
        self.close_windows(live, now)?;
        Ok(if self.soonest().is_some_and(|soonest| soonest <= now) { Progress::More } else { Progress::AtRest })
    }

    /// The row says until when a message is delayed, so nothing has to be written when that is over.
    fn end_delays(&mut self, live: &Live, now: Timestamp) -> Result<()> {
        for (at, sequence) in due(self.order.delayed.iter().copied(), now) {
            let ready = Place::Ready(self.message(live, sequence)?.slip()?.priority);
            self.order.apply(&Move { sequence, from: Some(Place::Delayed(at)), to: Some(ready) });
            // No record says that a delay is over: one that ended before is met again by every run.
            self.by_itself.promoted += u64::from(at > live.queues.started);
        }
        Ok(())
    }

    fn end_leases(&mut self, live: &Live, now: Timestamp) -> Result<()> {
        let ended = due(self.order.leased.iter().copied(), now);
        if ended.is_empty() {
            return Ok(());
        }
        let expired = ended.len() as u64;
        self.step(live, |step| {
            step.txn.relief();
            for (until, sequence) in ended {
                let leased = step.held(Held { sequence, lease: None })?.filter(|leased| leased.until == until);
                let leased = leased.ok_or_else(|| Error::unreadable("a queue"))?;
                step.give_back(leased, Reason::Expired, None)?;
            }
            Ok(())
        })?;
        self.by_itself.expired += expired;
        Ok(())
    }

    fn end_leases_of_letters(&mut self, live: &Live, now: Timestamp) -> Result<()> {
        let ended = due(self.order.held.iter().copied(), now);
        if ended.is_empty() {
            return Ok(());
        }
        self.step(live, |step| {
            step.txn.relief();
            for (_, sequence) in ended {
                let letter = step.known_letter(sequence)?;
                step.return_letter(letter);
            }
            Ok(())
        })
    }

    fn close_windows(&mut self, live: &Live, now: Timestamp) -> Result<()> {
        let ended = self.windows.iter().take(BATCH).take_while(|((end, _), _)| *end <= now);
        let ended: Vec<_> = ended.map(|(end, key)| (*end, key.clone())).collect();
        if ended.is_empty() {
            return Ok(());
        }
        self.step(live, |step| {
            step.txn.relief();
            for (end, key) in &ended {
                let there = step.find_message(end.1)?.is_some();
                step.close_window(*end, key, if there { Key::Stays } else { Key::Goes });
            }
            Ok(())
        })
    }

    /// The queue's timer rang.
    fn set_next_timer(&mut self, live: &Live, rang: Timestamp) -> Result<()> {
        let next = self.soonest();
        self.step(live, |step| {
            step.txn.relief();
            if step.tally.armed == Some(rang) {
                step.set_timer(next);
            } else {
                step.txn.clear_timer(rang, Target::Queue(&step.state.row));
            }
            Ok(())
        })
    }
}

fn due(places: impl Iterator<Item = (Timestamp, u64)>, now: Timestamp) -> Vec<(Timestamp, u64)> {
    places.take(BATCH).take_while(|(at, _)| *at <= now).collect()
}

/// The timer of the queue with this row key rang for `deadline`: does a bounded piece, and lets it ring again if there is
/// more. The frame to wait for.
pub(crate) fn ring(live: &Live, row: &[u8], deadline: Timestamp) -> Result<Seq> {
    let row = RowKey::from_slice(row);
    let Some(queue) = live.queues.find(live, &row) else {
        let decided = txn::decide(live, |txn| {
            txn.relief();
            txn.clear_timer(deadline, Target::Queue(&row));
            Ok(())
        });
        return decided.into_frame();
    };
    let mut inner = queue.lock();
    let progress = inner.advance(live, &row)?;
    let Stage::Open(state) = &mut inner.stage else { return Ok(0) };
    if progress == Progress::AtRest {
        state.set_next_timer(live, deadline)?;
    }
    Ok(state.frame)
}
