//! Pages of a site that has a bad day now and then, fetched anew all the time.

use std::rc::Rc;

use super::site;
use crate::soak::{client::Client, world::World};

const PAGES: u64 = 1000;
/// Addresses of a call.
const URLS: usize = 10;
/// Entries that wait are fewer, or the daemon does not keep up.
const WAITING: u64 = 5000;

/// Queues pages, reads some back, looks at what waits.
pub async fn work(world: Rc<World>) {
    let mut client = Client::new(&world, |ports| ports.edgecomet);
    while world.turn(2.0).await {
        let url = |_| format!(r#""{}""#, site::url(world.below(PAGES)));
        let urls: Vec<String> = (0..URLS).map(url).collect();
        let body = format!(r#"{{"host_id":1,"urls":[{}],"dimension_ids":[1],"priority":"high"}}"#, urls.join(","));
        client.ask("POST", "/internal/cache/recache", body, &[200]).await.ok();
        let target = format!("/internal/cache/content?host_id=1&url={}", site::url(world.below(PAGES)));
        client.ask("GET", &target, "", &[200, 404]).await.ok();
        let Ok(answer) = client.ask("GET", "/internal/cache/queue/summary?host_id=1", "", &[200]).await else {
            continue;
        };
        let waiting = answer.json()["data"]["pending"].as_u64().unwrap_or(u64::MAX);
        if waiting > WAITING {
            world.fault(format!("{waiting} pages wait"));
        }
    }
}
