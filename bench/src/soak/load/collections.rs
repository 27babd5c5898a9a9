//! Commands of Synap: counters, keys that expire, lists, hashes, sets and sorted sets of bounded size, a queue that is
//! emptied as it is filled.

use std::rc::Rc;

use serde_json::Value;

use crate::soak::{
    client::{Client, Lost},
    world::World,
};

const PER_SECOND: f64 = 150.0;
const KEYS: u64 = 200;
const ELEMENTS: u64 = 50;

/// A counter: what was answered last, and how many increments nobody answered.
#[derive(Default)]
struct Counter {
    value: i64,
    unanswered: i64,
}

/// One client that does a little of everything.
pub async fn work(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.synap);
    let mut counter = Counter::default();
    while world.turn(PER_SECOND).await {
        // What a kill took is done again some other time.
        step(&world, &mut client, &mut counter).await.ok();
    }
}

async fn step(world: &World, client: &mut Client, counter: &mut Counter) -> Result<(), Lost> {
    let (key, element) = (world.below(KEYS), world.below(ELEMENTS));
    match world.below(9) {
        0 => count(world, client, counter).await,
        1 => {
            let ttl = 1 + world.below(20);
            client
                .command("kv.set", &format!(r#"{{"key":"s:{key}:{element}","value":"{element}","ttl":{ttl}}}"#))
                .await?;
            Ok(())
        }
        2 => {
            let got = client.command("kv.get", &format!(r#"{{"key":"s:{key}:{element}"}}"#)).await?;
            let fits = got["found"] == false || is(&got["value"], element);
            expect(world, fits, "kv.get", &got)
        }
        3 => {
            let pushed = client.command("list.lpush", &format!(r#"{{"key":"l:{key}","values":[{element}]}}"#)).await?;
            if pushed["length"].as_u64().is_some_and(|length| length > ELEMENTS) {
                let popped =
                    client.command("list.rpop", &format!(r#"{{"key":"l:{key}","count":{}}}"#, ELEMENTS / 2)).await?;
                expect(world, popped["values"].is_array(), "list.rpop", &popped)?;
            }
            Ok(())
        }
        4 => {
            let target = format!(r#"{{"key":"h:{key}","field":"f{element}","value":{element}}}"#);
            client.command("hash.set", &target).await?;
            let got = client.command("hash.get", &format!(r#"{{"key":"h:{key}","field":"f{element}"}}"#)).await?;
            expect(world, is(&got["value"], element), "hash.get", &got)
        }
        5 => {
            client.command("hash.del", &format!(r#"{{"key":"h:{key}","fields":["f{element}"]}}"#)).await?;
            Ok(())
        }
        6 => {
            let verb = if world.below(2) == 0 { "set.add" } else { "set.rem" };
            client.command(verb, &format!(r#"{{"key":"t:{key}","members":["m{element}"]}}"#)).await?;
            Ok(())
        }
        7 => {
            let member = format!(r#"{{"key":"z:{key}","member":"m{element}","score":{element}}}"#);
            client.command("sortedset.zadd", &member).await?;
            let got =
                client.command("sortedset.zscore", &format!(r#"{{"key":"z:{key}","member":"m{element}"}}"#)).await?;
            expect(world, got["score"].as_f64() == Some(element as f64), "sortedset.zscore", &got)
        }
        _ => {
            client
                .command("queue.publish", &format!(r#"{{"queue":"jobs","message":{{"n":{element}}},"priority":5}}"#))
                .await?;
            let got = client.command("queue.consume", r#"{"queue":"jobs"}"#).await?;
            if let Some(id) = got["message_id"].as_str() {
                client.command("queue.ack", &format!(r#"{{"queue":"jobs","message_id":"{id}"}}"#)).await?;
            }
            Ok(())
        }
    }
}

/// Each answered increment counts once, an unanswered one once or not at all.
async fn count(world: &World, client: &mut Client, counter: &mut Counter) -> Result<(), Lost> {
    match client.command("kv.incr", r#"{"key":"counter"}"#).await {
        Ok(got) => {
            let value = got["value"].as_i64().unwrap_or(i64::MIN);
            let expected = counter.value + 1..=counter.value + 1 + counter.unanswered;
            *counter = Counter { value, unanswered: 0 };
            expect(world, expected.contains(&value), "kv.incr", &got)
        }
        Err(lost) => {
            counter.unanswered += 1;
            Err(lost)
        }
    }
}

/// As a number or as text: that depends on how the value is asked for.
fn is(value: &Value, element: u64) -> bool {
    value.as_u64() == Some(element) || value.as_str() == Some(&element.to_string())
}

fn expect(world: &World, fits: bool, command: &str, got: &Value) -> Result<(), Lost> {
    if !fits {
        world.fault(format!("{command} answered {got}"));
    }
    Ok(())
}
