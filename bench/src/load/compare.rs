//! Sides in turns, on connections that stay open, and the tables of what that gave.

use std::{net::SocketAddr, time::Duration};

use super::{
    client::{Client, Tally, load},
    script::Scripts,
    server::Server,
};
use crate::{
    Result,
    measure::median,
    sheet::{Sheet, number},
};

/// How often and how long each side has its turn.
#[derive(Debug, Clone, Copy)]
pub struct Turns {
    /// Turns of each side.
    pub count: usize,
    /// Length of a turn.
    pub length: Duration,
}

/// A server, and what each connection sends it.
pub struct Contestant<'a> {
    name: &'static str,
    server: &'a Server,
    address: SocketAddr,
    scripts: &'a Scripts,
    /// Requests that a connection sends at once.
    at_once: usize,
    /// Requests of which a unit of work consists.
    steps: usize,
}

impl<'a> Contestant<'a> {
    /// One request at a time.
    pub fn new(name: &'static str, server: &'a Server, scripts: &'a Scripts) -> Self {
        Contestant { name, server, address: server.address, scripts, at_once: 1, steps: 1 }
    }

    /// Another listener of the server.
    pub fn at(self, address: SocketAddr) -> Self {
        Contestant { address, ..self }
    }

    /// What a script gives is so many requests.
    pub fn at_once(self, at_once: usize) -> Self {
        Contestant { at_once, ..self }
    }

    /// Counted is not the request, but what takes so many of them.
    pub fn in_steps(self, steps: usize) -> Self {
        Contestant { steps, ..self }
    }
}

/// What one of them did.
pub struct Side {
    /// For tables.
    pub name: &'static str,
    steps: usize,
    /// Units of work a second, by turn.
    rates: Vec<f64>,
    total: Tally,
    cpu: Duration,
}

impl Side {
    /// Units of work a second.
    pub fn rate(&self) -> f64 {
        median(self.rates.iter().copied())
    }

    /// The median of the ratios of neighbouring turns.
    fn of(&self, reference: &Side) -> f64 {
        median(self.rates.iter().zip(&reference.rates).map(|(rate, reference)| rate / reference))
    }

    /// The same with the side of a name, if there is one.
    pub fn of_named(&self, sides: &[Side], name: &str) -> Option<f64> {
        sides.iter().find(|side| side.name == name).map(|reference| self.of(reference))
    }

    /// Microseconds of processor time that the server spent on a unit of work.
    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 * self.steps as f64 / self.total.requests as f64
    }

    /// Of the time from a request to its answer.
    fn percentiles(&self) -> impl Iterator<Item = String> {
        let micros = |quantile| self.total.latency.value_at_quantile(quantile) as f64 / 1e3;
        [0.5, 0.9, 0.99, 0.999].into_iter().map(move |quantile| number(micros(quantile), 0))
    }
}

/// Lets all of them take turns.
pub async fn compare(turns: Turns, connections: usize, contestants: &[Contestant<'_>]) -> Result<Vec<Side>> {
    let mut sides = Vec::new();
    let mut resting = Vec::new();
    for Contestant { name, server, address, scripts, at_once, steps } in contestants {
        let open = Client::open(*address, server.protocol, connections, scripts, *at_once).await?;
        let (clients, _warm_up) = load(open, turns.length / 2).await?;
        resting.push(clients);
        let rates = Vec::with_capacity(turns.count);
        sides.push(Side { name, steps: *steps, rates, total: Tally::new(), cpu: Duration::ZERO });
    }
    for _ in 0..turns.count {
        for ((side, clients), Contestant { server, .. }) in sides.iter_mut().zip(&mut resting).zip(contestants) {
            let before = server.cpu();
            let (rested, tally) = load(std::mem::take(clients), turns.length).await?;
            side.cpu += server.cpu().saturating_sub(before);
            *clients = rested;
            side.rates.push(tally.requests as f64 / side.steps as f64 / tally.elapsed.as_secs_f64());
            side.total.requests += tally.requests;
            side.total.latency.add(&tally.latency)?;
        }
    }
    Ok(sides)
}

/// Says what the columns of [`versus`] are.
pub fn versus_head(sheet: &mut Sheet, first: &str, reference: &str, other: &str) {
    let (reference_rate, other_rate) = (format!("{reference}/s"), format!("{other}/s"));
    let (of, cpu, other_cpu) = (format!("of {reference}"), format!("CPU µs, {reference}"), format!("CPU µs, {other}"));
    sheet.head(&[first, &reference_rate, &other_rate, &of, "p50 µs", "p90 µs", "p99 µs", "p99.9 µs", &cpu, &other_cpu]);
}

/// A line of two sides: the first is what the other is compared with, and latencies are the other's. The ratio.
pub fn versus(sheet: &mut Sheet, first: &str, sides: &[Side]) -> Result<f64> {
    let [reference, side] = sides else { return Err("two sides make a line".into()) };
    let ratio = side.of(reference);
    let mut row = vec![first.to_owned(), number(reference.rate(), 0), number(side.rate(), 0), number(ratio, 2)];
    row.extend(side.percentiles());
    row.extend([reference.cpu_micros(), side.cpu_micros()].map(|micros| number(micros, 2)));
    sheet.row(row);
    Ok(ratio)
}

/// Says what the columns of [`all`] are.
pub fn all_head(sheet: &mut Sheet, first: &str, references: &[&str]) {
    let of: Vec<String> = references.iter().map(|reference| format!("of {reference}")).collect();
    let mut columns = vec![first, "server", "a second"];
    columns.extend(of.iter().map(String::as_str));
    columns.extend(["p50 µs", "p90 µs", "p99 µs", "p99.9 µs", "CPU µs"]);
    sheet.head(&columns);
}

/// A line for each side, compared with those sides whose names are `references`.
pub fn all(sheet: &mut Sheet, first: &str, sides: &[Side], references: &[&str]) {
    for side in sides {
        let mut row = vec![first.to_owned(), side.name.to_owned(), number(side.rate(), 0)];
        row.extend(references.iter().map(|reference| shown(side.of_named(sides, reference))));
        row.extend(side.percentiles());
        row.push(number(side.cpu_micros(), 2));
        sheet.row(row);
    }
}

/// A ratio, if there was something to compare with.
pub fn shown(ratio: Option<f64>) -> String {
    ratio.map_or("-".to_owned(), |ratio| number(ratio, 2))
}
