//! The questions, in the words of each server, and how to read what it answers. An answer is brought to one form, so that
//! it can be held against what is right: group, then window start in milliseconds and mean.

use std::{collections::BTreeMap, ops::Range};

use serde_json::Value;

use crate::Result;

#[cfg(test)]
mod tests;

/// Points by group; the group is empty where the question names none.
pub type Answer = BTreeMap<String, Vec<(i64, f64)>>;

/// Points of a field or their means.
#[derive(Debug, Clone)]
pub struct Question {
    /// What it is called in the table.
    pub name: &'static str,
    /// The measurement.
    pub measurement: &'static str,
    /// The field.
    pub field: &'static str,
    /// Of one host; none = of all.
    pub host: Option<usize>,
    /// Seconds of the epoch; the end is not part of it.
    pub range_s: Range<u64>,
    /// The mean of each window so long; none = points as written.
    pub window_s: Option<u64>,
    /// The tag to group by.
    pub by: Option<&'static str>,
}

impl Question {
    fn first_ms(&self) -> u64 {
        self.range_s.start * 1000
    }
    fn last_ms(&self) -> u64 {
        self.range_s.end * 1000 - 1
    }

    /// For Manifold.
    pub fn floql(&self) -> String {
        let host = self.host.map(|host| format!("{{host=host_{host}}}")).unwrap_or_default();
        let mut query = format!("{}{host}[{}..{}]", self.measurement, self.first_ms(), self.last_ms());
        query.push_str(&format!(" | field({})", self.field));
        query.extend(self.by.map(|tag| format!(" | group_by({tag})")));
        query.extend(self.window_s.map(|window| format!(" | avg({window}s)")));
        query
    }

    /// For InfluxDB.
    pub fn influxql(&self) -> String {
        let what = match self.window_s {
            Some(_) => format!("mean(\"{}\")", self.field),
            None => format!("\"{}\"", self.field),
        };
        let host = self.host.map(|host| format!("\"host\"='host_{host}' AND ")).unwrap_or_default();
        let (first, last) = (self.first_ms(), self.last_ms());
        let group = self.window_s.map(|window| {
            let by = self.by.map(|tag| format!(",\"{tag}\"")).unwrap_or_default();
            format!(" GROUP BY time({window}s){by} fill(none)")
        });
        let (measurement, group) = (self.measurement, group.unwrap_or_default());
        format!("SELECT {what} FROM \"{measurement}\" WHERE {host}time >= {first}ms AND time <= {last}ms{group}")
    }

    /// For VictoriaMetrics: path and query string. A window there ends at a point's time and excludes its own first
    /// instant, so a window of ours is asked for at its last millisecond. Its mean of means is our mean here, as all
    /// gauges have a point at every step.
    pub fn metricsql(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let host = self.host.map(|host| format!("{{host=\"host_{host}\"}}")).unwrap_or_default();
        let gauge = format!("{}_{}{host}", self.measurement, self.field);
        let Some(window) = self.window_s else {
            let seconds = self.range_s.end - self.range_s.start;
            return (
                "/api/v1/query",
                vec![("query", format!("{gauge}[{seconds}s]")), ("time", seconds_of(self.last_ms()))],
            );
        };
        let by = self.by.map(|tag| format!(" by ({tag})")).unwrap_or_default();
        let at_end = |window_at: u64| seconds_of((window_at / window + 1) * window * 1000 - 1);
        let arguments = vec![
            ("query", format!("avg(avg_over_time({gauge}[{window}s])){by}")),
            ("start", at_end(self.range_s.start)),
            ("end", at_end(self.range_s.end - 1)),
            ("step", format!("{window}s")),
            // Otherwise it keeps the answer, and moves the range to multiples of the step.
            ("nocache", "1".to_owned()),
        ];
        ("/api/v1/query_range", arguments)
    }

    /// Manifold's answer.
    pub fn read_manifold(&self, body: &[u8]) -> Result<Answer> {
        let body: Value = serde_json::from_slice(body)?;
        self.collect(list(&body["series"]).iter().map(|series| {
            let tag = list(&series["tags"]).iter().find(|tag| tag["key"].as_str() == self.by);
            let points = list(&series["points"]).iter().map(|point| (&point["timestamp"], &point["value"]));
            let points = points.map(|(at, value)| Some((at.as_i64()?, value.as_f64()?)));
            (tag.map(|tag| tag["value"].clone()), points.collect())
        }))
    }

    /// InfluxDB's answer.
    pub fn read_influx(&self, body: &[u8]) -> Result<Answer> {
        let body: Value = serde_json::from_slice(body)?;
        self.collect(list(&body["results"][0]["series"]).iter().map(|series| {
            let tag = self.by.map(|tag| series["tags"][tag].clone());
            let points = list(&series["values"]).iter().map(|point| Some((point[0].as_i64()?, point[1].as_f64()?)));
            (tag, points.collect())
        }))
    }

    /// VictoriaMetrics' answer.
    pub fn read_victoria(&self, body: &[u8]) -> Result<Answer> {
        // From a window's last millisecond back to its start.
        let back = self.window_s.map_or(0, |window| window as i64 * 1000 - 1);
        let body: Value = serde_json::from_slice(body)?;
        self.collect(list(&body["data"]["result"]).iter().map(|series| {
            let tag = self.by.map(|tag| series["metric"][tag].clone());
            let points = list(&series["values"]).iter().map(|point| {
                let ms = (point[0].as_f64()? * 1000.0).round() as i64;
                Some((ms - back, point[1].as_str()?.parse().ok()?))
            });
            (tag, points.collect())
        }))
    }

    fn collect(&self, all: impl Iterator<Item = (Option<Value>, Option<Vec<(i64, f64)>>)>) -> Result<Answer> {
        let mut answer = Answer::new();
        for (tag, points) in all {
            let group = tag.and_then(|tag| tag.as_str().map(str::to_owned));
            if group.is_none() && self.by.is_some() {
                return Err(format!("{}: a series without its tag", self.name).into());
            }
            let points = points.ok_or_else(|| format!("{}: a point that is none", self.name))?;
            answer.entry(group.unwrap_or_default()).or_default().extend(points);
        }
        Ok(answer)
    }
}

/// Refuses an answer that differs from what is right by more than rounding.
pub fn check(name: &str, given: &Answer, right: &Answer) -> Result<()> {
    const RELATIVE: f64 = 1e-9;
    let points = |answer: &Answer| answer.values().map(Vec::len).sum::<usize>();
    let (given_points, right_points) = (points(given), points(right));
    let all = |answer: &Answer| -> Vec<(String, i64, f64)> {
        let flat = answer.iter().flat_map(|(group, points)| points.iter().map(move |(at, v)| (group.clone(), *at, *v)));
        flat.collect()
    };
    for ((group, at, value), (right_group, right_at, right)) in all(given).into_iter().zip(all(right)) {
        let close = (value - right).abs() <= RELATIVE * right.abs().max(1.0);
        if group != right_group || at != right_at || !close {
            return Err(format!(
                "{name}: {value} at {at} of {group:?}, where {right} at {right_at} of {right_group:?} is right"
            )
            .into());
        }
    }
    if given_points != right_points {
        return Err(format!("{name}: {given_points} points, where {right_points} are right").into());
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Milliseconds as seconds with a fraction.
fn seconds_of(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
