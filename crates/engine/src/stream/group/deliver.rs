//! Joining a group, and reading from it.

use std::sync::Arc;

use manifold_store::Seq;

use crate::{
    Error, Kind, Name, Result, Timestamp,
    live::Live,
    stream::{
        Delivery, GroupInfo, GroupRead, StreamStart,
        group::{
            effect::Effect,
            state::{Group, Groups},
        },
        read::{Finder, Room},
        row::{GroupHead, Pending},
        state::Stream,
    },
};

/// Most groups of a stream.
pub(in crate::stream) const GROUPS: usize = 1000;
/// Most records of a group that may be delivered and not acknowledged: beyond it no new ones are delivered.
pub(in crate::stream) const PENDING: usize = 65_536;
/// So many consumers of a group are remembered; a further one may read all the same.
pub(in crate::stream) const CONSUMERS: usize = 1000;

/// Makes a consumer known; none when the stream was deleted since it was found.
pub(crate) async fn join(
    live: &Live,
    stream: &Arc<Stream>,
    name: &Name,
    consumer: &Name,
    start: StreamStart,
) -> Result<Option<GroupInfo>> {
    live.store.room().await;
    let (frame, info) = {
        let mut groups = Groups::of(live, stream)?;
        if stream.is_deleted() {
            return Ok(None);
        }
        let frame = with_group(live, stream, &mut groups, name, start, |group| Ok(((), greet(group, consumer))))?.1;
        let bounds = stream.bounds(&live.store);
        let group = groups.by_name.get_mut(name);
        (frame, group.map(|group| group.info(name.clone(), live.clock.now(), bounds)))
    };
    live.store.durable(frame).await?;
    Ok(info)
}

/// Delivers records to a consumer; none when the stream was deleted since it was found.
pub(crate) async fn read(live: &Live, stream: &Arc<Stream>, read: &GroupRead) -> Result<Option<Vec<Delivery>>> {
    // Seen before the first attempt: what comes while we try wakes us.
    let mut moved = stream.subscribe();
    let attempts = async {
        loop {
            let Some(Attempt { deliveries, next_deadline }) = attempt(live, stream, read).await? else {
                return Ok(None);
            };
            if !deliveries.is_empty() || read.wait.is_none() {
                return Ok(Some(deliveries));
            }
            let news = async {
                tokio::select! {
                    _ = moved.changed() => {}
                    () = live.clock.until(next_deadline.unwrap_or(Timestamp(u64::MAX))) => {}
                }
            };
            if live.unless_stopped(news).await.is_none() {
                return Ok(Some(deliveries));
            }
        }
    };
    match read.wait {
        // The first attempt is made however short the wait is.
        Some(wait) => live.clock.timeout(wait, attempts).await.unwrap_or(Ok(Some(Vec::new()))),
        None => attempts.await,
    }
}

struct Attempt {
    deliveries: Vec<Delivery>,
    /// When a record may come back.
    next_deadline: Option<Timestamp>,
}

async fn attempt(live: &Live, stream: &Arc<Stream>, read: &GroupRead) -> Result<Option<Attempt>> {
    live.store.room().await;
    let (frame, attempt) = {
        let mut groups = Groups::of(live, stream)?;
        if stream.is_deleted() {
            return Ok(None);
        }
        let name = &read.group;
        let (deliveries, frame) = with_group(live, stream, &mut groups, name, read.start, |group| {
            let mut plan = Plan::new(live, stream, group, read);
            if plan.again()? {
                plan.fresh()?;
            }
            let mut effects = plan.effects;
            effects.extend(greet(plan.group, &read.consumer));
            Ok((plan.deliveries, effects))
        })?;
        let next_deadline = groups.by_name.get(name).and_then(Group::next_deadline);
        (frame, Attempt { deliveries, next_deadline })
    };
    live.store.durable(frame).await?;
    Ok(Some(attempt))
}

/// Runs a rule on a group and commits what it says, creating the group when it is absent.
fn with_group<T>(
    live: &Live,
    stream: &Stream,
    groups: &mut Groups,
    name: &Name,
    start: StreamStart,
    rule: impl FnOnce(&mut Group) -> Result<(T, Vec<Effect>)>,
) -> Result<(T, Seq)> {
    if let Some(group) = groups.by_name.get_mut(name) {
        let (done, effects) = rule(group)?;
        return Ok((done, groups.commit(live, stream, name, effects, |_| {})?));
    }
    if groups.by_name.len() >= GROUPS {
        return Err(Error::new(Kind::Full, format!("the stream has {GROUPS} groups already")));
    }
    let position = stream.start(live, start)?;
    let mut group = Group::new(GroupHead { number: 0, position, dead: 0 });
    let (done, effects) = rule(&mut group)?;
    Ok((done, groups.create(live, stream, name, group, effects, |_| {})?))
}

fn greet(group: &Group, consumer: &Name) -> Vec<Effect> {
    let known = group.consumers.contains(consumer) || group.consumers.len() >= CONSUMERS;
    if known { Vec::new() } else { vec![Effect::Consumer(consumer.clone())] }
}

/// What a read will deliver.
struct Plan<'a> {
    live: &'a Live,
    stream: &'a Stream,
    group: &'a mut Group,
    room: Room,
    deadline: Timestamp,
    effects: Vec<Effect>,
    deliveries: Vec<Delivery>,
}

impl<'a> Plan<'a> {
    fn new(live: &'a Live, stream: &'a Stream, group: &'a mut Group, read: &GroupRead) -> Self {
        let now = live.clock.now();
        let effects = group.overdue(now, stream.bounds(&live.store));
        let room = Room::new(read.limit, read.max_bytes);
        let deadline = now.plus(read.ack_timeout);
        Plan { live, stream, group, room, deadline, effects, deliveries: Vec::new() }
    }

    /// What came back; whether there was room for all of it.
    fn again(&mut self) -> Result<bool> {
        let first = self.stream.bounds(&self.live.store).first;
        let mut finder = Finder::new(self.live, self.stream);
        for offset in self.group.returned(first) {
            let Some(record) = finder.get(offset)? else { continue };
            if !self.room.take(&record) {
                return Ok(false);
            }
            let deliveries = self.group.pending[&offset].deliveries + 1;
            self.effects.push(Effect::Set(offset, Pending { deliveries, deadline: Some(self.deadline) }));
            self.deliveries.push(Delivery { record, deliveries, deadline: self.deadline });
        }
        Ok(true)
    }

    /// What was never delivered.
    fn fresh(&mut self) -> Result<()> {
        if self.room.is_used_up() || self.group.pending.len() >= PENDING {
            return Ok(());
        }
        let position = self.group.head.position.max(self.stream.bounds(&self.live.store).first);
        let records = self.stream.records(self.live, position, &mut self.room)?;
        let Some(last) = records.last() else { return Ok(()) };
        self.effects.push(Effect::Position(last.offset + 1));
        for record in records {
            let pending = Pending { deliveries: 1, deadline: Some(self.deadline) };
            self.effects.push(Effect::Set(record.offset, pending));
            self.deliveries.push(Delivery { record, deliveries: 1, deadline: self.deadline });
        }
        Ok(())
    }
}
