use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    Kind, Result,
    tests::{House, ns, refused},
};

mod crash;
mod groups;
mod model;
mod readers;
mod retention;
mod sealing;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text.to_owned()).expect("a name")
}

pub(crate) fn record(payload: &str) -> NewRecord {
    NewRecord { payload: payload.to_owned().into(), ..NewRecord::default() }
}

pub(crate) fn appending(records: Vec<NewRecord>) -> Append {
    Append { stream: name("s"), records, create: StreamRetention::default() }
}

/// Up to a thousand records from the start, without waiting.
pub(crate) fn all_from(offset: u64) -> StreamRead {
    StreamRead { start: StreamStart::Offset(offset), limit: 1000, max_bytes: usize::MAX, wait: None }
}

pub(crate) fn waiting(read: StreamRead, ms: u64) -> StreamRead {
    StreamRead { wait: Some(Duration::from_millis(ms)), ..read }
}

/// What most tests say of the stream `s` in the namespace `n`.
impl House {
    pub(crate) async fn add(&self, payloads: &[&str]) -> Appended {
        let records = payloads.iter().map(|payload| record(payload)).collect();
        self.append(&ns("n"), appending(records)).await.expect("append")
    }

    /// Appends so many records, each by itself: its payload is its offset.
    pub(crate) async fn add_each(&self, offsets: std::ops::Range<u64>) {
        for offset in offsets {
            assert_eq!(self.add(&[&offset.to_string()]).await.first, offset);
        }
    }

    pub(crate) async fn page_from(&self, offset: u64) -> StreamPage {
        self.read_stream(&ns("n"), &name("s"), all_from(offset)).await.expect("a page")
    }

    pub(crate) async fn page_at(&self, start: StreamStart) -> StreamPage {
        let read = StreamRead { start, ..all_from(0) };
        self.read_stream(&ns("n"), &name("s"), read).await.expect("a page")
    }

    pub(crate) async fn describe(&self) -> StreamInfo {
        self.stream_info(&ns("n"), &name("s")).await.expect("a description")
    }

    pub(crate) async fn trim_to(&self, trim: StreamTrim) -> StreamTrimmed {
        self.trim_stream(&ns("n"), &name("s"), trim).await.expect("a trim")
    }

    pub(crate) async fn follow_from(&self, start: StreamStart) -> StreamFollower {
        self.follow_stream(&ns("n"), &name("s"), start).await.expect("a follower")
    }
}

pub(crate) fn offsets<'a>(records: impl IntoIterator<Item = &'a Arc<Record>>) -> Vec<u64> {
    records.into_iter().map(|record| record.offset).collect()
}

pub(crate) fn texts(page: &StreamPage) -> Vec<String> {
    page.records.iter().map(|record| String::from_utf8_lossy(&record.payload).into_owned()).collect()
}

#[tokio::test]
async fn offsets_are_dense_from_zero_and_go_on_after_a_restart() {
    let mut house = House::new().await;
    let one = house.add(&["a"]).await;
    let two = house.add(&["b", "c"]).await;
    assert_eq!((one.first, one.last, two.first, two.last), (0, 0, 1, 2));
    house.restart().await;
    assert_eq!(house.add(&["d"]).await.first, 3);
    let page = house.page_from(0).await;
    assert_eq!(texts(&page), ["a", "b", "c", "d"]);
    assert_eq!((page.next, page.first, page.end), (4, 0, 4));
}

#[tokio::test]
async fn a_record_is_read_as_it_was_written() {
    let mut house = House::new().await;
    let headers = vec![("b".to_owned(), "2".to_owned()), ("a".to_owned(), String::new())];
    let full = NewRecord { kind: "made".into(), headers: headers.clone(), payload: vec![0, 255, 10].into() };
    house.append(&ns("n"), appending(vec![full.clone(), NewRecord::default()])).await.expect("append");
    for _ in 0..2 {
        let page = house.page_from(0).await;
        let Record { offset, at, kind, headers: read, payload } = &*page.records[0];
        assert_eq!((*offset, *at), (0, crate::tests::START));
        assert_eq!((kind, read, payload), (&full.kind, &headers, &full.payload));
        assert!(page.records[1].payload.is_empty() && page.records[1].headers.is_empty());
        house.restart().await;
    }
}

#[tokio::test]
async fn times_never_go_back() {
    let mut house = House::new().await;
    house.advance(500);
    let before = house.add(&["a"]).await.at;
    house.trim_to(StreamTrim::MaxLen(0)).await;
    // The machine's clock was set back while the engine was down.
    house.restart_with(|options| options.clock = crate::Clock::manual(crate::tests::START)).await;
    assert_eq!(house.add(&["b"]).await.at, before);
}

#[tokio::test]
async fn an_unknown_stream_is_not_found_and_nothing_creates_it() {
    let house = House::new().await;
    let (n, s) = (ns("n"), name("s"));
    assert_eq!(*refused(house.read_stream(&n, &s, all_from(0)).await).kind(), Kind::NotFound);
    assert_eq!(*refused(house.stream_info(&n, &s).await).kind(), Kind::NotFound);
    assert_eq!(*refused(house.trim_stream(&n, &s, StreamTrim::MaxLen(0)).await).kind(), Kind::NotFound);
    assert_eq!(*refused(house.follow_stream(&n, &s, StreamStart::End).await).kind(), Kind::NotFound);
    assert!(!house.delete_stream(&n, &s).await.expect("delete"));
    assert!(house.streams(&n, None, 10).await.expect("a list").is_empty());
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_changes_nothing() {
    let house = House::with(|options| options.limits.value_bytes = 10).await;
    let try_to = async |records| *refused(house.append(&ns("n"), appending(records)).await).kind() == Kind::TooLarge;
    assert!(try_to(vec![record("ok"), record("eleven byte")]).await);
    assert!(try_to(vec![NewRecord::default(); MAX_APPEND + 1]).await);
    assert!(try_to(vec![NewRecord { kind: vec![b'k'; 256].into(), ..record("ok") }]).await);
    let headers = vec![("h".to_owned(), "x".repeat(64 << 10))];
    assert!(try_to(vec![NewRecord { headers, ..record("ok") }]).await);
    assert_eq!(*refused(house.append(&ns("n"), appending(Vec::new())).await).kind(), Kind::Invalid);
    assert!(house.streams(&ns("n"), None, 10).await.expect("a list").is_empty());
    assert_eq!(house.add(&["ten bytes!"]).await.first, 0);
}

#[tokio::test]
async fn a_batch_of_a_thousand_is_one_change() {
    let mut house = House::new().await;
    let done = house.append(&ns("n"), appending(vec![record("x"); MAX_APPEND])).await.expect("append");
    assert_eq!((done.first, done.last), (0, 999));
    house.restart().await;
    assert_eq!(house.page_from(0).await.records.len(), 1000);
}

#[tokio::test]
async fn streams_are_listed_by_name_with_what_they_stand_at() {
    let mut house = House::new().await;
    let n = ns("n");
    for stream in ["b", "a", "c"] {
        house.append(&n, Append { stream: name(stream), ..appending(vec![record("x")]) }).await.expect("append");
    }
    house.append(&ns("n2"), appending(vec![record("x")])).await.expect("append");
    assert!(house.create_stream(&n, &name("empty"), StreamRetention::default()).await.expect("create"));
    assert!(!house.create_stream(&n, &name("a"), StreamRetention::default()).await.expect("create"));
    house.restart().await;
    let list = house.streams(&n, None, 10).await.expect("a list");
    let lines: Vec<_> = list.iter().map(|info| (info.name.clone(), info.first, info.end)).collect();
    assert_eq!(lines, [(name("a"), 0, 1), (name("b"), 0, 1), (name("c"), 0, 1), (name("empty"), 0, 0)]);
    let rest = house.streams(&n, Some(&name("a")), 2).await.expect("a list");
    assert_eq!(rest.iter().map(|info| info.name.clone()).collect::<Vec<_>>(), [name("b"), name("c")]);
}

#[tokio::test]
async fn a_deleted_stream_begins_anew_in_another_generation() {
    let mut house = House::new().await;
    house.add_each(0..20).await;
    let before = house.describe().await;
    assert!(house.delete_stream(&ns("n"), &name("s")).await.expect("delete"));
    assert_eq!(*refused(house.stream_info(&ns("n"), &name("s")).await).kind(), Kind::NotFound);
    house.restart().await;
    assert_eq!(house.add(&["0"]).await.first, 0);
    let after = house.describe().await;
    assert_ne!(after.generation, before.generation);
    assert_eq!(texts(&house.page_from(0).await), ["0"]);
    // Of the one before nothing is left, in the end.
    house.until("the sweep", |engine| rows(engine) == [1, 1, 0, 0, 0, 0]).await;
}

/// Rows of all tables of streams.
pub(crate) fn rows(engine: &crate::Engine) -> [u64; 6] {
    use crate::keys::{STREAM, STREAM_CONSUMER, STREAM_GONE, STREAM_GROUP, STREAM_PENDING, STREAM_RECORDS};
    let store = &engine.live().expect("a live engine").store;
    [STREAM, STREAM_RECORDS, STREAM_GROUP, STREAM_PENDING, STREAM_CONSUMER, STREAM_GONE].map(|table| store.rows(table))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_appenders_leave_no_gap_across_restarts() {
    let mut house = House::new().await;
    for round in 0..3u64 {
        let appenders: Vec<_> = (0..8)
            .map(|_| {
                let engine = house.engine.clone();
                tokio::spawn(async move {
                    let mut last = None;
                    for _ in 0..40 {
                        let done = engine.append(&ns("n"), appending(vec![record("x"), record("y")])).await;
                        let first = done.expect("append").first;
                        assert!(last.is_none_or(|last| last < first));
                        last = Some(first);
                    }
                })
            })
            .collect();
        for appender in appenders {
            appender.await.expect("an appender");
        }
        let end = (round + 1) * 640;
        let mut seen = Vec::new();
        while (seen.len() as u64) < end {
            seen.extend(offsets(&house.page_from(seen.len() as u64).await.records));
        }
        assert_eq!(seen, (0..end).collect::<Vec<_>>());
        house.restart().await;
    }
}

#[tokio::test]
async fn a_full_memory_refuses_and_a_trim_still_works() -> Result<()> {
    let mut house = House::new().await;
    house.add_each(0..10).await;
    house.restart_with(|options| options.limits.memory_bytes = 1).await;
    assert_eq!(*refused(house.append(&ns("n"), appending(vec![record("x")])).await).kind(), Kind::Full);
    assert_eq!(house.trim_to(StreamTrim::MaxLen(3)).await, StreamTrimmed { trimmed: 7, first: 7 });
    house.restart_with(|options| options.limits.memory_bytes = 0).await;
    assert_eq!(house.add(&["10"]).await.first, 10);
    Ok(())
}
