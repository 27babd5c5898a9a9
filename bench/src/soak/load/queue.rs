//! A queue whose messages are numbered: each is delivered until it is acknowledged, and then never again.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{join, time::sleep};

use crate::soak::{
    client::Client,
    world::{Phase, World},
};

const PER_SECOND: f64 = 60.0;
const QUEUE: &str = "/api/v1/queue/soak/work";
/// A lease; what is not acknowledged comes back after it.
const LEASE_MS: u64 = 3000;
/// Empty answers in a row, a second apart, until the queue is believed to be empty.
const EMPTY: u32 = 6;

/// What is known of a message that is not known to be gone.
#[derive(Clone, Copy, PartialEq)]
enum Message {
    /// Nobody answered whether it was taken.
    PerhapsThere,
    There,
    /// Nobody answered whether it was acknowledged.
    PerhapsGone,
}

/// Producer and consumer.
pub async fn work(world: Rc<World>) {
    let (messages, filling) = (RefCell::new(HashMap::new()), Cell::new(true));
    let produce = async {
        produce(&world, &messages).await;
        filling.set(false);
    };
    join!(produce, consume(&world, &messages, &filling));
    let lost = messages.borrow().values().filter(|message| **message == Message::There).count();
    if lost > 0 {
        world.fault(format!("{lost} messages of the queue are lost"));
    }
}

async fn produce(world: &Rc<World>, messages: &RefCell<HashMap<u64, Message>>) {
    let mut client = Client::new(world, |ports| ports.flo);
    let mut id = 0u64;
    while world.turn(PER_SECOND).await {
        id += 1;
        messages.borrow_mut().insert(id, Message::PerhapsThere);
        let payload = STANDARD.encode(id.to_string());
        let delay = if id.is_multiple_of(20) { 500 } else { 0 };
        let body = format!(r#"{{"payload":"{payload}","priority":{},"delay_ms":{delay}}}"#, id % 3);
        if client.ask("POST", &format!("{QUEUE}/enqueue"), body, &[200]).await.is_ok() {
            // It may have been taken and acknowledged already.
            messages.borrow_mut().entry(id).and_modify(|message| *message = Message::There);
        }
    }
}

async fn consume(world: &Rc<World>, messages: &RefCell<HashMap<u64, Message>>, filling: &Cell<bool>) {
    let mut client = Client::new(world, |ports| ports.flo);
    let mut empty = 0;
    while filling.get() || empty < EMPTY {
        if matches!(world.phase(), Phase::Down(_)) {
            sleep(Duration::from_millis(50)).await;
            continue;
        }
        let body = format!(r#"{{"count":10,"visibility_timeout_ms":{LEASE_MS},"block_ms":1000}}"#);
        let Ok(answer) = client.wait("POST", &format!("{QUEUE}/dequeue"), body, &[200]).await else { continue };
        let answer = answer.json();
        let taken = answer["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        empty = if taken.is_empty() { empty + 1 } else { 0 };
        for message in taken {
            let sequence = message["sequence"].as_u64().unwrap_or(0);
            let id = STANDARD.decode(message["payload"].as_str().unwrap_or_default()).unwrap_or_default();
            let id = String::from_utf8_lossy(&id).parse().unwrap_or(0);
            if !messages.borrow().contains_key(&id) {
                world.fault(format!("message {id} was delivered, and is not expected"));
            }
            acknowledge(world, &mut client, sequence, id, messages).await;
        }
    }
}

/// Most messages are acknowledged; some leases end, some messages are given back.
async fn acknowledge(
    world: &Rc<World>,
    client: &mut Client,
    sequence: u64,
    id: u64,
    messages: &RefCell<HashMap<u64, Message>>,
) {
    let body = format!(r#"{{"sequences":[{sequence}]}}"#);
    match world.below(100) {
        0 => {}
        1..4 => {
            client.ask("POST", &format!("{QUEUE}/nack"), body, &[200]).await.ok();
        }
        _ => match client.ask("POST", &format!("{QUEUE}/ack"), body, &[200]).await {
            // A lease that ended meanwhile acknowledges nothing.
            Ok(answer) if answer.json()["acked"] == 1 => {
                messages.borrow_mut().remove(&id);
            }
            Ok(_) => {}
            Err(_) => {
                messages.borrow_mut().entry(id).and_modify(|message| *message = Message::PerhapsGone);
            }
        },
    }
}
