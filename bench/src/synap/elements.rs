//! Elements of collections, in process and as commands: the same names and scores either way.

use bytes::Bytes;
use manifold_engine::{
    Engine, Key, Namespace,
    types::{PushTo, ScoreAdd, Scored, Side},
};

use super::request::command;
use crate::{Result, measure::scramble};

/// Bytes of an element of a list.
const ELEMENT_BYTES: usize = 32;

/// A type whose collections have an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Elements are pushed at its end.
    List,
    /// Members with scores all over.
    SortedSet,
}

/// Both, with what is done to them.
pub const KINDS: [(Kind, &str); 2] = [(Kind::List, "list push"), (Kind::SortedSet, "sorted set add")];

/// Elements that are yet to be added.
pub enum Elements {
    List(Vec<Bytes>),
    SortedSet(Vec<Scored>),
}

impl Elements {
    /// Adds them.
    pub async fn add(self, engine: &Engine, namespace: &Namespace, key: &Key) -> Result<()> {
        match self {
            Elements::List(values) => {
                engine.list_push(namespace, key, Side::Right, &values, PushTo::Any).await?;
            }
            Elements::SortedSet(members) => {
                let count = members.len() as u64;
                let added = engine.zset_add(namespace, key, ScoreAdd { members, ..ScoreAdd::default() }).await?.added;
                if added != count {
                    return Err(format!("{added} of {count} members were new").into());
                }
            }
        }
        Ok(())
    }
}

impl Kind {
    /// The elements with numbers from `first` on.
    pub fn elements(self, first: u64, count: u64) -> Elements {
        let numbers = first..first + count;
        match self {
            Kind::List => Elements::List(numbers.map(|n| element(n).into()).collect()),
            Kind::SortedSet => {
                let scored = |n| Scored { member: member(n).into(), score: score(n) as f64 };
                Elements::SortedSet(numbers.map(scored).collect())
            }
        }
    }

    /// The command that adds them.
    pub fn command(self, key: &str, first: u64, count: u64) -> Vec<u8> {
        let numbers = first..first + count;
        match self {
            Kind::List => {
                let values: Vec<String> = numbers.map(|n| format!("\"{}\"", element(n))).collect();
                command("list.rpush", &format!("{{\"key\":\"{key}\",\"values\":[{}]}}", values.join(",")))
            }
            Kind::SortedSet => {
                let one = |n| format!("{{\"member\":\"{}\",\"score\":{}}}", member(n), score(n));
                let members: Vec<String> = numbers.map(one).collect();
                command("sortedset.zadd", &format!("{{\"key\":\"{key}\",\"members\":[{}]}}", members.join(",")))
            }
        }
    }
}

fn element(n: u64) -> String {
    format!("{n:0ELEMENT_BYTES$}")
}

/// The member with a number.
pub fn member(n: u64) -> String {
    format!("player:{n:08}")
}

/// Its score, anywhere among a billion.
pub fn score(n: u64) -> u64 {
    scramble(n) % 1_000_000_000
}
