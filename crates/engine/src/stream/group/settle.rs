//! What a consumer says of the records it was given.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Name, Result,
    live::Live,
    stream::{
        MAX_DELIVERIES, Settled,
        group::{
            effect::Effect,
            state::{Groups, not_found},
        },
        row::Pending,
        state::Stream,
    },
};

/// What it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done with.
    Ack,
    /// To be delivered again.
    Nack,
}

/// Settles pending records; a deleted stream has no group any more.
pub(crate) async fn settle(
    live: &Live,
    stream: &Arc<Stream>,
    name: &Name,
    offsets: &[u64],
    verdict: Verdict,
) -> Result<Settled> {
    live.store.room().await;
    let (frame, result) = {
        let mut groups = Groups::of(live, stream)?;
        let bounds = stream.bounds(&live.store);
        match groups.by_name.get_mut(name).filter(|_| !stream.is_deleted()) {
            None => (groups.frame, Err(not_found(name))),
            Some(group) => {
                let mut effects = group.overdue(live.clock.now(), bounds);
                let over: BTreeSet<u64> = effects.iter().filter_map(Effect::ends).collect();
                let mut settled = Settled::default();
                for offset in offsets.iter().copied().collect::<BTreeSet<u64>>() {
                    match group.pending.get(&offset).filter(|_| !over.contains(&offset)) {
                        None => settled.not_found.push(offset),
                        Some(pending) => {
                            effects.push(effect(verdict, offset, *pending));
                            settled.settled.push(offset);
                        }
                    }
                }
                (groups.commit(live, stream, name, effects, |_| {})?, Ok(settled))
            }
        }
    };
    if verdict == Verdict::Nack {
        stream.wake();
    }
    live.store.durable(frame).await?;
    result
}

fn effect(verdict: Verdict, offset: u64, pending: Pending) -> Effect {
    match verdict {
        Verdict::Ack => Effect::Done(offset),
        Verdict::Nack if pending.deliveries >= MAX_DELIVERIES => Effect::Dead(offset),
        Verdict::Nack => Effect::Set(offset, Pending { deadline: None, ..pending }),
    }
}
