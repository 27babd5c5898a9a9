//! Those who wait for a message, in the order they came.

use std::{collections::BTreeMap, task::Waker};

use crate::queue::Consumer;

/// The line in front of one queue. The first in it who may take a message is woken when there is one; it wakes the next
/// when it leaves.
#[derive(Debug, Default)]
pub(crate) struct Line {
    next: u64,
    waiters: BTreeMap<u64, Waiter>,
    /// How many of them want an answer as soon as there is no message.
    hasty: usize,
}

#[derive(Debug)]
struct Waiter {
    hasty: bool,
    consumer: Option<Consumer>,
    waker: Option<Waker>,
}

impl Line {
    /// A place at the end.
    pub(crate) fn join(&mut self, hasty: bool, consumer: Option<Consumer>) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.hasty += usize::from(hasty);
        self.waiters.insert(ticket, Waiter { hasty, consumer, waker: None });
        ticket
    }

    pub(crate) fn leave(&mut self, ticket: u64) {
        if let Some(waiter) = self.waiters.remove(&ticket) {
            self.hasty -= usize::from(waiter.hasty);
        }
    }

    /// Whether it is the turn of who has that place: nobody before it may take a message.
    pub(crate) fn is_first(&self, ticket: u64, may_take: impl Fn(Option<Consumer>) -> bool) -> bool {
        let mut ahead = self.waiters.range(..ticket);
        self.waiters.contains_key(&ticket) && !ahead.any(|(_, waiter)| may_take(waiter.consumer))
    }

    /// Says how to wake who has that place.
    pub(crate) fn remember(&mut self, ticket: u64, waker: &Waker) {
        if let Some(waiter) = self.waiters.get_mut(&ticket) {
            match &mut waiter.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
    }

    /// Wakes whoever can go on: with a message the first who may take it, without one those who do not want to wait.
    pub(crate) fn rouse(&mut self, message: bool, may_take: impl Fn(Option<Consumer>) -> bool) {
        if message {
            for waiter in self.waiters.values_mut() {
                let takes = may_take(waiter.consumer);
                if takes || waiter.hasty {
                    waiter.wake();
                }
                if takes {
                    break;
                }
            }
        } else if self.hasty > 0 {
            self.waiters.values_mut().filter(|waiter| waiter.hasty).for_each(Waiter::wake);
        }
    }

    /// Who waits, without those who only ask.
    pub(crate) fn consumers(&self) -> impl Iterator<Item = Option<Consumer>> {
        self.waiters.values().filter(|waiter| !waiter.hasty).map(|waiter| waiter.consumer)
    }

    /// Those who wait, without those who only ask.
    pub(crate) fn waiting(&self) -> u64 {
        (self.waiters.len() - self.hasty) as u64
    }
}

impl Waiter {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
