//! The verbs of queues on the engine's handle.

use std::time::Duration;

use crate::{
    Engine, Namespace, Result,
    queue::{
        Created, DeadPage, Delivery, Dequeue, Enqueue, Enqueued, Held, LetterDeed, LetterStats, ListDead, Message,
        Nack, Named, PurgeLetters, QueueName, Settings, Settled, Shelf, Stats, create, dead, dequeue, enqueue, letters,
        look, purge, settle,
    },
};

/// Queues. An absent queue answers `NotFound` unless a verb says otherwise; every answer is durable.
impl Engine {
    /// Makes a queue, or gives one that a message made its settings: those named, and those of `base` for the rest.
    /// `Conflict` when it was made before and one of those named is another.
    pub async fn queue_create(
        &self,
        namespace: &Namespace,
        queue: &QueueName,
        base: Settings,
        named: Named,
    ) -> Result<Created> {
        create::create(self.live()?, namespace, queue, base, named).await
    }
    /// Adds a message; an absent queue is made. `Busy` when the queue is as deep as it may be.
    pub async fn queue_enqueue(&self, namespace: &Namespace, queue: &QueueName, enqueue: Enqueue) -> Result<Enqueued> {
        enqueue::enqueue(self.live()?, namespace, queue, enqueue).await
    }
    /// Leases messages; none when there are none, the queue is absent, the wait was in vain or the engine stops. A
    /// waiter also waits for the queue to appear.
    ///
    /// A call that is dropped before it has answered takes nothing.
    pub async fn queue_dequeue(
        &self,
        namespace: &Namespace,
        queue: &QueueName,
        dequeue: Dequeue,
    ) -> Result<Vec<Delivery>> {
        dequeue::dequeue(self.live()?, namespace, queue, Shelf::Messages, dequeue).await
    }
    /// Gives back what was taken from a shelf and has not reached who took it, as if that had never been: without
    /// waiting, for there is nobody to be told. What is no longer held so is left alone.
    pub fn queue_hand_back(&self, namespace: &Namespace, queue: &QueueName, shelf: Shelf, held: &[Held]) -> Result<()> {
        dequeue::hand_back(self.live()?, namespace, queue, shelf, held)
    }
    /// Removes leased messages for good.
    pub async fn queue_ack(&self, namespace: &Namespace, queue: &QueueName, held: Vec<Held>) -> Result<Settled> {
        settle::ack(self.live()?, namespace, queue, &held).await
    }
    /// Gives leased messages back, or up.
    pub async fn queue_nack(&self, namespace: &Namespace, queue: &QueueName, nack: Nack) -> Result<Settled> {
        settle::nack(self.live()?, namespace, queue, &nack).await
    }
    /// Lets leases end `lease` from now.
    pub async fn queue_extend(
        &self,
        namespace: &Namespace,
        queue: &QueueName,
        held: Vec<Held>,
        lease: Duration,
    ) -> Result<Settled> {
        settle::extend(self.live()?, namespace, queue, &held, lease).await
    }
    /// The next messages in order, at most `count` and, from the second on, `max_bytes` of payloads; nothing changes.
    pub async fn queue_peek(
        &self,
        namespace: &Namespace,
        queue: &QueueName,
        count: usize,
        max_bytes: usize,
    ) -> Result<Vec<Message>> {
        look::peek(self.live()?, namespace, queue, count, max_bytes).await
    }
    /// What the queue holds and has seen.
    pub async fn queue_stats(&self, namespace: &Namespace, queue: &QueueName) -> Result<Stats> {
        look::stats(self.live()?, namespace, queue).await
    }
    /// The queues of a namespace, sorted by name; empty for an unknown namespace.
    pub async fn queue_list(&self, namespace: &Namespace) -> Result<Vec<QueueName>> {
        look::list(self.live()?, namespace)
    }
    /// Throws away the messages that wait, delayed ones included; how many.
    pub async fn queue_purge(&self, namespace: &Namespace, queue: &QueueName) -> Result<u64> {
        purge::purge(self.live()?, namespace, queue).await
    }
    /// Dead letters.
    pub async fn queue_dead(&self, namespace: &Namespace, queue: &QueueName, list: ListDead) -> Result<DeadPage> {
        dead::list(self.live()?, namespace, queue, list).await
    }
    /// Puts dead letters back to their old places, with no attempts.
    pub async fn queue_requeue(&self, namespace: &Namespace, queue: &QueueName, dead: Vec<u64>) -> Result<Settled> {
        dead::requeue(self.live()?, namespace, queue, &dead).await
    }
    /// Throws away all dead letters; how many.
    pub async fn queue_purge_dead(&self, namespace: &Namespace, queue: &QueueName) -> Result<u64> {
        purge::purge_dead(self.live()?, namespace, queue).await
    }
    /// Leases dead letters where they are, by priority and age, as [`Engine::queue_dequeue`] leases messages; their
    /// attempts stay as they were. The letters of a deleted queue are there too, in this verb and those below.
    pub async fn queue_take_letters(
        &self,
        namespace: &Namespace,
        queue: &QueueName,
        dequeue: Dequeue,
    ) -> Result<Vec<Delivery>> {
        dequeue::dequeue(self.live()?, namespace, queue, Shelf::Letters, dequeue).await
    }
    /// Does something with dead letters that the caller holds.
    pub async fn queue_settle_letters(
        &self,
        namespace: &Namespace,
        queue: &QueueName,
        held: Vec<Held>,
        deed: LetterDeed,
    ) -> Result<Settled> {
        letters::settle(self.live()?, namespace, queue, &held, deed).await
    }
    /// Throws away dead letters; how many.
    pub async fn queue_purge_letters(
        &self,
        namespace: &Namespace,
        queue: &QueueName,
        what: PurgeLetters,
    ) -> Result<u64> {
        purge::purge_letters(self.live()?, namespace, queue, what).await
    }
    /// What the dead letters of a queue are as a queue of their own.
    pub async fn queue_letter_stats(&self, namespace: &Namespace, queue: &QueueName) -> Result<LetterStats> {
        look::letter_stats(self.live()?, namespace, queue).await
    }
    /// The queues of a namespace that have or ever had dead letters, deleted ones too, sorted by name.
    pub async fn queue_list_with_letters(&self, namespace: &Namespace) -> Result<Vec<QueueName>> {
        look::list_with_letters(self.live()?, namespace)
    }
    /// Deletes a queue with all it holds but its dead letters, which a new queue of that name has again; whether there
    /// was one.
    pub async fn queue_delete(&self, namespace: &Namespace, queue: &QueueName) -> Result<bool> {
        purge::delete(self.live()?, namespace, queue).await
    }
}
