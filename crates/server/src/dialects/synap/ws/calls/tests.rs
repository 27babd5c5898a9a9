use tokio::sync::oneshot;

use super::*;
use crate::dialects::synap::place::Places;

type Started = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// A request that answers when it is told to, and waits before that if it should.
fn request<'a>(places: &'a Places, waits: bool, name: &'static str) -> (Call<'a>, oneshot::Sender<()>) {
    long_request(places, waits, name, name.len())
}

fn long_request<'a>(
    places: &'a Places,
    waits: bool,
    name: &'static str,
    bytes: usize,
) -> (Call<'a>, oneshot::Sender<()>) {
    let (tell, told): Started = oneshot::channel();
    let place = Arc::new(places.take().unwrap());
    let own = place.clone();
    let answer = Box::pin(async move {
        let _waiting = waits.then(|| own.wait().unwrap());
        told.await.ok();
        Reply { text: name.as_bytes().to_vec(), receipt: None }
    });
    (Call::new(place, bytes, answer), tell)
}

fn text(reply: Option<Reply>) -> Option<Vec<u8>> {
    reply.map(|reply| reply.text)
}

#[tokio::test]
async fn a_request_that_waits_lets_the_next_one_go_first() {
    let places = Places::default();
    let mut calls = Calls::default();
    let (slow, tell_slow) = request(&places, true, "slow");
    calls.begin(slow);
    assert!(!calls.turn_is_free());
    assert_eq!(text(calls.next().await), None);
    assert!(calls.turn_is_free() && !calls.are_done());
    calls.begin(Call::answered(b"quick".to_vec()));
    assert_eq!(text(calls.next().await).as_deref(), Some(&b"quick"[..]));
    tell_slow.send(()).unwrap();
    assert_eq!(text(calls.next().await).as_deref(), Some(&b"slow"[..]));
    assert!(calls.are_done());
}

#[tokio::test]
async fn a_request_that_only_takes_its_time_keeps_its_turn() {
    let places = Places::default();
    let mut calls = Calls::default();
    let (call, tell) = request(&places, false, "done");
    calls.begin(call);
    assert!(calls.next().now_or_never().is_none());
    assert!(!calls.turn_is_free());
    tell.send(()).unwrap();
    assert_eq!(text(calls.next().await).as_deref(), Some(&b"done"[..]));
}

#[tokio::test]
async fn only_so_many_requests_wait() {
    let places = Places::default();
    let mut calls = Calls::default();
    let mut told = Vec::new();
    while calls.may_wait() {
        let (call, tell) = request(&places, true, "");
        calls.begin(call);
        assert_eq!(text(calls.next().await), None);
        told.push(tell);
    }
    assert_eq!(told.len(), MOST_WAITING);
    drop(told.pop());
    assert!(calls.next().await.is_some());
    assert!(calls.may_wait());
}

#[tokio::test]
async fn only_so_many_bytes_wait() {
    let places = Places::default();
    let mut calls = Calls::default();
    let mut told = Vec::new();
    while calls.may_wait() {
        let (call, tell) = long_request(&places, true, "", 5 << 20);
        calls.begin(call);
        assert_eq!(text(calls.next().await), None);
        told.push(tell);
    }
    assert_eq!(told.len(), 4);
}
