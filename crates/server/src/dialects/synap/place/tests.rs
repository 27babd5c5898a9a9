use futures_util::FutureExt;

use super::*;

#[test]
fn who_waits_leaves_its_place_to_others() {
    let places = Places::default();
    let running: Vec<_> = (0..MOST).map(|_| places.take().unwrap()).collect();
    assert_eq!(places.take().unwrap_err(), Error::Overloaded);
    let waiting = running[0].wait().unwrap();
    let more = places.take().unwrap();
    drop(waiting);
    assert_eq!(places.take().unwrap_err(), Error::Overloaded);
    drop((running, more));
    assert_eq!(places.running.load(Ordering::Relaxed), 0);
    assert_eq!(places.waiting.load(Ordering::Relaxed), 0);
}

#[test]
fn one_that_may_not_wait_keeps_its_place() {
    let places = Places::default();
    let place = places.take_for(false).unwrap();
    assert_eq!(place.wait().unwrap_err(), Error::Overloaded);
    assert_eq!((place.has_waited(), places.running.load(Ordering::Relaxed)), (false, 1));
    let place = places.take().unwrap();
    drop(place.wait().unwrap());
    assert!(place.has_waited());
}

#[test]
fn one_that_is_let_go_hears_it_before_and_while_it_waits() {
    let places = Places::default();
    let place = places.take().unwrap();
    let mut waiting = Box::pin(place.is_let_go());
    assert_eq!((&mut waiting).now_or_never(), None);
    place.let_go();
    assert_eq!(waiting.now_or_never(), Some(()));
    assert_eq!(place.is_let_go().now_or_never(), Some(()));
}
