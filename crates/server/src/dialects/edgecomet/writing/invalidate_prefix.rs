//! The endpoint `invalidate-prefix`: records of a host whose addresses have one beginning are deleted.

use std::borrow::Cow;

use manifold_engine::recache::Selection;

use super::{
    super::{
        asked::{
            Answer, Asked,
            fields::{self, Fields, List, Mistyped},
            subject,
        },
        error::Error,
    },
    Invalidated,
};
use crate::http::json::RawValue;

/// Longest beginning.
const PREFIX_BYTES: usize = 2048;

#[derive(Default)]
struct Request<'a> {
    host_id: i64,
    prefix: Cow<'a, str>,
    dimension_ids: List<'a>,
}

impl<'a> Fields<'a> for Request<'a> {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        match name {
            "host_id" => self.host_id = fields::integer(value)?,
            "prefix" => self.prefix = fields::text(value)?,
            "dimension_ids" => self.dimension_ids = fields::integers(value)?,
            _ => {}
        }
        Ok(())
    }
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let body = asked.body().await?;
    let request: Request<'_> = fields::read(&body)?;
    subject::require_host(request.host_id)?;
    match request.prefix.len() {
        0 => return Err(Error::invalid("prefix is required")),
        length if length > PREFIX_BYTES => return Err(Error::invalid("prefix too long")),
        _ => {}
    }
    let host = subject::host(&dialect.hosts.get(), request.host_id)?;
    let (selected, dimension_ids_count) = subject::selected(&host, request.dimension_ids)?;
    let selection = Selection { dimensions: selected, prefix: Some(request.prefix.into_owned()) };
    let forgotten = dialect.home.forget_selected(host.id, &selection, dialect.files_removed_at()).await;
    let entries_invalidated = forgotten.map_err(Error::of_records)?;
    Ok(dialect.format().data(&Invalidated { host_id: request.host_id, dimension_ids_count, entries_invalidated }))
}
