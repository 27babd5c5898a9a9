//! Reading a request body: bounded, and cut when it comes too slowly.

use std::{pin::pin, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::net::Broken;

#[cfg(test)]
mod tests;

/// The pace a body must keep where it must keep one.
const MIN_BYTES_PER_SECOND: u64 = 1024;
/// What came early buys a pause of this length at most, or who sent many bytes could keep them here for hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(75);
/// A declared length is trusted for a reservation up to here; beyond, memory follows what has arrived.
const RESERVE_MAX: usize = 1 << 20;

/// How long a body may take. Each contract has its own words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyTime {
    /// So long, and one second more for each KiB that came, though never more than 75 seconds from then: a sender that
    /// pauses now and then is not cut, one that trickles is.
    Paced(Duration),
    /// So long from its beginning to its end.
    Whole(Duration),
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the limit. Found before reading when the length is declared.
    #[error("the request body is too large")]
    TooLarge,
    /// It took longer than the listener's patience.
    #[error("the request body came too slowly")]
    TooSlow,
    /// The connection ended, or the framing was broken, before the body did.
    #[error("the request body was cut off")]
    Aborted,
    /// The bodies of all requests together are as large as they may be.
    #[error("there is no room for the request body now")]
    NoRoom,
}

impl From<Broken> for BodyError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::NoRoom => BodyError::NoRoom,
            Broken::Aborted => BodyError::Aborted,
        }
    }
}

/// The whole body, at most `max_bytes` of it. A body that arrives in one piece is not copied. After an error the rest
/// stays unread, so the connection closes with the answer.
pub async fn collect<B>(body: B, max_bytes: usize, time: BodyTime) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes, Error: Into<BodyError>>,
{
    let declared = body.size_hint().exact();
    if declared.is_some_and(|length| length > max_bytes as u64) {
        return Err(BodyError::TooLarge);
    }
    let mut frames =
        Frames { body: pin!(body), alarm: pin!(None), due: None, received: 0, credited: 0, max_bytes, time };

    let Some(first) = frames.next().await? else { return Ok(Bytes::new()) };
    let Some(second) = frames.next().await? else { return Ok(first) };
    let expected = declared.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut whole = BytesMut::with_capacity(expected.min(RESERVE_MAX).max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(next) = frames.next().await? {
        whole.extend_from_slice(&next);
    }
    Ok(whole.freeze())
}

struct Frames<'a, B> {
    body: std::pin::Pin<&'a mut B>,
    /// Made when the body is first waited for.
    alarm: std::pin::Pin<&'a mut Option<Sleep>>,
    /// Until when more must have come, once the body was waited for.
    due: Option<Instant>,
    received: u64,
    /// How much of that `due` knows of.
    credited: u64,
    max_bytes: usize,
    time: BodyTime,
}

impl<B: Body<Data = Bytes, Error: Into<BodyError>>> Frames<'_, B> {
    /// The next piece of data that is not empty.
    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        while !self.body.is_end_stream() {
            let Some(frame) = self.frame().await? else { return Ok(None) };
            let Ok(data) = frame.into_data() else { continue };
            self.received += data.len() as u64;
            if self.received > self.max_bytes as u64 {
                return Err(BodyError::TooLarge);
            }
            if !data.is_empty() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    async fn frame(&mut self) -> Result<Option<http_body::Frame<Bytes>>, BodyError> {
        // Most bodies are there with their head and need no alarm.
        if let Some(frame) = self.body.frame().now_or_never() {
            return frame.transpose().map_err(Into::into);
        }
        let due = self.due(Instant::now());
        match self.alarm.as_mut().as_pin_mut() {
            Some(alarm) => alarm.reset(due),
            None => self.alarm.set(Some(sleep_until(due))),
        }
        let alarm = self.alarm.as_mut().as_pin_mut().expect("was set above");
        tokio::select! {
            biased;
            frame = self.body.frame() => frame.transpose().map_err(Into::into),
            () = alarm => Err(BodyError::TooSlow),
        }
    }

    /// Until when the next piece must have come.
    fn due(&mut self, now: Instant) -> Instant {
        let due = match (self.time, self.due) {
            (BodyTime::Whole(whole), due) => due.unwrap_or(now + whole),
            (BodyTime::Paced(grace), due) => {
                let came = self.received - std::mem::replace(&mut self.credited, self.received);
                let earned = Duration::from_micros(came * 1_000_000 / MIN_BYTES_PER_SECOND);
                (due.unwrap_or(now + grace) + earned).min(now + LONGEST_PAUSE)
            }
        };
        self.due = Some(due);
        due
    }
}
