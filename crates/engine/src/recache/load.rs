//! Reading what memory holds of the hosts when the engine starts.

use std::collections::BTreeMap;

use bytes::Bytes;
use manifold_store::{Range, Row, Store, Table, View};

use super::{
    HostId, Priority,
    hosts::{Host, Recache},
    order::{Order, Place},
    rows::{Waiting, read_entry, read_priority, unreadable},
};
use crate::{Result, keys};

/// Rows read at a time.
const ROWS: usize = 4096;

impl Recache {
    /// The hosts as their rows say.
    pub(crate) fn recover(store: &Store) -> Result<Self> {
        let mut hosts: BTreeMap<HostId, Host> = BTreeMap::new();
        for ((host, priority), places) in queues(store)? {
            *hosts.entry(host).or_default().queue_mut(priority) = Order::new(places);
        }
        each(store, keys::RECACHE_LETTER, |key, _| {
            let (host, number) = keys::read_recache_letter(key).ok_or_else(|| unreadable("a dead letter"))?;
            hosts.entry(HostId(host)).or_default().letters.insert(number);
            Ok(())
        })?;
        Ok(Recache::new(hosts, last_lease(store)?))
    }
}

fn queues(store: &Store) -> Result<BTreeMap<(HostId, Priority), Vec<Place>>> {
    let mut queues: BTreeMap<_, Vec<Place>> = BTreeMap::new();
    each(store, keys::RECACHE_ENTRY, |key, row| {
        let damaged = || unreadable("an entry");
        let (host, priority) = keys::read_recache_entry(key).ok_or_else(damaged)?;
        let priority = read_priority(priority).ok_or_else(damaged)?;
        let place = Place { due: Waiting::read(row)?.due, entry: read_entry(row)? };
        queues.entry((HostId(host), priority)).or_default().push(place);
        Ok(())
    })?;
    queues.values_mut().for_each(|places| share(places));
    Ok(queues)
}

/// Puts places in order. The variants of a page are neighbours then: one copy of the address is enough for them.
fn share(places: &mut [Place]) {
    places.sort_unstable();
    for at in 1..places.len() {
        if places[at].entry.url == places[at - 1].entry.url {
            places[at].entry.url = places[at - 1].entry.url.clone();
        }
    }
}

fn last_lease(store: &Store) -> Result<u64> {
    let mut before = None;
    loop {
        let last = Range { from: Vec::new(), to: before, limit: 1, reverse: true };
        let chunk = store.range(View::Latest, keys::RECACHE_LEASE, &last);
        match (chunk.rows.first(), chunk.resume) {
            (Some((key, _)), _) => return keys::read_number(key).ok_or_else(|| unreadable("a lease")),
            (None, None) => return Ok(0),
            // A piece of a range may have nothing but rows that were removed.
            (None, resume) => before = resume,
        }
    }
}

fn each(store: &Store, table: Table, mut with: impl FnMut(&Bytes, &Row) -> Result<()>) -> Result<()> {
    let mut from = Some(Vec::new());
    while let Some(first) = from {
        let range = Range { from: first, to: None, limit: ROWS, reverse: false };
        let chunk = store.range(View::Latest, table, &range);
        chunk.rows.iter().try_for_each(|(key, row)| with(key, row))?;
        from = chunk.resume;
    }
    Ok(())
}
