//! What a connection is doing, and until when it may.
//!
//! hyper's own header timer starts when it begins to wait for a request, so that it would also end a connection that
//! rests between two requests. Here the time for a head starts with its first byte, and a resting connection has a
//! time of its own. The clock is read once after each poll of the connection, not at each event in it.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Cut, head::RawHead, receipt::Receipt};

/// The times a connection is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the first byte of a head to its last, and before that for the first byte of a connection.
    pub head: Duration,
    /// Without a byte in either direction: between two requests, or while the client should read an answer.
    pub idle: Duration,
}

/// Shared by the socket, the service and the driver of one connection, which all run in one task.
#[derive(Debug, Clone)]
pub(super) struct Pulse(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// When the phase began, or last moved on.
    since: Instant,
    /// Whether that happened since the clock was read.
    moved: bool,
    head: RawHead,
    /// Most bytes of headers, where there is a limit.
    head_bytes: Option<usize>,
    /// Why the head under way was cut.
    cut: Option<Cut>,
    had_body: bool,
    /// Whether everything that was answered is written.
    written: bool,
    /// Of the answers whose last bytes are on their way to the socket.
    receipts: Vec<Receipt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing came yet.
    Fresh,
    /// Between two requests.
    Idle,
    /// A head has begun.
    Head,
    /// The service has a request, or gives an answer that may pause. A request's body has a pace of its own, see
    /// `http::body`.
    Busy,
    /// The answer is complete but for a body that follows without a pause.
    Answer,
    /// The connection belongs to another protocol, which has times of its own: nothing that comes is a head any more.
    Upgraded,
}

/// What bytes that came are part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Belongs {
    /// A request, of which only the body is kept; that is counted where it is read.
    ToRequest,
    /// The protocol that the connection was upgraded to.
    Elsewhere,
}

impl Pulse {
    pub(super) fn new(head_bytes: Option<usize>) -> Self {
        let state = State {
            phase: Phase::Fresh,
            since: Instant::now(),
            moved: false,
            head: RawHead::default(),
            head_bytes,
            cut: None,
            had_body: false,
            written: true,
            receipts: Vec::new(),
        };
        Pulse(Arc::new(Mutex::new(state)))
    }

    /// Bytes came from the client.
    pub(super) fn received(&self, bytes: &[u8]) -> Belongs {
        let mut state = self.0.lock();
        if matches!(state.phase, Phase::Fresh | Phase::Idle) && !bytes.is_empty() {
            state.phase = Phase::Head;
            state.moved = true;
        }
        if state.phase == Phase::Head {
            state.head.push(bytes);
        }
        if state.phase == Phase::Upgraded { Belongs::Elsewhere } else { Belongs::ToRequest }
    }

    /// The client took bytes: the end of a long answer is still on its way although the service is done with it.
    pub(super) fn sent(&self) {
        let mut state = self.0.lock();
        state.moved |= matches!(state.phase, Phase::Idle | Phase::Answer);
    }

    /// What to give to hyper instead of the rest of a head that is to be cut. To be asked before more of it is read: what
    /// came so far has no end.
    pub(super) fn ending(&self) -> Option<&'static [u8]> {
        let mut state = self.0.lock();
        let too_long = state.phase == Phase::Head && state.head_bytes.is_some_and(|most| state.head.longer_than(most));
        if too_long && state.cut.is_none() {
            state.cut = Some(Cut::TooLong);
        }
        state.cut.and_then(|_| state.head.ending())
    }

    /// Whether what comes next belongs to a head that may have to be cut.
    pub(super) fn may_cut(&self) -> bool {
        let state = self.0.lock();
        state.head_bytes.is_some() && matches!(state.phase, Phase::Fresh | Phase::Idle | Phase::Head)
    }

    /// The time for a head is over: whether it is to be cut, so that the client hears of it. It is given some time more
    /// to be answered.
    pub(super) fn expire(&self) -> bool {
        let mut state = self.0.lock();
        let cut = state.phase == Phase::Head
            && state.head_bytes.is_some()
            && state.cut.is_none()
            && state.head.ending().is_some();
        if cut {
            state.cut = Some(Cut::TooSlow);
            state.moved = true;
        }
        cut
    }

    /// Why the head that just ended was cut.
    pub(super) fn take_cut(&self) -> Option<Cut> {
        self.0.lock().cut.take()
    }

    /// A head is complete: `check` looks at it beside its raw bytes, which are forgotten then.
    pub(super) fn begin<T>(&self, has_body: bool, check: impl FnOnce(&RawHead) -> T) -> T {
        let mut state = self.0.lock();
        state.phase = Phase::Busy;
        state.had_body = has_body;
        let checked = check(&state.head);
        state.head.clear();
        checked
    }

    /// The service has answered: a client that does not read the body must not hold what it is read from for ever. A
    /// stream of events may pause, and is not told here.
    pub(super) fn answer(&self) {
        let mut state = self.0.lock();
        state.phase = Phase::Answer;
        state.moved = true;
    }

    /// The service has answered with another protocol.
    pub(super) fn upgrade(&self) {
        self.0.lock().phase = Phase::Upgraded;
    }

    /// The service is done with the answer, who wants to know whether it is written leaves a receipt.
    pub(super) fn end(&self, receipt: Option<Receipt>) {
        let mut state = self.0.lock();
        if state.phase == Phase::Upgraded {
            return;
        }
        state.phase = Phase::Idle;
        state.moved = true;
        state.written = false;
        state.receipts.extend(receipt);
    }

    /// Everything that the service has answered is written.
    pub(super) fn flushed(&self) {
        let mut state = self.0.lock();
        state.written = true;
        let receipts = std::mem::take(&mut state.receipts);
        drop(state);
        receipts.into_iter().for_each(Receipt::sign);
    }

    /// Whether the request line under way can only become one that is too long.
    pub(super) fn target_too_long(&self) -> bool {
        let state = self.0.lock();
        state.phase == Phase::Head && state.head.target_too_long()
    }

    /// Whether bytes of the client may be unread or under way when the connection closes.
    pub(super) fn unread_input_is_possible(&self) -> bool {
        let state = self.0.lock();
        !matches!(state.phase, Phase::Fresh | Phase::Idle) || state.had_body
    }

    /// Whether nothing is cut when the connection ends now. What comes after an upgrade says by itself where it ends.
    pub(super) fn ends_between_answers(&self) -> bool {
        let state = self.0.lock();
        match state.phase {
            Phase::Fresh | Phase::Upgraded => true,
            Phase::Idle => state.written,
            Phase::Head | Phase::Busy | Phase::Answer => false,
        }
    }

    /// Until when the present phase may last; none = as long as it needs. To be asked after each poll of the connection.
    pub(super) fn deadline(&self, patience: Patience) -> Option<Instant> {
        let mut state = self.0.lock();
        let patience = match state.phase {
            Phase::Idle | Phase::Answer => patience.idle,
            Phase::Fresh | Phase::Head => patience.head,
            Phase::Busy | Phase::Upgraded => return None,
        };
        if std::mem::take(&mut state.moved) {
            state.since = Instant::now();
        }
        Some(state.since + patience)
    }
}
