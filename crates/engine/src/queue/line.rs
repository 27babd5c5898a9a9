//! Those who wait for a message, in the order they came.

use std::{collections::BTreeMap, task::Waker};

/// The line in front of one queue. The first in it is woken when there is a message; it wakes the next when it leaves.
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
    consumer: Option<u64>,
    waker: Option<Waker>,
}

impl Line {
    /// A place at the end.
    pub(crate) fn join(&mut self, hasty: bool, consumer: Option<u64>) -> u64 {
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

    pub(crate) fn is_first(&self, ticket: u64) -> bool {
        self.waiters.first_key_value().is_some_and(|(first, _)| *first == ticket)
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

    /// Wakes whoever can go on: with a message the first, without one those who do not want to wait for it.
    pub(crate) fn rouse(&mut self, message: bool) {
        if message {
            if let Some(first) = self.waiters.first_entry() {
                first.into_mut().wake();
            }
        } else if self.hasty > 0 {
            self.waiters.values_mut().filter(|waiter| waiter.hasty).for_each(Waiter::wake);
        }
    }

    /// Who waits, without those who only ask.
    pub(crate) fn consumers(&self) -> impl Iterator<Item = Option<u64>> {
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
