//! A stream that a group reads: all records once in the order of their offsets, those of a lost answer perhaps twice.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::{join, time::sleep};

use crate::soak::{
    client::Client,
    world::{Phase, World},
};

const PER_SECOND: f64 = 30.0;
const STREAM: &str = "/api/v1/stream/soak/events";
/// Records of an append.
const RECORDS: u64 = 5;
/// What is read and not acknowledged comes back after this.
const ACK_TIMEOUT_MS: u64 = 3000;
/// Empty answers in a row, a second apart, until the group is believed to have everything.
const EMPTY: u32 = 6;

/// Producer and group.
pub async fn work(world: Rc<World>) {
    let (written, filling) = (RefCell::new(HashSet::new()), Cell::new(true));
    let append = async {
        append(&world, &written).await;
        filling.set(false);
    };
    join!(append, read(&world, &written, &filling));
    let lost = written.borrow().len();
    if lost > 0 {
        world.fault(format!("the group never got {lost} records of the stream"));
    }
}

async fn append(world: &Rc<World>, written: &RefCell<HashSet<u64>>) {
    let mut client = Client::new(world, |ports| ports.flo);
    let mut next = 0;
    while world.turn(PER_SECOND).await {
        let numbers = next..next + RECORDS;
        next += RECORDS;
        let record = |n: u64| format!(r#"{{"payload":"{}"}}"#, STANDARD.encode(format!("{n} {}", "r".repeat(100))));
        let records: Vec<String> = numbers.clone().map(record).collect();
        // A reader may be faster than the answer.
        written.borrow_mut().extend(numbers.clone());
        let body = format!(r#"{{"records":[{}]}}"#, records.join(","));
        if client.ask("POST", &format!("{STREAM}/append"), body, &[200]).await.is_err() {
            written.borrow_mut().retain(|n| !numbers.contains(n));
        }
    }
}

async fn read(world: &Rc<World>, written: &RefCell<HashSet<u64>>, filling: &Cell<bool>) {
    let mut client = Client::new(world, |ports| ports.flo);
    let (mut empty, mut next) = (0, 0);
    while filling.get() || empty < EMPTY {
        if matches!(world.phase(), Phase::Down(_)) {
            sleep(Duration::from_millis(50)).await;
            continue;
        }
        let body = format!(r#"{{"consumer":"one","count":50,"block_ms":1000,"ack_timeout_ms":{ACK_TIMEOUT_MS}}}"#);
        // There is no stream before the first append.
        let answer = client.wait("POST", &format!("{STREAM}/groups/g/read"), body, &[200, 404]).await;
        let Ok(answer) = answer else { continue };
        let answer = answer.json();
        let records = answer["records"].as_array().map(Vec::as_slice).unwrap_or_default();
        if records.is_empty() {
            empty += 1;
            sleep(Duration::from_millis(100)).await;
            continue;
        }
        empty = 0;
        for record in records {
            let offset = record["offset"].as_u64().unwrap_or(u64::MAX);
            if offset > next {
                world.fault(format!("the group got record {offset} before {next}"));
            }
            next = next.max(offset.saturating_add(1));
        }
        let offsets: Vec<String> = records.iter().map(|record| record["offset"].to_string()).collect();
        let body = format!(r#"{{"offsets":[{}]}}"#, offsets.join(","));
        if client.ask("POST", &format!("{STREAM}/groups/g/ack"), body, &[200]).await.is_ok() {
            let mut written = written.borrow_mut();
            records.iter().filter_map(number).for_each(|n| {
                written.remove(&n);
            });
        }
    }
}

fn number(record: &Value) -> Option<u64> {
    let payload = STANDARD.decode(record["payload"].as_str()?).ok()?;
    String::from_utf8_lossy(&payload).split(' ').next()?.parse().ok()
}
