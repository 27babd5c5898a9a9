//! A stream against plain maps: random steps, then everything that can be asked must be what the maps say; and the same
//! with crashes in between.

use std::collections::{BTreeMap, BTreeSet};

use manifold_store::disk::Reboot;
use proptest::{prelude::*, test_runner::TestRunner};

use super::*;
use crate::{
    Engine, Level, Timestamp,
    stream::seal,
    tests::{START, cases},
};

#[derive(Debug, Default)]
struct Model {
    now: u64,
    stream: Option<Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    /// Time and payload of all records, also of those that were trimmed.
    records: Vec<(u64, String)>,
    first: u64,
    keep: Option<u64>,
    groups: BTreeMap<u8, Group>,
}

#[derive(Debug, Default)]
struct Group {
    position: u64,
    /// Deliveries, and until when somebody has it.
    pending: BTreeMap<u64, (u32, Option<u64>)>,
    dead: u64,
    consumers: BTreeSet<u8>,
}

#[derive(Debug, Clone)]
enum Step {
    Append {
        count: usize,
        len: usize,
        keep: Option<u64>,
    },
    Create,
    Read {
        start: Place,
        limit: usize,
        max_bytes: usize,
    },
    Follow(usize),
    Trim(Cut),
    Keep(Option<u64>),
    Join {
        group: u8,
        consumer: u8,
        start: Place,
    },
    Take {
        group: u8,
        consumer: u8,
        start: Place,
        limit: usize,
        ack_ms: u64,
    },
    Ack {
        group: u8,
        offsets: Vec<u16>,
    },
    Nack {
        group: u8,
        offsets: Vec<u16>,
    },
    DeleteGroup(u8),
    Delete,
    Seal,
    Advance(u64),
    /// Close the stream, or the engine, or crash it: whatever the test does between two lives.
    Again,
}

/// A start, whatever the stream's end is by then.
#[derive(Debug, Clone, Copy)]
enum Place {
    First,
    End,
    Offset(u16),
    Last(u16),
    Since(u16),
}

#[derive(Debug, Clone, Copy)]
enum Cut {
    Len(u16),
    Before(u16),
    Age(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let group = || 0u8..2;
    let offsets = || proptest::collection::vec(any::<u16>(), 0..12);
    let keep = prop_oneof![3 => Just(None), 1 => (0u64..60).prop_map(Some)];
    let cut =
        prop_oneof![(0u16..120).prop_map(Cut::Len), any::<u16>().prop_map(Cut::Before), (0u64..60).prop_map(Cut::Age)];
    prop_oneof![
        8 => (1usize..8, 0usize..20, keep.clone()).prop_map(|(count, len, keep)| Step::Append { count, len, keep }),
        1 => (60usize..270, 0usize..20).prop_map(|(count, len)| Step::Append { count, len, keep: None }),
        1 => Just(Step::Create),
        8 => (place(), 1usize..100, prop_oneof![0usize..400, Just(usize::MAX)])
            .prop_map(|(start, limit, max_bytes)| Step::Read { start, limit, max_bytes }),
        4 => (1usize..100).prop_map(Step::Follow),
        2 => cut.prop_map(Step::Trim),
        1 => keep.prop_map(Step::Keep),
        1 => (group(), 0u8..3, place()).prop_map(|(group, consumer, start)| Step::Join { group, consumer, start }),
        8 => (group(), 0u8..3, place(), 1usize..40, 1u64..60).prop_map(|(group, consumer, start, limit, ack_ms)| {
            Step::Take { group, consumer, start, limit, ack_ms }
        }),
        5 => (group(), offsets()).prop_map(|(group, offsets)| Step::Ack { group, offsets }),
        3 => (group(), offsets()).prop_map(|(group, offsets)| Step::Nack { group, offsets }),
        1 => group().prop_map(Step::DeleteGroup),
        1 => Just(Step::Delete),
        3 => Just(Step::Seal),
        5 => (1u64..40).prop_map(Step::Advance),
        2 => Just(Step::Again),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        3 => Just(Place::First),
        1 => Just(Place::End),
        2 => any::<u16>().prop_map(Place::Offset),
        1 => (0u16..50).prop_map(Place::Last),
        1 => (0u16..2000).prop_map(Place::Since),
    ]
}

impl Stream {
    fn end(&self) -> u64 {
        self.records.len() as u64
    }

    /// An offset somewhere around those there are.
    fn offset(&self, pick: u16) -> u64 {
        u64::from(pick) % (self.end() + 3)
    }

    fn since(&self, at: u64) -> u64 {
        self.first + self.records[self.first as usize..].iter().filter(|(of, _)| *of < at).count() as u64
    }

    fn start(&self, place: Place) -> StreamStart {
        match place {
            Place::First => StreamStart::First,
            Place::End => StreamStart::End,
            Place::Offset(pick) => StreamStart::Offset(self.offset(pick)),
            Place::Last(count) => StreamStart::Last(u64::from(count)),
            Place::Since(ms) => StreamStart::Since(Timestamp(START.0 + u64::from(ms))),
        }
    }

    fn resolve(&self, start: StreamStart) -> u64 {
        match start {
            StreamStart::First => self.first,
            StreamStart::End => self.end(),
            StreamStart::Offset(offset) => offset.max(self.first),
            StreamStart::Last(count) => self.end().saturating_sub(count).max(self.first),
            StreamStart::Since(at) => self.since(at.0),
        }
    }

    fn trim(&mut self, before: u64) -> StreamTrimmed {
        let first = before.clamp(self.first, self.end());
        let trimmed = first - self.first;
        self.first = first;
        for group in self.groups.values_mut() {
            group.pending.retain(|offset, _| *offset >= first);
        }
        StreamTrimmed { trimmed, first }
    }

    fn group(&mut self, group: u8, start: StreamStart) -> &mut Group {
        let position = self.resolve(start);
        self.groups.entry(group).or_insert_with(|| Group { position, ..Group::default() })
    }

    fn take(&mut self, group: u8, limit: usize, now: u64, until: u64) -> Vec<(u64, u32)> {
        let (first, end) = (self.first, self.end());
        let group = self.groups.get_mut(&group).expect("a group");
        let back = group.pending.iter().filter(|(_, (_, until))| until.is_none_or(|until| until <= now));
        let mut taken: Vec<(u64, u32)> =
            back.map(|(offset, (deliveries, _))| (*offset, deliveries + 1)).take(limit).collect();
        let fresh = group.position.max(first)..end;
        taken.extend(fresh.take(limit - taken.len()).map(|offset| (offset, 1)));
        for (offset, deliveries) in &taken {
            group.pending.insert(*offset, (*deliveries, Some(until)));
            if *deliveries == 1 {
                group.position = offset + 1;
            }
        }
        taken
    }
}

impl Model {
    /// What happens by itself.
    fn due(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        for group in stream.groups.values_mut() {
            let over = |(deliveries, until): &(u32, Option<u64>)| {
                *deliveries >= MAX_DELIVERIES && until.is_some_and(|until| until <= self.now)
            };
            let before = group.pending.len();
            group.pending.retain(|_, pending| !over(pending));
            group.dead += (before - group.pending.len()) as u64;
        }
    }
}

/// The engine and its model.
struct Rig<'a> {
    engine: &'a Engine,
    stream: Name,
    model: Model,
    follower: Option<StreamFollower>,
}

fn found<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(it) => Some(it),
        Err(error) => {
            assert_eq!(*error.kind(), Kind::NotFound, "{error}");
            None
        }
    }
}

fn key(number: u8) -> Name {
    name(&number.to_string())
}

impl Rig<'_> {
    async fn apply(&mut self, step: &Step) {
        let (n, s, engine) = (ns("model"), self.stream.clone(), self.engine);
        self.model.due();
        match step {
            Step::Append { count, len, keep } => {
                let stream = self.model.stream.get_or_insert_with(|| Stream { keep: *keep, ..Stream::default() });
                let first = stream.end();
                let payloads: Vec<String> =
                    (0..*count).map(|n| format!("{}{}", first + n as u64, "x".repeat(*len))).collect();
                let records = payloads.iter().map(|payload| record(payload)).collect();
                let create = StreamRetention { records: *keep, ..StreamRetention::default() };
                let done = engine.append(&n, Append { stream: s, records, create }).await.expect("append");
                stream.records.extend(payloads.into_iter().map(|payload| (self.model.now, payload)));
                assert_eq!((done.first, done.last, done.at.0), (first, stream.end() - 1, self.model.now));
                self.retain().await;
            }
            Step::Create => {
                let created = engine.create_stream(&n, &s, StreamRetention::default()).await.expect("create");
                assert_eq!(created, self.model.stream.is_none());
                self.model.stream.get_or_insert_default();
            }
            Step::Read { start, limit, max_bytes } => self.read(*start, *limit, *max_bytes).await,
            Step::Follow(limit) => self.follow(*limit).await,
            Step::Trim(cut) => {
                let Some(stream) = &mut self.model.stream else { return };
                let (trim, before) = match cut {
                    Cut::Len(len) => {
                        (StreamTrim::MaxLen(u64::from(*len)), stream.end().saturating_sub(u64::from(*len)))
                    }
                    Cut::Before(pick) => (StreamTrim::BeforeOffset(stream.offset(*pick)), stream.offset(*pick)),
                    Cut::Age(ms) => {
                        let age = Duration::from_millis(*ms);
                        (StreamTrim::MaxAge(age), stream.since(self.model.now - ms))
                    }
                };
                let done = engine.trim_stream(&n, &s, trim).await.expect("trim");
                assert_eq!(done, stream.trim(before));
            }
            Step::Keep(keep) => {
                let retention = StreamRetention { records: *keep, ..StreamRetention::default() };
                let done = found(engine.retain_stream(&n, &s, retention).await);
                assert_eq!(done.is_some(), self.model.stream.is_some());
                if let Some(stream) = &mut self.model.stream {
                    stream.keep = *keep;
                    self.retain().await;
                }
            }
            Step::Join { group, consumer, start } => {
                let Some(stream) = &mut self.model.stream else { return };
                let start = stream.start(*start);
                engine.join_group(&n, &s, &key(*group), &key(*consumer), start).await.expect("joins");
                stream.group(*group, start).consumers.insert(*consumer);
            }
            Step::Take { group, consumer, start, limit, ack_ms } => {
                let Some(stream) = &mut self.model.stream else { return };
                let start = stream.start(*start);
                let read = GroupRead {
                    group: key(*group),
                    consumer: key(*consumer),
                    start,
                    limit: *limit,
                    max_bytes: usize::MAX,
                    ack_timeout: Duration::from_millis(*ack_ms),
                    wait: None,
                };
                let deliveries = engine.read_group(&n, &s, read).await.expect("deliveries");
                stream.group(*group, start).consumers.insert(*consumer);
                let now = self.model.now;
                let taken = stream.take(*group, *limit, now, now + ack_ms);
                let got: Vec<_> = deliveries.iter().map(|it| (it.record.offset, it.deliveries)).collect();
                assert_eq!(got, taken);
                for Delivery { record, .. } in deliveries {
                    assert_eq!(&record.payload[..], stream.records[record.offset as usize].1.as_bytes());
                }
            }
            Step::Ack { group, offsets } | Step::Nack { group, offsets } => {
                let Some(stream) = &mut self.model.stream else { return };
                let offsets: Vec<u64> = offsets.iter().map(|pick| stream.offset(*pick)).collect();
                let ack = matches!(step, Step::Ack { .. });
                let done = match ack {
                    true => engine.ack_records(&n, &s, &key(*group), &offsets).await,
                    false => engine.nack_records(&n, &s, &key(*group), &offsets).await,
                };
                let expected = stream.groups.get_mut(group).map(|group| {
                    let mut settled = Settled::default();
                    for offset in offsets.into_iter().collect::<BTreeSet<_>>() {
                        match group.pending.remove(&offset) {
                            None => settled.not_found.push(offset),
                            Some((deliveries, _)) => {
                                settled.settled.push(offset);
                                if !ack && deliveries >= MAX_DELIVERIES {
                                    group.dead += 1;
                                } else if !ack {
                                    group.pending.insert(offset, (deliveries, None));
                                }
                            }
                        }
                    }
                    settled
                });
                assert_eq!(found(done), expected);
            }
            Step::DeleteGroup(group) => {
                let Some(stream) = &mut self.model.stream else { return };
                let deleted = engine.delete_group(&n, &s, &key(*group)).await.expect("delete");
                assert_eq!(deleted, stream.groups.remove(group).is_some());
            }
            Step::Delete => {
                let deleted = engine.delete_stream(&n, &s).await.expect("delete");
                assert_eq!(deleted, self.model.stream.take().is_some());
            }
            Step::Seal => {
                if let Some(stream) = self.opened() {
                    stream.tail.lock().close_run();
                    self.seal(&stream).await;
                }
            }
            Step::Advance(_) | Step::Again => unreachable!("steps of the whole house"),
        }
    }

    fn opened(&self) -> Option<Arc<crate::stream::state::Stream>> {
        let live = self.engine.live().expect("a live engine");
        live.streams.find(live, &crate::keys::stream(&ns("model"), &self.stream)).expect("readable")
    }

    async fn seal(&self, stream: &Arc<crate::stream::state::Stream>) {
        let live = self.engine.live().expect("a live engine");
        while let (frame, true) = seal::seal(live, stream).expect("seals") {
            live.store.durable(frame).await.expect("durable");
        }
    }

    /// Does what the worker would do in a while.
    async fn retain(&mut self) {
        let (live, opened) = (self.engine.live().expect("a live engine"), self.opened());
        let frame = crate::stream::trim::trim_surplus(live, &opened.expect("a stream")).expect("trims");
        live.store.durable(frame).await.expect("durable");
        let stream = self.model.stream.as_mut().expect("a stream");
        if let Some(keep) = stream.keep {
            stream.trim(stream.end().saturating_sub(keep));
        }
    }

    async fn read(&mut self, start: Place, limit: usize, max_bytes: usize) {
        let start = self.model.stream.as_ref().map_or(StreamStart::First, |stream| stream.start(start));
        let read = StreamRead { start, limit, max_bytes, wait: None };
        let page = found(self.engine.read_stream(&ns("model"), &self.stream, read).await);
        assert_eq!(page.is_some(), self.model.stream.is_some());
        let (Some(page), Some(stream)) = (page, &self.model.stream) else { return };
        let from = stream.resolve(start);
        let mut expected = Vec::new();
        let mut bytes = 0;
        for (offset, (at, payload)) in (0u64..).zip(&stream.records).skip(from as usize) {
            bytes += payload.len() + 16;
            if expected.len() == limit || (bytes > max_bytes && !expected.is_empty()) {
                break;
            }
            expected.push((offset, *at, payload.as_str()));
        }
        let text = |record: &'_ Arc<Record>| String::from_utf8(record.payload.to_vec()).expect("text");
        let got: Vec<_> = page.records.iter().map(|record| (record.offset, record.at.0, text(record))).collect();
        assert_eq!(got.iter().map(|(offset, at, text)| (*offset, *at, text.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!((page.first, page.end), (stream.first, stream.end()));
        assert_eq!(page.next, from + expected.len() as u64);
    }

    async fn follow(&mut self, limit: usize) {
        let Some(follower) = &mut self.follower else {
            let follower = self.engine.follow_stream(&ns("model"), &self.stream, StreamStart::First).await;
            self.follower = found(follower);
            return;
        };
        let position = follower.position();
        match (follower.try_next(limit, usize::MAX).expect("a step"), &self.model.stream) {
            (Some(StreamStep::Deleted), _) => self.follower = None,
            (Some(StreamStep::Dropped { expected, first }), Some(stream)) => {
                assert_eq!((expected, first), (position, stream.first));
                assert!(position < first);
            }
            (Some(StreamStep::Records(records)), Some(stream)) => {
                let until = stream.end().min(position + limit as u64);
                assert_eq!(offsets(&records), (position..until).collect::<Vec<_>>());
            }
            (None, Some(stream)) => assert_eq!(position, stream.end()),
            (step, None) => panic!("{step:?} of a stream that is gone"),
        }
    }

    async fn check(&mut self) {
        self.model.due();
        let info = found(self.engine.stream_info(&ns("model"), &self.stream).await);
        assert_eq!(info.is_some(), self.model.stream.is_some());
        let (Some(info), Some(stream)) = (info, &self.model.stream) else { return };
        assert_eq!((info.first, info.end, info.retention.records), (stream.first, stream.end(), stream.keep));
        let groups = self.engine.groups(&ns("model"), &self.stream).await.expect("a list");
        let lines = groups.into_iter().map(|group| {
            let GroupInfo { name, position, pending, dead, lag, consumers } = group;
            (name, position, pending, dead, lag, consumers)
        });
        let expected = stream.groups.iter().map(|(name, group)| {
            let position = group.position.max(stream.first);
            let lag = stream.end().saturating_sub(position);
            let consumers = group.consumers.iter().map(|consumer| key(*consumer)).collect();
            (key(*name), position, group.pending.len() as u64, group.dead, lag, consumers)
        });
        assert_eq!(lines.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Many cases share an engine, each with a stream of its own, which is closed and opened again in between.
#[test]
fn a_stream_does_what_plain_maps_would() {
    const CASES_OF_AN_ENGINE: u32 = 50;
    let runtime = runtime();
    let fresh = || runtime.block_on(House::with(|options| options.level = Level::Os));
    let house = std::cell::RefCell::new(fresh());
    let count = std::cell::Cell::new(0u32);
    let done = TestRunner::new(cases(400, 1)).run(&proptest::collection::vec(step(), 1..200), |steps| {
        count.set(count.get() + 1);
        if count.get().is_multiple_of(CASES_OF_AN_ENGINE) {
            runtime.block_on(house.borrow().engine.close()).expect("closes");
            house.replace(fresh());
        }
        let house = house.borrow();
        runtime.block_on(async {
            let model = Model { now: house.now().0, ..Model::default() };
            let stream = name(&count.get().to_string());
            let mut rig = Rig { engine: &house.engine, stream, model, follower: None };
            for step in &steps {
                match step {
                    Step::Advance(ms) => {
                        house.advance(*ms);
                        rig.model.now += ms;
                    }
                    Step::Again => {
                        rig.follower = None;
                        let live = house.live().expect("a live engine");
                        live.streams.all_open().iter().for_each(|stream| {
                            stream.was_touched();
                        });
                        live.streams.close_idle(live, usize::MAX);
                    }
                    step => rig.apply(step).await,
                }
                rig.check().await;
            }
            house.delete_stream(&ns("model"), &rig.stream).await.expect("delete");
        });
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

proptest! {
    #![proptest_config(cases(24, 1))]
    #[test]
    fn a_stream_is_what_it_was_after_every_crash(
        steps in proptest::collection::vec(step(), 1..60),
        reboots in proptest::collection::vec(any::<Option<u64>>(), 60),
    ) {
        runtime().block_on(async {
            let mut house = House::new().await;
            let mut model = Model { now: START.0, ..Model::default() };
            let mut reboots = reboots.into_iter();
            for step in &steps {
                match step {
                    Step::Advance(ms) => {
                        house.advance(*ms);
                        model.now += ms;
                    }
                    Step::Again => {
                        let mixed = reboots.next().flatten();
                        house.crash(mixed.map_or(Reboot::Lost, |seed| Reboot::Mixed(seed | 1))).await;
                    }
                    _ => {}
                }
                let mut rig = Rig { engine: &house.engine, stream: name("s"), model, follower: None };
                if !matches!(step, Step::Advance(_) | Step::Again) {
                    rig.apply(step).await;
                }
                rig.check().await;
                model = rig.model;
            }
        });
    }
}
