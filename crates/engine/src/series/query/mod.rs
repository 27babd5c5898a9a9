//! Queries. Points go from columns through stages, block by block: what an aggregate needs is folded at once, and where
//! what is known of a whole block is enough, the block is not even read. Only what has to stay is brought into memory,
//! within bounds.

mod aggregate;
mod budget;
mod collect;
mod fold;
mod gather;
mod group;
mod math;
mod pools;
mod run;
mod slice;
mod source;
mod step;
mod streams;
mod table;
mod threads;
mod top;
mod verb;
mod walk;
mod windows;

pub(crate) use verb::{Queries, query};

#[cfg(test)]
mod tests;
