//! GET `/pubsub/ws`: the messages of some topics.

use manifold_engine::{
    Timestamp,
    pubsub::{Message, Pattern, Step, Subscriber},
};

use super::{
    super::{Synap, envelope::Id, error::Error, object::Object, payload, pubsub::MOST_PATTERNS},
    watch::{Source, connected, listed},
};
use crate::http::{query::Query, ws::Close};

/// Bytes of texts that are made at once.
const STEP_BYTES: usize = 64 << 10;

/// The topics of a connection.
pub(super) struct Topics {
    id: Id,
    patterns: Vec<Pattern>,
    subscriber: Subscriber,
}

impl Topics {
    /// Subscribes to what the parameter `topics` lists.
    pub(super) fn open(synap: &Synap, query: &Query<'_>) -> Result<Self, Error> {
        let listed = listed(query, "topics", MOST_PATTERNS)?;
        let patterns = listed.iter().enumerate().map(|(at, text)| payload::pattern_from(text, format!("topics[{at}]")));
        let patterns = patterns.collect::<Result<Vec<_>, _>>()?;
        let subscriber = synap.engine.subscriber(synap.subscriber_buffer)?;
        subscriber.add(&patterns)?;
        Ok(Topics { id: Id::fresh(), patterns, subscriber })
    }
}

impl Source for Topics {
    fn greeting(&self) -> Vec<u8> {
        let topics: Vec<_> = self.patterns.iter().map(|pattern| pattern.as_bytes().to_vec()).collect();
        connected(self.id.as_str(), &topics)
    }

    async fn next(&mut self) -> Result<Vec<Vec<u8>>, Close> {
        let mut step = Some(self.subscriber.next().await.map_err(|_| Close::Failed)?);
        let mut texts = Vec::new();
        let mut bytes = 0;
        while let Some(next) = step {
            match next {
                Step::Message(next) => {
                    let text = message(&next);
                    bytes += text.len();
                    texts.push(text);
                }
                // It is met again, unless it is all there is.
                Step::Slow if texts.is_empty() => return Err(Close::Slow),
                Step::Slow => break,
            }
            step = if bytes < STEP_BYTES { self.subscriber.try_next() } else { None };
        }
        Ok(texts)
    }

    async fn fell_behind(&self) {
        self.subscriber.fell_behind().await;
    }
}

fn message(message: &Message) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + message.payload.len());
    let Timestamp(at_ms) = message.at;
    Object::new(&mut out)
        .text("type", "message")
        .text("message_id", &format!("msg_{:x}", message.id))
        .name("topic", message.topic.as_bytes())
        .with("payload", |out| out.extend_from_slice(&message.payload))
        .with("metadata", |out| {
            out.extend_from_slice(if message.headers.is_empty() { b"{}" } else { &message.headers });
        })
        .number("timestamp", at_ms / 1000)
        .close();
    out
}
