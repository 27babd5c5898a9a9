//! The endpoint `invalidate-all`: all records of a host are deleted.

use manifold_engine::recache::Selection;

use super::{
    super::{
        asked::{
            Answer, Asked,
            fields::{self, Fields, List, Mistyped},
            subject,
        },
        error::Error,
        home::HomeError,
    },
    Invalidated,
};
use crate::http::json::RawValue;

#[derive(Default)]
struct Request<'a> {
    host_id: i64,
    dimension_ids: List<'a>,
}

impl<'a> Fields<'a> for Request<'a> {
    fn take(&mut self, name: &str, value: &'a RawValue) -> Result<(), Mistyped> {
        match name {
            "host_id" => self.host_id = fields::integer(value)?,
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
    let host = subject::host(&dialect.hosts.get(), request.host_id)?;
    let (selected, dimension_ids_count) = subject::selected(&host, request.dimension_ids)?;
    let selection = Selection { dimensions: selected, prefix: None };
    let forgotten = dialect.home.forget_selected(host.id, &selection, dialect.files_removed_at()).await;
    let entries_invalidated = forgotten.map_err(refused)?;
    Ok(dialect.format().data(&Invalidated { host_id: request.host_id, dimension_ids_count, entries_invalidated }))
}

/// Part of the records may be gone.
fn refused(error: HomeError) -> Error {
    match error {
        HomeError::Busy => Error::of_records(error),
        HomeError::Unavailable(_) | HomeError::Full | HomeError::BadCursor => {
            Error::Internal("internal error during invalidation")
        }
    }
}
