//! POST `/api/v1/command`, and what a text on a socket asks for: one command, or several one after the other.

use std::time::Duration;

use hyper::StatusCode;
use tokio::time::Instant;

use super::{
    answer::Answer,
    batch,
    commands::{self, Context, Done},
    envelope::{self, Id, Item, Request},
    error::Error,
};
use crate::http::json::RawValue;

/// What all commands of a batch together may wait.
const BATCH_PATIENCE: Duration = Duration::from_secs(30);
/// Room for most answers, a small value and the envelope around it.
const ANSWER_BYTES: usize = 512;

/// Answers a body, or a text on a socket.
pub(super) async fn answer(context: Context<'_>, body: &[u8]) -> Answer {
    let (id, request) = envelope::read(body);
    // On a socket an answer cannot be told from others but by its id, so that one is not made up.
    let id = id.or_else(|| context.socket.is_none().then(Id::fresh));
    let id = id.as_ref();
    let request = match request {
        Ok(Request::Ping) if context.socket.is_none() => Err(envelope::no_ping()),
        request => request,
    };
    match request {
        Ok(Request::One(item)) => one(&context, id, &item).await,
        Ok(Request::Batch(items)) => {
            // What begins to come in the middle of a batch would come before the batch's answer.
            let context = Context { until: Some(Instant::now() + BATCH_PATIENCE), socket: None, ..context };
            Box::pin(batch(&context, id, &items)).await
        }
        Ok(Request::Ping) => {
            let mut out = Vec::with_capacity(48);
            envelope::write_pong(&mut out, context.engine().now());
            Answer::json(StatusCode::OK, out)
        }
        Err(error) => refused(id, &error),
    }
}

async fn one(context: &Context<'_>, id: Option<&Id>, item: &Item<'_>) -> Answer {
    let mut out = Vec::with_capacity(ANSWER_BYTES);
    envelope::open_success(&mut out, id);
    let start = out.len();
    match commands::execute(context, item, &mut out).await {
        Ok(done) => {
            if done == Done::Subscribed {
                let payload = out.split_off(start);
                out.clear();
                envelope::open_subscribed(&mut out, id);
                out.extend(payload);
            }
            out.push(b'}');
            Answer::done(done, out)
        }
        Err(error) => refused(id, &error),
    }
}

/// The answer to a request that was not even looked at.
pub(super) fn refused(id: Option<&Id>, error: &Error) -> Answer {
    let mut out = Vec::with_capacity(256);
    envelope::write_error(&mut out, id, error);
    let mut answer = Answer::json(error.status(), out);
    error.add_headers(&mut answer.headers);
    answer
}

async fn batch(context: &Context<'_>, id: Option<&Id>, items: &[&RawValue]) -> Answer {
    let mut out = b"{\"type\":\"batch_response\",\"request_id\":".to_vec();
    envelope::write_id(&mut out, id);
    out.extend_from_slice(b",\"success\":true,\"results\":[");
    let handed = batch::write_results(context, items, &mut out).await;
    out.extend_from_slice(b"]}");
    Answer { handed, ..Answer::json(StatusCode::OK, out) }
}
