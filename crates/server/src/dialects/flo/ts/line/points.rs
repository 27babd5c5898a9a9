//! A sink that keeps what it is told, for tests and fuzzing.

#![allow(missing_docs, reason = "no part of the product")]

use std::collections::HashMap;

use super::{Reason, Series, Sink, Value};

/// A point as a sink is told it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub measurement: String,
    pub tags: Vec<(String, String)>,
    pub fields: Vec<(String, Told)>,
    /// Nanoseconds.
    pub time: i64,
}

/// A value; of a float its bits, so that every one is equal to itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Float(u64),
    Int(i64),
    Uint(u64),
    Bool(bool),
    Text(String),
}

/// Keeps all points.
#[derive(Default)]
pub struct Points {
    remembers: bool,
    series: HashMap<Vec<u8>, Point>,
    names: HashMap<Vec<u8>, String>,
    line: Option<Point>,
    field: String,
    pub points: Vec<Point>,
}

impl Points {
    /// One that knows names once it was told them.
    pub fn remembering() -> Points {
        Points { remembers: true, ..Points::default() }
    }

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
