//! One connection: a single task reads requests, answers them, and sends what the subscriptions have to tell.
//!
//! A request is read when those before it are answered or wait, and nothing is queued on the way to the client. While the
//! client takes nothing, this task waits: events stay in the log, and messages wait in the bounded queue of the
//! subscriber, which is dropped when that is full.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    super::{
        Synap, access::Caller, command_route, commands::Context, config::Compat, envelope, error::Error, handed,
        place::Place,
    },
    calls::{Call, Calls, Reply},
    connection::{Connection, Push},
    outgoing::{self, End, LAST_ANSWERS, stopping},
    push,
};
use crate::{
    http::ws::{Close, Incoming, MAX_OUTGOING_BYTES, Socket, Utf8Bytes},
    net::Receipt,
};

/// While a client takes nothing for so long, nothing is taken for it.
const PATIENCE_IN_LINE: Duration = Duration::from_secs(1);

/// Serves a connection until it ends or the server stops.
pub(super) async fn run(
    mut socket: Socket,
    synap: &Arc<Synap>,
    connection: &Connection,
    caller: Caller,
    shape: Compat,
) {
    let guest = Guest { synap, connection, caller, shape };
    let mut session =
        Session { guest, calls: Calls::default(), late: VecDeque::new(), shutdown: synap.shutdown.clone() };
    if let End::Close(why) = session.serve(&mut socket).await {
        socket.close(why).await;
    }
}

/// Who is on the other side.
#[derive(Clone, Copy)]
struct Guest<'a> {
    synap: &'a Synap,
    connection: &'a Connection,
    caller: Caller,
    shape: Compat,
}

struct Session<'a> {
    guest: Guest<'a>,
    calls: Calls<'a>,
    /// Answers that came while others were sent.
    late: VecDeque<Reply>,
    shutdown: watch::Receiver<bool>,
}

/// What happened.
enum Turn {
    Incoming(Incoming),
    /// None: a request has begun to wait, and the next one may be read.
    Answer(Option<Reply>),
    Push(Push),
    /// The credential that the connection was opened with has ended.
    Expired,
    Stop,
}

impl<'a> Session<'a> {
    async fn serve(&mut self, socket: &mut Socket) -> End {
        loop {
            let turn = tokio::select! {
                () = stopping(&mut self.shutdown) => Turn::Stop,
                () = self.guest.synap.expired(self.guest.caller) => Turn::Expired,
                answer = next_answer(&mut self.late, &mut self.calls) => Turn::Answer(answer),
                push = self.guest.connection.next() => Turn::Push(push),
                incoming = socket.receive(), if self.calls.turn_is_free() => Turn::Incoming(incoming),
            };
            // Whatever came at that moment: nothing is done and nothing told for a credential that has ended.
            let turn = if self.guest.has_expired() { Turn::Expired } else { turn };
            let done = match turn {
                Turn::Incoming(incoming) => self.begin(incoming),
                Turn::Answer(None) => Ok(()),
                Turn::Answer(Some(answer)) => self.answer(socket, answer).await,
                Turn::Push(push) => self.push(socket, push).await,
                Turn::Expired => Err(End::Close(Close::Expired)),
                Turn::Stop => Err(self.finish(socket).await),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    fn begin(&mut self, incoming: Incoming) -> Result<(), End> {
        let call = match incoming {
            Incoming::Text(text) => self.guest.call(text, self.calls.may_wait()),
            Incoming::Binary(_) => self.guest.binary(),
            Incoming::Refused(why) => return Err(End::Close(why)),
            Incoming::Gone => return Err(End::Gone),
        };
        self.calls.begin(call);
        Ok(())
    }

    async fn answer(&mut self, socket: &mut Socket, Reply { text, receipt }: Reply) -> Result<(), End> {
        let leftovers = self.guest.connection.leftovers().into_iter().map(push::message);
        self.send(socket, leftovers.chain([text])).await?;
        receipt.into_iter().for_each(Receipt::sign);
        Ok(())
    }

    async fn push(&mut self, socket: &mut Socket, push: Push) -> Result<(), End> {
        match push {
            Push::Messages(messages) => self.send(socket, messages.into_iter().map(push::message)).await,
            Push::Events { room, generation, records } => {
                self.guest.synap.metrics.consumed(generation, records.len() as u64);
                self.send(socket, records.into_iter().map(move |record| push::event(&room, &record))).await
            }
            Push::Missed { room, expected, oldest } => self.send(socket, [push::missed(&room, expected, oldest)]).await,
            Push::RoomGone(room) => self.send(socket, [push::room_gone(&room)]).await,
            Push::Slow => Err(End::Close(Close::Slow)),
            Push::Failed => Err(End::Close(Close::Failed)),
        }
    }

    async fn send(&mut self, socket: &mut Socket, texts: impl IntoIterator<Item = Vec<u8>>) -> Result<(), End> {
        let Session { guest, calls, late, shutdown } = self;
        tokio::select! {
            biased;
            sent = outgoing::send(socket, texts, guest.connection.fell_behind(), shutdown) => sent,
            never = step_aside(calls, late) => match never {},
        }
    }

    /// Answers what was asked before the server began to stop: whoever waits is told that there was nothing.
    async fn finish(&mut self, socket: &mut Socket) -> End {
        let answers = async {
            while !(self.late.is_empty() && self.calls.are_done()) {
                if let Some(answer) = next_answer(&mut self.late, &mut self.calls).await
                    && let Err(end) = self.answer(socket, answer).await
                {
                    return end;
                }
            }
            End::Close(Close::GoingAway)
        };
        timeout(LAST_ANSWERS, answers).await.unwrap_or(End::Close(Close::GoingAway))
    }
}

/// The next answer, oldest first. May be dropped and called again without loss.
async fn next_answer(late: &mut VecDeque<Reply>, calls: &mut Calls<'_>) -> Option<Reply> {
    match late.pop_front() {
        Some(answer) => Some(answer),
        None => calls.next().await,
    }
}

/// Who waits for a message is asked in its turn whether it is still there. While a client takes nothing nobody would answer
/// for it, and those behind it in line would wait with it: so its requests soon wait no longer.
async fn step_aside(calls: &mut Calls<'_>, late: &mut VecDeque<Reply>) -> Infallible {
    sleep(PATIENCE_IN_LINE).await;
    calls.let_go();
    loop {
        late.extend(calls.next().await);
    }
}

impl<'a> Guest<'a> {
    fn has_expired(self) -> bool {
        self.caller.has_expired(self.synap.engine.now())
    }

    /// A text that should be a request.
    fn call(self, text: Utf8Bytes, may_wait: bool) -> Call<'a> {
        let admitted = self.synap.count(&self.caller).1.and_then(|()| self.synap.places.take_for(may_wait));
        let place = match admitted {
            Ok(place) => Arc::new(place),
            Err(error) => {
                let (id, _) = envelope::read(text.as_bytes());
                return Call::answered(command_route::refused(id.as_ref(), &error).body);
            }
        };
        let bytes = text.len();
        let answer = answer(self, place.clone(), text);
        Call::new(place, bytes, Box::pin(answer))
    }

    /// Bytes, which are no request.
    fn binary(self) -> Call<'a> {
        let refused = self.synap.count(&self.caller).1.err();
        let refused = refused.unwrap_or(Error::BINARY_FRAME);
        Call::answered(push::refusal(&refused))
    }
}

async fn answer(guest: Guest<'_>, place: Arc<Place<'_>>, text: Utf8Bytes) -> Reply {
    let Guest { synap, connection, caller, shape } = guest;
    let context = Context { synap, caller, shape, place: &place, until: None, socket: Some(connection) };
    let answer = command_route::answer(context, text.as_bytes()).await;
    if answer.body.len() > MAX_OUTGOING_BYTES {
        let (id, _) = envelope::read(text.as_bytes());
        let text = command_route::refused(id.as_ref(), &Error::answer_too_large(MAX_OUTGOING_BYTES)).body;
        return Reply { text, receipt: None };
    }
    let receipt = handed::receipt(synap.engine.clone(), synap.namespace.clone(), answer.handed);
    Reply { text: answer.body, receipt }
}
