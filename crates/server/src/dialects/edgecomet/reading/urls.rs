//! The endpoint `urls`: what is stored of a host.

use manifold_engine::recache::{PageKey, Record};

use super::{
    super::{
        EdgeComet,
        asked::{Answer, Asked},
        error::Error,
        home::HomeError,
        hosts::Host,
    },
    List,
    filter::Filter,
    item::{Freshness, Item},
};

/// The cursor of the beginning, and of the end.
const START: &str = "0";
/// How often the home is asked for one page: where hardly anything fits the filter, pages are short.
const READS: usize = 50;

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let (dialect, parameters) = (asked.dialect, asked.parameters());
    let host = parameters.host(&dialect.hosts.get())?;
    let limit = parameters.limit()?;
    let cursor = parameters.text("cursor").filter(|cursor| *cursor != START).map(str::to_owned);
    let filter = match Filter::of(&parameters, &host) {
        Ok(filter) => filter,
        Err(error) => return Err(refused_before(dialect, &host, cursor).await.unwrap_or(error)),
    };

    let (now, stale_ttl) = (dialect.now(), host.treatment.stale_ttl.as_secs());
    let fits = |key: PageKey, record: &Record| {
        let age = Item::new(key, record, now, stale_ttl).cache_age();
        filter.fits(key, record, Freshness::of(record, now, stale_ttl), age)
    };
    let (records, next) = read(dialect, &host, cursor, limit, fits).await?;
    let items: Vec<Item<'_>> = records.iter().map(|(key, record)| Item::new(*key, record, now, stale_ttl)).collect();
    let has_more = next.is_some();
    Ok(dialect.format().data(&List { items, cursor: next.as_deref().unwrap_or(START), has_more }))
}

/// The cursor is checked before filters are, and only the home knows its cursors.
async fn refused_before(dialect: &EdgeComet, host: &Host, cursor: Option<String>) -> Option<Error> {
    match dialect.home.records(host.id, Some(&cursor?), 1).await {
        Err(HomeError::BadCursor) => Some(Error::of_records(HomeError::BadCursor)),
        _ => None,
    }
}

/// At most `limit` records that fit, and where the list goes on.
async fn read(
    dialect: &EdgeComet,
    host: &Host,
    mut cursor: Option<String>,
    limit: usize,
    fits: impl Fn(PageKey, &Record) -> bool,
) -> Result<(Vec<(PageKey, Record)>, Option<String>), Error> {
    let mut found = Vec::with_capacity(limit);
    for _ in 0..READS {
        // Never more than there is room for: what does not fit on this page could not be asked for again.
        let read = dialect.home.records(host.id, cursor.as_deref(), limit - found.len()).await;
        let (records, next) = read.map_err(Error::of_records)?;
        found.extend(records.into_iter().filter(|(key, record)| fits(*key, record)));
        cursor = next;
        if cursor.is_none() || found.len() >= limit {
            break;
        }
    }
    Ok((found, cursor))
}
