use std::collections::HashMap;

use super::*;

mod printed;
mod rules;

/// A point as a sink is told it.
#[derive(Debug, Clone, PartialEq)]
struct Point {
    measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, Told)>,
    time: i64,
}

#[derive(Debug, Clone, PartialEq)]
enum Told {
    Float(u64),
    Int(i64),
    Uint(u64),
    Bool(bool),
    Text(String),
}

/// Keeps all points. With `remembers`, it knows every name that it was told before.
#[derive(Default)]
struct Points {
    remembers: bool,
    series: HashMap<Vec<u8>, Point>,
    names: HashMap<Vec<u8>, String>,
    line: Option<Point>,
    field: String,
    points: Vec<Point>,
}

impl Points {
    fn begin(&mut self, line: Point) {
        assert!(self.line.is_none(), "the line before was neither ended nor abandoned");
        self.line = Some(line);
    }
    /// The longest known name that `rest` begins with and that one of `ends` follows.
    fn known<T: Clone>(known: &HashMap<Vec<u8>, T>, rest: &[u8], ends: &[Option<u8>]) -> Option<(usize, T)> {
        let fits = |name: &&Vec<u8>| rest.starts_with(name) && ends.contains(&rest.get(name.len()).copied());
        let name = known.keys().filter(fits).max_by_key(|name| name.len())?;
        Some((name.len(), known[name].clone()))
    }
}

impl Sink for Points {
    fn series(&mut self, rest: &[u8]) -> Option<usize> {
        let (length, line) = Points::known(&self.series, rest, &[None, Some(b' ')])?;
        self.begin(line);
        Some(length)
    }
    fn new_series(&mut self, raw: &[u8], series: &Series<'_>) -> Result<(), Reason> {
        let tags = series.tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let line = Point { measurement: series.measurement.to_string(), tags, fields: Vec::new(), time: 0 };
        if self.remembers {
            self.series.insert(raw.to_vec(), line.clone());
        }
        self.begin(line);
        Ok(())
    }
    fn field(&mut self, rest: &[u8]) -> Option<usize> {
        let (length, name) = Points::known(&self.names, rest, &[Some(b'=')])?;
        self.field = name;
        Some(length)
    }
    fn new_field(&mut self, raw: &[u8], name: &str) {
        if self.remembers {
            self.names.insert(raw.to_vec(), name.to_owned());
        }
        self.field = name.to_owned();
    }
    fn value(&mut self, value: Value<'_>, _: usize) {
        let told = match value {
            Value::Float(value) => Told::Float(value.to_bits()),
            Value::Int(value) => Told::Int(value),
            Value::Uint(value) => Told::Uint(value),
            Value::Bool(value) => Told::Bool(value),
            Value::Text(text) => Told::Text(text.unescaped().into_owned()),
        };
        let field = std::mem::take(&mut self.field);
        self.line.as_mut().expect("a line was begun").fields.push((field, told));
    }
    fn end(&mut self, time: i64) {
        let line = self.line.take().expect("a line was begun");
        self.points.push(Point { time, ..line });
    }
    fn abandon(&mut self) {
        self.line = None;
    }
}

const NOW: i64 = 1_700_000_000_123_456_789;

/// What a body gives; whether names are known already must make no difference.
fn read(body: &[u8], precision: Precision) -> (Vec<Point>, Parsed) {
    let mut points = Points::default();
    let parsed = parse(body, Times::new(precision, NOW), &mut points);
    let mut knowing = Points { remembers: true, ..Points::default() };
    for _ in 0..2 {
        knowing.points.clear();
        let again = parse(body, Times::new(precision, NOW), &mut knowing);
        assert_eq!((&knowing.points, &again.faults, &again.good), (&points.points, &parsed.faults, &parsed.good));
    }
    assert_eq!(parsed.good.len(), points.points.len());
    (points.points, parsed)
}

/// The points of a body without a bad line.
fn good(body: &[u8]) -> Vec<Point> {
    let (points, parsed) = read(body, Precision::NANOSECOND);
    assert_eq!(parsed.bad, 0, "{}: {:?}", body.escape_ascii(), parsed.faults);
    points
}

/// `line:column reason` of each bad line, and how many good ones there are.
fn faults(body: &[u8]) -> (Vec<String>, usize) {
    let (points, parsed) = read(body, Precision::NANOSECOND);
    let each = parsed.faults.iter().map(|fault| {
        let line = 1 + memchr::memchr_iter(b'\n', &body[..fault.line]).count();
        let column = 1 + fault.token.start - fault.line;
        format!("{line}:{column} {}", fault.reason.text(&body[fault.token.clone()]))
    });
    (each.collect(), points.len())
}
