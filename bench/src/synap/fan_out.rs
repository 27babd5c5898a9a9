//! One publisher, many subscribers: WebSockets, and connections to Redis if it is installed. All of them are read by the
//! one thread of the bench, so what it takes for that is part of every figure but the server's processor time.

use std::{path::Path, time::Duration};

use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use super::{Args, request::command, subscribers::Subscribers};
use crate::{
    Result,
    load::{answering, client::Connection, resp, server::Server},
    measure::{median, now},
    sheet::{Sheet, number},
};

const TOPIC: &str = "bench.fan.out";
/// Messages sent without waiting: a subscriber's queue holds 1,024.
const BURST: usize = 200;
/// How long bursts are sent, and then single messages, each when the ones before have come everywhere.
const LENGTH: Duration = Duration::from_secs(2);
const MESSAGE_BYTES: usize = 128;

/// Measures a line for each number of subscribers and each server.
pub async fn run(args: &Args, manifold: &Server, scratch: &Path, sheet: &mut Sheet) -> Result<()> {
    sheet.section(&format!("Publishing {MESSAGE_BYTES} bytes to subscribers, bursts of {BURST}, then one by one"));
    let redis = Server::redis("os", scratch)?;
    match &redis {
        Some(redis) => drop(answering(redis, &resp::command(&["PING"])).await?),
        None => sheet.note("Redis was not measured: `redis-server` is not installed."),
    }
    sheet.head(&[
        "subscribers",
        "server",
        "deliveries/s",
        "messages/s",
        "CPU µs a delivery",
        "the last has one after, p50 µs",
        "p90 µs",
        "p99 µs",
    ]);
    for &count in &args.subscribers {
        LocalSet::new().run_until(measure(count, "Synap", manifold, &of_synap(), sheet)).await?;
        if let Some(redis) = &redis {
            LocalSet::new().run_until(measure(count, "Redis", redis, &of_redis(), sheet)).await?;
        }
    }
    Ok(())
}

fn message() -> String {
    "v".repeat(MESSAGE_BYTES - 2)
}

fn of_synap() -> Vec<u8> {
    command("pubsub.publish", &format!("{{\"topic\":\"{TOPIC}\",\"message\":\"{}\"}}", message()))
}

fn of_redis() -> Vec<u8> {
    resp::command(&["PUBLISH", TOPIC, &message()])
}

async fn measure(count: usize, name: &str, server: &Server, publish: &[u8], sheet: &mut Sheet) -> Result<()> {
    let subscribers = Subscribers::default();
    for _ in 0..count {
        subscribers.open(server, TOPIC, MESSAGE_BYTES - 2).await?;
    }
    let mut publisher = Connection::open(server.address, server.protocol).await?;
    let burst = publish.repeat(BURST);
    let (mut rates, before, begin) = (Vec::new(), server.cpu(), now());
    while begin.elapsed() < LENGTH {
        let start = now();
        subscribers.expect((BURST * count) as u64);
        publisher.pipeline(&burst, BURST).await?;
        subscribers.complete().await?;
        rates.push(BURST as f64 / start.elapsed().as_secs_f64());
    }
    let cpu = server.cpu().saturating_sub(before).as_secs_f64() * 1e6 / (rates.len() * BURST * count) as f64;
    let mut last = Histogram::<u64>::new_with_bounds(1_000, 60_000_000_000, 3)?;
    let begin = now();
    while begin.elapsed() < LENGTH {
        let sent = now();
        subscribers.expect(count as u64);
        publisher.exchange(publish).await?;
        subscribers.complete().await?;
        last.saturating_record(sent.elapsed().as_nanos() as u64);
    }
    let rate = median(rates);
    let figures = [number(rate * count as f64, 0), number(rate, 0), number(cpu, 2)];
    let percentiles = [0.5, 0.9, 0.99].map(|quantile| number(last.value_at_quantile(quantile) as f64 / 1e3, 0));
    sheet.row([number(count as f64, 0), name.to_owned()].into_iter().chain(figures).chain(percentiles));
    Ok(())
}
