//! The endpoint `failed`: dead letters of a host, the newest first.

use manifold_engine::recache::DeadLetter;
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
    dimension_id: u64,
    priority: &'static str,
    attempts: u32,
    reason: &'a str,
    failed_at: u64,
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let (dialect, parameters) = (asked.dialect, asked.parameters());
    let host = parameters.host(&dialect.hosts.get())?;
    let page = parameters.page()?;
    let failed = dialect.home.failed(host.id, page.offset, page.limit).await;
    let (letters, has_more) = failed.map_err(Error::of_records)?;
    let items = letters.iter().map(|letter| Item::new(&host, letter)).collect();
    Ok(dialect.format().data(&List { items, cursor: &page.next(has_more), has_more }))
}

impl<'a> Item<'a> {
    fn new(host: &'a Host, letter: &'a DeadLetter) -> Self {
        let dimension = letter.entry.dimension;
        Item {
            url: &letter.entry.url,
            dimension: dimension_name(host, dimension),
            dimension_id: dimension.0,
            priority: letter.priority.as_str(),
            attempts: letter.attempts,
            reason: &letter.reason,
            failed_at: letter.failed_at,
        }
    }
}
