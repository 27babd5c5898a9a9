use super::*;

fn shown(error: &Error) -> String {
    let mut out = Vec::new();
    error.write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn details_name_what_the_message_names() {
    for (error, expected) in [
        (
            Error::Missing("key".into()),
            r#"{"code":"INVALID_REQUEST","message":"Missing required field: key","details":{"field":"key"}}"#,
        ),
        (
            Error::NestedBatch,
            r#"{"code":"INVALID_COMMAND","message":"Nested batch is not allowed","details":{"command":"batch"}}"#,
        ),
        (
            Error::Absent(Thing::Room, b"r".to_vec()),
            r#"{"code":"ROOM_NOT_FOUND","message":"Room not found: r","details":{"room":"r"}}"#,
        ),
        (
            Error::NoMessage { queue: b"q".to_vec(), id: "msg_1".to_owned() },
            r#"{"code":"MESSAGE_NOT_FOUND","message":"Message not found: msg_1","details":{"queue":"q","message_id":"msg_1"}}"#,
        ),
        (
            Error::RateLimited { retry_after: 7 },
            r#"{"code":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded. Try again in 7 seconds.","details":{"retry_after":7}}"#,
        ),
        (Error::Internal, r#"{"code":"INTERNAL_ERROR","message":"Internal server error","details":{}}"#),
        (Error::Full, r#"{"code":"MEMORY_LIMIT_EXCEEDED","message":"Memory limit exceeded","details":{}}"#),
    ] {
        assert_eq!(shown(&error), expected);
    }
}

#[test]
fn the_engines_state_tells_a_limit_from_a_disk_and_a_start_from_an_end() {
    let failed = State::Failed("x".to_owned());
    assert_eq!(Error::Full.settle(&State::Ready), Error::Full);
    assert_eq!(Error::Full.settle(&State::DiskFull), Error::Unavailable);
    assert_eq!(Error::Full.settle(&failed), Error::Unavailable);
    assert_eq!(Error::Closed.settle(&State::Starting), Error::Unavailable);
    assert_eq!(Error::Closed.settle(&State::Stopping), Error::Closed);
}

#[test]
fn every_kind_of_the_engine_has_an_answer() {
    let of = |kind| engine::Error::new(kind, "why");
    let queue = Error::of(Thing::Queue, b"q");
    assert_eq!(queue(of(Kind::NotFound)), Error::Absent(Thing::Queue, b"q".to_vec()));
    assert_eq!(queue(of(Kind::Busy)), Error::QueueFull(b"q".to_vec()));
    assert_eq!(queue(of(Kind::Conflict { current: 0 })), Error::QueueExists(b"q".to_vec()));
    let (actual, expected) = (KeyType::SortedSet, KeyType::String);
    let wrong = Error::of(Thing::Key, b"k")(of(Kind::WrongType { actual, expected }));
    assert_eq!(wrong, Error::WrongType { key: b"k".to_vec(), actual, expected });
    assert_eq!(wrong.message(), "Key 'k' holds a zset, not a string");
    assert_eq!(Error::from(of(Kind::Busy)), Error::Overloaded);
    assert_eq!(Error::from(of(Kind::Storage)), Error::Unavailable);
    assert_eq!(Error::from(of(Kind::Bug)), Error::Internal);
    assert_eq!(Error::from(of(Kind::NotFound)), Error::Internal, "a verb that was not asked with its name");
}
