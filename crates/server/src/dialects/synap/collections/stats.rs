//! How much all collections of a type hold. Each goes through all keys, away from where requests are answered.

use manifold_engine::types::{KeyCounts, TypeCount};

use crate::dialects::synap::{
    access::Role,
    commands::{Command, Context, Done, Line, line, spellings},
    error::Error,
    object::Object,
    payload::Payload,
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] =
    &[line::<HashStats>(), line::<ListStats>(), line::<SetStats>(), line::<SortedSetStats>()];

spellings! { Stats, ReadOnly:
    HashStats = "hash.stats" (&HASHES);
    ListStats = "list.stats" (&LISTS);
    SetStats = "set.stats" (&SETS);
}

/// How the numbers of a type are called.
#[derive(Debug)]
struct Words {
    component: &'static str,
    keys: &'static str,
    elements: &'static str,
    of: fn(&KeyCounts) -> TypeCount,
}

const HASHES: Words =
    Words { component: "hash", keys: "total_hashes", elements: "total_fields", of: |counts| counts.hashes };
const LISTS: Words =
    Words { component: "list", keys: "total_lists", elements: "total_elements", of: |counts| counts.lists };
const SETS: Words = Words { component: "set", keys: "total_sets", elements: "total_members", of: |counts| counts.sets };

/// Counts what all keys of a type hold, and the commands on them since the start.
#[derive(Debug)]
struct Stats(&'static Words);

impl Stats {
    fn read(_: Payload<'_>, words: &'static Words) -> Result<Self, Error> {
        Ok(Stats(words))
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Stats(words) = self;
        let counts = context.engine().key_counts(context.namespace()).await?;
        let TypeCount { keys, elements, .. } = (words.of)(&counts);
        Object::new(out)
            .number(words.keys, keys)
            .number(words.elements, elements)
            .number("operations", context.synap.metrics.commands_of(words.component))
            .close();
        Ok(Done::Ok)
    }
}

/// `sortedset.stats`
#[derive(Debug)]
struct SortedSetStats;

impl Command for SortedSetStats {
    const NAME: &'static str = "sortedset.stats";
    const ROLE: Role = Role::ReadOnly;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(SortedSetStats)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let TypeCount { keys, elements, bytes } = context.engine().key_counts(context.namespace()).await?.sorted_sets;
        let mean = if keys == 0 { 0.0 } else { elements as f64 / keys as f64 };
        Object::new(out)
            .number("total_keys", keys)
            .number("total_members", elements)
            .float("avg_members_per_key", mean)
            .number("memory_bytes", bytes)
            .close();
        Ok(Done::Ok)
    }
}
