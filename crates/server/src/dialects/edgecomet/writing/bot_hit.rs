//! The endpoint `bot-hit`: a visit of a bot keeps a page fresh (14.2 of the contract).

use std::borrow::Cow;

use manifold_engine::recache::{BotHit, Entry, PageKey, Scheduled};
use serde::Serialize;

use super::super::{
    asked::{
        Answer, Asked,
        fields::{self, Fields, Mistyped},
        subject,
    },
    error::Error,
    home::HomeError,
    hosts::BotHits,
    url::{self, Address},
};
use crate::http::json::RawValue;

#[derive(Default)]
struct Request<'a> {
    host_id: i64,
    url: Cow<'a, str>,
    dimension_id: Option<i64>,
    user_agent: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> for Request<'a> {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        match name {
            "host_id" => self.host_id = fields::integer(value)?,
            "url" => self.url = fields::text(value)?,
            "dimension_id" => self.dimension_id = Some(fields::integer(value)?),
            "user_agent" => self.user_agent = Some(fields::text(value)?),
            _ => {}
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Hit {
    result: &'static str,
    /// 0 unless the visit scheduled something.
    scheduled_at: u64,
}

impl Hit {
    const DISABLED: Hit = Hit { result: "disabled", scheduled_at: 0 };
    const UNCHANGED: Hit = Hit { result: "unchanged", scheduled_at: 0 };
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let body = asked.body().await?;
    let request: Request<'_> = fields::read(&body)?;
    subject::require_host(request.host_id)?;
    if request.url.is_empty() {
        return Err(Error::invalid("url is required"));
    }
    let dimension = request.dimension_id.ok_or_else(|| Error::invalid("dimension_id is required"))?;
    let host = subject::host(&dialect.hosts.get(), request.host_id)?;
    let dimension = subject::dimension(&host, dimension)?;
    let address = Address::parse(&request.url).map_err(|_| Error::invalid("invalid url"))?;
    let bot_hits = &host.treatment(&address.path(), address.query()).bot_hits;

    // In a shared home this is the business of gateways.
    if !dialect.config.is_embedded() || !bot_hits.enabled {
        return Ok(dialect.format().data(&Hit::DISABLED));
    }
    if !is_of_a_bot(bot_hits, request.user_agent.as_deref()) {
        return Ok(dialect.format().data(&Hit::UNCHANGED));
    }
    let url = dialect.normal(&host, &address);
    let (at, most) = (dialect.now(), dialect.config.max_entries_per_queue());
    let due = at + bot_hits.interval.as_secs();
    let key = PageKey { host: host.id, dimension, hash: url::hash(&url) };
    let hit = BotHit { key, entry: Entry { url: url.into(), dimension }, at, due, most };
    let scheduled = dialect.home.bot_hit(hit).await.map_err(|error| match error {
        HomeError::Full => Error::queue_full(host.id),
        other => Error::of_records(other),
    })?;
    Ok(dialect.format().data(&match scheduled {
        Scheduled::Added => Hit { result: "added", scheduled_at: due },
        Scheduled::Earlier => Hit { result: "earlier", scheduled_at: due },
        Scheduled::Unchanged => Hit::UNCHANGED,
    }))
}

/// Who does not say what it is has been recognised before.
fn is_of_a_bot(bot_hits: &BotHits, user_agent: Option<&str>) -> bool {
    user_agent.is_none_or(|agent| bot_hits.match_ua.matches(agent))
}
