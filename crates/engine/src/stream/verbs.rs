//! The verbs of streams: the handle's methods.

use crate::{
    Engine, Name, Namespace, Result,
    stream::{
        Append, Appended, Delivery, GroupInfo, GroupRead, Settled, StreamFollower, StreamInfo, StreamPage, StreamRead,
        StreamRetention, StreamStart, StreamTrim, StreamTrimmed,
    },
};

/// Streams. A stream or group that a verb names and does not create is `NotFound` when it is absent.
impl Engine {
    /// Appends records; the answer is durable. `TooLarge` when a payload is over the limit of values or there are more
    /// than [`crate::stream::MAX_APPEND`] records, `Invalid` when there is none.
    pub async fn append(&self, namespace: &Namespace, append: Append) -> Result<Appended> {
        todo!("{namespace:?} {append:?}")
    }
    /// Creates a stream that is absent; whether it did.
    pub async fn create_stream(&self, namespace: &Namespace, stream: &Name, create: StreamRetention) -> Result<bool> {
        todo!("{namespace:?} {stream:?} {create:?}")
    }
    /// Deletes a stream with its records and groups; whether it was there. Ends its followers.
    pub async fn delete_stream(&self, namespace: &Namespace, stream: &Name) -> Result<bool> {
        todo!("{namespace:?} {stream:?}")
    }
    /// Sets how much of a stream is kept.
    pub async fn retain_stream(&self, namespace: &Namespace, stream: &Name, keep: StreamRetention) -> Result<()> {
        todo!("{namespace:?} {stream:?} {keep:?}")
    }
    /// Drops records from the start of a stream.
    pub async fn trim_stream(&self, namespace: &Namespace, stream: &Name, trim: StreamTrim) -> Result<StreamTrimmed> {
        todo!("{namespace:?} {stream:?} {trim:?}")
    }
    /// A page of a stream.
    pub async fn read_stream(&self, namespace: &Namespace, stream: &Name, read: StreamRead) -> Result<StreamPage> {
        todo!("{namespace:?} {stream:?} {read:?}")
    }
    /// What a stream stands at.
    pub async fn stream_info(&self, namespace: &Namespace, stream: &Name) -> Result<StreamInfo> {
        todo!("{namespace:?} {stream:?}")
    }
    /// The streams of a namespace by name, at most `limit` after the one named.
    pub async fn streams(&self, namespace: &Namespace, after: Option<&Name>, limit: usize) -> Result<Vec<StreamInfo>> {
        todo!("{namespace:?} {after:?} {limit}")
    }
    /// A cursor over a stream.
    pub async fn follow_stream(
        &self,
        namespace: &Namespace,
        stream: &Name,
        start: StreamStart,
    ) -> Result<StreamFollower> {
        todo!("{namespace:?} {stream:?} {start:?}")
    }

    /// Makes a consumer known to a group, which is created at `start` when it is absent.
    pub async fn join_group(
        &self,
        namespace: &Namespace,
        stream: &Name,
        group: &Name,
        consumer: &Name,
        start: StreamStart,
    ) -> Result<GroupInfo> {
        todo!("{namespace:?} {stream:?} {group:?} {consumer:?} {start:?}")
    }
    /// Delivers records to a consumer: those that came back first, lowest offset first, then new ones.
    pub async fn read_group(&self, namespace: &Namespace, stream: &Name, read: GroupRead) -> Result<Vec<Delivery>> {
        todo!("{namespace:?} {stream:?} {read:?}")
    }
    /// Takes pending records off a group.
    pub async fn ack_records(
        &self,
        namespace: &Namespace,
        stream: &Name,
        group: &Name,
        offsets: &[u64],
    ) -> Result<Settled> {
        todo!("{namespace:?} {stream:?} {group:?} {offsets:?}")
    }
    /// Has pending records delivered again at once; one that was delivered too often is dead.
    pub async fn nack_records(
        &self,
        namespace: &Namespace,
        stream: &Name,
        group: &Name,
        offsets: &[u64],
    ) -> Result<Settled> {
        todo!("{namespace:?} {stream:?} {group:?} {offsets:?}")
    }
    /// What a group stands at.
    pub async fn group_info(&self, namespace: &Namespace, stream: &Name, group: &Name) -> Result<GroupInfo> {
        todo!("{namespace:?} {stream:?} {group:?}")
    }
    /// The groups of a stream by name.
    pub async fn groups(&self, namespace: &Namespace, stream: &Name) -> Result<Vec<GroupInfo>> {
        todo!("{namespace:?} {stream:?}")
    }
    /// Deletes a group; whether it was there.
    pub async fn delete_group(&self, namespace: &Namespace, stream: &Name, group: &Name) -> Result<bool> {
        todo!("{namespace:?} {stream:?} {group:?}")
    }
}
