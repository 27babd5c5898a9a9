//! Hashes, lists, sets and sorted sets.

use std::collections::{BTreeMap, BTreeSet};

use super::{ACTOR, Route, key_not_found, list, wrong_type};
use crate::together::{
    model::{Held, Name, World},
    spell::part,
    want::{Want, quoted},
};

#[derive(Debug, Clone)]
pub enum Collection {
    HashSet {
        name: Name,
        field: String,
        value: String,
    },
    HashDel {
        name: Name,
        fields: Vec<String>,
    },
    Push {
        name: Name,
        left: bool,
        values: Vec<String>,
    },
    Pop {
        name: Name,
        left: bool,
        count: usize,
    },
    SetAdd {
        name: Name,
        members: Vec<String>,
    },
    /// Lets the key hold the union of these sets, in place of whatever it held.
    SetUnion {
        name: Name,
        of: Vec<Name>,
    },
    SetRemove {
        name: Name,
        members: Vec<String>,
    },
    Score {
        name: Name,
        member: String,
        score: i64,
    },
    Unscore {
        name: Name,
        members: Vec<String>,
    },
}

impl Collection {
    fn name(&self) -> &Name {
        match self {
            Collection::HashSet { name, .. }
            | Collection::HashDel { name, .. }
            | Collection::Push { name, .. }
            | Collection::Pop { name, .. }
            | Collection::SetAdd { name, .. }
            | Collection::SetRemove { name, .. }
            | Collection::SetUnion { name, .. }
            | Collection::Score { name, .. }
            | Collection::Unscore { name, .. } => name,
        }
    }

    /// The command, and its payload without the key.
    fn parts(&self) -> (&'static str, String) {
        let texts = |of: &[String]| list(&of.iter().map(|text| quoted(text)).collect::<Vec<_>>());
        match self {
            Collection::HashSet { field, value, .. } => {
                ("hash.set", format!(r#""field":{},"value":{value}"#, quoted(field)))
            }
            Collection::HashDel { fields, .. } => ("hash.del", format!(r#""fields":{}"#, texts(fields))),
            Collection::Push { left, values, .. } => {
                (if *left { "list.lpush" } else { "list.rpush" }, format!(r#""values":{}"#, list(values)))
            }
            Collection::Pop { left, count, .. } => {
                (if *left { "list.lpop" } else { "list.rpop" }, format!(r#""count":{count}"#))
            }
            Collection::SetAdd { members, .. } => ("set.add", format!(r#""members":{}"#, texts(members))),
            Collection::SetRemove { members, .. } => ("set.rem", format!(r#""members":{}"#, texts(members))),
            Collection::SetUnion { of, .. } => {
                let keys: Vec<String> = of.iter().map(|name| quoted(&name.name)).collect();
                ("set.unionstore", format!(r#""keys":{}"#, list(&keys)))
            }
            Collection::Score { member, score, .. } => {
                ("sortedset.zadd", format!(r#""member":{},"score":{score}"#, quoted(member)))
            }
            Collection::Unscore { members, .. } => ("sortedset.zrem", format!(r#""members":{}"#, texts(members))),
        }
    }

    pub(super) fn text(&self) -> (&'static str, String) {
        let (command, payload) = self.parts();
        let key = if matches!(self, Collection::SetUnion { .. }) { "destination" } else { "key" };
        (command, format!(r#""{key}":{},{payload}"#, quoted(&self.name().name)))
    }

    pub(super) fn route(&self) -> Route {
        let (command, payload) = self.parts();
        let (kind, verb) = command.split_once('.').expect("a command has a dot");
        let method = if matches!(self, Collection::HashDel { .. }) { "DELETE" } else { "POST" };
        let target = format!("/{kind}/{}/{verb}", part(&self.name().name));
        Route { method, target, body: Some(format!("{{{payload}}}")) }
    }

    pub(super) fn apply(&self, world: &mut World) -> Want {
        let name = self.name();
        if let Collection::SetUnion { of, .. } = self {
            return unite(world, name, of);
        }
        let slot = world.slot(name);
        let held = match (slot.held, self.empty()) {
            (None, empty) => empty,
            (Some(held), empty) if held.kind() == empty.kind() => held,
            (Some(held), empty) => return wrong_type(name, held.kind(), empty.kind()),
        };
        let (held, want) = self.change(held);
        world.hold(name, Some(held), slot.deadline);
        want
    }

    fn empty(&self) -> Held {
        match self {
            Collection::HashSet { .. } | Collection::HashDel { .. } => Held::Hash(BTreeMap::new()),
            Collection::Push { .. } | Collection::Pop { .. } => Held::List(Vec::new()),
            Collection::SetAdd { .. } | Collection::SetRemove { .. } | Collection::SetUnion { .. } => {
                Held::Set(BTreeSet::new())
            }
            Collection::Score { .. } | Collection::Unscore { .. } => Held::Scores(BTreeMap::new()),
        }
    }

    fn change(&self, mut held: Held) -> (Held, Want) {
        let count = |member: &'static str, count: usize| Want::new(200).member(member, count as u64);
        let want = match (self, &mut held) {
            (Collection::HashSet { field, value, .. }, Held::Hash(fields)) => {
                Want::new(200).member("created", fields.insert(field.clone(), value.clone()).is_none())
            }
            (Collection::HashDel { fields: gone, .. }, Held::Hash(fields)) => {
                count("deleted", gone.iter().filter(|field| fields.remove(*field).is_some()).count())
            }
            (Collection::Push { left, values, .. }, Held::List(list)) => {
                for value in values {
                    list.insert(if *left { 0 } else { list.len() }, value.clone());
                }
                count("length", list.len())
            }
            (Collection::Pop { .. }, Held::List(elements)) if elements.is_empty() => key_not_found(),
            (Collection::Pop { left, count, .. }, Held::List(elements)) => {
                let next = |_| {
                    let at = if *left { 0 } else { elements.len().checked_sub(1)? };
                    (at < elements.len()).then(|| elements.remove(at))
                };
                let popped: Vec<String> = (0..*count).map_while(next).collect();
                Want::new(200).member("values", list(&popped))
            }
            (Collection::SetAdd { members, .. }, Held::Set(set)) => {
                count("added", members.iter().filter(|member| set.insert((*member).clone())).count())
            }
            (Collection::SetRemove { members, .. }, Held::Set(set)) => {
                count("removed", members.iter().filter(|member| set.remove(*member)).count())
            }
            (Collection::Score { member, score, .. }, Held::Scores(scores)) => {
                count("added", usize::from(scores.insert(member.clone(), *score).is_none()))
            }
            (Collection::Unscore { members, .. }, Held::Scores(scores)) => {
                count("removed", members.iter().filter(|member| scores.remove(*member).is_some()).count())
            }
            _ => unreachable!("the kinds were compared"),
        };
        (held, want)
    }
}

fn unite(world: &mut World, name: &Name, of: &[Name]) -> Want {
    let mut union = BTreeSet::new();
    for source in of {
        match world.slot(source).held {
            None => {}
            Some(Held::Set(members)) => union.extend(members),
            Some(other) => return wrong_type(source, other.kind(), "set"),
        }
    }
    let count = union.len() as u64;
    // A value that was there is deleted, and the feed says so.
    world.clear(name, ACTOR);
    world.hold(name, Some(Held::Set(union)), None);
    Want::new(200).member("cardinality", count)
}
