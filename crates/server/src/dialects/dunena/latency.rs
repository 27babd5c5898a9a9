//! How long requests took lately. A request costs a lock that (mostly) no other thread wants; whoever asks pays for
//! putting the answers together.

use std::{collections::VecDeque, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::telemetry::Striped;

#[cfg(test)]
mod tests;

/// How far back a look goes.
const WINDOW: Duration = Duration::from_secs(60);
/// The newest samples that a look takes.
const KEPT: usize = 10_000;

/// All samples that may still count, and the totals since the start.
#[derive(Debug)]
pub(super) struct Latency {
    began: Instant,
    /// Each keeps as many samples as all together need, since all of them may have come through one.
    stripes: Striped<Mutex<Stripe>>,
}

#[derive(Debug, Default)]
struct Stripe {
    samples: VecDeque<Sample>,
    totals: Totals,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    /// When the answer was complete, in nanoseconds since the start.
    at: u64,
    nanos: u64,
}

/// What never goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) count: u64,
    pub(super) nanos: u64,
}

/// Figures over some samples, in milliseconds; all 0 when there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) mean: f64,
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// The deviation of a sample, so that of a single one is 0.
    pub(super) deviation: f64,
}

impl Latency {
    pub(super) fn new(began: Instant) -> Self {
        Latency { began, stripes: Striped::default() }
    }

    /// An answer that was complete at `ended` had taken so long.
    pub(super) fn record(&self, ended: Instant, took: Duration) {
        let sample = Sample { at: self.nanos_until(ended), nanos: nanos(took) };
        let mut stripe = self.stripes.mine().lock();
        if stripe.samples.len() == KEPT {
            stripe.samples.pop_front();
        }
        stripe.samples.push_back(sample);
        stripe.totals.count += 1;
        stripe.totals.nanos = stripe.totals.nanos.saturating_add(sample.nanos);
    }

    /// Over the last minute.
    pub(super) fn lately(&self, now: Instant) -> Summary {
        // A server younger than that has no earlier samples.
        self.since(now.checked_sub(WINDOW).unwrap_or(self.began))
    }

    /// Over what was complete at `from` or later.
    pub(super) fn since(&self, from: Instant) -> Summary {
        let mut samples = self.samples_since(self.nanos_until(from));
        if let Some(surplus) = samples.len().checked_sub(KEPT + 1) {
            samples.select_nth_unstable_by_key(surplus, |sample| sample.at);
            samples.drain(..=surplus);
        }
        Summary::over(samples.into_iter().map(|sample| millis(sample.nanos)).collect())
    }

    pub(super) fn totals(&self) -> Totals {
        let each = self.stripes.each().map(|stripe| stripe.lock().totals);
        each.fold(Totals::default(), |all, one| Totals { count: all.count + one.count, nanos: all.nanos + one.nanos })
    }

    fn samples_since(&self, from: u64) -> Vec<Sample> {
        let mut samples = Vec::new();
        for stripe in self.stripes.each() {
            samples.extend(stripe.lock().samples.iter().filter(|sample| sample.at >= from));
        }
        samples
    }

    fn nanos_until(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.began))
    }
}

impl Totals {
    /// What all of it took together.
    pub(super) fn millis(self) -> f64 {
        millis(self.nanos)
    }

    /// What came after `earlier`.
    pub(super) fn since(self, earlier: Totals) -> Totals {
        Totals { count: self.count.saturating_sub(earlier.count), nanos: self.nanos.saturating_sub(earlier.nanos) }
    }

    /// The mean in milliseconds; 0 of nothing.
    pub(super) fn mean(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.millis() / self.count as f64 }
    }
}

impl Summary {
    fn over(mut samples: Vec<f64>) -> Summary {
        let (Some(last), count) = (samples.len().checked_sub(1), samples.len() as f64) else {
            return Summary::default();
        };
        samples.sort_unstable_by(f64::total_cmp);
        let mean = samples.iter().sum::<f64>() / count;
        let squares: f64 = samples.iter().map(|sample| (sample - mean).powi(2)).sum();
        Summary {
            count: samples.len() as u64,
            mean,
            p50: percentile(&samples, 0.50),
            p95: percentile(&samples, 0.95),
            p99: percentile(&samples, 0.99),
            min: samples[0],
            max: samples[last],
            deviation: if last == 0 { 0.0 } else { (squares / (count - 1.0)).sqrt() },
        }
    }
}

/// By linear interpolation between the two samples next to rank `part * (n - 1)`. At least one sample, sorted.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = part * (sorted.len() - 1) as f64;
    let below = rank as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}
