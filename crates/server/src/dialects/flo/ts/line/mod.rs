//! InfluxDB's line protocol: points as text, one per line.
//!
//! One pass over the bytes of a body. Names and values are handed on as they stand there; what becomes of them is the
//! business of a [`Sink`], which may also know names already and so spare the parser from looking at them again. A bad
//! line never changes how the next one is read.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr, memchr2};

mod fault;
mod names;
mod time;
mod value;

pub(super) use fault::excerpt;
pub use fault::{Fault, Reason};
pub use time::{Precision, Times};
pub use value::{Text, Value};

use names::{Allowed, Name};

#[cfg(any(test, fuzzing))]
pub mod points;
#[cfg(test)]
mod tests;

/// Longest line, without its end; a string may hold more than one line of text.
const MAX_LINE: usize = 1 << 20;
/// Faults that are told apart; the others are only counted.
pub const MAX_FAULTS: usize = 100;
/// Nanoseconds that nobody means: earlier than 1970-01-12, but what other units give for today.
const SUSPICIOUS: Range<i64> = 1..1_000_000_000_000_000;

/// What receives points. A line is begun by one of the first two, then come its fields, each with its value, then one of
/// the last two.
pub trait Sink {
    /// Begins a line when its measurement and tags, as `rest` of the line begins with them, are known: how long they are.
    fn series(&mut self, rest: &[u8]) -> Option<usize>;
    /// Begins a line when they are not: as they stand in the line, and what they say.
    ///
    /// # Errors
    /// Why there can be no such line.
    fn new_series(&mut self, raw: &[u8], series: &Series<'_>) -> Result<(), Reason>;
    /// A field whose name, as `rest` of the line begins with it, is known: how long it is. A `=` follows.
    fn field(&mut self, rest: &[u8]) -> Option<usize>;
    /// A field whose name is not: as it stands in the line, and what it says.
    fn new_field(&mut self, raw: &[u8], name: &str);
    /// The value of that field, which stands `at` in the body. The same field may come again: the last value counts.
    fn value(&mut self, value: Value<'_>, at: usize);
    /// The line is good; when its values are of, in nanoseconds since 1970-01-01 UTC.
    fn end(&mut self, time: i64);
    /// The line is bad: it was never there.
    fn abandon(&mut self);
}

/// A measurement and its tags in the order of the line, none of them named twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series<'a> {
    /// The measurement.
    pub measurement: Cow<'a, str>,
    /// Names and values.
    pub tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// What was in a body.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Where the physical lines begin in which the good points do.
    pub good: Vec<usize>,
    /// How many points are bad.
    pub bad: u64,
    /// The first [`MAX_FAULTS`] of them, in their order.
    pub faults: Vec<Fault>,
    /// How many of the good ones have a time in nanoseconds that looks like one in another unit.
    pub suspicious: u64,
}

/// Reads all lines of `body`.
pub fn parse(body: &[u8], times: Times, sink: &mut impl Sink) -> Parsed {
    let mut parsed = Parsed::default();
    let mut start = 0;
    while start < body.len() {
        let mut line = Line::at(body, start);
        start = match line.point(&times, sink) {
            Ok(None) => line.next,
            Ok(Some(time)) => {
                parsed.good.push(start);
                parsed.suspicious += u64::from(times.is_nanoseconds() && SUSPICIOUS.contains(&time));
                line.next
            }
            Err(Bad { reason, token }) => {
                sink.abandon();
                parsed.bad += 1;
                let resume = line_end(body, token.start) + 1;
                if parsed.faults.len() < MAX_FAULTS {
                    parsed.faults.push(Fault { line: start, token, reason });
                }
                resume
            }
        };
    }
    parsed
}

/// Reads the point of the line at `start`, which was a good one.
pub fn again(body: &[u8], start: usize, sink: &mut impl Sink) {
    if Line::at(body, start).point(&Times::new(Precision::NANOSECOND, 0), sink).is_err() {
        sink.abandon();
    }
}

/// Why the point is bad, and where in the body.
struct Bad {
    reason: Reason,
    token: Range<usize>,
}

/// A line that is being read.
struct Line<'a> {
    body: &'a [u8],
    start: usize,
    /// What was read up to here.
    at: usize,
    /// Where the line ends. A string may move it.
    end: usize,
    /// Where the next one begins.
    next: usize,
}

impl<'a> Line<'a> {
    fn at(body: &'a [u8], start: usize) -> Self {
        let mut line = Line { body, start, at: start, end: start, next: start };
        line.ends_after(start);
        line
    }

    /// Finds the end of the line from `at` on. One CR before it belongs to it.
    fn ends_after(&mut self, at: usize) {
        let end = line_end(self.body, at);
        let has_return = end > at && self.body[end - 1] == b'\r';
        self.end = end - usize::from(has_return);
        self.next = end + 1;
    }

    /// Hands a point on; its time, or none when there is none in the line.
    fn point(&mut self, times: &Times, sink: &mut impl Sink) -> Result<Option<i64>, Bad> {
        self.skip(|byte| matches!(byte, b' ' | b'\t'));
        if matches!(self.peek(), None | Some(b'#')) {
            return Ok(None);
        }
        self.check_length()?;
        match sink.series(self.rest()) {
            Some(length) => self.at += length,
            None => self.series(sink)?,
        }
        let spaces = self.spaces();
        if spaces == 0 || self.peek().is_none() {
            return Err(self.missing(Reason::MissingFields));
        }
        loop {
            self.field(sink)?;
            if self.peek() != Some(b',') {
                break;
            }
            self.at += 1;
        }
        self.spaces();
        let time = if self.peek().is_none() { times.absent() } else { self.time(times)? };
        sink.end(time);
        Ok(Some(time))
    }

    /// Measurement and tags.
    fn series(&mut self, sink: &mut impl Sink) -> Result<(), Bad> {
        let start = self.at;
        let measurement = self.name(Allowed::EqualSign)?;
        if measurement.is_empty() {
            return Err(self.missing(Reason::MissingMeasurement));
        }
        let mut keys = Vec::new();
        let mut values = Vec::new();
        while self.peek() == Some(b',') {
            self.at += 1;
            let (key, value) = self.tag()?;
            keys.push(key);
            values.push(value);
        }
        if let Some(twice) = names::first_repeated(self.body, &keys) {
            return Err(Bad { reason: Reason::DuplicateTag, token: twice });
        }
        // Known names never end in a backslash, so that a space behind one always ends it.
        if self.peek().is_none() {
            return Err(self.missing(Reason::MissingFields));
        }
        let body = self.body;
        let tags = keys.iter().zip(&values).map(|(key, value)| (key.unescaped(body), value.unescaped(body))).collect();
        let series = Series { measurement: measurement.unescaped(body), tags };
        let raw = &self.body[start..self.at];
        sink.new_series(raw, &series).map_err(|reason| Bad { reason, token: start..self.at })
    }

    fn tag(&mut self) -> Result<(Name, Name), Bad> {
        let key = self.name(Allowed::Nothing)?;
        if key.is_empty() {
            return Err(self.missing(Reason::MissingTagKey));
        }
        if self.peek() != Some(b'=') {
            return Err(self.missing(Reason::MissingTagValue));
        }
        self.at += 1;
        let value = self.name(Allowed::Nothing)?;
        if self.peek() == Some(b'=') {
            let end = self.token_end(value.start);
            return Err(Bad { reason: Reason::EqualSignInTagValue, token: value.start..end });
        }
        if value.is_empty() {
            return Err(self.missing(Reason::MissingTagValue));
        }
        Ok((key, value))
    }

    /// A field's name and its value.
    fn field(&mut self, sink: &mut impl Sink) -> Result<(), Bad> {
        match sink.field(self.rest()) {
            Some(length) => self.at += length,
            None => {
                let name = self.name(Allowed::Nothing)?;
                if name.is_empty() {
                    return Err(self.missing(Reason::MissingFieldKey));
                }
                if self.peek() != Some(b'=') {
                    return Err(self.missing(Reason::MissingFieldValue));
                }
                sink.new_field(&self.body[name.start..name.end], &name.unescaped(self.body));
            }
        }
        self.at += 1;
        if self.peek() == Some(b'"') {
            return self.string(sink);
        }
        if let Some((value, length)) = value::short(self.rest()) {
            sink.value(value, self.at);
            self.at += length;
            return Ok(());
        }
        let token = self.at..self.token_end(self.at);
        if token.is_empty() {
            return Err(self.missing(Reason::MissingFieldValue));
        }
        let value = value::scalar(&self.body[token.clone()]).map_err(|reason| self.bad_token(reason, token.clone()))?;
        self.at = token.end;
        sink.value(value, token.start);
        Ok(())
    }

    /// A value between quotes. It may go beyond the end of the line, which moves the end.
    fn string(&mut self, sink: &mut impl Sink) -> Result<(), Bad> {
        let quote = self.at;
        let Some((length, escaped)) = value::string_length(&self.body[quote + 1..]) else {
            return Err(Bad { reason: Reason::UnterminatedString, token: quote..self.end });
        };
        let close = quote + 1 + length;
        if close >= self.end {
            self.ends_after(close + 1);
            self.check_length()?;
        }
        let text = std::str::from_utf8(&self.body[quote + 1..close])
            .map_err(|_| Bad { reason: Reason::InvalidUtf8, token: quote..close + 1 })?;
        self.at = close + 1;
        if !matches!(self.peek(), None | Some(b',' | b' ')) {
            return Err(Bad { reason: Reason::TextAfterQuote, token: self.at..self.token_end(self.at) });
        }
        sink.value(Value::Text(Text { raw: text, escaped }), quote);
        Ok(())
    }

    /// The time, and nothing but spaces behind it.
    fn time(&mut self, times: &Times) -> Result<i64, Bad> {
        let rest = self.rest();
        let token = self.at..self.at + memchr(b' ', rest).unwrap_or(rest.len());
        let time = time::integer(&self.body[token.clone()])
            .ok_or(Reason::InvalidTime)
            .and_then(|time| times.nanoseconds(time).ok_or(Reason::TimeOutOfRange))
            .map_err(|reason| self.bad_token(reason, token.clone()))?;
        self.at = token.end;
        self.spaces();
        match self.peek() {
            None => Ok(time),
            Some(_) => Err(self.bad_token(Reason::TextAfterTime, self.at..self.end)),
        }
    }

    /// A name up to what ends it, still escaped.
    fn name(&mut self, allowed: Allowed) -> Result<Name, Bad> {
        let name = names::scan(&self.body[..self.end], self.at, allowed);
        let token = name.start..name.end;
        let raw = &self.body[token.clone()];
        if names::has_control(raw) {
            return Err(Bad { reason: Reason::ControlCharacter, token });
        }
        if std::str::from_utf8(raw).is_err() {
            return Err(Bad { reason: Reason::InvalidUtf8, token });
        }
        self.at = name.end;
        Ok(name)
    }

    /// What is wrong with a token that is none of those it should be: perhaps something worse than `reason`.
    fn bad_token(&self, reason: Reason, token: Range<usize>) -> Bad {
        let raw = &self.body[token.clone()];
        let reason = match reason {
            _ if names::has_control(raw) => Reason::ControlCharacter,
            _ if std::str::from_utf8(raw).is_err() => Reason::InvalidUtf8,
            reason => reason,
        };
        Bad { reason, token }
    }

    /// Something that should stand here does not.
    fn missing(&self, reason: Reason) -> Bad {
        Bad { reason, token: self.at..self.at }
    }

    fn check_length(&self) -> Result<(), Bad> {
        if self.end - self.start > MAX_LINE {
            return Err(Bad { reason: Reason::LineTooLong, token: self.start..self.start });
        }
        Ok(())
    }

    fn rest(&self) -> &'a [u8] {
        &self.body[self.at..self.end]
    }
    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }
    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        self.at += self.rest().iter().take_while(|byte| skipped(**byte)).count();
    }
    fn spaces(&mut self) -> usize {
        let before = self.at;
        self.skip(|byte| byte == b' ');
        self.at - before
    }
    fn token_end(&self, start: usize) -> usize {
        memchr2(b',', b' ', &self.body[start..self.end]).map_or(self.end, |length| start + length)
    }
}

/// Where the line ends that `at` is in.
fn line_end(body: &[u8], at: usize) -> usize {
    memchr(b'\n', body.get(at..).unwrap_or_default()).map_or(body.len(), |length| at + length)
}
