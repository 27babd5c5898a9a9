//! The verbs of streams: the handle's methods.

use crate::{
    Engine, Name, Namespace, Result, keys,
    stream::{
        Append, Appended, Delivery, GroupInfo, GroupRead, Settled, StreamFollower, StreamInfo, StreamPage, StreamRead,
        StreamRetention, StreamStart, StreamTrim, StreamTrimmed, append,
        group::{self, Verdict},
        manage,
        open::{existing, not_found},
        read, trim,
    },
};

/// Streams. A stream or group that a verb names and does not create is `NotFound` when it is absent.
impl Engine {
    /// Appends records; the answer is durable. `TooLarge` when a payload is over the limit of values or there are more
    /// than [`crate::stream::MAX_APPEND`] records, `Invalid` when there is none.
    pub async fn append(&self, namespace: &Namespace, append: Append) -> Result<Appended> {
        append::append(self.live()?, namespace, append).await
    }
    /// Creates a stream that is absent; whether it did.
    pub async fn create_stream(&self, namespace: &Namespace, stream: &Name, create: StreamRetention) -> Result<bool> {
        append::create(self.live()?, &keys::stream(namespace, stream), create).await
    }
    /// Deletes a stream with its records and groups; whether it was there. Ends its followers.
    pub async fn delete_stream(&self, namespace: &Namespace, stream: &Name) -> Result<bool> {
        manage::delete(self.live()?, &keys::stream(namespace, stream)).await
    }
    /// Sets how much of a stream is kept.
    pub async fn retain_stream(&self, namespace: &Namespace, stream: &Name, keep: StreamRetention) -> Result<()> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        if manage::retain(live, &found, keep).await? { Ok(()) } else { Err(not_found(stream)) }
    }
    /// The same, if the stream is there and `wanted` says so of what is kept now.
    pub async fn retain_stream_if(
        &self,
        namespace: &Namespace,
        stream: &Name,
        keep: StreamRetention,
        wanted: impl FnOnce(StreamRetention) -> bool,
    ) -> Result<()> {
        let live = self.live()?;
        let Some(found) = live.streams.find(live, &keys::stream(namespace, stream))? else { return Ok(()) };
        let kept = found.tail.lock().meta.retention;
        if wanted(kept) {
            // One that was deleted meanwhile keeps nothing.
            manage::retain(live, &found, keep).await?;
        }
        Ok(())
    }
    /// Drops records from the start of a stream.
    pub async fn trim_stream(&self, namespace: &Namespace, stream: &Name, trim: StreamTrim) -> Result<StreamTrimmed> {
        let live = self.live()?;
        live.store.room().await;
        let found = existing(live, namespace, stream).await?;
        trim::trim(live, &found, trim).await?.ok_or_else(|| not_found(stream))
    }
    /// A page of a stream.
    pub async fn read_stream(&self, namespace: &Namespace, stream: &Name, read: StreamRead) -> Result<StreamPage> {
        read::page(self.live()?, namespace, stream, &read).await
    }
    /// What a stream stands at.
    pub async fn stream_info(&self, namespace: &Namespace, stream: &Name) -> Result<StreamInfo> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        manage::info(live, &found).await?.ok_or_else(|| not_found(stream))
    }
    /// The streams of a namespace by name, at most `limit` after the one named.
    pub async fn streams(&self, namespace: &Namespace, after: Option<&Name>, limit: usize) -> Result<Vec<StreamInfo>> {
        manage::list(self.live()?, namespace, after, limit).await
    }
    /// A cursor over a stream.
    pub async fn follow_stream(
        &self,
        namespace: &Namespace,
        stream: &Name,
        start: StreamStart,
    ) -> Result<StreamFollower> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        StreamFollower::new(live.clone(), found, start)
    }

    /// Makes a consumer known to a group, which is created at `start` when it is absent.
    pub async fn join_group(
        &self,
        namespace: &Namespace,
        stream: &Name,
        name: &Name,
        consumer: &Name,
        start: StreamStart,
    ) -> Result<GroupInfo> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        group::join(live, &found, name, consumer, start).await?.ok_or_else(|| not_found(stream))
    }
    /// Delivers records to a consumer: those that came back first, lowest offset first, then new ones.
    pub async fn read_group(&self, namespace: &Namespace, stream: &Name, read: GroupRead) -> Result<Vec<Delivery>> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        group::read(live, &found, &read).await?.ok_or_else(|| not_found(stream))
    }
    /// Takes pending records off a group.
    pub async fn ack_records(
        &self,
        namespace: &Namespace,
        stream: &Name,
        name: &Name,
        offsets: &[u64],
    ) -> Result<Settled> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        group::settle(live, &found, name, offsets, Verdict::Ack).await
    }
    /// Has pending records delivered again at once; one that was delivered too often is dead.
    pub async fn nack_records(
        &self,
        namespace: &Namespace,
        stream: &Name,
        name: &Name,
        offsets: &[u64],
    ) -> Result<Settled> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        group::settle(live, &found, name, offsets, Verdict::Nack).await
    }
    /// What a group stands at.
    pub async fn group_info(&self, namespace: &Namespace, stream: &Name, name: &Name) -> Result<GroupInfo> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        group::info(live, &found, name).await
    }
    /// The groups of a stream by name.
    pub async fn groups(&self, namespace: &Namespace, stream: &Name) -> Result<Vec<GroupInfo>> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        group::list(live, &found).await
    }
    /// Deletes a group; whether it was there.
    pub async fn delete_group(&self, namespace: &Namespace, stream: &Name, name: &Name) -> Result<bool> {
        let live = self.live()?;
        let found = existing(live, namespace, stream).await?;
        group::delete(live, &found, name).await
    }
}
