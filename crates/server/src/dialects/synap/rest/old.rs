//! POST `/api/stream`: how clients before the envelope asked. `operation` is the command, `data` its payload, `target`
//! what it is about. The answer is the payload alone, an error its text under `error`.

use crate::{
    dialects::synap::{
        answer::Answer,
        commands::{self, Context},
        config::Compat,
        envelope::{self, Item},
        error::Error,
        object::Object,
        payload,
    },
    http::json::{self, RawValue},
};

/// Answers a body.
pub(in crate::dialects::synap) async fn answer(context: &Context<'_>, body: &[u8]) -> Result<Answer, Error> {
    let raw = envelope::document(body)?;
    let [operation, target, data] =
        json::members(raw.get(), &["operation", "target", "data"]).map_err(|_| Error::no_form())?;
    let operation = payload::text(payload::required(operation, "operation")?, "operation")?;
    let target = payload::optional_text(target, "target")?;
    commands::find(&operation)?.permit(context.caller)?;
    let assembled = payload_of(&operation, target.as_deref(), json::given(data))?;
    let assembled: &RawValue = serde_json::from_slice(&assembled).map_err(|_| Error::Internal)?;
    let item = Item { command: operation, payload: Some(assembled) };
    // These clients read members of an object, whatever the command.
    let context = Context { shape: Compat::Document, ..*context };
    let mut out = Vec::with_capacity(256);
    let done = commands::execute(&context, &item, &mut out).await?;
    Ok(Answer::done(done, out))
}

fn payload_of(operation: &str, target: Option<&str>, data: Option<&RawValue>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut object = match data.map(RawValue::get) {
        // Some languages cannot tell an empty object from an empty array.
        None | Some("[]") => Object::new(&mut out),
        Some(text) => {
            let found = json::members(text, &["amount", "delta"]);
            let [amount, delta] = found.map_err(|_| Error::field("data", "must be an object"))?;
            let object = Object::continuing(&mut out, text);
            match json::given(amount).or(delta) {
                Some(amount) => object.raw("amount", amount),
                None => object,
            }
        }
    };
    if let Some(target) = target {
        object = object.text(member_of(operation), target);
    }
    object.close();
    Ok(out)
}

/// The member of the payload that `target` is.
fn member_of(operation: &str) -> &'static str {
    match operation {
        "kv.scan" => "prefix",
        "pubsub.subscribe" | "pubsub.unsubscribe" => "subscriber_id",
        _ => match operation.split('.').next() {
            Some("queue") => "queue",
            Some("stream") => "room",
            Some("pubsub") => "topic",
            _ => "key",
        },
    }
}
