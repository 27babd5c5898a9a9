//! Versioned keys: written, read, deleted, and some that expire by themselves.

use std::{collections::HashMap, rc::Rc};

use serde_json::Value;

use crate::soak::{client::Client, world::World};

/// Keys of a worker that stay, and that expire.
const KEYS: u64 = 1250;
const PER_SECOND: f64 = 80.0;

/// What must be there.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Nothing,
    Number(u64),
    /// Either of the two, whichever is found first.
    Either(Option<u64>, Option<u64>),
}

impl Known {
    fn number(self) -> Option<u64> {
        match self {
            Known::Number(number) => Some(number),
            Known::Nothing | Known::Either(..) => None,
        }
    }

    fn of(number: Option<u64>) -> Known {
        number.map_or(Known::Nothing, Known::Number)
    }
}

/// One worker with keys of its own.
pub async fn work(world: Rc<World>, worker: u64) {
    let mut client = Client::new(&world, |ports| ports.unison);
    let mut known: HashMap<u64, Known> = HashMap::new();
    let mut next = 0;
    while world.turn(PER_SECOND).await {
        let n = world.below(KEYS);
        let target = format!("/api/v1/kv/soak%3Atenant-{}/key-{worker}-{n}", n % 10);
        let before = known.get(&n).copied().unwrap_or(Known::Nothing);
        match world.below(100) {
            0..45 => read(&world, &mut client, &target, before, known.entry(n).or_insert(Known::Nothing)).await,
            // What is not known is first read.
            _ if matches!(before, Known::Either(..)) => {
                read(&world, &mut client, &target, before, known.entry(n).or_insert(Known::Nothing)).await;
            }
            45..75 => {
                next += 1;
                let padding = "v".repeat(world.below(900) as usize);
                let body = format!(r#"{{"value":{{"n":{next},"padding":"{padding}"}},"actor":"soak"}}"#);
                let done = client.ask("PUT", &target, body, &[200]).await;
                let after = if done.is_ok() { Known::Number(next) } else { Known::Either(before.number(), Some(next)) };
                known.insert(n, after);
            }
            75..80 => {
                let done = client.ask("DELETE", &target, "", &[200, 404]).await;
                known.insert(n, if done.is_ok() { Known::Nothing } else { Known::Either(before.number(), None) });
            }
            chance => {
                let brief = format!("/api/v1/kv/soak%3Abrief/brief-{worker}-{n}");
                if chance < 95 {
                    let body = format!(r#"{{"value":{n},"ttlMs":{}}}"#, 1000 + world.below(20_000));
                    client.ask("PUT", &brief, body, &[200]).await.ok();
                } else {
                    client.ask("GET", &brief, "", &[200, 404]).await.ok();
                }
            }
        }
    }
}

async fn read(world: &World, client: &mut Client, target: &str, before: Known, known: &mut Known) {
    let Ok(answer) = client.ask("GET", target, "", &[200, 404]).await else { return };
    let found = match answer.status {
        200 => answer.json()["value"]["n"].as_u64(),
        _ => None,
    };
    let fits = match before {
        Known::Either(one, other) => found == one || found == other,
        sure => found == sure.number(),
    };
    if !fits {
        let said: Value = answer.json();
        world.fault(format!("{target} is {found:?}, status {}, version {}", answer.status, said["version"]));
    }
    *known = Known::of(found);
}
