//! A change while it is decided: what it does to rows, and what it will do to memory once it is committed.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use manifold_store::Seq;

use super::{
    DeadLetter, Entry, HostId, Lease, Priority,
    hosts::{Held, Host},
    order::Place,
    rows::{EntryKey, Leased, Waiting, entry_body, entry_key},
};
use crate::{
    Result, keys,
    live::Live,
    txn::{self, Txn},
};

/// A change of some hosts, all of which are locked. What it finds in memory is the state before it.
pub(super) struct Step<'a, 't> {
    pub(super) txn: &'a mut Txn<'t>,
    hosts: &'a Held<'a>,
    shifts: HashMap<Spot, Shift, RandomState>,
    letters: Vec<(HostId, Letter)>,
}

/// An entry of a queue.
type Spot = (HostId, Priority, Entry);

/// What becomes of an entry of a queue.
#[derive(Debug, Clone, Copy)]
struct Shift {
    key: EntryKey,
    before: Option<Waiting>,
    after: Option<Waiting>,
}

/// What becomes of a dead letter, by its number.
#[derive(Debug, Clone, Copy)]
enum Letter {
    Kept(u64),
    Gone(u64),
}

/// What a step leaves behind once it is committed.
struct Effect {
    shifts: HashMap<Spot, Shift, RandomState>,
    letters: Vec<(HostId, Letter)>,
}

/// Runs a rule on hosts and commits what it wrote, as one frame; completes when that is durable.
pub(super) async fn change<T>(
    live: &Live,
    hosts: impl IntoIterator<Item = HostId>,
    rule: impl FnOnce(&mut Step<'_, '_>) -> Result<T>,
) -> Result<T> {
    live.store.room().await;
    let (result, frame) = change_now(live, hosts, rule);
    live.durable(frame).await?;
    result
}

/// The same without waiting: with the result, the frame that must be durable before anybody is told.
pub(super) fn change_now<T>(
    live: &Live,
    hosts: impl IntoIterator<Item = HostId>,
    rule: impl FnOnce(&mut Step<'_, '_>) -> Result<T>,
) -> (Result<T>, Seq) {
    let hosts = live.recache.several(hosts);
    let mut held = hosts.lock();
    let decided = txn::decide(live, |txn| {
        let mut step = Step { txn, hosts: &held, shifts: HashMap::default(), letters: Vec::new() };
        let done = rule(&mut step)?;
        Ok((done, Effect { shifts: step.shifts, letters: step.letters }))
    });
    let result = decided.into_done().map(|((done, effect), frame)| {
        effect.apply(&mut held);
        held.values_mut().for_each(|host| host.frame = host.frame.max(frame));
        done
    });
    let frame = held.values().map(|host| host.frame).max().unwrap_or_default();
    (result, frame)
}

impl<'a> Step<'a, '_> {
    /// A host as it was before.
    pub(super) fn host(&self, host: HostId) -> &'a Host {
        self.hosts.get(&host).expect("a rule names only hosts that its caller has locked")
    }

    /// An entry of a queue, if it waits there.
    pub(super) fn waiting(&mut self, host: HostId, priority: Priority, entry: &Entry) -> Result<Option<Waiting>> {
        let spot = (host, priority, entry.clone());
        if let Some(shift) = self.shifts.get(&spot) {
            return Ok(shift.after);
        }
        let key = entry_key(host, priority, entry);
        let row = self.txn.get(keys::RECACHE_ENTRY, &key);
        let before = row.as_ref().map(Waiting::read).transpose()?;
        self.shifts.insert(spot, Shift { key, before, after: before });
        Ok(before)
    }

    /// Lets an entry wait, or wait no longer; what it did before was asked with [`Step::waiting`].
    pub(super) fn set_waiting(&mut self, host: HostId, priority: Priority, entry: &Entry, after: Option<Waiting>) {
        let shift = self.shifts.get_mut(&(host, priority, entry.clone())).expect("the rule has asked for its state");
        shift.after = after;
        match after {
            Some(waiting) => self.txn.put(keys::RECACHE_ENTRY, &shift.key, &waiting.encode(), &entry_body(entry)),
            None => self.txn.delete(keys::RECACHE_ENTRY, &shift.key),
        }
    }

    /// How many entries a queue has by now.
    pub(super) fn queue_len(&self, host: HostId, priority: Priority) -> u64 {
        let mut len = self.host(host).queue(priority).len();
        for ((of, queue, _), shift) in &self.shifts {
            if (*of, *queue) == (host, priority) {
                len += u64::from(shift.after.is_some());
                len -= u64::from(shift.before.is_some());
            }
        }
        len
    }

    /// Whether an entry was taken from its queue by this change.
    pub(super) fn is_taken(&self, host: HostId, priority: Priority, entry: &Entry) -> bool {
        self.shifts.get(&(host, priority, entry.clone())).is_some_and(|shift| shift.after.is_none())
    }

    /// Notes a lease, or what is new about it.
    pub(super) fn put_lease(&mut self, leased: &Leased) {
        let url = leased.lease.entry.url.as_bytes();
        self.txn.put(keys::RECACHE_LEASE, &keys::number(leased.lease.id), &leased.head(), url);
    }

    /// Whether a lease was not brought to an end yet.
    pub(super) fn is_leased(&mut self, lease: &Lease) -> bool {
        self.txn.get(keys::RECACHE_LEASE, &keys::number(lease.id)).is_some()
    }

    /// Ends a lease.
    pub(super) fn end_lease(&mut self, lease: &Lease) {
        self.txn.delete(keys::RECACHE_LEASE, &keys::number(lease.id));
    }

    /// Keeps a dead letter.
    pub(super) fn keep_letter(&mut self, host: HostId, number: u64, letter: &DeadLetter) {
        self.txn.put(keys::RECACHE_LETTER, &keys::recache_letter(host.0, number), &letter.head(), &letter.body());
        self.letters.push((host, Letter::Kept(number)));
    }

    /// Removes a dead letter.
    pub(super) fn remove_letter(&mut self, host: HostId, number: u64) {
        self.txn.delete(keys::RECACHE_LETTER, &keys::recache_letter(host.0, number));
        self.letters.push((host, Letter::Gone(number)));
    }
}

impl Effect {
    fn apply(self, held: &mut Held<'_>) {
        for ((id, priority, entry), Shift { before, after, .. }) in self.shifts {
            if before.map(|waiting| waiting.due) == after.map(|waiting| waiting.due) {
                continue;
            }
            let queue = host(held, id).queue_mut(priority);
            if let Some(Waiting { due, .. }) = before {
                queue.remove(&Place { due, entry: entry.clone() });
            }
            if let Some(Waiting { due, .. }) = after {
                queue.insert(Place { due, entry });
            }
        }
        for (id, letter) in self.letters {
            match letter {
                Letter::Kept(number) => host(held, id).letters.insert(number),
                Letter::Gone(number) => host(held, id).letters.remove(&number),
            };
        }
    }
}

fn host<'h>(held: &'h mut Held<'_>, id: HostId) -> &'h mut Host {
    held.get_mut(&id).expect("a change is of hosts that are locked")
}
