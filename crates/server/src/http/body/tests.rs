use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use tokio::time::sleep;

use super::*;

/// Ten seconds, and one more for each KiB.
const PACE: BodyTime = BodyTime::Paced(Duration::from_secs(10));

type Piece = Result<Frame<Bytes>, Broken>;

/// A body whose length is known.
fn whole(body: Bytes) -> impl Body<Data = Bytes, Error = Broken> {
    Full::new(body).map_err(|never| match never {})
}

fn pieces(pieces: Vec<&'static [u8]>) -> impl Body<Data = Bytes, Error = Broken> {
    StreamBody::new(stream::iter(pieces).map(|piece| Piece::Ok(Frame::data(Bytes::from_static(piece)))))
}

#[tokio::test]
async fn a_body_in_one_piece_is_not_copied() {
    let body = Bytes::from_static(b"0123456789");
    let read = collect(whole(body.clone()), 10, PACE).await.unwrap();
    assert_eq!(read.as_ptr(), body.as_ptr());
}

#[tokio::test]
async fn pieces_are_joined_in_order() {
    assert_eq!(collect(pieces(vec![b"ab", b"", b"c", b"def"]), 6, PACE).await.unwrap(), &b"abcdef"[..]);
    assert_eq!(collect(pieces(vec![]), 6, PACE).await.unwrap(), &b""[..]);
    assert_eq!(collect(pieces(vec![b""]), 0, PACE).await.unwrap(), &b""[..]);
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_refused_before_reading() {
    let body = whole(Bytes::from_static(b"01234567890"));
    assert_eq!(collect(body, 10, PACE).await, Err(BodyError::TooLarge));
}

#[tokio::test]
async fn an_undeclared_length_is_refused_when_the_limit_is_passed() {
    let endless = stream::repeat(b"x").map(|piece| Piece::Ok(Frame::data(Bytes::from_static(piece))));
    assert_eq!(collect(StreamBody::new(endless), 10, PACE).await, Err(BodyError::TooLarge));
}

#[tokio::test]
async fn a_body_that_breaks_off_says_why() {
    for (broken, error) in [(Broken::Aborted, BodyError::Aborted), (Broken::NoRoom, BodyError::NoRoom)] {
        let pieces = stream::iter([Ok(Frame::data(Bytes::from_static(b"x"))), Err(broken)]);
        assert_eq!(collect(StreamBody::new(pieces), 10, PACE).await, Err(error));
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_body_is_cut_after_ten_seconds() {
    let started = Instant::now();
    let silent = stream::pending::<Piece>();
    assert_eq!(collect(StreamBody::new(silent), 10, PACE).await, Err(BodyError::TooSlow));
    assert_eq!(started.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn what_came_early_buys_no_pause_for_ever() {
    let started = Instant::now();
    let much = stream::once(async { Piece::Ok(Frame::data(Bytes::from(vec![0; 1 << 20]))) });
    let body = StreamBody::new(much.chain(stream::pending()));
    assert_eq!(collect(body, 2 << 20, PACE).await, Err(BodyError::TooSlow));
    assert_eq!(started.elapsed(), LONGEST_PAUSE);
}

/// A megabyte or less at a steady pace, one piece each second.
fn paced(bytes: usize, seconds: usize) -> impl Body<Data = Bytes, Error = Broken> {
    let each = stream::iter(0..seconds).then(move |_| async move {
        sleep(Duration::from_secs(1)).await;
        Piece::Ok(Frame::data(Bytes::from(vec![0; bytes])))
    });
    StreamBody::new(each)
}

#[tokio::test(start_paused = true)]
async fn a_trickle_is_cut_and_a_slow_but_steady_body_is_not() {
    let started = Instant::now();
    assert_eq!(collect(paced(500, 3600), 1 << 30, PACE).await, Err(BodyError::TooSlow));
    assert!(started.elapsed() < Duration::from_secs(21), "{:?}", started.elapsed());
    assert_eq!(collect(paced(1100, 600), 1 << 30, PACE).await.unwrap().len(), 660_000);
}

#[tokio::test(start_paused = true)]
async fn a_body_with_a_time_for_all_of_it_may_trickle_until_then() {
    let minute = BodyTime::Whole(Duration::from_secs(60));
    assert_eq!(collect(paced(1, 59), 100, minute).await.unwrap().len(), 59);
    let started = Instant::now();
    assert_eq!(collect(paced(100_000, 3600), 1 << 30, minute).await, Err(BodyError::TooSlow));
    assert_eq!(started.elapsed(), Duration::from_secs(60));
}
