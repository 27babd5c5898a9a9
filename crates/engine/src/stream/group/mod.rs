//! Groups of consumers that share a stream: each record goes to one of them, and comes again until somebody says that it
//! is done with.

mod deliver;
mod effect;
mod manage;
mod settle;
mod state;

pub(super) use deliver::{CONSUMERS, GROUPS, PENDING};
pub(crate) use deliver::{join, read};
pub(super) use effect::Effect;
pub(crate) use manage::{delete, info, list};
pub(crate) use settle::{Verdict, settle};
pub(super) use state::Group;
pub(crate) use state::Groups;
