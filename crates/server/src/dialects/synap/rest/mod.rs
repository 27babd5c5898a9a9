//! REST: commands spelled as methods and paths, without an envelope. `table` says which command a route is and how it is
//! spelled; `request` makes the command's payload of a request, `reply` the body of the command's payload. What a
//! command does, whom it is for and when it is refused is said where the command is.

use super::{answer::Answer, commands::Context, error::Error, payload::Payload};
use crate::http::json::RawValue;

mod call;
mod kv;
pub(super) mod old;
mod reply;
mod request;
pub(super) mod server;
pub(super) mod table;
#[cfg(test)]
mod tests;

pub(super) use call::Call;
pub(super) use request::{Target, query};

/// Answers a request for a route that is a command.
pub(super) async fn answer(
    context: &Context<'_>,
    call: &Call,
    target: &Target<'_>,
    body: &[u8],
) -> Result<Answer, Error> {
    let body = request::json_of(call.body, body)?;
    let command = call.command()?;
    command.permit(context.caller)?;
    let payload = target.payload(call, body)?;
    let payload: &RawValue = serde_json::from_slice(&payload).map_err(|_| Error::Internal)?;
    let mut out = Vec::with_capacity(256);
    let done = command.run(context, Payload(Some(payload)), &mut out).await;
    let done = done.map_err(|error| match error {
        Error::Missing(_) if call.forms.is_some() => Error::no_form(),
        other => other,
    })?;
    let status = call.status(|| reply::said(&out, "created"));
    Ok(Answer { status, ..Answer::done(done, call.reply.body(out, target)?) })
}
