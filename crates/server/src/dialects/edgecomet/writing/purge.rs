//! The endpoint `queue/purge`: what waits in queues of a host is removed. What was pulled goes on.

use std::borrow::Cow;

use serde::Serialize;

use super::super::{
    asked::{
        Answer, Asked,
        fields::{self, Fields, Mistyped},
        parameters, subject,
    },
    error::Error,
};
use crate::http::json::RawValue;

#[derive(Default)]
struct Request<'a> {
    host_id: i64,
    priority: Vec<Cow<'a, str>>,
}

impl<'a> Fields<'a> for Request<'a> {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        match name {
            "host_id" => self.host_id = fields::integer(value)?,
            "priority" => self.priority = names(value)?,
            _ => {}
        }
        Ok(())
    }
}

/// A list is an array, or text as in a query.
fn names(value: &RawValue) -> Result<Vec<Cow<'_, str>>, Mistyped> {
    if let Ok(text) = fields::text(value) {
        return Ok(vec![text]);
    }
    let list = fields::texts(value).map_err(|_| Mistyped("an array of strings, or a string"))?;
    Ok(list.texts().take(MOST_NAMES).collect())
}

/// Names beyond are repetitions, or the first unknown one has been met.
const MOST_NAMES: usize = 1000;

#[derive(Serialize)]
struct Purged {
    host_id: i64,
    entries_purged: u64,
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let body = asked.body().await?;
    let request: Request<'_> = fields::read(&body)?;
    subject::require_host(request.host_id)?;
    let host = subject::host(&dialect.hosts.get(), request.host_id)?;
    let names = request.priority.iter().flat_map(|names| parameters::items(names));
    let priorities = parameters::priorities(names)?;
    let entries_purged = dialect.home.purge(host.id, &priorities).await.map_err(Error::of_records)?;
    Ok(dialect.format().data(&Purged { host_id: request.host_id, entries_purged }))
}
