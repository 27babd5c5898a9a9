use super::*;

fn raw(text: &str) -> Box<json::RawValue> {
    serde_json::from_str(&serde_json::to_string(text).unwrap()).unwrap()
}

fn target(name: &str) -> Result<Target, String> {
    Target::read(Some(&raw(name)), None).map_err(|error| error.message().into_owned())
}

#[test]
fn a_name_that_ends_in_dlq_means_the_letters_of_the_queue_before_it() {
    for name in ["q", "dlq", "q.dlq.x", "q.DLQ"] {
        assert!(matches!(target(name), Ok(Target::Queue(queue)) if queue.as_bytes() == name.as_bytes()), "{name}");
    }
    for (name, before) in [("q.dlq", "q"), (".dlq.dlq", ".dlq"), ("q.dlq.dlq", "q.dlq")] {
        let found = target(name).unwrap();
        assert!(matches!(&found, Target::Letters(queue) if queue.as_bytes() == before.as_bytes()), "{name}");
        assert_eq!(&*found.name(), name.as_bytes());
    }
    assert_eq!(target(".dlq").unwrap_err(), "Invalid field 'queue': must not be empty");
    let longest = "q".repeat(QueueName::MAX);
    assert_eq!(&*target(&format!("{longest}.dlq")).unwrap().name(), format!("{longest}.dlq").as_bytes());
    assert_eq!(target(&format!("{longest}q.dlq")).unwrap_err(), target(&format!("{longest}q")).unwrap_err());
    let refused = target("q.dlq").unwrap().queue().unwrap_err();
    assert_eq!(refused.message(), "Invalid field 'queue': names ending in .dlq are reserved");
}

#[test]
fn the_first_of_both_names_that_is_given_counts() {
    let (a, b, null) = (raw("a"), raw("b"), serde_json::from_str::<Box<json::RawValue>>("null").unwrap());
    let read = |queue: Member<'_>, name: Member<'_>| Target::read(queue, name).map(|target| target.name().into_owned());
    assert_eq!(read(Some(&a), Some(&b)).unwrap(), b"a");
    assert_eq!(read(Some(&null), Some(&b)).unwrap(), b"b");
    assert_eq!(read(Some(&null), None).unwrap_err(), Error::Missing("queue".into()));
}

#[test]
fn an_id_is_read_only_as_it_was_written() {
    let held = |text: &str| MessageId(text.to_owned()).held().first().map(|held| held.sequence);
    for sequence in [1, 10, 255, u64::MAX] {
        assert_eq!(held(&id(sequence)), Some(sequence));
    }
    for other in ["", "1", "msg_", "msg_01", "msg_A", "MSG_1", "msg_+1", "msg_1 ", "msg_10000000000000000", "msg_é"] {
        assert_eq!(held(other), None, "{other}");
    }
}
