//! Routes about the server itself.

use hyper::{StatusCode, header::HeaderValue};

use crate::dialects::synap::{
    Synap,
    access::Role,
    admin,
    answer::{Answer, Form},
    commands::{Command, Context, Done, Line, line},
    error::Error,
    object::Object,
    payload::Payload,
};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

/// GET `/health`.
pub(in crate::dialects::synap) fn health(synap: &Synap) -> Answer {
    let mut body = Vec::with_capacity(256);
    let status = admin::write_health(synap, &mut body);
    Answer::json(status, body)
}

/// GET `/metrics`.
pub(in crate::dialects::synap) async fn metrics(synap: &Synap) -> Answer {
    synap.metrics.look(&synap.engine, &synap.namespace).await;
    match synap.metrics.page(&synap.engine) {
        Some(page) => Answer::typed(StatusCode::OK, TEXT, page.into_bytes()),
        None => Answer::refused(&Error::Internal, Form::Bare),
    }
}

/// POST `/snapshot`. The log is all there is on disk, so a snapshot is everything in it, synced at every level.
pub(super) static SNAPSHOT: Line = line::<Snapshot>();

#[derive(Debug)]
struct Snapshot;

impl Command for Snapshot {
    const NAME: &'static str = "snapshot";
    const ROLE: Role = Role::ReadWrite;

    fn read(_: Payload<'_>) -> Result<Self, Error> {
        Ok(Snapshot)
    }

    async fn run(self, context: &Context<'_>, out: &mut Vec<u8>) -> Result<Done, Error> {
        context.engine().sync().await?;
        Object::new(out).flag("success", true).close();
        Ok(Done::Ok)
    }
}
