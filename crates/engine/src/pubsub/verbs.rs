//! The verbs of publish and subscribe on the engine's handle.

use bytes::Bytes;

use crate::{
    Engine, Result,
    pubsub::{Pattern, Publish, Published, Stats, Subscriber, Topic, TopicInfo},
};

/// Publish and subscribe. Nothing waits, nothing is durable; a log that has failed or a full disk changes nothing here.
impl Engine {
    /// Hands a message to everybody who is subscribed to its topic now. The messages of one caller that publishes one
    /// after the other arrive in that order.
    pub fn publish(&self, publish: Publish) -> Result<Published> {
        let live = self.live()?;
        Ok(live.pubsub.publish(publish, live.clock.now()))
    }
    /// Somebody new, subscribed to nothing yet, for whom at most `buffer` messages wait.
    pub fn subscriber(&self, buffer: usize) -> Result<Subscriber> {
        Ok(Subscriber::new(self.live()?.clone(), buffer))
    }
    /// Adds patterns to the registration called `name`, made when there is none, and renews it; how many it has. It is
    /// counted as matching, but nothing is ever handed to it. `Busy` at a bound.
    pub fn register(&self, name: &Bytes, patterns: &[Pattern]) -> Result<usize> {
        let live = self.live()?;
        live.pubsub.register(name, patterns, live.clock.now())
    }
    /// Takes patterns of a registration away, or all; how many there were of them.
    pub fn unregister(&self, name: &[u8], patterns: Option<&[Pattern]>) -> Result<usize> {
        let live = self.live()?;
        Ok(live.pubsub.unregister(name, patterns, live.clock.now()))
    }
    /// The topics with an exact subscription or a remembered message, in byte order; those that `pattern` means.
    pub fn topics(&self, pattern: Option<&Pattern>) -> Result<Vec<Topic>> {
        let live = self.live()?;
        Ok(live.pubsub.topics(pattern, live.clock.now()))
    }
    /// What is known of a topic; none when it is not listed.
    pub fn topic(&self, topic: &Topic) -> Result<Option<TopicInfo>> {
        let live = self.live()?;
        Ok(live.pubsub.topic(topic, live.clock.now()))
    }
    /// Numbers.
    pub fn pubsub_stats(&self) -> Result<Stats> {
        let live = self.live()?;
        Ok(live.pubsub.stats(live.clock.now()))
    }
}
