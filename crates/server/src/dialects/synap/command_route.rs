//! POST `/api/v1/command`: one command, or several one after the other.

use std::time::Duration;

use hyper::StatusCode;
use tokio::time::Instant;

use super::{
    answer::Answer,
    commands::{self, Context, Done},
    envelope::{self, Id, Item, Request},
    error::Error,
    handed::Handed,
};
use crate::http::json::{self, RawValue};

/// What all commands of a batch together may wait.
const BATCH_PATIENCE: Duration = Duration::from_secs(30);

/// Answers a body.
pub(super) async fn answer(context: Context<'_>, body: &[u8]) -> Answer {
    let (id, request) = envelope::read(body);
    match request {
        Ok(Request::One(item)) => one(&context, &id, &item).await,
        Ok(Request::Batch(items)) => {
            let context = Context { until: Some(Instant::now() + BATCH_PATIENCE), ..context };
            batch(&context, &id, &items).await
        }
        Err(error) => refused(&id, &error),
    }
}

async fn one(context: &Context<'_>, id: &Id, item: &Item<'_>) -> Answer {
    let mut out = Vec::with_capacity(256);
    envelope::open_success(&mut out, id);
    match commands::execute(context, item, &mut out).await {
        Ok(done) => {
            out.push(b'}');
            let status = if done == Done::Created { StatusCode::CREATED } else { StatusCode::OK };
            Answer { handed: done.handed().into_iter().collect(), ..Answer::json(status, out) }
        }
        Err(error) => refused(id, &error),
    }
}

fn refused(id: &Id, error: &Error) -> Answer {
    let mut out = Vec::with_capacity(256);
    envelope::write_error(&mut out, id, error);
    let mut answer = Answer::json(error.status(), out);
    error.add_headers(&mut answer.headers);
    answer
}

/// Each sees what those before it did; one that fails stops nothing.
async fn batch(context: &Context<'_>, id: &Id, items: &[&RawValue]) -> Answer {
    let mut out = b"{\"type\":\"batch_response\",\"request_id\":".to_vec();
    json::write_str(&mut out, id.as_str());
    out.extend_from_slice(b",\"success\":true,\"results\":[");
    let mut all = Vec::new();
    for (at, raw) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        all.extend(item(context, raw, &mut out).await);
    }
    out.extend_from_slice(b"]}");
    Answer { handed: all, ..Answer::json(StatusCode::OK, out) }
}

/// The message that is handed over, if one is.
async fn item(context: &Context<'_>, raw: &RawValue, out: &mut Vec<u8>) -> Option<Handed> {
    let start = out.len();
    out.extend_from_slice(b"{\"status\":\"success\",\"success\":true,\"payload\":");
    let done = match envelope::batch_item(raw) {
        Ok(item) => commands::execute(context, &item, out).await,
        Err(error) => Err(error),
    };
    let done = done.map_err(|error| {
        out.truncate(start);
        out.extend_from_slice(b"{\"status\":\"error\",\"success\":false,\"error\":");
        error.write(out);
    });
    out.push(b'}');
    done.ok().and_then(Done::handed)
}
