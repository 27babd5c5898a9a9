//! What a request says about its query beside the query itself.

use std::borrow::Cow;

use manifold_engine::Engine;

use super::floql::{Frame, Mistake, Precision, Script, rfc3339};
use crate::{
    dialects::flo::{error::Error, members::Integers},
    http::{
        json::{self, RawValue},
        query::Query,
    },
};

#[cfg(test)]
mod tests;

/// Members of a body that holds a query, and the parameters of a request whose body is one.
pub(super) const MEMBERS: [&str; 6] = ["query", "precision", "now", "from", "to", "limit"];

/// Points of each series; no answer holds more than the most.
const LIMIT: Integers = Integers::up_to(1, 1_000_000, "an integer from 1");
const INSTANT: &str = "an integer or an RFC 3339 date and time";

/// What a request says about its query.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) frame: Frame,
    /// Of each series the latest so many points.
    pub(super) limit: Option<usize>,
}

impl Asked {
    /// As members of a body, in the order of [`MEMBERS`] without the first.
    pub(super) fn in_members(engine: &Engine, members: [Option<&RawValue>; 5]) -> Result<Self, Error> {
        let [precision, now, from, to, limit] = members;
        let refused = |field, rule| Error::Field { field, rule };
        let frame = frame(engine, [precision, now, from, to].map(literal), refused)?;
        let limit = LIMIT.member(limit, "limit")?.map(|limit| limit as usize);
        Ok(Asked { frame, limit })
    }

    /// As parameters of the address.
    pub(super) fn in_parameters(engine: &Engine, query: &Query<'_>) -> Result<Self, Error> {
        let refused = |parameter, rule| Error::Parameter { parameter, rule };
        let text = |name: &'static str| query.text(name).map(Cow::Borrowed);
        let frame = frame(engine, [text("precision"), text("now"), text("from"), text("to")], refused)?;
        let limit = LIMIT.parameter(query, "limit")?.map(|limit| limit as usize);
        Ok(Asked { frame, limit })
    }
}

/// The query in a member.
pub(super) fn query(member: Option<&RawValue>) -> Result<Cow<'_, str>, Mistake> {
    let Some(raw) = json::given(member) else {
        return Err(Mistake::new(0, "field 'query' is required", "a query"));
    };
    json::string(raw).map_err(|_| Mistake::new(0, "field 'query' must be a string", "a query"))
}

/// Reads a query with one of the language's readers. Patterns take long to compile: never on a thread that serves
/// sockets.
pub(super) async fn script(text: &str, read: fn(&str) -> Result<Script, Mistake>) -> Result<Script, Error> {
    if !text.contains('~') {
        return Ok(read(text)?);
    }
    let text = text.to_owned();
    let script = tokio::task::spawn_blocking(move || read(&text)).await.map_err(|_| Error::Internal)?;
    Ok(script?)
}

/// The text of a string, or a number as it is spelled.
fn literal(member: Option<&RawValue>) -> Option<Cow<'_, str>> {
    json::given(member).map(|raw| json::string(raw).unwrap_or(Cow::Borrowed(raw.get())))
}

fn frame(
    engine: &Engine,
    [precision, now, from, to]: [Option<Cow<'_, str>>; 4],
    refused: fn(&'static str, &'static str) -> Error,
) -> Result<Frame, Error> {
    let precision = precision.map(|name| Precision::of(&name).ok_or(refused("precision", "one of ns, us, ms, s")));
    let precision = precision.transpose()?.unwrap_or_default();
    let instant = |text: Option<Cow<'_, str>>, name| {
        text.map(|text| instant(&text, precision).ok_or(refused(name, INSTANT))).transpose()
    };
    let now = instant(now, "now")?.unwrap_or_else(|| engine.now_nanos());
    let frame = Frame { precision, now, from: instant(from, "from")?, to: instant(to, "to")? };
    match frame.from.zip(frame.to) {
        Some((from, to)) if from > to => Err(Error::invalid("from must not be after to")),
        _ => Ok(frame),
    }
}

/// An instant in nanoseconds: a number in `precision`, or a date and time.
fn instant(text: &str, precision: Precision) -> Option<i64> {
    match text.parse::<i64>() {
        // The library reads a sign in front that nobody writes in JSON.
        Ok(number) if !text.starts_with('+') => Some(number.saturating_mul(precision.nanos())),
        _ => rfc3339(text),
    }
}
