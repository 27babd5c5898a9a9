//! Changes of a group: the same list is written to the rows and, when that is committed, applied to the memory.

use manifold_store::Seq;

use crate::{
    Name, Result, keys,
    live::Live,
    stream::{
        group::state::{Group, Groups},
        row::{GroupHead, Meta, Pending},
        state::Stream,
    },
    txn::{self, Txn},
};

/// A change of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A consumer is known.
    Consumer(Name),
    /// Every record below was delivered.
    Position(u64),
    /// A record is pending, like this.
    Set(u64, Pending),
    /// A record is done with.
    Done(u64),
    /// A record is given up.
    Dead(u64),
}

impl Effect {
    /// The record that is pending no more.
    pub(crate) fn ends(&self) -> Option<u64> {
        match self {
            Effect::Done(offset) | Effect::Dead(offset) => Some(*offset),
            Effect::Consumer(_) | Effect::Position(_) | Effect::Set(..) => None,
        }
    }
}

impl Groups {
    /// Commits changes of a group, and what `beside` writes with them: the frame to wait for before anybody is told, even
    /// if there was nothing to change.
    pub(crate) fn commit(
        &mut self,
        live: &Live,
        stream: &Stream,
        name: &Name,
        effects: Vec<Effect>,
        beside: impl FnOnce(&mut Txn<'_>),
    ) -> Result<Seq> {
        let Some(group) = self.by_name.get_mut(name) else { return Ok(self.frame) };
        if !effects.is_empty() {
            let head = after(group.head, &effects);
            self.frame = txn::decide(live, |txn| {
                // What is pending, and who reads, have bounds of their own. They do not count as growth: who may not read
                // can acknowledge nothing either.
                if !effects.iter().any(|effect| matches!(effect, Effect::Set(..) | Effect::Consumer(_))) {
                    txn.relief();
                }
                write(txn, stream, name, head, head != group.head, &effects);
                beside(txn);
                Ok(())
            })
            .into_frame()?;
            group.head = head;
            apply(group, effects);
        }
        Ok(self.frame)
    }

    /// Commits a new group together with its first changes.
    pub(crate) fn create(
        &mut self,
        live: &Live,
        stream: &Stream,
        name: &Name,
        mut group: Group,
        effects: Vec<Effect>,
        beside: impl FnOnce(&mut Txn<'_>),
    ) -> Result<Seq> {
        let mut tail = stream.tail.lock();
        group.head.number = tail.meta.next_group;
        let meta = Meta { next_group: tail.meta.next_group + 1, last_at: tail.last_at, ..tail.meta.clone() };
        let head = after(group.head, &effects);
        let frame = txn::decide(live, |txn| {
            txn.grow()?;
            txn.put(keys::STREAM, &stream.key, &meta.encode(), &[]);
            write(txn, stream, name, head, true, &effects);
            beside(txn);
            Ok(())
        })
        .into_frame()?;
        tail.meta = meta;
        tail.frame = frame;
        self.frame = frame;
        group.head = head;
        apply(&mut group, effects);
        self.by_name.insert(name.clone(), group);
        Ok(frame)
    }
}

fn after(mut head: GroupHead, effects: &[Effect]) -> GroupHead {
    for effect in effects {
        match effect {
            Effect::Position(position) => head.position = *position,
            Effect::Dead(_) => head.dead += 1,
            Effect::Consumer(_) | Effect::Set(..) | Effect::Done(_) => {}
        }
    }
    head
}

fn write(txn: &mut Txn<'_>, stream: &Stream, name: &Name, head: GroupHead, moved: bool, effects: &[Effect]) {
    let id = stream.id;
    if moved {
        txn.put(keys::STREAM_GROUP, &keys::stream_group(id, name), &head.encode(), &[]);
    }
    let pending = |offset| keys::stream_pending(id, head.number, offset);
    for effect in effects {
        match effect {
            Effect::Consumer(consumer) => {
                txn.put(keys::STREAM_CONSUMER, &keys::stream_consumer(id, head.number, consumer), &[], &[]);
            }
            Effect::Position(_) => {}
            Effect::Set(offset, state) => txn.put(keys::STREAM_PENDING, &pending(*offset), &state.encode(), &[]),
            Effect::Done(offset) | Effect::Dead(offset) => txn.delete(keys::STREAM_PENDING, &pending(*offset)),
        }
    }
}

fn apply(group: &mut Group, effects: Vec<Effect>) {
    for effect in effects {
        match effect {
            Effect::Consumer(consumer) => {
                group.consumers.insert(consumer);
            }
            Effect::Position(_) => {}
            Effect::Set(offset, pending) => group.set(offset, pending),
            Effect::Done(offset) | Effect::Dead(offset) => group.take(offset),
        }
    }
}
