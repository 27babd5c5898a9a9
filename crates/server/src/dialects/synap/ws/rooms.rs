//! The rooms that a connection follows. Each is a position in the log and nothing else: while the client takes nothing,
//! the positions stand still.

use std::{
    collections::{HashMap, VecDeque},
    task::{Context, Poll},
};

use foldhash::quality::RandomState;
use futures_util::{
    StreamExt,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::FuturesUnordered,
};
use manifold_engine::{
    Name,
    stream::{StreamFollower, StreamStep},
};
use parking_lot::Mutex;

use super::{super::error::Error, connection::Push};

/// Most rooms of one connection.
const MOST_ROOMS: usize = 1000;
/// Events that are taken of a room before it is another one's turn, and their bytes.
const STEP_EVENTS: usize = 256;
const STEP_BYTES: usize = 64 << 10;

/// All rooms of a connection. The lock is never waited for: one task uses them.
#[derive(Debug, Default)]
pub(crate) struct Rooms(Mutex<Followed>);

#[derive(Debug, Default)]
struct Followed {
    rooms: HashMap<Name, Room, RandomState>,
    /// Those that may have something, in the order in which they are looked at. One that is not followed any more may
    /// still be named here.
    stirred: VecDeque<Name>,
    /// Those that had nothing; each completes when there may be something.
    quiet: FuturesUnordered<Abortable<BoxFuture<'static, Name>>>,
}

#[derive(Debug)]
struct Room {
    follower: StreamFollower,
    /// Its place among the quiet ones, while it is one of them.
    sleep: Option<Sleep>,
}

/// Ends a wait that nobody is interested in any more.
#[derive(Debug)]
struct Sleep(AbortHandle);

impl Drop for Sleep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Rooms {
    /// Refuses one room too many.
    pub(in super::super) fn check_space(&self, room: &Name) -> Result<(), Error> {
        let followed = self.0.lock();
        if followed.rooms.len() >= MOST_ROOMS && !followed.rooms.contains_key(room) {
            return Err(Error::Payload(format!("A connection follows at most {MOST_ROOMS} rooms")));
        }
        Ok(())
    }

    /// Follows a room, from another position if it is followed already.
    pub(in super::super) fn follow(&self, room: Name, follower: StreamFollower) {
        let mut followed = self.0.lock();
        followed.rooms.insert(room.clone(), Room { follower, sleep: None });
        followed.stirred.push_back(room);
    }

    /// Follows a room no longer; whether it did.
    pub(in super::super) fn leave(&self, room: &Name) -> bool {
        self.0.lock().rooms.remove(room).is_some()
    }

    /// What comes next. May be dropped and called again without loss.
    pub(super) async fn next(&self) -> Push {
        std::future::poll_fn(|cx| self.0.lock().poll(cx)).await
    }
}

impl Followed {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Push> {
        loop {
            self.wake(cx);
            let Some(name) = self.stirred.pop_front() else { return Poll::Pending };
            if let Some(push) = self.look(name) {
                return Poll::Ready(push);
            }
        }
    }

    /// Finds out who is no longer quiet.
    fn wake(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(woken)) = self.quiet.poll_next_unpin(cx) {
            // One that was aborted belonged to a room that was left, or moved.
            let Ok(name) = woken else { continue };
            if let Some(room) = self.rooms.get_mut(&name)
                && room.sleep.take().is_some()
            {
                self.stirred.push_back(name);
            }
        }
    }

    /// What a room has; one that has nothing is quiet from then on.
    fn look(&mut self, name: Name) -> Option<Push> {
        let room = self.rooms.get_mut(&name)?;
        let push = match room.follower.try_next(STEP_EVENTS, STEP_BYTES) {
            Ok(None) if room.sleep.is_some() => return None,
            Ok(None) => {
                let news = room.follower.news();
                let (news, sleep) = futures_util::future::abortable(Box::pin(async move {
                    news.await;
                    name
                }) as BoxFuture<'static, Name>);
                room.sleep = Some(Sleep(sleep));
                self.quiet.push(news);
                return None;
            }
            Ok(Some(StreamStep::Records(records))) => {
                Push::Events { room: name.clone(), generation: room.follower.generation(), records }
            }
            Ok(Some(StreamStep::Dropped { expected, first })) => {
                Push::Missed { room: name.clone(), expected, oldest: first }
            }
            Ok(Some(StreamStep::Deleted)) => {
                self.rooms.remove(&name);
                return Some(Push::RoomGone(name));
            }
            Err(error) => {
                tracing::error!(%error, "a room cannot be read");
                return Some(Push::Failed);
            }
        };
        self.stirred.push_back(name);
        Some(push)
    }
}
