//! Routes that are no commands.

use hyper::{StatusCode, header::HeaderValue};
use manifold_engine::pubsub::Publish;

use super::{
    Synap, access::Role, admin, answer::Answer, commands::Context, error::Error, object::Object, payload,
    pubsub::metadata_of,
};
use crate::http::{
    json::{self, Malformed},
    path,
};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");

/// GET `/health`.
pub(super) fn health(synap: &Synap) -> Answer {
    let mut body = Vec::with_capacity(256);
    let status = admin::write_health(synap, &mut body);
    Answer::json(status, body)
}

/// GET `/metrics`.
pub(super) async fn metrics(synap: &Synap) -> Answer {
    synap.metrics.look(&synap.engine, &synap.namespace).await;
    match synap.metrics.page(&synap.engine) {
        Some(page) => Answer::typed(StatusCode::OK, TEXT, page.into_bytes()),
        None => Answer::refused(&Error::Internal, false),
    }
}

/// POST `/pubsub/{topic}/publish`.
pub(super) async fn publish(context: &Context<'_>, topic: &str, body: &[u8]) -> Result<Answer, Error> {
    const NAME: &str = "pubsub.publish";
    let topic = path::decode(topic)?;
    let text = json::text(body).map_err(|_| Error::Malformed("the text is not UTF-8".to_owned()))?;
    let members = json::members(text, &["payload", "data", "metadata"]).map_err(|error| match error {
        Malformed::Syntax => Error::Malformed("the body is not one JSON text".to_owned()),
        Malformed::OtherType => Error::Payload("Body matches no accepted form".to_owned()),
    });
    let [message, data, metadata] = members?;
    if context.caller.role < Role::ReadWrite {
        return Err(Error::Forbidden(NAME));
    }
    let topic = payload::topic_from(&topic)?;
    let message = message.or(data).ok_or(Error::Payload("Body matches no accepted form".to_owned()))?;
    let headers = metadata_of(metadata)?;
    let publish = Publish { topic, payload: payload::bytes(message.get()), headers };
    let done = context.engine().publish(publish).map_err(|error| Error::from(error).settle(&context.engine().state()));
    context.synap.metrics.command_named(NAME, done.is_ok());
    let mut out = Vec::with_capacity(32);
    Object::new(&mut out).number("subscribers_notified", done?.notified as u64).close();
    Ok(Answer::json(StatusCode::OK, out))
}
