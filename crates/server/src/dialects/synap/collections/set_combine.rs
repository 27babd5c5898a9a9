//! Sets out of other sets.

use manifold_engine::{Key, types::Combine};

use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done, Line, line, spellings},
    error::Error,
    kv::ACTOR,
    object::Object,
    payload::{self, Payload},
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] = &[
    line::<Inter>(),
    line::<Union>(),
    line::<Diff>(),
    line::<InterStore>(),
    line::<UnionStore>(),
    line::<DiffStore>(),
];

spellings! { Combined, ReadOnly:
    Inter = "set.inter" (Combine::Inter);
    Union = "set.union" (Combine::Union);
    Diff = "set.diff" (Combine::Diff);
}

spellings! { Stored, ReadWrite:
    InterStore = "set.interstore" (Combine::Inter);
    UnionStore = "set.unionstore" (Combine::Union);
    DiffStore = "set.diffstore" (Combine::Diff);
}

/// Reads a combination of sets.
#[derive(Debug)]
struct Combined {
    keys: Vec<Key>,
    combine: Combine,
}

impl Combined {
    fn read(payload: Payload<'_>, combine: Combine) -> Result<Self, Error> {
        let [keys] = payload.members(&["keys"])?;
        Ok(Combined { keys: payload::keys(keys, "keys")?, combine })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let members = context.engine().set_combine(context.namespace(), &self.keys, self.combine).await;
        let members = members.map_err(Error::of_keys(&self.keys))?;
        Object::new(out).jsons("members", members.iter().map(Some)).close();
        Ok(Done::Ok)
    }
}

/// Puts a combination of sets in the place of whatever a key holds.
#[derive(Debug)]
struct Stored {
    destination: Key,
    keys: Vec<Key>,
    combine: Combine,
}

impl Stored {
    fn read(payload: Payload<'_>, combine: Combine) -> Result<Self, Error> {
        let [destination, keys] = payload.members(&["destination", "keys"])?;
        let destination = payload::key(destination, "destination")?;
        Ok(Stored { destination, keys: payload::keys(keys, "keys")?, combine })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Stored { destination, keys, combine } = self;
        let (engine, namespace) = (context.engine(), context.namespace());
        let members = engine.set_combine_into(namespace, &destination, keys.clone(), combine, ACTOR).await;
        let members = members.map_err(Error::of_keys(&keys))?;
        let count = members.len() as u64;
        Object::new(out)
            .number("cardinality", count)
            .number("count", count)
            .jsons("members", members.iter().map(Some))
            .close();
        Ok(Done::Ok)
    }
}
