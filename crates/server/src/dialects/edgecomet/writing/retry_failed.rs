//! The endpoint `failed/retry`: the dead letters of a host go back to their queues.

use serde::Serialize;

use super::super::{
    asked::{
        Answer, Asked,
        fields::{self, Fields, Mistyped},
        subject,
    },
    error::Error,
    home::HomeError,
};
use crate::http::json::RawValue;

#[derive(Default)]
struct Request {
    host_id: i64,
}

impl<'a> Fields<'a> for Request {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        if name == "host_id" {
            self.host_id = fields::integer(value)?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Retried {
    host_id: i64,
    entries_enqueued: u64,
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let body = asked.body().await?;
    let request: Request = fields::read(&body)?;
    subject::require_host(request.host_id)?;
    let host = subject::host(&dialect.hosts.get(), request.host_id)?;
    let most = dialect.config.max_entries_per_queue();
    let retried = dialect.home.retry_failed(host.id, dialect.now(), most).await;
    let entries_enqueued = retried.map_err(|error| match error {
        HomeError::Full => Error::queue_full(host.id),
        other => Error::of_records(other),
    })?;
    Ok(dialect.format().data(&Retried { host_id: request.host_id, entries_enqueued }))
}
