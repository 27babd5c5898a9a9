//! Writes scripts: the next step, given what there is.

use super::{
    dice::Dice,
    model::{Expires, Name, Place, When, World},
    spell::{
        Step, flo,
        synap::{self, Collection, Command, Key, Queues, Room, Target},
        unison::{self, Operation, Put, Verb},
    },
};

/// What else there is besides the namespace that all dialects share.
const SPACES: [&str; 2] = ["tenant:acme/a b", "50%"];
const KEYS: [&str; 6] = ["k", "a/b", "50%+1", "sp ace", "\u{fc}\u{2202}?x#", "quo\"te\\"];
const QUEUES: [&str; 2] = ["q", "q /%"];
const STREAMS: [&str; 2] = ["s", "s /%"];
const GROUPS: [&str; 2] = ["g", "g /"];
/// JSON texts that must come back as they are.
const TEXTS: [&str; 18] = [
    "0",
    "-7",
    "9007199254740993",
    "9223372036854775807",
    "1.10",
    "1e400",
    "null",
    "true",
    r#""""#,
    r#""plain""#,
    r#""12""#,
    r#""\u00e9\n\u0001 \"\\ / ü€😀""#,
    "[]",
    "{}",
    r#"{ "b":1, "a":[ 2,  "x" ], "b":2 }"#,
    r#"{"$base64":"AA=="}"#,
    "[1e-7, -0]",
    r#"" padded ""#,
];
const BYTES: [&[u8]; 9] =
    [b"", b"12", b"\"12\"", b"\xff\x00\xfe", "ü text".as_bytes(), b"{\"a\":1}", b" [1] ", b"\"", b"-0"];
const LONG_MS: u64 = 3_600_000;

/// The names of one client: no two share any.
#[derive(Debug, Clone)]
pub struct Names {
    pub prefix: String,
    pub keys: Vec<Name>,
    pub queues: Vec<Name>,
    pub streams: Vec<Name>,
}

pub struct Author {
    pub names: Names,
    dice: Dice,
    /// Makes values differ.
    count: u64,
}

impl Names {
    pub fn of(client: usize) -> Names {
        let prefix = format!("c{client}.");
        let shared =
            |of: &[&str]| -> Vec<Name> { of.iter().map(|name| Names::name(synap::SPACE, &prefix, name)).collect() };
        let other = |of: &str| SPACES.map(|space| Names::name(space, &prefix, of));
        let mut names =
            Names { keys: shared(&KEYS), queues: shared(&QUEUES), streams: shared(&STREAMS), prefix: prefix.clone() };
        names.keys.extend(other("k"));
        names.keys.extend(other("a/b"));
        names.queues.extend(other("q").into_iter().take(1));
        names.streams.extend(other("s").into_iter().take(1));
        names
    }

    fn name(space: &'static str, prefix: &str, name: &str) -> Name {
        Name { space, name: format!("{prefix}{name}") }
    }

    /// The namespaces these names are in.
    pub fn spaces() -> impl Iterator<Item = &'static str> {
        [synap::SPACE].into_iter().chain(SPACES)
    }

    pub fn groups() -> [&'static str; 2] {
        GROUPS
    }
}

impl Author {
    pub fn new(client: usize, seed: u64) -> Author {
        Author { names: Names::of(client), dice: Dice::new(seed), count: 0 }
    }

    pub fn next(&mut self, world: &World, now: u64) -> Step {
        self.count += 1;
        match self.dice.below(100) {
            0..16 => Step::Unison(self.unison(world, now)),
            16..28 => Step::Flo(self.flo_key(world)),
            28..44 => Step::Flo(self.flo_queue(world)),
            44..56 => Step::Flo(self.flo_stream(world)),
            _ => Step::Synap(self.synap(world)),
        }
    }

    fn unison(&mut self, world: &World, now: u64) -> unison::Ask {
        let way = *self.dice.pick(&[unison::Way::Rest, unison::Way::Headers, unison::Way::Socket]);
        let verb = match self.dice.below(10) {
            0 | 1 => Verb::Get(self.key()),
            2 => {
                let name = self.key();
                Verb::Delete { when: self.when(world, &name, way), name, actor: self.actor() }
            }
            3 | 4 => {
                let operations = (0..=self.dice.below(4)).map(|_| self.operation(world, now)).collect();
                Verb::Batch { operations, actor: self.actor() }
            }
            _ => Verb::Put(self.put(world, now, way)),
        };
        unison::Ask { way, verb }
    }

    fn put(&mut self, world: &World, now: u64, way: unison::Way) -> Put {
        let name = self.key();
        let when = self.when(world, &name, way);
        let expires = match self.dice.below(24) {
            0 => Expires::InMs(700),
            1 | 2 => Expires::InMs(LONG_MS),
            3 => Expires::At(now + LONG_MS),
            4 | 5 => Expires::Keep,
            _ => Expires::Never,
        };
        Put { name, value: self.json(), when, expires, actor: self.actor() }
    }

    fn operation(&mut self, world: &World, now: u64) -> Operation {
        if self.dice.percent(30) {
            let name = self.key();
            return Operation::Delete { when: self.when(world, &name, unison::Way::Rest), name };
        }
        Operation::Set(self.put(world, now, unison::Way::Rest))
    }

    /// Mostly a condition that holds.
    fn when(&mut self, world: &World, name: &Name, way: unison::Way) -> When {
        let live = world.slot(name).live_version();
        match self.dice.below(12) {
            0 => When::Absent,
            1 => When::Version(1 + self.dice.below(5)),
            2 if way == unison::Way::Headers => When::Present,
            3 | 4 if live > 0 => When::Version(live),
            3 | 4 => When::Absent,
            _ => When::Always,
        }
    }

    fn actor(&mut self) -> Option<String> {
        self.dice.percent(30).then(|| "an \"actor\" &+%".to_owned())
    }

    fn flo_key(&mut self, world: &World) -> flo::Ask {
        let name = self.key();
        match self.dice.below(10) {
            0 | 1 => flo::Ask::Get(name),
            2 | 3 => {
                let cas = self.dice.percent(40).then(|| world.slot(&name).live_version());
                flo::Ask::Delete { name, cas_version: cas }
            }
            _ => {
                let live = world.slot(&name).live_version();
                let when = match self.dice.below(8) {
                    0 => When::Absent,
                    1 => When::Present,
                    2 => When::Version(live.max(1)),
                    3 => When::Version(1 + self.dice.below(4)),
                    _ => When::Always,
                };
                let ttl_seconds = match self.dice.below(20) {
                    0 => Some(1),
                    1..4 => Some(LONG_MS / 1000),
                    4 => Some(0),
                    _ => None,
                };
                flo::Ask::Put { name, value: self.bytes(), ttl_seconds, when }
            }
        }
    }

    fn flo_queue(&mut self, world: &World) -> flo::Ask {
        let queue = self.dice.pick(&self.names.queues).clone();
        match self.dice.below(20) {
            0..8 => flo::Ask::Enqueue {
                queue,
                payload: self.bytes(),
                priority: *self.dice.pick(&[0, 0, 0, 9, 5, -3, i32::MAX, i32::MIN]),
                delay_ms: *self.dice.pick(&[0, 0, 0, 0, 0, 0, 0, 0, 700, LONG_MS]),
                key: self.dice.percent(20).then(|| format!("d{}", self.dice.below(4))),
            },
            8..12 => flo::Ask::Dequeue { queue, count: 1 + self.dice.below(3) as usize, lease_ms: self.lease() },
            12..15 => flo::Ask::Ack { sequences: self.sequences(world, &queue, false), queue },
            15..17 => flo::Ask::Nack {
                sequences: self.sequences(world, &queue, false),
                queue,
                to_dlq: self.dice.percent(30),
                delay_ms: *self.dice.pick(&[0, 0, 0, 0, 0, 0, 0, 700, LONG_MS]),
            },
            17 => flo::Ask::Extend { sequences: self.sequences(world, &queue, false), queue, lease_ms: self.lease() },
            18 => flo::Ask::Requeue { sequences: self.sequences(world, &queue, true), queue },
            _ if self.dice.percent(60) => flo::Ask::PurgeDead(queue),
            _ => flo::Ask::Purge(queue),
        }
    }

    fn flo_stream(&mut self, world: &World) -> flo::Ask {
        let stream = self.dice.pick(&self.names.streams).clone();
        let known = world.streams.get(&stream);
        let end = known.map_or(0, |stream| stream.end());
        let group = (*self.dice.pick(&GROUPS)).to_owned();
        match self.dice.below(12) {
            0..4 => {
                let count = 1 + self.dice.below(3);
                let records = (0..count).map(|_| (self.bytes(), self.headers())).collect();
                flo::Ask::Append { stream, records }
            }
            4 | 5 => {
                flo::Ask::Read { stream, offset: self.dice.below(end + 2), count: 1 + self.dice.below(5) as usize }
            }
            6 => flo::Ask::Trim { stream, max_len: end.saturating_sub(self.dice.below(4)) },
            7..10 => {
                let consumer = (*self.dice.pick(&["one", "two"])).to_owned();
                flo::Ask::GroupRead { stream, group, consumer, count: 1 + self.dice.below(4) as usize }
            }
            _ => {
                let pending = known.and_then(|stream| stream.groups.get(&group));
                let mut offsets: Vec<u64> = pending.map_or(Vec::new(), |group| group.pending.keys().copied().collect());
                offsets.retain(|_| self.dice.percent(50));
                if self.dice.percent(20) {
                    offsets.push(self.dice.below(end + 2));
                }
                flo::Ask::GroupAck { stream, group, offsets, again: self.dice.percent(40) }
            }
        }
    }

    fn synap(&mut self, world: &World) -> synap::Ask {
        let way = match self.dice.below(10) {
            0..3 => synap::Way::Envelope,
            3..6 => synap::Way::Rest,
            6..8 => synap::Way::Socket,
            _ => synap::Way::Batch,
        };
        let count = if way == synap::Way::Batch { 1 + self.dice.below(4) } else { 1 };
        synap::Ask { way, commands: (0..count).map(|_| self.command(world)).collect() }
    }

    fn command(&mut self, world: &World) -> Command {
        match self.dice.below(20) {
            0..8 => Command::Key(self.synap_key()),
            8..12 => Command::Collection(self.collection()),
            12..17 => Command::Queue(self.synap_queue(world)),
            _ => Command::Room(self.room(world)),
        }
    }

    fn synap_key(&mut self) -> Key {
        let name = self.shared_key();
        let other = self.shared_key();
        match self.dice.below(28) {
            0 | 1 => Key::Get(name),
            2..7 => {
                let when = *self.dice.pick(&[When::Always, When::Always, When::Absent, When::Present]);
                let ttl =
                    *self.dice.pick(&[None, None, None, None, None, None, None, None, Some(1), Some(LONG_MS / 1000)]);
                Key::Set { name, value: self.json(), ttl, when }
            }
            7 => Key::GetSet { name, value: self.json() },
            8 | 9 => Key::Del(vec![name, other]),
            10..14 => Key::Increment { name, amount: *self.dice.pick(&[1, 1, 5, -2, i64::MAX]) },
            14 | 15 => Key::Append { name, text: (*self.dice.pick(&["", "x", "ü", "\"\n\u{1}"])).to_owned() },
            16 | 17 => {
                let text = (*self.dice.pick(&["", "x", "ü€"])).to_owned();
                Key::SetRange { name, offset: self.dice.below(6) as usize, text }
            }
            18..21 => {
                let count = 1 + self.dice.below(3);
                let pairs = (0..count).map(|_| (self.shared_key(), self.json())).collect();
                Key::MSet { pairs, if_absent: self.dice.percent(40) }
            }
            21 => Key::MGet(vec![name, other]),
            22 => Key::Expire { name, ttl: *self.dice.pick(&[0, 1, LONG_MS / 1000, LONG_MS / 1000]) },
            23 | 24 => Key::Persist(name),
            25 | 26 => Key::Rename { from: name, to: other, if_absent: self.dice.percent(30) },
            _ => Key::Copy { from: name, to: other, replace: self.dice.percent(60) },
        }
    }

    fn collection(&mut self) -> Collection {
        let name = self.shared_key();
        let words = ["a", "b b", "\u{fc}/%", "\"c\"", ""];
        let word = (*self.dice.pick(&words[..4])).to_owned();
        let some = (0..=self.dice.below(2)).map(|_| (*self.dice.pick(&words[..4])).to_owned()).collect();
        match self.dice.below(16) {
            0..3 => Collection::HashSet { name, field: word, value: self.json() },
            3 => Collection::HashDel { name, fields: some },
            4..7 => {
                let values = (0..=self.dice.below(2)).map(|_| self.json()).collect();
                Collection::Push { name, left: self.dice.percent(50), values }
            }
            7 | 8 => Collection::Pop { name, left: self.dice.percent(50), count: self.dice.below(3) as usize },
            9..11 => Collection::SetAdd { name, members: some },
            11 if self.dice.percent(50) => {
                Collection::SetUnion { name, of: vec![self.shared_key(), self.shared_key()] }
            }
            11 => Collection::SetRemove { name, members: some },
            12..14 => Collection::Score { name, member: word, score: self.dice.below(5) as i64 - 2 },
            _ => Collection::Unscore { name, members: some },
        }
    }

    fn synap_queue(&mut self, world: &World) -> Queues {
        let queue = self.dice.pick(&self.names.queues[..QUEUES.len()]).clone();
        let letters = self.dice.percent(25);
        let of = Target { queue: queue.clone(), letters };
        match self.dice.below(20) {
            0..6 => Queues::Publish {
                queue,
                message: self.json(),
                priority: *self.dice.pick(&[None, Some(0), Some(5), Some(12)]),
                max_retries: *self.dice.pick(&[None, None, Some(0), Some(1)]),
                headers: self.dice.percent(20).then(|| r#"{"h":"1", "ü":"\"" }"#.to_owned()),
            },
            6..11 => Queues::Consume { of, lease_seconds: self.lease().div_ceil(1000) },
            11..14 => Queues::Ack { sequence: self.sequence(world, &queue, letters), of },
            14..17 => {
                Queues::Nack { sequence: self.sequence(world, &queue, letters), of, requeue: self.dice.percent(60) }
            }
            17 => Queues::Create {
                queue,
                max_depth: *self.dice.pick(&[None, Some(3), Some(100_000)]),
                max_retries: *self.dice.pick(&[None, Some(1)]),
            },
            18 => Queues::Purge(of),
            _ => Queues::Delete(of),
        }
    }

    fn room(&mut self, world: &World) -> Room {
        let room = self.dice.pick(&self.names.streams[..STREAMS.len()]).clone();
        let end = world.streams.get(&room).map_or(0, |stream| stream.end());
        match self.dice.below(12) {
            0..7 => {
                Room::Publish { room, kind: "an \"event\"".to_owned(), data: self.json(), metadata: self.headers() }
            }
            7..10 => Room::History { room, from: self.dice.below(end + 3), limit: 1 + self.dice.below(5) as usize },
            10 => Room::Create(room),
            _ if self.dice.percent(30) => Room::Delete(room),
            _ => Room::Create(room),
        }
    }

    fn key(&mut self) -> Name {
        self.dice.pick(&self.names.keys).clone()
    }

    fn shared_key(&mut self) -> Name {
        self.dice.pick(&self.names.keys[..KEYS.len()]).clone()
    }

    fn json(&mut self) -> String {
        match self.dice.below(3) {
            0 => self.count.to_string(),
            _ => (*self.dice.pick(&TEXTS)).to_owned(),
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        match self.dice.below(3) {
            0 => self.count.to_string().into_bytes(),
            _ => self.dice.pick(&BYTES).to_vec(),
        }
    }

    fn headers(&mut self) -> Vec<(String, String)> {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        if self.dice.percent(30) { vec![header("h", "1"), header("\u{fc} \"", "\u{20ac}")] } else { Vec::new() }
    }

    fn lease(&mut self) -> u64 {
        *self.dice.pick(&[1000, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS])
    }

    /// Mostly one that is leased or dead, as wanted.
    fn sequence(&mut self, world: &World, queue: &Name, dead: bool) -> u64 {
        let Some(queue) = world.queues.get(queue) else { return 1 };
        let fits = |place: Place| match place {
            Place::Leased(_) => !dead,
            Place::Dead { .. } => dead,
            Place::Ready | Place::Delayed(_) => false,
        };
        let fitting = queue.in_order(fits);
        if fitting.is_empty() || self.dice.percent(15) {
            return 1 + self.dice.below(queue.last + 1);
        }
        *self.dice.pick(&fitting)
    }

    fn sequences(&mut self, world: &World, queue: &Name, dead: bool) -> Vec<u64> {
        let count = self.dice.below(3);
        (0..=count).map(|_| self.sequence(world, queue, dead)).collect()
    }
}
