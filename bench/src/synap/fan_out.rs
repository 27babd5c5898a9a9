//! One publisher, many WebSockets. All sockets are read by the one thread of the bench, so what it takes for that is part
//! of every figure but the server's processor time.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use super::{Args, request::command, subscribers::Subscribers};
use crate::{
    Result,
    http::{client::Connection, server::Server},
    measure::{median, now, section},
};

const TOPIC: &str = "bench.fan.out";
/// Messages sent without waiting: a subscriber's queue holds 1,024.
const BURST: usize = 200;
/// How long bursts are sent, and then single messages, each when the ones before have come everywhere.
const LENGTH: Duration = Duration::from_secs(3);
const MESSAGE_BYTES: usize = 128;

/// Prints a line for each number of subscribers.
pub async fn run(args: &Args, manifold: &Server) -> Result<()> {
    section(&format!("synap: publish {MESSAGE_BYTES} bytes to WebSockets, bursts of {BURST}, then one by one"));
    println!(
        "{:>12}{:>16}{:>16}{:>20}{:>14}{:>14}",
        "subscribers", "deliveries/s", "messages/s", "cpu us a delivery", "last, p50 us", "p99 us"
    );
    for &count in &args.subscribers {
        LocalSet::new().run_until(measure(count, manifold)).await?;
    }
    Ok(())
}

async fn measure(count: usize, manifold: &Server) -> Result<()> {
    let subscribers = Subscribers::default();
    for _ in 0..count {
        subscribers.open(manifold.address, TOPIC).await?;
    }
    let mut publisher = Connection::open(manifold.address).await?;
    let message = "v".repeat(MESSAGE_BYTES - 2);
    let publish = command("pubsub.publish", &format!("{{\"topic\":\"{TOPIC}\",\"message\":\"{message}\"}}"));
    let burst = publish.repeat(BURST);
    let (mut rates, before, begin) = (Vec::new(), manifold.cpu(), now());
    while begin.elapsed() < LENGTH {
        let start = now();
        subscribers.expect((BURST * count) as u64);
        publisher.pipeline(&burst, BURST).await?;
        subscribers.complete().await?;
        rates.push(BURST as f64 / start.elapsed().as_secs_f64());
    }
    let cpu = manifold.cpu().saturating_sub(before).as_secs_f64() * 1e6 / (rates.len() * BURST * count) as f64;
    let mut last = Histogram::<u64>::new_with_bounds(1_000, 60_000_000_000, 3)?;
    let begin = now();
    while begin.elapsed() < LENGTH {
        let sent = now();
        subscribers.expect(count as u64);
        publisher.exchange(&publish).await?;
        subscribers.complete().await?;
        last.saturating_record(sent.elapsed().as_nanos() as u64);
    }
    let rate = median(rates);
    let at = |quantile| last.value_at_quantile(quantile) as f64 / 1e3;
    println!("{count:>12}{:>16.0}{rate:>16.0}{cpu:>20.2}{:>14.0}{:>14.0}", rate * count as f64, at(0.5), at(0.99));
    Ok(())
}
