use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{tree::Tree, *};
use crate::{
    Kind, NameError,
    tests::{House, START, refused},
};

mod model;

pub(super) fn topic(text: &str) -> Topic {
    Topic::new(text.to_owned()).expect("a topic")
}

pub(super) fn pattern(text: &str) -> Pattern {
    Pattern::new(text.to_owned()).expect("a pattern")
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| pattern(text)).collect()
}

fn message(topic_of: &str, payload: &str) -> Publish {
    Publish { topic: topic(topic_of), payload: payload.to_owned().into(), headers: Bytes::new() }
}

impl House {
    fn say(&self, topic: &str, payload: &str) -> (usize, usize) {
        let done = self.publish(message(topic, payload)).expect("published");
        (done.notified, done.matched)
    }

    fn listener(&self, texts: &[&str]) -> Subscriber {
        let subscriber = self.subscriber(1024).expect("a subscriber");
        subscriber.add(&patterns(texts)).expect("patterns");
        subscriber
    }

    fn listed(&self, filter: Option<&str>) -> Vec<String> {
        let filter = filter.map(pattern);
        let found = self.topics(filter.as_ref()).expect("topics");
        found.iter().map(|topic| String::from_utf8_lossy(topic.as_bytes()).into_owned()).collect()
    }
}

/// Everything that waits for a subscriber.
fn heard(subscriber: &mut Subscriber) -> Vec<String> {
    let mut heard = Vec::new();
    while let Some(Step::Message(message)) = subscriber.try_next() {
        heard.push(String::from_utf8_lossy(&message.payload).into_owned());
    }
    heard
}

#[test]
fn a_pattern_matches_as_its_wildcards_say() {
    for (text, matching, other) in [
        ("a.b", &["a.b"][..], &["a", "a.b.c", "a.c", "A.b"][..]),
        (
            "notifications.email.*",
            &["notifications.email.user"],
            &["notifications.email.user.x", "notifications.email"],
        ),
        ("events.user.#", &["events.user", "events.user.login", "events.user.a.b"], &["events", "events.users"]),
        ("#", &["a", "a.b", "."], &[]),
        ("*", &["a", "*"], &["a.b", "."]),
        ("*.*", &["a.b", "."], &["a", "a.b.c"]),
        ("user:*", &["user:1", "user:"], &["user", "user:1.x", "xuser:1"]),
        ("*-error", &["x-error", "-error"], &["x-errors", "error"]),
        ("a*b*c.x", &["abc.x", "a--b--c.x"], &["acb.x", "abc.y", "ac.x", "abbc"]),
        ("ab*ba", &["abba", "abxba"], &["aba"]),
        ("a**b", &["ab", "axb"], &["a"]),
        ("a..b", &["a..b"], &["a.b", "a.x.b"]),
    ] {
        let text = pattern(text);
        let mut tree = Tree::default();
        tree.insert(&text, 1);
        let in_tree = |topic: &Topic| {
            let mut found = Vec::new();
            tree.matching(topic, &mut found);
            !found.is_empty()
        };
        for name in matching {
            assert!(text.matches(&topic(name)) && in_tree(&topic(name)), "{text:?} {name}");
        }
        for name in other {
            assert!(!text.matches(&topic(name)) && !in_tree(&topic(name)), "{text:?} {name}");
        }
        tree.remove(&text, 1);
        assert!(tree.is_empty(), "{text:?}");
    }
}

#[test]
fn a_pattern_is_refused_for_its_length_and_for_a_hash_elsewhere() {
    for text in ["#.a", "a.#.b", "a#", "a.b#", "#a", "a.##", "#.#"] {
        assert_eq!(Pattern::new(text).unwrap_err(), PatternError::Hash, "{text}");
    }
    assert_eq!(Pattern::new("").unwrap_err(), PatternError::Name(NameError::Empty));
    assert_eq!(Pattern::new(vec![b'a'; 1025]).unwrap_err(), PatternError::Name(NameError::TooLong));
    assert!(Pattern::new(vec![b'.'; 1024]).is_ok());
    assert!(Topic::new("a#b").is_ok(), "a topic is literal");
}

#[tokio::test]
async fn a_message_reaches_each_matching_subscriber_once_and_in_order() {
    let house = House::new().await;
    let mut many = house.listener(&["a.b", "a.*", "a.#", "#", "a.b*"]);
    let mut other = house.listener(&["b.#"]);
    for payload in ["1", "2", "3"] {
        assert_eq!(house.say("a.b", payload), (1, 1));
    }
    assert_eq!(heard(&mut many), ["1", "2", "3"]);
    assert_eq!(heard(&mut other), [""; 0]);
    assert_eq!(house.say("c", "4"), (1, 1));
    assert_eq!(many.remove(Some(&patterns(&["#", "x"]))), 1);
    assert_eq!(house.say("c", "5"), (0, 0));
    assert_eq!(many.remove(None), 4);
    assert_eq!(heard(&mut many), ["4"]);
}

#[tokio::test]
async fn messages_have_numbers_of_their_own_and_bring_their_headers() {
    let house = House::new().await;
    let listener = house.listener(&["t"]);
    let first = house.publish(Publish { headers: "h".into(), ..message("t", "1") }).expect("published");
    let second = house.publish(message("t", "2")).expect("published");
    assert_ne!(first.id, second.id);
    let Some(Step::Message(got)) = listener.try_next() else { panic!("a message") };
    assert_eq!((got.id, &got.topic, got.at), (first.id, &topic("t"), START));
    assert_eq!((&got.payload[..], &got.headers[..]), (&b"1"[..], &b"h"[..]));
}

#[tokio::test]
async fn a_subscriber_that_is_gone_is_subscribed_to_nothing() {
    let house = House::new().await;
    let listener = house.listener(&["a", "b.*"]);
    assert_eq!(house.pubsub_stats().expect("stats").subscribers, 1);
    drop(listener);
    assert_eq!(house.say("a", "1"), (0, 0));
    let stats = house.pubsub_stats().expect("stats");
    assert_eq!((stats.subscribers, stats.wildcards), (0, 0));
    assert!(house.live().expect("live").pubsub.is_empty());
}

#[tokio::test]
async fn next_waits_for_a_message_and_ends_with_the_engine() {
    let house = House::new().await;
    let listener = house.listener(&["t"]);
    let waiting = tokio::spawn(async move {
        let step = listener.next().await;
        (step, listener.next().await)
    });
    tokio::task::yield_now().await;
    house.say("t", "hello");
    tokio::task::yield_now().await;
    house.close().await.expect("closes");
    let (first, second) = waiting.await.expect("no panic");
    assert!(matches!(first, Ok(Step::Message(message)) if message.payload == "hello"));
    assert_eq!(refused(second).kind(), &Kind::Closed);
    assert_eq!(refused(house.publish(message("t", "x"))).kind(), &Kind::Closed);
}

#[tokio::test]
async fn a_subscriber_that_does_not_keep_up_is_dropped_and_counted() {
    let house = House::new().await;
    let slow = house.subscriber(2).expect("a subscriber");
    slow.add(&patterns(&["t"])).expect("patterns");
    let mut quick = house.listener(&["t"]);
    assert_eq!(house.say("t", "1"), (2, 2));
    assert_eq!(house.say("t", "2"), (2, 2));
    assert!(tokio::time::timeout(Duration::ZERO, slow.fell_behind()).await.is_err());
    assert_eq!(house.say("t", "3"), (1, 2));
    slow.fell_behind().await;
    assert_eq!(house.say("t", "4"), (1, 1));
    assert!(matches!(slow.next().await, Ok(Step::Slow)));
    assert!(matches!(slow.next().await, Ok(Step::Slow)));
    assert_eq!(heard(&mut quick), ["1", "2", "3", "4"]);
    let stats = house.pubsub_stats().expect("stats");
    assert_eq!((stats.published_total, stats.delivered_total, stats.slow_total, stats.subscribers), (4, 6, 1, 1));
    assert_eq!(slow.add(&patterns(&["x"])).expect("ignored"), 0);
    drop(slow);
    drop(quick);
    assert!(house.live().expect("live").pubsub.is_empty());
}

#[test]
fn what_waits_for_one_subscriber_is_bounded_in_bytes() {
    let held = held::AllHeld::default();
    let large = |bytes: usize| {
        let payload = Bytes::from(vec![0; bytes]);
        Arc::new(Message {
            id: 1,
            topic: topic("t"),
            payload,
            headers: Bytes::new(),
            at: START,
            held: held.weigh(bytes),
        })
    };
    let outlet = outlet::Outlet::new(100);
    assert_eq!(outlet.hand(&large(MAX_WAITING_BYTES)), outlet::Handed::Over, "one message always fits");
    assert_eq!(held.bytes(), MAX_WAITING_BYTES);
    assert_eq!(outlet.hand(&large(1)), outlet::Handed::TooMany);
    assert_eq!(held.bytes(), 0, "what waited is gone");
    assert_eq!(outlet.hand(&large(1)), outlet::Handed::Slow);
}

#[tokio::test]
async fn what_waits_for_all_subscribers_is_bounded_and_who_has_most_of_it_is_dropped() {
    const SIXTH: usize = MAX_WAITING_BYTES_OF_ALL / 6;
    let house = House::new().await;
    let hub = &house.live().expect("live").pubsub;
    let topics: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    let mut listeners: Vec<Subscriber> = topics.iter().map(|topic| house.listener(&[topic])).collect();
    let publish = |to: &str, bytes: usize| {
        let payload = Bytes::from(vec![0; bytes]);
        house.publish(Publish { payload, ..message(to, "") }).expect("published").notified
    };
    let slow = || house.pubsub_stats().expect("stats").slow_total;
    for topic in &topics[..5] {
        assert_eq!(publish(topic, SIXTH), 1);
    }
    assert_eq!(publish("3", SIXTH / 8), 1);
    assert_eq!(publish("7", SIXTH / 8), 1);
    assert_eq!(slow(), 0);
    // It is not who gets the next message that has to go.
    assert_eq!(publish("5", SIXTH), 1);
    assert_eq!(slow(), 1);
    assert!(matches!(listeners[0].try_next(), Some(Step::Slow)), "of equals the one that has not read for longest");
    assert!(hub.held() <= MAX_WAITING_BYTES_OF_ALL);
    assert_eq!(publish("0", 1), 0, "it is subscribed to nothing any more");
    assert_eq!(publish("6", SIXTH), 1);
    assert_eq!(slow(), 2);
    assert!(matches!(listeners[1].try_next(), Some(Step::Slow)));
    // What is published to nobody drops nobody.
    assert_eq!(publish("nobody", MAX_WAITING_BYTES_OF_ALL), 0);
    assert_eq!(slow(), 2);
    // However often, and each alone in its queue.
    let many: Vec<Subscriber> = (0..40).map(|number| house.listener(&[&format!("many.{number}")])).collect();
    for number in 0..40 {
        assert_eq!(publish(&format!("many.{number}"), SIXTH), 1);
        assert!(hub.held() <= MAX_WAITING_BYTES_OF_ALL);
    }
    assert!(matches!(listeners[7].try_next(), Some(Step::Message(_))), "who has less than the others goes on");
    drop(many);
    // Something that waits for many is there once.
    let dropped = slow();
    let all: Vec<Subscriber> = (0..100).map(|_| house.listener(&["all"])).collect();
    assert_eq!(publish("all", SIXTH), 100);
    assert_eq!(slow(), dropped);
    // What was taken out waits no more, whoever has it still.
    let taken: Vec<Step> = all.iter().filter_map(Subscriber::try_next).collect();
    assert_eq!(taken.len(), 100);
    let before = hub.held();
    for _ in 0..10 {
        assert_eq!(publish("all", SIXTH), 100);
        all.iter().for_each(|one| assert!(matches!(one.try_next(), Some(Step::Message(_)))));
        assert_eq!(hub.held(), before);
    }
    assert_eq!(slow(), dropped);
    drop((taken, all));
    listeners.clear();
    assert_eq!(hub.held(), 0);
}

#[tokio::test]
async fn ten_thousand_unrelated_patterns_cost_a_publish_nothing() {
    let house = House::new().await;
    let _wanted = house.listener(&["orders.*.eu", "orders.#"]);
    let hub = &house.live().expect("live").pubsub;
    let alone = hub.looked_at(&topic("orders.7.eu"));
    let names = |from: usize| (from..from + 2500).map(|number| number.to_string());
    let mut unrelated: Vec<Pattern> = names(0).map(|number| pattern(&format!("metrics.{number}.*"))).collect();
    unrelated.extend(names(0).map(|number| pattern(&format!("orders.{number}x.#"))));
    unrelated.extend(names(10_000).map(|number| pattern(&format!("orders.{number}-*.eu"))));
    unrelated.extend(names(0).map(|number| pattern(&format!("*.{number}y.z"))));
    let others: Vec<_> = unrelated
        .chunks(1000)
        .map(|some| {
            let other = house.subscriber(1).expect("a subscriber");
            other.add(some).expect("patterns");
            other
        })
        .collect();
    assert_eq!(others.len(), 10);
    // One more: the branch of any first segment, which leads nowhere.
    assert_eq!(hub.looked_at(&topic("orders.7.eu")), alone + 1);
    assert_eq!(house.say("orders.7.eu", "x"), (1, 1));
}

#[tokio::test]
async fn a_topic_is_listed_for_its_exact_subscriptions_and_a_day_after_its_last_message() {
    let house = House::new().await;
    let listener = house.listener(&["b", "c.*"]);
    house.say("a", "1");
    house.say("c.d", "1");
    assert_eq!(house.listed(None), ["a", "b", "c.d"]);
    assert_eq!(house.listed(Some("c.#")), ["c.d"]);
    let day = TOPIC_MEMORY.as_millis() as u64;
    house.advance(day - 1);
    house.say("c.d", "2");
    house.advance(1);
    assert_eq!(house.listed(None), ["b", "c.d"]);
    let info = house.topic(&topic("c.d")).expect("asked").expect("listed");
    assert_eq!(info, TopicInfo { subscribers: 1, messages: 2, created_at: START });
    assert_eq!(house.topic(&topic("a")).expect("asked"), None);
    drop(listener);
    assert_eq!(house.listed(None), ["c.d"]);
    house.advance(day);
    assert_eq!(house.listed(None), [""; 0]);
}

#[tokio::test]
async fn only_the_newest_topics_are_remembered() {
    let house = House::new().await;
    let _listener = house.listener(&["t0"]);
    for number in 0..=TOPICS_REMEMBERED {
        house.say(&format!("t{number}"), "");
    }
    house.say("t2", "");
    house.say("new", "");
    let listed = house.listed(None);
    let is_listed = |name: &str| listed.iter().any(|listed| listed == name);
    assert_eq!(listed.len(), TOPICS_REMEMBERED + 1);
    assert!(is_listed("t0") && !is_listed("t1") && is_listed("t2") && is_listed("new"));
}

#[tokio::test]
async fn a_registration_is_matched_but_never_notified_and_lapses() {
    let house = House::new().await;
    let name = Bytes::from("me");
    assert_eq!(house.register(&name, &patterns(&["a", "b.*"])).expect("registered"), 2);
    assert_eq!(house.say("a", "1"), (0, 1));
    assert_eq!(house.listed(None), ["a"]);
    let stats = house.pubsub_stats().expect("stats");
    assert_eq!((stats.subscribers, stats.wildcards, stats.delivered_total), (0, 1, 0));
    let lifetime = REGISTRATION.as_millis() as u64;
    house.advance(lifetime - 1);
    assert_eq!(house.register(&name, &patterns(&["a"])).expect("renewed"), 2);
    house.advance(lifetime - 1);
    assert_eq!(house.say("b.x", "1"), (0, 1));
    house.advance(1);
    assert_eq!(house.say("a", "2"), (0, 0));
    assert!(house.live().expect("live").pubsub.is_empty());
    assert_eq!(house.unregister(b"me", None).expect("unregistered"), 0);
}

#[tokio::test]
async fn patterns_of_a_registration_are_taken_away_one_by_one() {
    let house = House::new().await;
    let name = Bytes::from("me");
    house.register(&name, &patterns(&["a", "b", "c"])).expect("registered");
    assert_eq!(house.unregister(b"me", Some(&patterns(&["a", "x"]))).expect("unregistered"), 1);
    assert_eq!((house.say("a", ""), house.say("b", "")), ((0, 0), (0, 1)));
    assert_eq!(house.unregister(b"me", None).expect("unregistered"), 2);
    assert!(house.live().expect("live").pubsub.is_empty());
}

#[tokio::test]
async fn the_patterns_of_a_subscriber_are_bounded() {
    let house = House::new().await;
    let listener = house.subscriber(1).expect("a subscriber");
    let many: Vec<Pattern> = (0..=MAX_PATTERNS).map(|number| pattern(&number.to_string())).collect();
    assert_eq!(refused(listener.add(&many)).kind(), &Kind::Busy);
    assert_eq!(listener.add(&many[..MAX_PATTERNS]).expect("fits"), MAX_PATTERNS);
    assert_eq!(listener.add(&many[..10]).expect("known ones"), MAX_PATTERNS);
    assert_eq!(refused(listener.add(&many[MAX_PATTERNS..])).kind(), &Kind::Busy);
    assert_eq!(refused(house.register(&Bytes::from("me"), &many)).kind(), &Kind::Busy);
}

#[tokio::test]
async fn the_patterns_of_all_registrations_together_are_bounded() {
    let house = House::new().await;
    let long = |number: usize| pattern(&format!("{number}.{}", "x".repeat(1000)));
    let many: Vec<Pattern> = (0..100).map(long).collect();
    let name = |number: usize| Bytes::from(number.to_string());
    let fit = (0..1000).find(|number| house.register(&name(*number), &many).is_err()).expect("there is a bound");
    assert!((30..45).contains(&fit), "{fit} times 100 patterns of a KiB are in 4 MiB");
    assert_eq!(refused(house.register(&name(fit), &many)).kind(), &Kind::Busy);
    assert_eq!(house.register(&name(0), &many).expect("known patterns need no room"), 100);
    assert_eq!(house.unregister(b"0", None).expect("unregistered"), 100);
    assert_eq!(house.register(&name(fit), &many).expect("there is room again"), 100);
    for number in 1..=fit {
        house.unregister(&name(number), None).expect("unregistered");
    }
    assert!(house.live().expect("live").pubsub.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_publisher_is_heard_in_its_own_order() {
    const EACH: u64 = 2000;
    let house = House::new().await;
    let listener = house.subscriber(10_000).expect("a subscriber");
    listener.add(&patterns(&["t.*"])).expect("patterns");
    let publishers: Vec<_> = (0..3)
        .map(|number| {
            let engine = house.engine.clone();
            tokio::spawn(async move {
                for count in 0..EACH {
                    engine.publish(message(&format!("t.{number}"), &count.to_string())).expect("published");
                    if count % 100 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    let mut next = std::collections::BTreeMap::<Topic, u64>::new();
    for _ in 0..3 * EACH {
        let step = tokio::time::timeout(Duration::from_secs(30), listener.next()).await.expect("in time");
        let Ok(Step::Message(message)) = step else { panic!("{step:?}") };
        let expected = next.entry(message.topic.clone()).or_default();
        assert_eq!(message.payload, expected.to_string());
        *expected += 1;
    }
    for publisher in publishers {
        publisher.await.expect("no panic");
    }
}
