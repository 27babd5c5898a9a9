//! Leasing messages, at once or after a wait. A waiter takes nothing before it is asked whether it is still there: the
//! lease is committed while its future is polled, so a caller that went away swallows no message.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use crate::{
    Namespace, Result, Timestamp, keys,
    live::Live,
    queue::{
        Consumer, Delivery, Dequeue, Held, Message, QueueName, Shelf, letters,
        line::Line,
        pack::Stored,
        registry::{Inner, Progress, Queue, Told, absent},
        rows::Slip,
        settle,
        step::Step,
    },
};

/// Who does not want to wait still lets those go first who came before; they are awake, so this is far more than enough.
const TURN: Duration = Duration::from_secs(1);

pub(crate) async fn dequeue(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    shelf: Shelf,
    dequeue: Dequeue,
) -> Result<Vec<Delivery>> {
    live.store.room().await;
    let row = keys::queue(namespace, name);
    let queue = if dequeue.wait.is_zero() {
        let Some(queue) = live.queues.find(live, &row) else { return Ok(Vec::new()) };
        queue
    } else {
        live.queues.find_or_expect(live, &row)
    };
    let told = {
        let place = InLine::join(live, &queue, shelf, &dequeue);
        let arrival = std::future::poll_fn(|context| place.poll(context, name, &dequeue));
        let patience = if dequeue.wait.is_zero() { TURN } else { dequeue.wait };
        live.clock.timeout(patience, live.unless_stopped(arrival)).await.flatten()
    };
    let told = match told {
        Some(told) => told,
        // The wait was in vain; that there was nothing may rest on what is not durable yet.
        None => queue.lock().tell(|_| Ok(Vec::new())),
    };
    deliver(live, &queue, name, shelf, told).await
}

/// Waits until the leases are durable, and gives them back if the caller does not.
async fn deliver(
    live: &Live,
    queue: &Queue,
    name: &QueueName,
    shelf: Shelf,
    told: Told<Vec<Taken>>,
) -> Result<Vec<Delivery>> {
    let held = told.result.iter().flatten().map(|taken| Held { sequence: taken.sequence, lease: Some(taken.lease) });
    let mut undelivered = Undelivered { live, queue, name, shelf, held: held.collect() };
    let deliveries = told.settle(live).await?.iter().map(Taken::read).collect::<Result<_>>()?;
    undelivered.held.clear();
    Ok(deliveries)
}

/// A place in the line of a queue; dropped, it is free, and the next one's turn comes.
struct InLine<'a> {
    live: &'a Live,
    queue: &'a Queue,
    shelf: Shelf,
    ticket: u64,
    hasty: bool,
}

impl<'a> InLine<'a> {
    fn join(live: &'a Live, queue: &'a Queue, shelf: Shelf, dequeue: &Dequeue) -> Self {
        let hasty = dequeue.wait.is_zero();
        let ticket = queue.lock().line_of(shelf).join(hasty, dequeue.consumer);
        InLine { live, queue, shelf, ticket, hasty }
    }

    fn poll(&self, context: &mut Context<'_>, name: &QueueName, dequeue: &Dequeue) -> Poll<Told<Vec<Taken>>> {
        let mut inner = self.queue.lock();
        match inner.advance(self.live, &self.queue.row) {
            Err(error) => return Poll::Ready(Told::at_once(Err(error))),
            Ok(Progress::More) => {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Ok(Progress::AtRest) => {}
        }
        let may_take = inner.may_take(self.shelf, dequeue.consumer);
        if may_take && inner.is_first(self.shelf, self.ticket) {
            return Poll::Ready(inner.tell(|inner| take(inner, self.live, name, self.shelf, dequeue)));
        }
        if !may_take && self.hasty {
            return Poll::Ready(inner.tell(|_| Ok(Vec::new())));
        }
        inner.line_of(self.shelf).remember(self.ticket, context.waker());
        Poll::Pending
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        let mut inner = self.queue.lock();
        inner.line_of(self.shelf).leave(self.ticket);
        inner.rouse();
    }
}

/// A message that was leased, its content not yet read.
#[derive(Debug)]
struct Taken {
    stored: Stored,
    sequence: u64,
    attempts: u32,
    max_attempts: u32,
    lease: u64,
    until: Timestamp,
}

impl Inner {
    fn line_of(&mut self, shelf: Shelf) -> &mut Line {
        match shelf {
            Shelf::Messages => &mut self.line,
            Shelf::Letters => &mut self.letter_line,
        }
    }

    /// Whether there is something for this consumer.
    fn may_take(&self, shelf: Shelf, consumer: Option<Consumer>) -> bool {
        self.state().is_some_and(|state| state.has(shelf) && state.allows(shelf, consumer) > 0)
    }

    fn is_first(&self, shelf: Shelf, ticket: u64) -> bool {
        let line = match shelf {
            Shelf::Messages => &self.line,
            Shelf::Letters => &self.letter_line,
        };
        line.is_first(ticket, |consumer| self.may_take(shelf, consumer))
    }
}

fn take(inner: &mut Inner, live: &Live, name: &QueueName, shelf: Shelf, dequeue: &Dequeue) -> Result<Vec<Taken>> {
    inner.queue_of(shelf, name)?.step(live, |step| lease(step, shelf, dequeue))
}

/// The rule.
fn lease(step: &mut Step<'_, '_>, shelf: Shelf, dequeue: &Dequeue) -> Result<Vec<Taken>> {
    let settings = step.card.settings;
    step.consumer = dequeue.consumer.map(Consumer::number);
    let until = step.now().plus(at_least_a_moment(dequeue.lease.unwrap_or(settings.lease)));
    let mut taken: Vec<Taken> = Vec::new();
    let mut bytes = 0usize;
    let state = step.state;
    let there = match shelf {
        Shelf::Messages => &state.order.ready,
        Shelf::Letters => &state.order.letters,
    };
    let count = dequeue.count.max(1).min(state.allows(shelf, dequeue.consumer));
    for (priority, sequence) in there.iter().take(count) {
        let stored = step.message(sequence)?;
        bytes = bytes.saturating_add(stored.body_len());
        if bytes > dequeue.max_bytes && !taken.is_empty() {
            break;
        }
        let max_attempts = stored.slip()?.max_attempts.unwrap_or(settings.max_attempts);
        let before = step.mark(sequence)?.map_or(0, |mark| mark.attempts);
        let (attempts, lease) = match shelf {
            Shelf::Messages => {
                let attempts = before.saturating_add(1);
                (attempts, step.lease(sequence, priority, attempts, until))
            }
            Shelf::Letters => (before, step.lease_letter(sequence, until)?),
        };
        taken.push(Taken { stored, sequence, attempts, max_attempts, lease, until });
    }
    Ok(taken)
}

/// A lease that has ended before it begins would never be seen.
fn at_least_a_moment(lease: Duration) -> Duration {
    lease.max(Duration::from_millis(1))
}

impl Taken {
    fn read(&self) -> Result<Delivery> {
        let Taken { stored, sequence, attempts, max_attempts, lease, until } = self;
        let message = Message::read(stored, *sequence, *attempts, *max_attempts)?;
        Ok(Delivery { message, lease: *lease, expires_at: *until })
    }
}

impl Message {
    /// The message as it lies in the store.
    pub(crate) fn read(stored: &Stored, sequence: u64, attempts: u32, max_attempts: u32) -> Result<Message> {
        let slip = stored.slip()?;
        let (headers, payload) = slip.content(stored.body()?)?;
        let Slip { priority, enqueued_at, .. } = slip;
        Ok(Message { sequence, payload, headers, priority, attempts, max_attempts, enqueued_at })
    }
}

/// Gives back what has not reached who took it.
pub(crate) fn hand_back(
    live: &Live,
    namespace: &Namespace,
    name: &QueueName,
    shelf: Shelf,
    held: &[Held],
) -> Result<()> {
    let queue = live.queues.find(live, &keys::queue(namespace, name)).ok_or_else(|| absent(name))?;
    queue.hand_back(live, name, shelf, held)
}

impl Queue {
    fn hand_back(&self, live: &Live, name: &QueueName, shelf: Shelf, held: &[Held]) -> Result<()> {
        let mut inner = self.lock();
        match shelf {
            Shelf::Messages => settle::hand_back(&mut inner, live, name, held)?,
            Shelf::Letters => letters::hand_back(&mut inner, live, name, held)?,
        }
        inner.rouse();
        Ok(())
    }
}

/// Leases that nobody has heard of yet.
struct Undelivered<'a> {
    live: &'a Live,
    queue: &'a Queue,
    name: &'a QueueName,
    shelf: Shelf,
    held: Vec<Held>,
}

impl Drop for Undelivered<'_> {
    fn drop(&mut self) {
        if self.held.is_empty() {
            return;
        }
        if let Err(error) = self.queue.hand_back(self.live, self.name, self.shelf, &self.held) {
            tracing::debug!(%error, "messages nobody took come back when their leases end");
        }
    }
}
