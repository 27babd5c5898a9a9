//! Requests by route, method and status, and how long they took, without a lock.
//!
//! Label sets are bounded twice: routes are templates known at compile time, and the table has a fixed number of
//! places. What finds no place is counted under the route `other`, so that no request goes uncounted.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::OnceLock,
    time::Duration,
};

use foldhash::fast::FixedState;
use hyper::{Method, StatusCode};
use prometheus_client::encoding::DescriptorEncoder;

use super::{
    count::{Counter, Histogram},
    write::{self, Labels},
};

#[cfg(test)]
mod tests;

/// Places for (route, method, status) and for (route, method); a dialect uses some hundred.
const PLACES: usize = 2048;
/// How far a search goes from where a key belongs.
const REACH: usize = 32;

/// The counters of one dialect.
#[derive(Debug)]
pub struct Requests {
    answered: Table<(&'static str, &'static str, u16), Counter>,
    took: Table<(&'static str, &'static str), Histogram>,
}

impl Default for Requests {
    fn default() -> Self {
        Requests { answered: Table::new(("other", "other", 0)), took: Table::new(("other", "other")) }
    }
}

impl Requests {
    /// Counts an answer to a request for `route`, a template and never a real path.
    pub fn record(&self, route: &'static str, method: &Method, status: StatusCode, elapsed: Duration) {
        let method = method_name(method);
        let status = status.as_u16();
        self.answered.at((route, method, status)).inc();
        self.took.at((route, method)).record(elapsed);
    }

    /// The same for a dialect whose series have no method, and whose templates are spelled `/kv/:namespace`.
    pub(super) fn encode_by_route(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        answered: &'static str,
        took: &'static str,
    ) -> fmt::Result {
        let spelled = |route: &str| route.replace('{', ":").replace('}', "");
        let series = self.answered.iter().filter(|(_, counter)| counter.get() > 0);
        let series = series
            .map(|((route, _, status), counter)| {
                (vec![("route", spelled(route)), ("status", status.to_string())], counter.get())
            })
            .collect();
        write::counter_series(encoder, answered, "Requests answered", &series)?;

        let series = self.took.iter().filter(|(_, histogram)| histogram.read().1 > 0);
        let series: Vec<_> = series.map(|((route, _), histogram)| (spelled(route), histogram)).collect();
        let labels: Vec<_> = series.iter().map(|(route, _)| [("route", route.as_str())]).collect();
        let samples =
            series.iter().zip(&labels).map(|((_, histogram), labels)| (&labels[..] as Labels<'_>, histogram.read()));
        write::histogram(encoder, took, "Seconds from the head of a request to the head of its answer", samples)
    }

    /// Writes the answers alone, for a dialect that calls the route a path.
    pub(super) fn encode_answered(&self, encoder: &mut DescriptorEncoder<'_>, answered: &'static str) -> fmt::Result {
        let series = self.answered.iter().filter(|(_, counter)| counter.get() > 0);
        let series = series.map(|((route, method, status), counter)| {
            let labels =
                [("method", (*method).to_owned()), ("path", (*route).to_owned()), ("status", status.to_string())];
            (labels.to_vec(), counter.get())
        });
        write::counter_series(encoder, answered, "Requests answered", &series.collect())
    }

    /// Writes all series under the dialect's two names.
    pub(super) fn encode(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        answered: &'static str,
        took: &'static str,
    ) -> fmt::Result {
        let series: Vec<_> = self.answered.iter().filter(|(_, counter)| counter.get() > 0).collect();
        let labels: Vec<_> = series.iter().map(|((_, _, status), _)| status.to_string()).collect();
        let labels: Vec<_> = series
            .iter()
            .zip(&labels)
            .map(|(((route, method, _), _), status)| [("route", *route), ("method", *method), ("status", &**status)])
            .collect();
        let samples =
            series.iter().zip(&labels).map(|((_, counter), labels)| (&labels[..] as Labels<'_>, counter.get()));
        write::counter(encoder, answered, "Requests answered", samples)?;

        let series: Vec<_> = self
            .took
            .iter()
            .filter(|(_, histogram)| histogram.read().1 > 0)
            .map(|((route, method), histogram)| ([("route", *route), ("method", *method)], histogram))
            .collect();
        let samples = series.iter().map(|(labels, histogram)| (&labels[..] as Labels<'_>, histogram.read()));
        write::histogram(encoder, took, "Seconds from the head of a request to the head of its answer", samples)
    }
}

/// Extension methods are free text from the client: they share one name.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Boxed, so that an empty place is small.
type Place<K, V> = OnceLock<Box<(K, V)>>;

/// An open-addressing table whose places are filled once and never moved.
#[derive(Debug)]
struct Table<K, V> {
    places: Box<[Place<K, V>]>,
    overflow: (K, V),
}

impl<K: PartialEq + Hash, V: Default> Table<K, V> {
    fn new(overflow: K) -> Self {
        Table { places: (0..PLACES).map(|_| OnceLock::new()).collect(), overflow: (overflow, V::default()) }
    }

    fn at(&self, key: K) -> &V {
        // All keys are ours, so nobody can choose them to meet at one place.
        let place = FixedState::default().hash_one(&key) as usize % PLACES;
        let mut key = Some(key);
        for step in 0..REACH {
            let filled = self.places[(place + step) % PLACES].get_or_init(|| {
                let key = key.take().expect("a place is filled at most once, and then it is the one returned");
                Box::new((key, V::default()))
            });
            // A key that was just moved into the table is the one we look for.
            if key.as_ref().is_none_or(|key| *key == filled.0) {
                return &filled.1;
            }
        }
        &self.overflow.1
    }

    fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let filled = self.places.iter().filter_map(OnceLock::get).map(|place| (&place.0, &place.1));
        filled.chain([(&self.overflow.0, &self.overflow.1)])
    }
}
