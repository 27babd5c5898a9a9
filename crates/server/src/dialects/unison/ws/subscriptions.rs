//! What one socket watches: up to 1,000 trees of namespaces over one cursor of the feed.
//!
//! Invariants. The live cursor gives each change once, whatever number of subscriptions it matches, in the order of the
//! feed. A subscription that starts in the past has a source of its own until that has told everything up to where the
//! live cursor is; then it joins, and of live changes gets those above `from` only: no gap, no repetition.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use manifold_engine::{
    self as engine, Engine, Namespace,
    feed::{Change, ChangeOp, Filter, Follower, How, Start, Step},
    kv::{Entry, TreeScan},
};
use tokio::time::{Instant, sleep_until};

use super::{
    super::{
        error::Error,
        model::{self, Form},
        streams::PROGRESS_AFTER,
    },
    options::{Begin, Options},
    pace::Pace,
    rpc,
};
use crate::{
    http::json::{write_bytes_as_str, write_u64},
    telemetry::UnisonMetrics,
};

/// Most subscriptions of one socket.
const MAX_SUBSCRIPTIONS: usize = 1_000;
/// Most changes read at a time.
const STEP_CHANGES: usize = 256;
/// Stored bytes read at a time; a single record may be longer.
const STEP_BYTES: usize = 1 << 20;

/// Notifications, each a message of its own.
pub(super) type Notices = Vec<Vec<u8>>;

pub(super) struct Subscriptions {
    engine: Engine,
    metrics: Arc<UnisonMetrics>,
    by_tree: HashMap<Bytes, Subscription>,
    /// The cursor that all subscriptions share; there while there is one.
    live: Option<Follower>,
    /// Subscriptions on their way to the live cursor, first come first served.
    catching_up: VecDeque<CatchUp>,
    pace: Pace,
    /// When the client was last told something.
    told: Instant,
}

struct Subscription {
    options: Options,
    /// Live changes up to this one are not for it.
    from: u64,
    /// It takes part in live changes.
    joined: bool,
}

struct CatchUp {
    tree: Bytes,
    source: Source,
}

enum Source {
    /// Records after a number.
    Replay {
        follower: Follower,
        /// What lies at or below it is not to be told.
        floor: u64,
        /// The client does not know yet when it has caught up.
        announce: bool,
    },
    /// The entries of one cut.
    Snapshot(TreeScan),
}

impl Subscriptions {
    pub(super) fn new(engine: Engine, metrics: Arc<UnisonMetrics>) -> Self {
        Subscriptions {
            engine,
            metrics,
            by_tree: HashMap::new(),
            live: None,
            catching_up: VecDeque::new(),
            pace: Pace::default(),
            told: Instant::now(),
        }
    }

    /// Adds a subscription, or replaces the one of the same tree. The answer is the head.
    pub(super) fn subscribe(&mut self, options: Options) -> Result<u64, Error> {
        let tree = options.tree.clone();
        if self.by_tree.len() >= MAX_SUBSCRIPTIONS && !self.by_tree.contains_key(&tree) {
            return Err(Error::invalid("Too many subscriptions (max 1000)"));
        }
        let source = match options.begin {
            Begin::Live => None,
            Begin::Since(seq) => {
                let follower = self.engine.follow(Start::After(seq), options.filter())?;
                Some(Source::Replay { follower, floor: seq, announce: true })
            }
            Begin::Snapshot => {
                let scan = self.engine.scan_tree(&tree, &options.prefix, options.keys_only)?;
                Some(Source::Snapshot(scan))
            }
        };
        match self.by_tree.get_mut(&tree).filter(|known| known.joined && source.is_none()) {
            // It goes on where it is, or what was not told yet, and what is held back, would be lost.
            Some(known) => known.options = options,
            None => {
                self.unsubscribe(&tree);
                self.by_tree.insert(tree.clone(), Subscription { options, from: 0, joined: false });
            }
        }
        self.aim()?;
        let head = self.engine.head()?;
        match (source, self.by_tree.get_mut(&tree)) {
            (Some(source), _) => self.catching_up.push_back(CatchUp { tree, source }),
            (None, Some(new)) if !new.joined => (new.from, new.joined) = (head, true),
            (None, _) => {}
        }
        self.told = Instant::now();
        Ok(head)
    }

    /// Ends a subscription, if there is one.
    pub(super) fn unsubscribe(&mut self, tree: &[u8]) {
        self.by_tree.remove(tree);
        self.catching_up.retain(|catch_up| catch_up.tree != tree);
        if self.by_tree.is_empty() {
            self.live = None;
            self.pace = Pace::default();
        }
    }

    /// The next notifications. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> Result<Notices, engine::Error> {
        let notices = match self.catching_up.pop_front() {
            Some(catch_up) => {
                let mut notices = self.ahead()?;
                notices.append(&mut self.catch_up(catch_up)?);
                notices
            }
            None => self.live().await?,
        };
        if !notices.is_empty() {
            self.told = Instant::now();
        }
        Ok(notices)
    }

    /// Points the live cursor at what the subscriptions want, from where it is.
    fn aim(&mut self) -> Result<(), engine::Error> {
        let mut subscriptions = self.by_tree.values();
        let filter = match (subscriptions.next(), subscriptions.next()) {
            (Some(only), None) => only.options.filter(),
            _ => Filter::default(),
        };
        let start = self.live.as_ref().map_or(Start::Head, |live| Start::After(live.position()));
        self.live = Some(self.engine.follow(start, filter)?);
        Ok(())
    }

    async fn live(&mut self) -> Result<Notices, engine::Error> {
        let Some(live) = &mut self.live else { return std::future::pending().await };
        let silence = self.told + PROGRESS_AFTER;
        let due = self.pace.next_due();
        tokio::select! {
            step = live.next(STEP_CHANGES, STEP_BYTES) => Ok(self.step(&step?)),
            () = sleep_until(due.unwrap_or(silence)), if due.is_some() => Ok(self.release()),
            () = sleep_until(silence) => self.progress(),
        }
    }

    /// What is live without waiting, while a subscription catches up.
    fn ahead(&mut self) -> Result<Notices, engine::Error> {
        let mut notices = self.release();
        if let Some(live) = &mut self.live
            && let Some(step) = live.try_next(STEP_CHANGES, STEP_BYTES)?
        {
            notices.append(&mut self.step(&step));
        }
        Ok(notices)
    }

    /// What a step of the live cursor means for the client.
    fn step(&mut self, step: &Step) -> Notices {
        match step {
            Step::Changes { changes, .. } => changes.iter().filter_map(|change| self.tell(change)).collect(),
            Step::Reset { oldest_seq, head } => {
                self.metrics.stream_reset();
                let joined = self.by_tree.iter().filter(|(_, subscription)| subscription.joined);
                joined.map(|(tree, _)| reset(tree, *oldest_seq, *head)).collect()
            }
        }
    }

    /// A live change: told once, with its value when one subscription wants it, at the pace of the fastest one.
    fn tell(&mut self, change: &Arc<Change>) -> Option<Vec<u8>> {
        let wanted = self.wanted(change)?;
        match wanted.max_rate {
            Some(rate) if !self.pace.admit(change, rate, Instant::now()) => return None,
            Some(_) => {}
            None => self.pace.overtaken(change),
        }
        Some(notice(change, wanted.keys_only))
    }

    /// Changes that were held back and may be told of now, if somebody still wants them.
    fn release(&mut self) -> Notices {
        let released = self.pace.take_due(Instant::now());
        released.iter().filter_map(|change| Some(notice(change, self.wanted(change)?.keys_only))).collect()
    }

    /// After a silence: what did come after all, or how far the feed is.
    fn progress(&mut self) -> Result<Notices, engine::Error> {
        while let Some(live) = &mut self.live {
            let Some(step) = live.try_next(STEP_CHANGES, STEP_BYTES)? else {
                let position = live.position();
                return Ok(vec![rpc::notification("watch/progress", |out| {
                    out.extend_from_slice(b"{\"seq\":");
                    write_u64(out, position);
                    out.push(b'}');
                })]);
            };
            let notices = self.step(&step);
            if !notices.is_empty() {
                return Ok(notices);
            }
        }
        Ok(Notices::new())
    }

    /// Who wants a live change, and in which form.
    fn wanted(&self, change: &Change) -> Option<Wanted> {
        let watching = ancestors(change.namespace.as_bytes()).filter_map(|tree| self.by_tree.get(tree));
        watching
            .filter(|subscription| subscription.joined && change.seq > subscription.from)
            .filter(|subscription| subscription.options.passes(change))
            .map(|subscription| Wanted {
                keys_only: subscription.options.keys_only,
                max_rate: subscription.options.max_rate,
            })
            .reduce(|one, other| Wanted {
                keys_only: one.keys_only && other.keys_only,
                max_rate: one.max_rate.zip(other.max_rate).map(|(one, other)| one.max(other)),
            })
    }

    /// A piece of the past for one subscription; at its end the subscription joins the live cursor.
    fn catch_up(&mut self, mut catch_up: CatchUp) -> Result<Notices, engine::Error> {
        let live = self.live.as_ref().map_or(0, Follower::position);
        let Some(subscription) = self.by_tree.get_mut(&catch_up.tree) else { return Ok(Notices::new()) };
        let keys_only = subscription.options.keys_only;
        let mut notices = Notices::new();
        match &mut catch_up.source {
            Source::Replay { follower, floor, announce } => {
                let end = match follower.try_next(STEP_CHANGES, STEP_BYTES)? {
                    None => true,
                    Some(Step::Changes { changes, upto, .. }) => {
                        // What lies beyond the live cursor will come from there.
                        let past = changes.iter().filter(|change| change.seq <= live);
                        notices.extend(past.map(|change| notice(change, keys_only)));
                        upto >= live
                    }
                    Some(Step::Reset { oldest_seq, head }) => {
                        self.metrics.stream_reset();
                        *floor = follower.position();
                        notices.push(reset(&catch_up.tree, oldest_seq, head));
                        false
                    }
                };
                if end {
                    (subscription.from, subscription.joined) = (live.max(*floor), true);
                    notices.extend(announce.then(|| synced(&catch_up.tree, subscription.from)));
                    return Ok(notices);
                }
            }
            Source::Snapshot(scan) => match scan.next_chunk()? {
                Some(entries) => {
                    let changes = entries.into_iter().map(|(namespace, entry)| as_change(namespace, entry));
                    let passing = changes.filter(|change| subscription.options.passes(change));
                    notices.extend(passing.map(|change| notice(&change, keys_only)));
                }
                None => {
                    let head = scan.head();
                    notices.push(synced(&catch_up.tree, head));
                    // The live cursor went on meanwhile: what it gave since the cut is told from the feed.
                    let follower = self.engine.follow(Start::After(head), subscription.options.filter())?;
                    catch_up.source = Source::Replay { follower, floor: head, announce: false };
                }
            },
        }
        self.catching_up.push_front(catch_up);
        Ok(notices)
    }
}

/// The form in which a change is told.
struct Wanted {
    keys_only: bool,
    /// `None`: every change.
    max_rate: Option<u32>,
}

/// The trees a namespace lies in: everything, each part of it that a `/` ends, itself.
fn ancestors(namespace: &[u8]) -> impl Iterator<Item = &[u8]> {
    let slashes = memchr::memchr_iter(b'/', namespace).filter(|at| *at > 0);
    [&b""[..]].into_iter().chain(slashes.map(|at| &namespace[..at])).chain([namespace])
}

/// A live entry as the change that made it.
fn as_change(namespace: Namespace, entry: Entry) -> Change {
    Change {
        seq: entry.seq,
        op: ChangeOp::Set(How::Put),
        namespace,
        key: entry.key,
        value: Some(entry.value),
        version: entry.version,
        actor: entry.actor,
        at: entry.updated_at,
        expires_at: entry.expires_at,
        commit: (entry.seq, entry.seq),
        previous: None,
    }
}

fn notice(change: &Change, keys_only: bool) -> Vec<u8> {
    let form = Form { keys_only, as_entry: true, detail: false };
    rpc::notification("watch/change", |out| model::write_change(out, change, form))
}

fn synced(tree: &[u8], seq: u64) -> Vec<u8> {
    rpc::notification("watch/synced", |out| {
        out.extend_from_slice(b"{\"namespace\":");
        write_bytes_as_str(out, tree);
        out.extend_from_slice(b",\"seq\":");
        write_u64(out, seq);
        out.push(b'}');
    })
}

fn reset(tree: &[u8], oldest_seq: u64, head: u64) -> Vec<u8> {
    rpc::notification("watch/reset", |out| {
        out.extend_from_slice(b"{\"namespace\":");
        write_bytes_as_str(out, tree);
        out.extend_from_slice(b",\"oldestSeq\":");
        write_u64(out, oldest_seq);
        out.extend_from_slice(b",\"seq\":");
        write_u64(out, head);
        out.push(b'}');
    })
}

#[cfg(test)]
mod tests;
