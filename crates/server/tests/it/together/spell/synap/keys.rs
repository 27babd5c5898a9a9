//! Values, and keys whatever they hold.

use super::{ACTOR, Route, error, key_not_found, list, refused};
use crate::together::{
    model::{Expires, Name, Refused, Span, Value, When, World},
    spell::part,
    want::{Pattern, Want, quoted},
};

#[derive(Debug, Clone)]
pub enum Key {
    Get(Name),
    Set { name: Name, value: String, ttl: Option<u64>, when: When },
    GetSet { name: Name, value: String },
    Del(Vec<Name>),
    Increment { name: Name, amount: i64 },
    Append { name: Name, text: String },
    SetRange { name: Name, offset: usize, text: String },
    MSet { pairs: Vec<(Name, String)>, if_absent: bool },
    MGet(Vec<Name>),
    Expire { name: Name, ttl: u64 },
    Persist(Name),
    Rename { from: Name, to: Name, if_absent: bool },
    Copy { from: Name, to: Name, replace: bool },
}

impl Key {
    pub(super) fn text(&self) -> (&'static str, String) {
        let key = |name: &Name| format!(r#""key":{}"#, quoted(&name.name));
        let keys = |names: &[Name]| list(&names.iter().map(|name| quoted(&name.name)).collect::<Vec<_>>());
        let between =
            |from: &Name, to: &Name| format!(r#""source":{},"destination":{}"#, quoted(&from.name), quoted(&to.name));
        match self {
            Key::Get(name) => ("kv.get", key(name)),
            Key::Set { name, value, ttl, when } => {
                let ttl = ttl.map(|ttl| format!(r#","ttl":{ttl}"#)).unwrap_or_default();
                ("kv.set", format!(r#"{},"value":{value}{ttl}{}"#, key(name), condition(*when)))
            }
            Key::GetSet { name, value } => ("kv.getset", format!(r#"{},"value":{value}"#, key(name))),
            Key::Del(names) => ("kv.del", format!(r#""keys":{}"#, keys(names))),
            Key::Increment { name, amount } if *amount == 1 => ("kv.incr", key(name)),
            Key::Increment { name, amount } if *amount < 0 => {
                ("kv.decr", format!(r#"{},"amount":{}"#, key(name), -amount))
            }
            Key::Increment { name, amount } => ("kv.incr", format!(r#"{},"amount":{amount}"#, key(name))),
            Key::Append { name, text } => ("kv.append", format!(r#"{},"value":{}"#, key(name), quoted(text))),
            Key::SetRange { name, offset, text } => {
                ("kv.setrange", format!(r#"{},"offset":{offset},"value":{}"#, key(name), quoted(text)))
            }
            Key::MSet { pairs, if_absent } => {
                let pair = |(name, value): &(Name, String)| format!(r#"{{{},"value":{value}}}"#, key(name));
                let pairs = list(&pairs.iter().map(pair).collect::<Vec<_>>());
                (if *if_absent { "kv.msetnx" } else { "kv.mset" }, format!(r#""pairs":{pairs}"#))
            }
            Key::MGet(names) => ("kv.mget", format!(r#""keys":{}"#, keys(names))),
            Key::Expire { name, ttl } => ("kv.expire", format!(r#"{},"ttl":{ttl}"#, key(name))),
            Key::Persist(name) => ("kv.persist", key(name)),
            Key::Rename { from, to, if_absent } => {
                (if *if_absent { "key.renamenx" } else { "key.rename" }, between(from, to))
            }
            Key::Copy { from, to, replace } => ("key.copy", format!(r#"{},"replace":{replace}"#, between(from, to))),
        }
    }

    pub(super) fn route(&self) -> Option<Route> {
        let post = |target: String, body: String| Some(Route { method: "POST", target, body: Some(body) });
        match self {
            Key::GetSet { name, value } => {
                post(format!("/kv/{}/getset", part(&name.name)), format!(r#"{{"value":{value}}}"#))
            }
            Key::Append { name, text } => {
                post(format!("/kv/{}/append", part(&name.name)), format!(r#"{{"value":{}}}"#, quoted(text)))
            }
            Key::SetRange { name, offset, text } => {
                let body = format!(r#"{{"offset":{offset},"value":{}}}"#, quoted(text));
                post(format!("/kv/{}/setrange", part(&name.name)), body)
            }
            Key::MSet { if_absent: true, .. } => post("/kv/msetnx".to_owned(), format!("{{{}}}", self.text().1)),
            Key::Rename { from, to, if_absent } => {
                let verb = if *if_absent { "renamenx" } else { "rename" };
                let body = format!(r#"{{"destination":{}}}"#, quoted(&to.name));
                post(format!("/key/{}/{verb}", part(&from.name)), body)
            }
            Key::Copy { from, to, replace } => {
                let body = format!(r#"{{"destination":{},"replace":{replace}}}"#, quoted(&to.name));
                post(format!("/key/{}/copy", part(&from.name)), body)
            }
            _ => None,
        }
    }

    pub(super) fn apply(&self, world: &mut World, now: Span) -> Want {
        match self {
            Key::Get(name) => match world.value(name) {
                Err(why) => refused(name, why),
                Ok(value) => {
                    let ttl = world.slot(name).deadline.filter(|_| value.is_some());
                    let ttl = ttl.map_or(Pattern::from("null"), |deadline| deadline.seconds_left(now).into());
                    let want = Want::new(200).member("found", value.is_some());
                    want.member("value", nothing_or(value.as_ref())).member("ttl", ttl)
                }
            },
            Key::Set { name, value, ttl, when } => {
                let expires = ttl.map_or(Expires::Never, |seconds| Expires::InMs(seconds * 1000));
                set(world, name, value, *when, expires, now)
            }
            Key::GetSet { name, value } => match world.value(name) {
                Err(why) => refused(name, why),
                Ok(before) => {
                    world.set(name, Value::Json(value.clone()), None, ACTOR, now);
                    Want::new(200).member("bare", before.map_or("null".to_owned(), |value| sdk_text(&value)))
                }
            },
            Key::Del(names) => {
                let deleted = names.iter().filter(|name| world.clear(name, ACTOR)).count();
                world.unordered();
                Want::new(200).member("deleted", deleted as u64)
            }
            Key::Increment { name, amount } => increment(world, name, *amount, now),
            Key::Append { name, text } => edit(world, name, now, |before| before.extend_from_slice(text.as_bytes())),
            Key::SetRange { name, text, .. } if text.is_empty() => match world.value(name) {
                Err(why) => refused(name, why),
                Ok(value) => Want::new(200).member("length", value.map_or(0, |value| value.text().len() as u64)),
            },
            Key::SetRange { name, offset, text } => edit(world, name, now, |before| {
                let end = offset + text.len();
                before.resize(before.len().max(end), 0);
                before[*offset..end].copy_from_slice(text.as_bytes());
            }),
            Key::MSet { pairs, if_absent } => set_many(world, pairs, *if_absent, now),
            Key::MGet(names) => {
                let values = names.iter().map(|name| nothing_or(world.slot(name).value())).collect::<Vec<_>>();
                Want::new(200).member("values", list(&values))
            }
            Key::Expire { name, ttl } => {
                let there = world.slot(name).held.is_some();
                match (there, *ttl) {
                    (false, _) => {}
                    (true, 0) => {
                        world.clear(name, ACTOR);
                    }
                    (true, seconds) => world.retime(name, Some(now.plus(seconds * 1000)), ACTOR, now),
                }
                let ttl = if there { ttl.to_string() } else { "null".to_owned() };
                Want::new(200).member("success", there).member("result", there).member("ttl", ttl)
            }
            Key::Persist(name) => {
                let timed = world.slot(name).deadline.is_some();
                if timed {
                    world.retime(name, None, ACTOR, now);
                }
                Want::new(200).member("result", timed).member("success", timed)
            }
            Key::Rename { from, to, if_absent } => move_to(world, from, to, !if_absent, Keep::Nothing, now),
            Key::Copy { from, to, replace } => move_to(world, from, to, *replace, Keep::Source, now),
        }
    }
}

/// A value as this dialect shows it, `null` for none.
pub fn nothing_or(value: Option<&Value>) -> String {
    value.map_or("null".to_owned(), Value::json)
}

/// A string as it is, anything else as a string of its text.
fn sdk_text(value: &Value) -> String {
    let text = value.json();
    if text.starts_with('"') { text } else { quoted(&text) }
}

fn condition(when: When) -> &'static str {
    match when {
        When::Always => "",
        When::Absent => r#","nx":true"#,
        When::Present => r#","xx":true"#,
        When::Version(_) => unreachable!("this dialect has no versions"),
    }
}

fn set(world: &mut World, name: &Name, value: &str, when: When, expires: Expires, now: Span) -> Want {
    let before = world.slot(name);
    let want = |success: bool| {
        let want = Want::new(200).member("key", quoted(&name.name)).member("success", success);
        want.member("previous", nothing_or(before.value()))
    };
    match world.put(name, Value::Json(value.to_owned()), when, expires, ACTOR, now) {
        Ok(_) => want(true),
        Err(Refused::Conflict(_)) => want(false),
        Err(Refused::Type(_)) if when == When::Absent => want(false),
        Err(why) => refused(name, why),
    }
}

fn increment(world: &mut World, name: &Name, amount: i64, now: Span) -> Want {
    let before = match world.value(name) {
        Err(why) => return refused(name, why),
        Ok(None) => Some(0),
        Ok(Some(value)) => value.integer(),
    };
    let invalid = error(422, "INVALID_PAYLOAD");
    let Some(before) = before else {
        let message = format!("Value of key '{}' is not an integer", name.name);
        return invalid.member("message", quoted(&message));
    };
    let Some(sum) = before.checked_add(amount) else {
        return invalid.member("message", r#""Increment would overflow""#);
    };
    let deadline = world.slot(name).deadline;
    world.set(name, Value::Json(sum.to_string()), deadline, ACTOR, now);
    Want::new(200).member("value", sum.to_string())
}

fn edit(world: &mut World, name: &Name, now: Span, change: impl FnOnce(&mut Vec<u8>)) -> Want {
    let mut text = match world.value(name) {
        Err(why) => return refused(name, why),
        Ok(value) => value.map(|value| value.text()).unwrap_or_default(),
    };
    change(&mut text);
    let Ok(text) = String::from_utf8(text) else { return error(422, "INVALID_PAYLOAD") };
    let deadline = world.slot(name).deadline;
    world.set(name, Value::Json(quoted(&text)), deadline, ACTOR, now);
    Want::new(200).member("length", text.len() as u64)
}

fn set_many(world: &mut World, pairs: &[(Name, String)], if_absent: bool, now: Span) -> Want {
    let taken = pairs.iter().find(|(name, _)| world.slot(name).held.is_some());
    if if_absent && taken.is_some() {
        return Want::new(200).member("success", false);
    }
    let wrong = pairs.iter().find(|(name, _)| world.value(name).is_err());
    if wrong.is_some() {
        return error(409, "WRONG_TYPE");
    }
    // Of a key that is named twice only the last value is written.
    for (at, (name, value)) in pairs.iter().enumerate() {
        if pairs[at + 1..].iter().all(|(later, _)| later != name) {
            world.set(name, Value::Json(value.clone()), None, ACTOR, now);
        }
    }
    Want::new(200).member("success", true)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Source,
    Nothing,
}

fn move_to(world: &mut World, from: &Name, to: &Name, replace: bool, keep: Keep, now: Span) -> Want {
    let source = world.slot(from);
    let Some(held) = source.held.clone() else { return key_not_found() };
    let want = |done: bool| {
        let want = Want::new(200).member("success", done).member("source", quoted(&from.name));
        want.member("destination", quoted(&to.name))
    };
    if !replace && world.slot(to).held.is_some() {
        return if keep == Keep::Source { want(false) } else { error(409, "KEY_EXISTS") };
    }
    if from == to {
        return want(true);
    }
    match source.value().cloned() {
        Some(value) => {
            if keep == Keep::Nothing {
                world.clear(from, ACTOR);
            }
            world.set(to, value, source.deadline, ACTOR, now);
        }
        None => {
            if keep == Keep::Nothing {
                world.clear(from, ACTOR);
            }
            world.clear(to, ACTOR);
            world.hold(to, Some(held), source.deadline);
        }
    }
    world.unordered();
    want(true)
}
