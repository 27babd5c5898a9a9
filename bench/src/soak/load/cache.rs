//! Dunena: the cache at its bound, documents with and without an end, results of queries and their tags, locks.

use std::{collections::HashMap, rc::Rc};

use crate::soak::{client::Client, world::World};

/// Keys of the cache: more than it holds.
const KEYS: u64 = 30_000;
const DOCUMENTS: u64 = 1000;

/// Sets and gets; a kill empties it.
pub async fn work(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.dunena);
    while world.turn(200.0).await {
        let key = world.below(KEYS);
        if world.below(3) == 0 {
            let Ok(answer) = client.ask("GET", &format!("/cache/k{key}"), "", &[200, 404]).await else { continue };
            if answer.status == 200
                && answer.json()["value"].as_str().is_none_or(|value| !value.starts_with(&format!("{key}-")))
            {
                world.fault(format!("the cache has something else as k{key}"));
            }
        } else {
            let value = format!("{key}-{}", "c".repeat(world.below(200) as usize));
            client.ask("POST", &format!("/cache/k{key}"), format!(r#"{{"value":"{value}"}}"#), &[201]).await.ok();
        }
    }
}

/// Documents that stay, which are checked, and some that end.
pub async fn documents(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.dunena);
    let mut known: HashMap<u64, u64> = HashMap::new();
    let mut next = 0;
    while world.turn(30.0).await {
        let n = world.below(DOCUMENTS);
        match world.below(4) {
            0 => {
                let body = format!(r#"{{"value":"brief","ttl":{},"tags":["t{}"]}}"#, 1000 + world.below(10_000), n % 7);
                client.ask("POST", &format!("/db/brief-{n}"), body, &[201]).await.ok();
            }
            1 => {
                next += 1;
                let body = format!(r#"{{"value":"{next}","tags":["t{}"]}}"#, n % 7);
                match client.ask("POST", &format!("/db/kept-{n}"), body, &[201]).await {
                    Ok(_) => known.insert(n, next),
                    Err(_) => known.remove(&n),
                };
            }
            _ => {
                let Ok(answer) = client.ask("GET", &format!("/db/kept-{n}"), "", &[200, 404]).await else { continue };
                if let Some(expected) = known.get(&n)
                    && answer.json()["value"].as_str() != Some(&expected.to_string())
                {
                    world.fault(format!("document kept-{n} is not {expected}: {}", answer.json()["value"]));
                }
            }
        }
    }
}

/// Results of queries: put, found, invalidated by their tag.
pub async fn results(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.dunena);
    while world.turn(20.0).await {
        let n = world.below(2000);
        match world.below(10) {
            0 => {
                let body = format!(r#"{{"tags":["t{}"]}}"#, n % 50);
                client.ask("POST", "/query-cache/invalidate", body, &[200]).await.ok();
            }
            1..5 => {
                let body = format!(r#"{{"key":"q{n}","data":[{{"id":{n}}}],"tags":["t{}"]}}"#, n % 50);
                client.ask("POST", "/query-cache", body, &[201]).await.ok();
            }
            _ => {
                let Ok(answer) = client.ask("GET", &format!("/query-cache/q{n}"), "", &[200, 404]).await else {
                    continue;
                };
                if answer.status == 200 && answer.json()["data"][0]["id"] != n {
                    world.fault(format!("the result q{n} is another one's"));
                }
            }
        }
    }
}

/// A lock whose tokens only grow.
pub async fn locks(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.dunena);
    let mut last = 0;
    while world.turn(5.0).await {
        let acquire = client.ask("POST", "/locks/nightly/acquire", r#"{"owner":"soak","ttl":2000}"#, &[201, 409]).await;
        let Ok(answer) = acquire else { continue };
        if answer.status == 201 {
            let token = answer.json()["lock"]["token"].as_u64().unwrap_or(0);
            if token <= last {
                world.fault(format!("the lock's token {token} follows {last}"));
            }
            last = token;
            client.ask("POST", "/locks/nightly/release", r#"{"owner":"soak"}"#, &[200, 404, 409]).await.ok();
        }
    }
}
