//! Two sides in turns, on connections that stay open, and the table of what that gave.

use std::time::Duration;

use super::{
    client::{Client, Script, Tally, load},
    server::Server,
};
use crate::{Result, measure::median};

/// How often and how long each side has its turn.
#[derive(Debug, Clone, Copy)]
pub struct Turns {
    /// Turns of each side.
    pub count: usize,
    /// Length of a turn.
    pub length: Duration,
}

/// A server, and what each connection sends it.
#[derive(Clone, Copy)]
pub struct Contestant<'a> {
    /// For tables.
    pub name: &'static str,
    /// Which server.
    pub server: &'a Server,
    /// By the connection's number.
    pub script: &'a dyn Fn(usize) -> Box<dyn Script>,
}

/// What one of them did.
pub struct Side {
    name: &'static str,
    /// Requests a second, by turn.
    rates: Vec<f64>,
    total: Tally,
    cpu: Duration,
}

impl Side {
    /// Microseconds of processor time that the server spent on a request.
    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.total.requests as f64
    }
}

/// Lets the two take turns; the first one is what the other is compared with.
pub async fn compare(turns: Turns, connections: usize, contestants: &[Contestant<'_>; 2]) -> Result<[Side; 2]> {
    let mut sides = Vec::new();
    let mut resting = Vec::new();
    for Contestant { name, server, script } in contestants {
        let open = Client::open(server.address, connections, script).await?;
        let (clients, _warm_up) = load(open, turns.length / 2).await?;
        resting.push(clients);
        sides.push(Side { name, rates: Vec::with_capacity(turns.count), total: Tally::new(), cpu: Duration::ZERO });
    }
    for _ in 0..turns.count {
        for ((side, clients), Contestant { server, .. }) in sides.iter_mut().zip(&mut resting).zip(contestants) {
            let before = server.cpu();
            let (rested, tally) = load(std::mem::take(clients), turns.length).await?;
            side.cpu += server.cpu().saturating_sub(before);
            *clients = rested;
            side.rates.push(tally.requests as f64 / tally.elapsed.as_secs_f64());
            side.total.requests += tally.requests;
            side.total.latency.add(&tally.latency)?;
        }
    }
    Ok(sides.try_into().map_err(|_| "there are two sides")?)
}

/// Prints what the columns are; `reference` is the side that comes first.
pub fn print_head(first: &str, reference: &str) {
    let of = format!("of {reference}");
    println!(
        "{first:>32}  {:16}{:>12}{of:>10}{:>11}{:>11}{:>11}{:>12}{of:>10}",
        "", "requests/s", "p50 us", "p99 us", "p99.9 us", "cpu us/req"
    );
}

/// Prints a line for each side.
pub fn print(first: &str, sides: &[Side; 2]) {
    let reference = &sides[0];
    for side in sides {
        let rate = median(side.rates.iter().copied());
        let ratio = median(side.rates.iter().zip(&reference.rates).map(|(rate, reference)| rate / reference));
        let at = |quantile| side.total.latency.value_at_quantile(quantile) as f64 / 1e3;
        println!(
            "{first:>32}  {:16}{rate:>12.0}{ratio:>10.2}{:>11.0}{:>11.0}{:>11.0}{:>12.2}{:>10.2}",
            side.name,
            at(0.5),
            at(0.99),
            at(0.999),
            side.cpu_micros(),
            side.cpu_micros() / reference.cpu_micros(),
        );
    }
}
