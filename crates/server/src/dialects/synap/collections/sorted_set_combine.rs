//! Sorted sets out of other sorted sets.

use manifold_engine::{
    Key,
    types::{Aggregate, Combine, ScoreCombine},
};

use super::element;
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done, Line, line, spellings},
        error::Error,
        kv::ACTOR,
        object::Object,
        payload::{self, MAX_ITEMS, Member, Payload},
    },
    http::json,
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] =
    &[line::<ZInterStore>(), line::<ZUnionStore>(), line::<ZDiffStore>()];

spellings! { Stored, ReadWrite:
    ZInterStore = "sortedset.zinterstore" (Combine::Inter);
    ZUnionStore = "sortedset.zunionstore" (Combine::Union);
    ZDiffStore = "sortedset.zdiffstore" (Combine::Diff);
}

/// Puts a combination of sorted sets in the place of whatever a key holds.
#[derive(Debug)]
struct Stored {
    destination: Key,
    combine: ScoreCombine,
}

impl Stored {
    fn read(payload: Payload<'_>, combine: Combine) -> Result<Self, Error> {
        let [destination, keys, weights, aggregate] =
            payload.members(&["destination", "keys", "weights", "aggregate"])?;
        let destination = payload::key(destination, "destination")?;
        let keys = payload::keys(keys, "keys")?;
        let weights = read_weights(weights)?;
        let aggregate = read_aggregate(aggregate)?;
        if !weights.is_empty() && weights.len() != keys.len() {
            return Err(Error::field("weights", "must have as many items as keys"));
        }
        Ok(Stored { destination, combine: ScoreCombine { combine, keys, weights, aggregate } })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Stored { destination, combine } = self;
        let keys = combine.keys.clone();
        let count = context.engine().zset_combine_into(context.namespace(), &destination, combine, ACTOR).await;
        let count = count.map_err(Error::of_keys(&keys))?;
        Object::new(out).number("count", count).name("destination", destination.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// What to multiply the scores of each with, if it is said.
fn read_weights(weights: Member<'_>) -> Result<Vec<f64>, Error> {
    let Some(raw) = json::given(weights) else { return Ok(Vec::new()) };
    let found = payload::elements(raw, "weights", "must be an array", MAX_ITEMS)?;
    found.into_iter().enumerate().map(|(at, raw)| element::float_of(raw, format!("weights[{at}]"))).collect()
}

fn read_aggregate(aggregate: Member<'_>) -> Result<Aggregate, Error> {
    let text = payload::optional_text(aggregate, "aggregate")?.unwrap_or("sum".into());
    let named = [("sum", Aggregate::Sum), ("min", Aggregate::Min), ("max", Aggregate::Max)];
    let found = named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
    found.map(|(_, aggregate)| aggregate).ok_or(Error::field("aggregate", "must be 'sum', 'min' or 'max'"))
}
