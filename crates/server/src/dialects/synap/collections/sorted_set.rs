//! Sorted sets: what changes one.

use bytes::Bytes;
use manifold_engine::{
    Key, Kind,
    types::{Direction, MemberWhen, Moves, ScoreAdd, ScoreRange, Scored},
};

use super::{
    element::{self, refused},
    sorted_set_read::{Scores, write_scored},
};
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done, Line, line, spellings},
        error::Error,
        object::Object,
        payload::{self, Member, Payload},
    },
    http::json::{self, RawValue},
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] = &[
    line::<ZAdd>(),
    line::<ZRem>(),
    line::<ZIncrBy>(),
    line::<ZPopMin>(),
    line::<ZPopMax>(),
    line::<ZRemRangeByRank>(),
    line::<ZRemRangeByScore>(),
];

/// `sortedset.zadd`
#[derive(Debug)]
struct ZAdd {
    key: Key,
    add: ScoreAdd,
}

impl Command for ZAdd {
    const NAME: &'static str = "sortedset.zadd";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, member, score, members, scores, nx, xx, gt, lt] =
            payload.members(&["key", "member", "score", "members", "scores", "nx", "xx", "gt", "lt"])?;
        let key = payload::key(key, "key")?;
        let members = match (json::given(members), json::given(scores)) {
            (None, None) => vec![Scored { member: element::name(member, "member")?, score: read_score(score)? }],
            (members, None) => read_scored(members)?,
            (members, scores) => read_parallel(members, scores)?,
        };
        let flag = |member, name| payload::flag(member, name, false);
        let (nx, xx, gt, lt) = (flag(nx, "nx")?, flag(xx, "xx")?, flag(gt, "gt")?, flag(lt, "lt")?);
        let when = match (nx, xx) {
            (false, false) => MemberWhen::Always,
            (true, false) => MemberWhen::Absent,
            (false, true) => MemberWhen::Present,
            (true, true) => return Err(Error::field("nx", "nx and xx are mutually exclusive")),
        };
        let moves = match (gt, lt) {
            (false, false) => Moves::Any,
            (true, false) => Moves::Up,
            (false, true) => Moves::Down,
            (true, true) => return Err(Error::field("gt", "gt and lt are mutually exclusive")),
        };
        Ok(ZAdd { key, add: ScoreAdd { members, when, moves } })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let ZAdd { key, add } = self;
        let done = context.engine().zset_add(context.namespace(), &key, add).await.map_err(refused(&key))?;
        Object::new(out)
            .number("added", done.added)
            .number("changed", done.changed)
            .name("key", key.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

fn read_score(score: Member<'_>) -> Result<f64, Error> {
    element::float(score, "score")
}

/// Members that are objects with their scores.
fn read_scored(members: Member<'_>) -> Result<Vec<Scored>, Error> {
    let members = at_least_one(element::array(members, "members", "must be an array")?)?;
    let scored = |(at, raw): (usize, &RawValue)| {
        let named = |member: &str| format!("members[{at}]{member}");
        let missing = |member: &str| Error::Missing(named(member).into());
        let found = json::members(raw.get(), &["member", "score"]);
        let [member, score] = found.map_err(|_| Error::field(named(""), "must be an object"))?;
        let member = json::given(member).ok_or_else(|| missing(".member"))?;
        let member = element::name_of(member, named(".member"))?;
        let score = json::given(score).ok_or_else(|| missing(".score"))?;
        Ok(Scored { member, score: element::float_of(score, named(".score"))? })
    };
    members.into_iter().enumerate().map(scored).collect()
}

/// Members and, in another array, their scores.
fn read_parallel(members: Member<'_>, scores: Member<'_>) -> Result<Vec<Scored>, Error> {
    let members = at_least_one(element::names(members, "members")?)?;
    let scores = element::array(scores, "scores", "must be an array")?;
    let score = |(at, raw)| element::float_of(raw, format!("scores[{at}]"));
    let scores: Vec<f64> = scores.into_iter().enumerate().map(score).collect::<Result<_, _>>()?;
    if scores.len() != members.len() {
        return Err(Error::field("scores", "must have as many items as members"));
    }
    Ok(members.into_iter().zip(scores).map(|(member, score)| Scored { member, score }).collect())
}

fn at_least_one<T>(members: Vec<T>) -> Result<Vec<T>, Error> {
    if members.is_empty() { Err(Error::field("members", "must not be empty")) } else { Ok(members) }
}

/// `sortedset.zrem`
#[derive(Debug)]
struct ZRem {
    key: Key,
    members: Vec<Bytes>,
}

impl Command for ZRem {
    const NAME: &'static str = "sortedset.zrem";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, members] = payload.members(&["key", "members"])?;
        let key = payload::key(key, "key")?;
        Ok(ZRem { key, members: element::names(members, "members")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let ZRem { key, members } = self;
        let removed = context.engine().zset_remove(context.namespace(), &key, &members).await;
        write_removed(&key, removed.map_err(refused(&key))?, out)
    }
}

/// `sortedset.zincrby`; the increment may also be called a score, as clients of routes do.
#[derive(Debug)]
struct ZIncrBy {
    key: Key,
    member: Bytes,
    by: f64,
}

impl Command for ZIncrBy {
    const NAME: &'static str = "sortedset.zincrby";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, member, increment, score] = payload.members(&["key", "member", "increment", "score"])?;
        let key = payload::key(key, "key")?;
        let member = element::name(member, "member")?;
        let by = match (json::given(increment), json::given(score)) {
            (None, Some(score)) => element::float_of(score, "score")?,
            (increment, _) => element::float(increment, "increment")?,
        };
        Ok(ZIncrBy { key, member, by })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let ZIncrBy { key, member, by } = self;
        let score = context.engine().zset_increment(context.namespace(), &key, member, by).await;
        let score = score.map_err(|error| match error.kind() {
            // What is added is finite; only the sum may not be.
            Kind::Invalid => Error::overflow(),
            _ => refused(&key)(error),
        });
        Object::new(out).float("score", score?).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

spellings! { ZPop, ReadWrite:
    ZPopMin = "sortedset.zpopmin" (Direction::Ascending);
    ZPopMax = "sortedset.zpopmax" (Direction::Descending);
}

/// Takes members out where a direction begins.
#[derive(Debug)]
struct ZPop {
    key: Key,
    count: u64,
    direction: Direction,
}

impl ZPop {
    fn read(payload: Payload<'_>, direction: Direction) -> Result<Self, Error> {
        let [key, count] = payload.members(&["key", "count"])?;
        let key = payload::key(key, "key")?;
        Ok(ZPop { key, count: element::count(count)?, direction })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let ZPop { key, count, direction } = self;
        let popped = context.engine().zset_pop(context.namespace(), &key, direction, count).await;
        let popped = popped.map_err(refused(&key))?;
        Object::new(out)
            .with("members", |out| json::write_array(out, &popped, write_scored))
            .number("count", popped.len() as u64)
            .name("key", key.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `sortedset.zremrangebyrank`
#[derive(Debug)]
struct ZRemRangeByRank {
    key: Key,
    start: i64,
    stop: i64,
}

impl Command for ZRemRangeByRank {
    const NAME: &'static str = "sortedset.zremrangebyrank";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, start, stop] = payload.members(&["key", "start", "stop"])?;
        let key = payload::key(key, "key")?;
        let start = element::integer(start, "start")?;
        Ok(ZRemRangeByRank { key, start, stop: element::integer(stop, "stop")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let ZRemRangeByRank { key, start, stop } = self;
        let removed = context.engine().zset_remove_ranks(context.namespace(), &key, start, stop).await;
        write_removed(&key, removed.map_err(refused(&key))?, out)
    }
}

/// `sortedset.zremrangebyscore`
#[derive(Debug)]
struct ZRemRangeByScore {
    key: Key,
    range: ScoreRange,
}

impl Command for ZRemRangeByScore {
    const NAME: &'static str = "sortedset.zremrangebyscore";
    const ROLE: Role = Role::ReadWrite;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let Scores { key, range } = Scores::read(payload)?;
        Ok(ZRemRangeByScore { key, range })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let ZRemRangeByScore { key, range } = self;
        let removed = context.engine().zset_remove_range(context.namespace(), &key, range).await;
        write_removed(&key, removed.map_err(refused(&key))?, out)
    }
}

fn write_removed(key: &Key, removed: u64, out: &mut Vec<u8>) -> Result<Done, Error> {
    Object::new(out).number("removed", removed).name("key", key.as_bytes()).close();
    Ok(Done::Ok)
}
