//! What the model should do, on plain maps. Order comes from the bytes of members themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A file whose record was replaced is for removal so many seconds later.
const REPLACED_FILE_SECONDS: u64 = 60;

/// What waits in a queue by the bytes of its members: due times and attempts.
type Queue = BTreeMap<Vec<u8>, (Entry, u64, u32)>;

#[derive(Debug, Default)]
pub(super) struct Model {
    queues: BTreeMap<(HostId, Priority), Queue>,
    /// All leases, and when those that wait for a retry are tried again.
    pub(super) leased: BTreeMap<u64, (Lease, Option<u64>)>,
    /// Every lease ever given out.
    seen: Vec<Lease>,
    /// The oldest first.
    dead: BTreeMap<HostId, Vec<DeadLetter>>,
    records: BTreeMap<PageKey, (Record, u64)>,
    pub(super) files: BTreeMap<String, u64>,
}

impl Model {
    fn queue(&mut self, host: HostId, priority: Priority) -> &mut Queue {
        self.queues.entry((host, priority)).or_default()
    }

    fn len(&self, host: HostId, priority: Priority) -> u64 {
        self.queues.get(&(host, priority)).map_or(0, |queue| queue.len() as u64)
    }

    fn is_full(&self, host: HostId, priority: Priority, new: &BTreeSet<Vec<u8>>, most: u64) -> bool {
        let queue = self.queues.get(&(host, priority));
        let added = new.iter().filter(|member| queue.is_none_or(|queue| !queue.contains_key(*member))).count() as u64;
        most > 0 && added > 0 && self.len(host, priority) + added > most
    }

    /// What waits in some queues, in order.
    pub(super) fn queued(&self, host: HostId, priorities: &[Priority]) -> Vec<Queued> {
        let of = |priority: &Priority| {
            let queue = self.queues.get(&(host, *priority)).into_iter().flatten();
            let mut order: Vec<_> = queue.map(|(member, (entry, due, _))| (*due, member, entry)).collect();
            order.sort_by_key(|(due, member, _)| (*due, *member));
            let priority = *priority;
            order
                .into_iter()
                .map(move |(due, _, entry)| Queued { entry: entry.clone(), priority, due })
                .collect::<Vec<_>>()
        };
        priorities.iter().flat_map(of).collect()
    }

    pub(super) fn depth(&self, host: HostId, priority: Priority, now: u64) -> Depth {
        let due = self.queued(host, &[priority]).iter().filter(|queued| queued.due <= now).count() as u64;
        Depth { total: self.len(host, priority), due }
    }

    pub(super) fn enqueue(&mut self, enqueue: &Enqueue) -> Result<(), Kind> {
        let Enqueue { host, priority, ref entries, due, most } = *enqueue;
        let new = entries.iter().map(Entry::member).collect();
        if self.is_full(host, priority, &new, most) {
            return Err(Kind::Busy);
        }
        for entry in entries {
            self.queue(host, priority).insert(entry.member(), (entry.clone(), due, 0));
        }
        Ok(())
    }

    /// Takes what the pulls should have taken, and compares.
    pub(super) fn pull(&mut self, pulls: &[Pull], now: u64, pulled: &[Pulled]) {
        assert_eq!(pulled.len(), pulls.len());
        for (pull, pulled) in pulls.iter().zip(pulled) {
            let Pull { host, priority, most } = *pull;
            let due: Vec<Queued> =
                self.queued(host, &[priority]).into_iter().filter(|queued| queued.due <= now).collect();
            assert_eq!((pulled.pull, pulled.due_left), (*pull, due.len() > most));
            assert_eq!(pulled.leases.len(), most.min(due.len()));
            for (lease, Queued { entry, due, .. }) in pulled.leases.iter().zip(due) {
                let (_, _, attempts) = self.queue(host, priority).remove(&entry.member()).expect("it waits");
                assert_eq!(*lease, Lease { id: lease.id, host, priority, entry, due, attempts });
                assert_eq!(self.leased.insert(lease.id, (lease.clone(), None)), None);
                self.seen.push(lease.clone());
            }
        }
    }

    /// Leases counted from the latest one back, whether they ended or not.
    pub(super) fn leases(&self, picks: &[usize]) -> Vec<Lease> {
        picks.iter().filter_map(|back| self.seen.iter().rev().nth(*back).cloned()).collect()
    }

    pub(super) fn end_lease(&mut self, lease: &Lease) {
        self.leased.remove(&lease.id);
    }

    pub(super) fn wait_for_retry(&mut self, lease: &Lease, attempts: u32, ready_at: u64) {
        if let Some((lease, at)) = self.leased.get_mut(&lease.id) {
            lease.attempts = attempts;
            *at = Some(ready_at);
        }
    }

    pub(super) fn give_back(&mut self, lease: &Lease) {
        if self.leased.remove(&lease.id).is_some() {
            let queue = self.queue(lease.host, lease.priority);
            let back = (lease.entry.clone(), lease.due, lease.attempts);
            let (_, due, _) = queue.entry(lease.entry.member()).or_insert(back);
            *due = (*due).min(lease.due);
        }
    }

    /// How many leases went back; those of this run are all of one before by now.
    pub(super) fn recover(&mut self) -> u64 {
        let leased: Vec<_> = self.leased.values().cloned().collect();
        for (lease, ready_at) in &leased {
            self.give_back(&Lease { due: ready_at.unwrap_or(lease.due), ..lease.clone() });
        }
        leased.len() as u64
    }

    pub(super) fn bury(&mut self, lease: &Lease, letter: DeadLetter, most: u64) {
        if self.leased.remove(&lease.id).is_some() {
            let letters = self.dead.entry(lease.host).or_default();
            letters.push(letter);
            let surplus = letters.len().saturating_sub(most as usize);
            letters.drain(..surplus);
        }
    }

    pub(super) fn letters(&self, host: HostId) -> Vec<DeadLetter> {
        self.dead.get(&host).into_iter().flatten().rev().cloned().collect()
    }

    pub(super) fn retry_failed(&mut self, host: HostId, now: u64, most: u64) -> Result<u64, Kind> {
        let letters = self.letters(host);
        for priority in Priority::ALL {
            let of = letters.iter().filter(|letter| letter.priority == priority);
            if self.is_full(host, priority, &of.map(|letter| letter.entry.member()).collect(), most) {
                return Err(Kind::Busy);
            }
        }
        for letter in &letters {
            let queue = self.queue(host, letter.priority);
            queue.insert(letter.entry.member(), (letter.entry.clone(), now, 0));
        }
        self.dead.remove(&host);
        Ok(letters.len() as u64)
    }

    pub(super) fn purge(&mut self, host: HostId, priorities: &[Priority]) -> u64 {
        let of = |priority: &Priority| self.queues.remove(&(host, *priority)).map_or(0, |queue| queue.len() as u64);
        priorities.iter().map(of).sum()
    }

    pub(super) fn records_of(&self, host: HostId, now: u64) -> Vec<(PageKey, Record)> {
        let of = self.records.iter().filter(|(key, (_, gone_at))| key.host == host && *gone_at > now);
        of.map(|(key, (record, _))| (*key, record.clone())).collect()
    }

    /// Removes a record; its file, if it was there.
    fn take(&mut self, key: PageKey, now: u64) -> Option<String> {
        let (record, gone_at) = self.records.remove(&key)?;
        (gone_at > now).then_some(record.file_path)
    }

    fn note(&mut self, path: String, at: u64) {
        if !path.is_empty() {
            self.files.insert(path, at);
        }
    }

    pub(super) fn store(&mut self, key: PageKey, record: Record, now: u64, gone_at: u64) {
        if let Some(before) = self.take(key, now).filter(|before| *before != record.file_path) {
            self.note(before, now + REPLACED_FILE_SECONDS);
        }
        self.files.remove(&record.file_path);
        self.records.insert(key, (record, gone_at));
    }

    pub(super) fn forget(&mut self, keys: &[PageKey], now: u64, files_at: u64) -> u64 {
        let mut forgotten = 0;
        for key in keys {
            if let Some(path) = self.take(*key, now) {
                self.note(path, files_at);
                forgotten += 1;
            }
        }
        forgotten
    }

    pub(super) fn forget_selected(&mut self, host: HostId, selection: &Selection, now: u64, files_at: u64) -> u64 {
        let Selection { dimensions, prefix } = selection;
        let selected = self.records_of(host, now).into_iter().filter(|(key, record)| {
            dimensions.as_ref().is_none_or(|dimensions| dimensions.contains(&key.dimension))
                && prefix.as_ref().is_none_or(|prefix| record.url.starts_with(prefix))
        });
        let keys: Vec<PageKey> = selected.map(|(key, _)| key).collect();
        self.forget(&keys, now, files_at)
    }

    pub(super) fn bot_hit(&mut self, hit: &BotHit, now: u64) -> Result<Scheduled, Kind> {
        let BotHit { key, entry, at, due, most } = hit;
        let member = entry.member();
        let (host, priority) = (key.host, Priority::Autorecache);
        if self.is_full(host, priority, &[member.clone()].into(), *most) {
            return Err(Kind::Busy);
        }
        if let Some((record, _)) = self.records.get_mut(key).filter(|(_, gone_at)| *gone_at > now) {
            record.last_bot_hit = Some(*at as i64);
        }
        let queue = self.queue(host, priority);
        let scheduled = match queue.get(&member) {
            None => Scheduled::Added,
            Some((_, queued, _)) if due < queued => Scheduled::Earlier,
            Some(_) => return Ok(Scheduled::Unchanged),
        };
        queue.insert(member, (entry.clone(), *due, 0));
        Ok(scheduled)
    }

    /// By time, then by path.
    pub(super) fn removable(&self, now: u64) -> Vec<String> {
        let mut due: Vec<_> = self.files.iter().filter(|(_, at)| **at <= now).map(|(path, at)| (*at, path)).collect();
        due.sort();
        due.into_iter().map(|(_, path)| path.clone()).collect()
    }
}
