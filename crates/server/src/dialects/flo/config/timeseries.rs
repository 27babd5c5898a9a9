//! `[flo.timeseries]`: what is kept of time series, and how much one query may take.

use std::{borrow::Cow, str::FromStr};

use bytes::Bytes;
use manifold_engine::{Namespace, QueryLimits, series::SeriesRetention};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Refused;
use crate::{
    http::path,
    period::{Keep, Period},
};

#[cfg(test)]
mod tests;

/// `[flo.timeseries]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeseries {
    /// How long points are kept; `0s` = for ever.
    pub retention: Keep,
    /// The same for some: `["metrics=30d", "metrics/cpu=7d", "*/cpu=7d"]`, namespace and measurement percent-encoded as in
    /// paths; of those that fit, the one that names most wins.
    pub retentions: Vec<Rule>,
    /// Longest body of a write.
    pub max_body_bytes: usize,
    /// Most series of a namespace; lines that would make more are rejected.
    pub max_series: u64,
    /// Most fields of a measurement; lines that would make more are rejected.
    pub max_fields: u64,
    /// Longest time of a query.
    pub query_timeout: Period,
    /// Most memory of a query.
    pub query_max_bytes: usize,
}

impl Default for Timeseries {
    fn default() -> Self {
        let limits = manifold_engine::Limits::default();
        Timeseries {
            retention: Keep(None),
            retentions: Vec::new(),
            max_body_bytes: 64 << 20,
            max_series: limits.series,
            max_fields: limits.series_fields,
            query_timeout: Period(limits.query.time),
            query_max_bytes: limits.query.memory_bytes,
        }
    }
}

impl Timeseries {
    /// Numbers that must not be zero, by their keys.
    pub(super) fn bounds(&self) -> [(&'static str, u64); 4] {
        [
            ("timeseries.max_body_bytes", self.max_body_bytes as u64),
            ("timeseries.max_series", self.max_series),
            ("timeseries.max_fields", self.max_fields),
            ("timeseries.query_max_bytes", self.query_max_bytes as u64),
        ]
    }

    /// Refuses two rules for the same points.
    pub(super) fn validate(&self) -> Result<(), Refused> {
        let mut names: Vec<_> = self.retentions.iter().map(|rule| (&rule.namespace, &rule.measurement)).collect();
        names.sort();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => {
                let twice = |rule: &&Rule| (&rule.namespace, &rule.measurement) == pair[1];
                let second = self.retentions.iter().filter(twice).nth(1).expect("two rules are equal");
                Err(Refused::RetentionTwice(second.text.clone()))
            }
        }
    }

    /// Adds what is said here to the bounds of an engine.
    pub fn limit(&self, limits: &mut manifold_engine::Limits) {
        limits.series = self.max_series;
        limits.series_fields = self.max_fields;
        let (memory_bytes, time) = (self.query_max_bytes, self.query_timeout.0);
        limits.query = QueryLimits { memory_bytes, time, ..limits.query };
    }

    /// The rules as the engine takes them.
    pub fn retention(&self) -> Vec<SeriesRetention> {
        let all = SeriesRetention { namespace: None, measurement: None, keep: self.retention.0.unwrap_or_default() };
        let some = self.retentions.iter().map(|rule| SeriesRetention {
            namespace: rule.namespace.clone(),
            measurement: rule.measurement.clone(),
            keep: rule.keep.0.unwrap_or_default(),
        });
        some.chain([all]).collect()
    }
}

/// How long points of some namespace or measurement are kept: `metrics=30d`, `metrics/cpu=7d`, `*/cpu=7d`. Names are
/// percent-encoded as in paths where they hold a `/`, a `=`, a `%` or a `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// As it was written.
    text: String,
    namespace: Option<Namespace>,
    measurement: Option<String>,
    keep: Keep,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |what: &str| {
            format!("{text:?} {what}: write it as namespace=30d, namespace/measurement=30d or */measurement=30d")
        };
        let (names, keep) = text.rsplit_once('=').ok_or_else(|| refused("names no length of time"))?;
        let keep = keep.parse().map_err(|error: String| format!("{text:?}: {error}"))?;
        let (namespace, measurement) = match names.split_once('/') {
            Some((namespace, measurement)) => (namespace, Some(measurement)),
            None => (names, None),
        };
        let decode = |name| path::decode(name).map(Cow::into_owned).map_err(|_| refused("has a broken % escape"));
        let measurement = measurement.map(decode).transpose()?;
        if measurement.as_ref().is_some_and(String::is_empty) {
            return Err(refused("names an empty measurement"));
        }
        let namespace = match namespace {
            "*" if measurement.is_none() => return Err(refused("is for everything, which is what retention says")),
            "*" => None,
            name => {
                let name = Namespace::new(Bytes::from(decode(name)?));
                Some(name.map_err(|_| refused("names no namespace of 1 to 1024 bytes without NUL"))?)
            }
        };
        Ok(Rule { text: text.to_owned(), namespace, measurement, keep })
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
