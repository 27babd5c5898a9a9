//! Groups of consumers that share a stream: each record goes to one of them, and comes again until somebody says that it
//! is done with.

mod deliver;
mod effect;
mod manage;
mod settle;
mod state;

pub(crate) use deliver::{join, read};
pub(crate) use manage::{delete, info, list};
pub(crate) use settle::{Verdict, settle};
pub(crate) use state::Groups;
