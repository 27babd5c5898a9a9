//! Lines of points: whatever comes, it is points or bad lines, at places inside of it; names that are known change
//! nothing; and what was understood is understood again when it is printed.

use std::collections::BTreeMap;

use crate::dialects::flo::ts::line::{self, Precision, Reason, Series, Sink, Times, Value};

#[derive(Debug, Clone, Default, PartialEq)]
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
    series: BTreeMap<Vec<u8>, Point>,
    names: BTreeMap<Vec<u8>, String>,
    line: Point,
    field: String,
    points: Vec<Point>,
}

impl Points {
    fn known<T: Clone>(known: &BTreeMap<Vec<u8>, T>, rest: &[u8], ends: &[Option<u8>]) -> Option<(usize, T)> {
        let fits = |name: &&Vec<u8>| rest.starts_with(name) && ends.contains(&rest.get(name.len()).copied());
        let name = known.keys().filter(fits).max_by_key(|name| name.len())?;
        Some((name.len(), known[name].clone()))
    }
}

impl Sink for Points {
    fn series(&mut self, rest: &[u8]) -> Option<usize> {
        let (length, line) = Points::known(&self.series, rest, &[None, Some(b' ')])?;
        self.line = line;
        Some(length)
    }
    fn new_series(&mut self, raw: &[u8], series: &Series<'_>) -> Result<(), Reason> {
        let tags = series.tags.iter().map(|(tag, value)| (tag.to_string(), value.to_string())).collect();
        self.line = Point { measurement: series.measurement.to_string(), tags, ..Point::default() };
        if self.remembers {
            self.series.insert(raw.to_vec(), self.line.clone());
        }
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
        self.line.fields.push((std::mem::take(&mut self.field), told));
    }
    fn end(&mut self, time: i64) {
        self.points.push(Point { time, ..std::mem::take(&mut self.line) });
    }
    fn abandon(&mut self) {
        self.line = Point::default();
    }
}

fn print(out: &mut String, point: &Point) {
    let escape = |out: &mut String, name: &str, special: &[char]| {
        for character in name.chars() {
            if special.contains(&character) {
                out.push('\\');
            }
            out.push(character);
        }
    };
    let key = [',', ' ', '='];
    escape(out, &point.measurement, &key[..2]);
    for (tag, value) in &point.tags {
        out.push(',');
        escape(out, tag, &key);
        out.push('=');
        escape(out, value, &key);
    }
    for (at, (name, value)) in point.fields.iter().enumerate() {
        out.push(if at == 0 { ' ' } else { ',' });
        escape(out, name, &key);
        out.push('=');
        match value {
            Told::Float(bits) => *out += &format!("{:?}", f64::from_bits(*bits)),
            Told::Int(value) => *out += &format!("{value}i"),
            Told::Uint(value) => *out += &format!("{value}u"),
            Told::Bool(value) => *out += &value.to_string(),
            Told::Text(text) => {
                out.push('"');
                escape(out, text, &['"', '\\']);
                out.push('"');
            }
        }
    }
    *out += &format!(" {}", point.time);
}

pub(super) fn parse(body: &[u8]) {
    let times = Times::new(Precision::NANOSECOND, 1_700_000_000_000_000_000);
    let mut points = Points::default();
    let parsed = line::parse(body, times, &mut points);
    assert_eq!(parsed.good.len(), points.points.len());
    for fault in &parsed.faults {
        assert!(fault.line <= fault.token.start && fault.token.end <= body.len());
        let _text = fault.reason.text(&body[fault.token.clone()]);
    }

    let mut knowing = Points { remembers: true, ..Points::default() };
    for _ in 0..2 {
        knowing.points.clear();
        let again = line::parse(body, times, &mut knowing);
        assert_eq!((&again.good, &again.faults, again.bad), (&parsed.good, &parsed.faults, parsed.bad));
        assert_eq!(knowing.points, points.points);
    }

    let mut printed = String::new();
    for point in &points.points {
        print(&mut printed, point);
        printed.push('\n');
    }
    let mut read_back = Points::default();
    let parsed = line::parse(printed.as_bytes(), times, &mut read_back);
    assert_eq!(parsed.bad, 0, "{printed}");
    assert_eq!(read_back.points, points.points);
}
