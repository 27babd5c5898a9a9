//! Waiting for durability, and telling readers of it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

use parking_lot::{Mutex, MutexGuard};

use crate::{Error, Level, Seq, shared::Shared};

/// See [`crate::Store::on_durable`].
pub(crate) type Hook = Box<dyn Fn(Seq) + Send + Sync>;

/// The durable frame, who waits for it, and who is told.
#[derive(Default)]
pub(crate) struct Publisher {
    durable: AtomicU64,
    state: Mutex<PublishState>,
}

#[derive(Default)]
pub(crate) struct PublishState {
    pub hook: Option<Hook>,
    waiters: Vec<(Seq, Waker)>,
    failed: Option<Error>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("durable", &self.seq()).finish_non_exhaustive()
    }
}

impl Publisher {
    pub fn new(durable: Seq) -> Self {
        Publisher { durable: AtomicU64::new(durable), state: Mutex::default() }
    }

    pub fn seq(&self) -> Seq {
        self.durable.load(Ordering::Acquire)
    }

    /// The lock under which the durable frame moves.
    pub fn lock(&self) -> MutexGuard<'_, PublishState> {
        self.state.lock()
    }

    /// Calls the hook, lets readers see frames up to `seq`, then wakes who waited for them.
    pub fn advance(&self, seq: Seq) {
        if seq <= self.seq() {
            return;
        }
        let mut state = self.state.lock();
        if seq <= self.seq() {
            return;
        }
        if let Some(hook) = &state.hook {
            hook(seq);
        }
        self.durable.store(seq, Ordering::Release);
        let woken: Vec<_> = state.waiters.extract_if(.., |(waits_for, _)| *waits_for <= seq).collect();
        drop(state);
        for (_, waker) in woken {
            waker.wake();
        }
    }

    /// Nothing becomes durable any more.
    pub fn fail(&self, error: Error) {
        let mut state = self.state.lock();
        state.failed.get_or_insert(error);
        let woken = std::mem::take(&mut state.waiters);
        drop(state);
        for (_, waker) in woken {
            waker.wake();
        }
    }

    fn poll(&self, seq: Seq, waker: &Waker) -> Poll<Result<(), Error>> {
        if seq <= self.seq() {
            return Poll::Ready(Ok(()));
        }
        let mut state = self.state.lock();
        if seq <= self.seq() {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = &state.failed {
            return Poll::Ready(Err(error.clone()));
        }
        match state.waiters.iter_mut().find(|(waits_for, known)| *waits_for == seq && known.will_wake(waker)) {
            Some(_) => {}
            None => state.waiters.push((seq, waker.clone())),
        }
        Poll::Pending
    }
}

/// Completes when a frame is durable at the configured level, or can never be.
#[derive(Debug)]
#[must_use = "nothing is acknowledged before it completes"]
pub struct Durable {
    shared: Arc<Shared>,
    seq: Seq,
    /// Others were given the chance to add their frames to the same write.
    courteous: bool,
}

impl Durable {
    pub(crate) fn new(shared: Arc<Shared>, seq: Seq) -> Self {
        Durable { shared, seq, courteous: false }
    }
}

impl Future for Durable {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Durable { shared, seq, courteous } = &mut *self;
        if shared.options.level != Level::Always && *seq > shared.publisher.seq() {
            if !std::mem::replace(courteous, true) && shared.company.is_expected() {
                // Who is ready to run commits first; then one of us writes for all.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            shared.write_inline();
        }
        shared.publisher.poll(*seq, context.waker())
    }
}

impl Drop for Durable {
    /// Who stops waiting must not leave the frame in the buffer until somebody else comes.
    fn drop(&mut self) {
        if self.shared.options.level != Level::Always && self.seq > self.shared.publisher.seq() {
            self.shared.write_inline();
        }
    }
}

/// Wakes a plain thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Durable {
    /// Waits on a plain thread.
    pub(crate) fn wait(mut self) -> Result<(), Error> {
        // A thread that yields only loses time.
        self.courteous = true;
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(result) => return result,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

/// Whether committers come in company, so that it pays to let others commit before the buffer is written.
#[derive(Debug, Default)]
pub(crate) struct Company {
    /// Writes in a row that held one frame only.
    lonely: AtomicU32,
}

impl Company {
    /// After so many lonely writes nobody is expected any more,
    const PATIENCE: u32 = 8;
    /// except every so many writes, to notice when company comes back.
    const LOOK_EVERY: u32 = 64;

    fn is_expected(&self) -> bool {
        let lonely = self.lonely.load(Ordering::Relaxed);
        lonely < Self::PATIENCE || lonely.is_multiple_of(Self::LOOK_EVERY)
    }

    /// A write held so many frames.
    pub fn met(&self, frames: u64) {
        if frames > 1 {
            self.lonely.store(0, Ordering::Relaxed);
        } else {
            self.lonely.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Wakes committers that wait for room in the log buffer.
#[derive(Debug, Default)]
pub(crate) struct Room {
    waiting: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Room {
    pub fn wait(&self, waker: &Waker) {
        self.wakers.lock().push(waker.clone());
        self.waiting.store(true, Ordering::SeqCst);
    }

    pub fn notify(&self) {
        if self.waiting.swap(false, Ordering::SeqCst) {
            for waker in std::mem::take(&mut *self.wakers.lock()) {
                waker.wake();
            }
        }
    }
}
