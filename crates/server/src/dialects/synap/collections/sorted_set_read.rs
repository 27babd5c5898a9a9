//! Sorted sets: what reads one. An absent one reads as one without members.

use std::ops::Bound;

use bytes::Bytes;
use manifold_engine::{
    Key,
    types::{Direction, ScoreRange, Scored},
};

use super::element::{self, refused};
use crate::{
    dialects::synap::{
        access::Role,
        commands::{Command, Context, Done, Line, line, spellings},
        error::Error,
        object::Object,
        payload::{self, Member, Payload},
    },
    http::json,
};

/// The commands of this file.
pub(in crate::dialects::synap) const COMMANDS: &[Line] = &[
    line::<ZScore>(),
    line::<ZMScore>(),
    line::<ZRank>(),
    line::<ZRevRank>(),
    line::<ZCard>(),
    line::<ZCount>(),
    line::<ZRange>(),
    line::<ZRevRange>(),
    line::<ZRangeByScore>(),
];

/// A member of a sorted set, as a payload names it.
#[derive(Debug)]
struct Named {
    key: Key,
    member: Bytes,
}

impl Named {
    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, member] = payload.members(&["key", "member"])?;
        let key = payload::key(key, "key")?;
        Ok(Named { key, member: element::name(member, "member")? })
    }
}

/// `sortedset.zscore`
#[derive(Debug)]
struct ZScore(Named);

impl Command for ZScore {
    const NAME: &'static str = "sortedset.zscore";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Named::read(payload).map(ZScore)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Named { key, member } = self.0;
        let scores = context.engine().zset_scores(context.namespace(), &key, std::slice::from_ref(&member));
        let score = scores.map_err(refused(&key))?.first().copied().flatten();
        Object::new(out)
            .with("score", |out| write_score(out, score))
            .name("member", &member)
            .name("key", key.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `sortedset.zmscore`
#[derive(Debug)]
struct ZMScore {
    key: Key,
    members: Vec<Bytes>,
}

impl Command for ZMScore {
    const NAME: &'static str = "sortedset.zmscore";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, members] = payload.members(&["key", "members"])?;
        let key = payload::key(key, "key")?;
        Ok(ZMScore { key, members: element::names(members, "members")? })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let ZMScore { key, members } = self;
        let scores = context.engine().zset_scores(context.namespace(), &key, &members).map_err(refused(&key))?;
        Object::new(out)
            .with("scores", |out| json::write_array(out, scores, write_score))
            .name("key", key.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

spellings! { Rank, ReadOnly:
    ZRank = "sortedset.zrank" (Direction::Ascending);
    ZRevRank = "sortedset.zrevrank" (Direction::Descending);
}

/// How many members come before one.
#[derive(Debug)]
struct Rank {
    of: Named,
    direction: Direction,
}

impl Rank {
    fn read(payload: Payload<'_>, direction: Direction) -> Result<Self, Error> {
        Ok(Rank { of: Named::read(payload)?, direction })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Rank { of: Named { key, member }, direction } = self;
        let rank = context.engine().zset_rank(context.namespace(), &key, member.clone(), direction).await;
        Object::new(out)
            .number_or_null("rank", rank.map_err(refused(&key))?)
            .name("member", &member)
            .name("key", key.as_bytes())
            .close();
        Ok(Done::Ok)
    }
}

/// `sortedset.zcard`
#[derive(Debug)]
struct ZCard(Key);

impl Command for ZCard {
    const NAME: &'static str = "sortedset.zcard";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        payload.key().map(ZCard)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let count = context.engine().zset_len(context.namespace(), &self.0).map_err(refused(&self.0))?;
        Object::new(out).number("count", count).name("key", self.0.as_bytes()).close();
        Ok(Done::Ok)
    }
}

/// A sorted set and a range of scores, as a payload spells them.
#[derive(Debug)]
pub(super) struct Scores {
    pub(super) key: Key,
    pub(super) range: ScoreRange,
}

impl Scores {
    pub(super) fn read(payload: Payload<'_>) -> Result<Self, Error> {
        let [key, min, max] = payload.members(&["key", "min", "max"])?;
        let key = payload::key(key, "key")?;
        Ok(Scores { key, range: ScoreRange { min: bound(min, "min")?, max: bound(max, "max")? } })
    }
}

/// An inclusive bound: a number, or the end of all numbers.
fn bound(member: Member<'_>, field: &'static str) -> Result<Bound<f64>, Error> {
    let raw = payload::required(member, field)?;
    match json::string(raw).as_deref() {
        Ok("-inf") => Ok(Bound::Included(f64::NEG_INFINITY)),
        Ok("+inf" | "inf") => Ok(Bound::Included(f64::INFINITY)),
        _ => element::float_of(raw, field).map(Bound::Included),
    }
}

/// `sortedset.zcount`
#[derive(Debug)]
struct ZCount(Scores);

impl Command for ZCount {
    const NAME: &'static str = "sortedset.zcount";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Scores::read(payload).map(ZCount)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Scores { key, range } = self.0;
        let count = context.engine().zset_count(context.namespace(), &key, range).await.map_err(refused(&key))?;
        Object::new(out).number("count", count).name("key", key.as_bytes()).close();
        Ok(Done::Ok)
    }
}

spellings! { Part, ReadOnly:
    ZRange = "sortedset.zrange" (Direction::Ascending);
    ZRevRange = "sortedset.zrevrange" (Direction::Descending);
}

/// Members by ranks.
#[derive(Debug)]
struct Part {
    key: Key,
    start: i64,
    stop: i64,
    direction: Direction,
}

impl Part {
    fn read(payload: Payload<'_>, direction: Direction) -> Result<Self, Error> {
        let [key, start, stop] = payload.members(&["key", "start", "stop"])?;
        let key = payload::key(key, "key")?;
        let (start, stop) = element::ranks([start, stop])?;
        Ok(Part { key, start, stop, direction })
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Part { key, start, stop, direction } = self;
        let members = context.engine().zset_part(context.namespace(), &key, start, stop, direction).await;
        write_members(&key, &members.map_err(refused(&key))?, out)
    }
}

/// `sortedset.zrangebyscore`
#[derive(Debug)]
struct ZRangeByScore(Scores);

impl Command for ZRangeByScore {
    const NAME: &'static str = "sortedset.zrangebyscore";
    const ROLE: Role = Role::ReadOnly;

    fn read(payload: Payload<'_>) -> Result<Self, Error> {
        Scores::read(payload).map(ZRangeByScore)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        let Scores { key, range } = self.0;
        let (engine, namespace) = (context.engine(), context.namespace());
        let members = engine.zset_range(namespace, &key, range, Direction::Ascending, 0, u64::MAX).await;
        write_members(&key, &members.map_err(refused(&key))?, out)
    }
}

fn write_members(key: &Key, members: &[Scored], out: &mut Vec<u8>) -> Result<Done, Error> {
    Object::new(out)
        .with("members", |out| json::write_array(out, members, write_scored))
        .name("key", key.as_bytes())
        .close();
    Ok(Done::Ok)
}

/// Appends a member with its score.
pub(super) fn write_scored(out: &mut Vec<u8>, scored: &Scored) {
    Object::new(out).name("member", &scored.member).float("score", scored.score).close();
}

fn write_score(out: &mut Vec<u8>, score: Option<f64>) {
    match score {
        Some(score) => json::write_f64(out, score),
        None => out.extend_from_slice(b"null"),
    }
}
