//! What is looked at every few seconds, and what the looks say in the end.

use std::{fs::File, io::Write, path::Path, time::Duration};

use serde_json::json;

use super::{minutes, process::Process, world::World};
use crate::{Result, measure::median};

/// Growth of memory that is none.
const MEMORY_PERCENT_PER_HOUR: f64 = 1.0;
/// Descriptors more in the last third than in the first: connections come and go.
const DESCRIPTORS: f64 = 20.0;
/// Times the p99 of the first third, of the last third.
const P99: f64 = 1.5;

/// All looks so far.
pub struct Samples {
    warm_up: Duration,
    file: Option<File>,
    taken: Vec<Sample>,
    faults_before: u64,
    requests: u64,
    lost: u64,
}

struct Sample {
    at: Duration,
    resident: u64,
    descriptors: usize,
    p99_ms: f64,
}

impl Samples {
    /// None yet.
    pub fn new(warm_up: Duration, file: Option<&Path>) -> Result<Samples> {
        let file = file.map(File::create).transpose()?;
        Ok(Samples { warm_up, file, taken: Vec::new(), faults_before: 0, requests: 0, lost: 0 })
    }

    /// Looks at the process and at what was counted since the last look.
    pub fn take(&mut self, at: Duration, process: &Process, world: &World) -> Result<()> {
        let counted = world.count();
        let (resident, descriptors) = (process.resident(), process.descriptors()?);
        let quantile = |quantile| counted.latency.value_at_quantile(quantile) as f64 / 1e6;
        let (p50_ms, p99_ms) = (quantile(0.5), quantile(0.99));
        let faults = world.faults() - self.faults_before;
        self.faults_before = world.faults();
        self.requests += counted.requests;
        self.lost += counted.lost;
        if let Some(file) = &mut self.file {
            let line = json!({
                "seconds": at.as_secs(), "resident": resident, "descriptors": descriptors, "disk": process.disk(),
                "cpu_seconds": process.cpu().as_secs_f64(), "requests": counted.requests, "p50_ms": p50_ms, "p99_ms": p99_ms,
                "lost": counted.lost, "faults": faults,
            });
            writeln!(file, "{line}")?;
        }
        if self.taken.len().is_multiple_of(6) {
            println!(
                "{:>7.1} min  {:>8.1} MiB  {descriptors:>5} descriptors  {:>8} requests  p50 {p50_ms:.2} ms  p99 {p99_ms:.2} ms  \
                 disk {:>6.1} MiB  faults {faults}",
                minutes(at),
                mebibytes(resident as f64),
                counted.requests,
                mebibytes(process.disk() as f64)
            );
        }
        self.taken.push(Sample { at, resident, descriptors, p99_ms });
        Ok(())
    }

    /// Says what was found; an error when it is not as it must be.
    pub fn judge(&self, world: &World) -> Result<()> {
        let after: Vec<&Sample> = self.taken.iter().filter(|sample| sample.at > self.warm_up).collect();
        let third = after.len() / 3;
        if third == 0 {
            return Err("there are too few samples to judge".into());
        }
        let (first, last) = (&after[..third], &after[after.len() - third..]);
        let resident = |samples: &[&Sample]| median(samples.iter().map(|sample| sample.resident as f64));
        let descriptors = |samples: &[&Sample]| median(samples.iter().map(|sample| sample.descriptors as f64));
        let p99 = |samples: &[&Sample]| median(samples.iter().map(|sample| sample.p99_ms));
        let points: Vec<(f64, f64)> =
            after.iter().map(|sample| (sample.at.as_secs_f64() / 3600.0, sample.resident as f64)).collect();
        let slope = slope(&points) / resident(&after) * 100.0;

        println!(
            "\n{} requests were answered, of {} the fate is not known, {} faults",
            self.requests,
            self.lost,
            world.faults()
        );
        println!(
            "memory, first and last third after {:.0} minutes: {:.1} and {:.1} MiB, {slope:+.2} % an hour",
            minutes(self.warm_up),
            mebibytes(resident(first)),
            mebibytes(resident(last))
        );
        println!("descriptors: {:.0} and {:.0}", descriptors(first), descriptors(last));
        println!("p99: {:.2} and {:.2} ms", p99(first), p99(last));

        let mut wrong = Vec::new();
        if world.faults() > 0 {
            wrong.push(format!("{} faults", world.faults()));
        }
        if slope > MEMORY_PERCENT_PER_HOUR {
            wrong.push(format!("memory grows by {slope:.2} % an hour"));
        }
        if descriptors(last) > descriptors(first) + DESCRIPTORS {
            wrong.push("descriptors grow".to_owned());
        }
        if p99(last) > p99(first) * P99 {
            wrong.push("the p99 grows".to_owned());
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ").into()) }
    }
}

/// The median of the slopes between all pairs of points (Theil and Sen): single outliers count for nothing.
fn slope(points: &[(f64, f64)]) -> f64 {
    let pairs = points.iter().enumerate().flat_map(|(n, a)| points[n + 1..].iter().map(move |b| (a, b)));
    median(pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)))
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}
