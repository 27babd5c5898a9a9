//! The endpoint `queue/summary`: how much of a host waits, and how much is being done.

use serde::Serialize;

use super::super::{
    asked::{Answer, Asked},
    error::Error,
};

#[derive(Serialize)]
struct Summary {
    pending: u64,
    processing: u64,
}

pub(in super::super) async fn answer(asked: Asked<'_>) -> Answer {
    let dialect = asked.dialect;
    let host = asked.parameters().host(&dialect.hosts.get())?;
    // An entry that is just being pulled would be neither.
    let _at_rest = dialect.scheduler.at_rest().await;
    let depths = dialect.home.depths(&[host.id], dialect.now()).await.map_err(Error::of_records)?;
    let pending = depths.iter().flatten().map(|depth| depth.total).sum();
    Ok(dialect.format().data(&Summary { pending, processing: dialect.scheduler.processing(host.id) }))
}
