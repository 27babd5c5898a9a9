//! What is written: gauges of the hosts of a data centre, close to the devops load of the Time Series Benchmark Suite, and
//! the same in every run. Each gauge is a random walk between 0 and 100 with two decimals, one point every ten seconds.

use std::{collections::BTreeMap, io::Write as _};

use bytes::Bytes;

use super::question::{Answer, Question};
use crate::measure::scramble;

#[cfg(test)]
mod tests;

/// Seconds between two points of a gauge.
pub const STEP_S: u64 = 10;
/// The first point's time: the midnight that began 2023-11-15, a Wednesday, so that two days are in one week and one month,
/// which is how the peers divide time.
pub const START_S: u64 = 1_700_006_400;
/// A gauge's greatest value, in hundredths.
const CEILING: i64 = 10_000;

/// A measurement of many hosts.
pub struct Load {
    /// Its name.
    pub measurement: &'static str,
    /// The fields of each host.
    pub fields: &'static [&'static str],
    /// How many hosts there are.
    pub hosts: usize,
    /// How many points a gauge has.
    pub steps: usize,
    /// A host's tags.
    tags: fn(usize) -> Vec<(&'static str, String)>,
    /// In hundredths, by step, host, field.
    values: Vec<u16>,
}

/// One request.
#[derive(Clone)]
pub struct Batch {
    /// Its lines.
    pub body: Bytes,
    /// The field values in them.
    pub points: usize,
}

impl Load {
    /// Two fields of hosts with ten tags.
    pub fn devops(hosts: usize, steps: usize) -> Self {
        Load::new("cpu", &["usage_user", "usage_system"], hosts, steps, ten_tags)
    }
    /// One field of hosts with three tags.
    pub fn single(hosts: usize, steps: usize) -> Self {
        Load::new("mem", &["used_percent"], hosts, steps, three_tags)
    }
    fn new(
        measurement: &'static str,
        fields: &'static [&'static str],
        hosts: usize,
        steps: usize,
        tags: fn(usize) -> Vec<(&'static str, String)>,
    ) -> Self {
        let gauges = hosts * fields.len();
        let mut now: Vec<i64> = (0..gauges).map(|gauge| between(gauge as u64, 0, CEILING)).collect();
        let mut values = Vec::with_capacity(gauges * steps);
        for step in 0..steps {
            for (gauge, now) in now.iter_mut().enumerate() {
                values.push(*now as u16);
                let seed = (step as u64) << 32 | gauge as u64;
                *now = (*now + between(seed, -100, 100)).clamp(0, CEILING);
            }
        }
        Load { measurement, fields, hosts, steps, tags, values }
    }

    /// How many points there are.
    pub fn points(&self) -> usize {
        self.values.len()
    }

    /// The whole of it in requests of so many lines, in the order of time.
    pub fn batches(&self, lines: usize) -> Vec<Batch> {
        let heads: Vec<String> = (0..self.hosts).map(|host| self.head(host)).collect();
        let all = self.values.chunks_exact(self.fields.len()).enumerate();
        let mut batches = Vec::with_capacity(self.steps * self.hosts / lines + 1);
        let mut body = Vec::new();
        for (line, values) in all {
            let (step, host) = (line / self.hosts, line % self.hosts);
            body.extend_from_slice(heads[host].as_bytes());
            for (n, (field, value)) in self.fields.iter().zip(values).enumerate() {
                let separator = if n == 0 { ' ' } else { ',' };
                write!(body, "{separator}{field}={}.{:02}", value / 100, value % 100).expect("memory takes all bytes");
            }
            writeln!(body, " {}000000000", START_S + step as u64 * STEP_S).expect("memory takes all bytes");
            let in_batch = line % lines + 1;
            if in_batch == lines || line + 1 == self.steps * self.hosts {
                let points = in_batch * self.fields.len();
                let room = body.len();
                batches
                    .push(Batch { body: Bytes::from(std::mem::replace(&mut body, Vec::with_capacity(room))), points });
            }
        }
        batches
    }

    /// Measurement and tags as a line has them.
    fn head(&self, host: usize) -> String {
        let tags = (self.tags)(host).into_iter().map(|(key, value)| format!(",{key}={value}"));
        std::iter::once(self.measurement.to_owned()).chain(tags).collect()
    }

    /// What a question's right answer is, computed in whole hundredths.
    pub fn answer(&self, question: &Question) -> Answer {
        let field = self.fields.iter().position(|field| *field == question.field).unwrap_or_default();
        let mut sums: BTreeMap<(String, u64), (u64, u64)> = BTreeMap::new();
        for host in (0..self.hosts).filter(|host| question.host.is_none_or(|wanted| wanted == *host)) {
            let tags = (self.tags)(host);
            let group = tags.into_iter().find(|(key, _)| Some(*key) == question.by);
            let group = group.map(|(_, value)| value).unwrap_or_default();
            let times = (0..self.steps).map(|step| (step, START_S + step as u64 * STEP_S));
            // Neighbours are mostly of one window: the map is asked once for each of those.
            let mut open: Option<(u64, (u64, u64))> = None;
            let mut close = |open: Option<(u64, (u64, u64))>| {
                if let Some((window, (sum, count))) = open {
                    let all = sums.entry((group.clone(), window)).or_default();
                    *all = (all.0 + sum, all.1 + count);
                }
            };
            for (step, time) in times.filter(|(_, time)| question.range_s.contains(time)) {
                let window = question.window_s.map_or(time, |window| time / window * window);
                let value = u64::from(self.values[(step * self.hosts + host) * self.fields.len() + field]);
                match &mut open {
                    Some((at, (sum, count))) if *at == window => (*sum, *count) = (*sum + value, *count + 1),
                    other => close(other.replace((window, (value, 1)))),
                }
            }
            close(open);
        }
        let mut answer = Answer::new();
        for ((group, window), (sum, count)) in sums {
            let mean = sum as f64 / (count * 100) as f64;
            answer.entry(group).or_default().push(((window * 1000) as i64, mean));
        }
        answer
    }
}

/// The tags of the suite.
fn ten_tags(host: usize) -> Vec<(&'static str, String)> {
    const REGIONS: [&str; 9] = [
        "us-east-1",
        "us-west-1",
        "us-west-2",
        "eu-west-1",
        "eu-central-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-northeast-1",
        "sa-east-1",
    ];
    let choice = |n: u64, of: usize| scramble(host as u64 * 16 + n) as usize % of;
    let region = REGIONS[choice(0, REGIONS.len())];
    vec![
        ("host", format!("host_{host}")),
        ("region", region.to_owned()),
        ("datacenter", format!("{region}{}", ["a", "b", "c"][choice(1, 3)])),
        ("rack", choice(2, 100).to_string()),
        ("os", ["Ubuntu15.10", "Ubuntu16.04LTS", "Ubuntu16.10"][choice(3, 3)].to_owned()),
        ("arch", ["x64", "x86"][choice(4, 2)].to_owned()),
        ("team", ["CHI", "LON", "NYC", "SF"][choice(5, 4)].to_owned()),
        ("service", choice(6, 20).to_string()),
        ("service_version", choice(7, 2).to_string()),
        ("service_environment", ["production", "staging", "test"][choice(8, 3)].to_owned()),
    ]
}

fn three_tags(host: usize) -> Vec<(&'static str, String)> {
    let mut tags = ten_tags(host);
    tags.truncate(3);
    tags
}

/// A number from `least` to `greatest`, the same for the same seed.
fn between(seed: u64, least: i64, greatest: i64) -> i64 {
    least + (scramble(seed) % (greatest - least + 1) as u64) as i64
}
