//! The endpoint `queue`: what waits in the queues of a host.

use manifold_engine::recache::Queued;
use serde::Serialize;

use super::{
    super::{
        asked::{Answer, Asked},
        error::Error,
        hosts::Host,
    },
    List, dimension_name,
};

#[derive(Serialize)]
struct Item<'a> {
    url: &'a str,
    dimension: &'a str,
    priority: &'static str,
    scheduled_at: u64,
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let (dialect, parameters) = (asked.dialect, asked.parameters());
    let host = parameters.host(&dialect.hosts.get())?;
    let page = parameters.page()?;
    let priorities = parameters.priorities()?;
    let queued = dialect.home.queued(host.id, &priorities, page.offset, page.limit).await;
    let (queued, has_more) = queued.map_err(Error::of_records)?;
    let items = queued.iter().map(|queued| Item::new(&host, queued)).collect();
    Ok(dialect.format().data(&List { items, cursor: &page.next(has_more), has_more }))
}

impl<'a> Item<'a> {
    fn new(host: &'a Host, queued: &'a Queued) -> Self {
        Item {
            url: &queued.entry.url,
            dimension: dimension_name(host, queued.entry.dimension),
            priority: queued.priority.as_str(),
            scheduled_at: queued.due,
        }
    }
}
