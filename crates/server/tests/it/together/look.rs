//! Reads that must agree: everything of one client, through every dialect, against the model.

use std::io::Result;

use super::{
    model::{Change, Held, Name, Op, Place, Queue, Slot, Span, World},
    script::Names,
    spell::{
        Lines, flo, part,
        synap::{self, events, oldest_and_newest},
        unison,
    },
    want::{Answer, Pattern, Want, elements, members, quoted},
};
use crate::harness::{Connection, Request, Server};

/// More than any script leaves.
const ALL: usize = 1000;

/// Values of a key's history.
const DEPTH: usize = 8;
/// What is asked of each key, one after the other.
const KEY_COMMANDS: [&str; 8] =
    ["key.type", "kv.exists", "kv.ttl", "kv.get", "hash.getall", "list.range", "set.members", "sortedset.zrange"];

/// One thing to look at.
#[derive(Debug, Clone)]
pub enum Look {
    /// The values of a namespace as Unison lists them; page by page when there is a limit.
    UnisonList {
        space: &'static str,
        prefix: String,
        limit: Option<usize>,
    },
    /// Keys in one cut over the socket of Unison.
    UnisonMany(Vec<Name>),
    /// The last values of a key.
    FloHistory(Name),
    FloScan {
        space: &'static str,
        prefix: String,
        limit: usize,
    },
    SynapScan {
        prefix: String,
        count: usize,
    },
    /// What Synap says of a key, command by command.
    SynapKey(Name),
    QueueStats(Name),
    QueueReady(Name),
    QueueDead(Name),
    SynapQueue {
        queue: Name,
        letters: bool,
    },
    StreamInfo(Name),
    StreamRecords(Name),
    Group {
        stream: Name,
        group: &'static str,
    },
    SynapRoom(Name),
}

/// Everything there is to look at.
pub fn all(names: &Names) -> Vec<Look> {
    let mut looks = Vec::new();
    for space in Names::spaces() {
        let prefix = || names.prefix.clone();
        looks.push(Look::UnisonList { space, prefix: prefix(), limit: None });
        looks.push(Look::UnisonList { space, prefix: prefix(), limit: Some(2) });
        looks.push(Look::FloScan { space, prefix: prefix(), limit: 3 });
    }
    looks.push(Look::UnisonMany(names.keys.clone()));
    looks.extend(names.keys.iter().cloned().map(Look::FloHistory));
    looks.push(Look::SynapScan { prefix: names.prefix.clone(), count: 2 });
    let is_shared = |name: &&Name| name.space == synap::SPACE;
    looks.extend(names.keys.iter().filter(is_shared).cloned().map(Look::SynapKey));
    for queue in &names.queues {
        looks.extend([Look::QueueStats, Look::QueueReady, Look::QueueDead].map(|look| look(queue.clone())));
    }
    for queue in names.queues.iter().filter(is_shared) {
        looks.extend([false, true].map(|letters| Look::SynapQueue { queue: queue.clone(), letters }));
    }
    for stream in &names.streams {
        looks.extend([Look::StreamInfo, Look::StreamRecords].map(|look| look(stream.clone())));
        looks.extend(Names::groups().map(|group| Look::Group { stream: stream.clone(), group }));
    }
    looks.extend(names.streams.iter().filter(is_shared).cloned().map(Look::SynapRoom));
    looks
}

impl Look {
    /// The answers, those of pages put together.
    pub fn send(&self, lines: &mut Lines) -> Result<Vec<Answer>> {
        let flo = |target: String| Request::get(target).key(None);
        let answer = match self {
            Look::UnisonList { space, prefix, limit: None } => {
                let target = format!("/api/v1/kv/{}?prefix={}", part(space), part(prefix));
                lines.unison(&Request::get(target))?
            }
            Look::UnisonList { space, prefix, limit: Some(limit) } => walk("items", "nextCursor", |cursor| {
                let target = format!("/api/v1/kv/{}?prefix={}&limit={limit}{cursor}", part(space), part(prefix));
                lines.unison(&Request::get(target))
            })?,
            Look::UnisonMany(names) => {
                let key =
                    |name: &Name| format!(r#"{{"namespace":{},"key":{}}}"#, quoted(name.space), quoted(&name.name));
                let keys: Vec<String> = names.iter().map(key).collect();
                let params = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
                let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"kv/mget","params":{params}}}"#);
                unison::read_result(&lines.unison_socket(&call)?)
            }
            Look::FloHistory(name) => {
                lines.flo(&flo(format!("/api/v1/kv/{}/{}?history={DEPTH}", part(name.space), part(&name.name))))?
            }
            Look::FloScan { space, prefix, limit } => walk("entries", "cursor", |cursor| {
                let target = format!("/api/v1/kv/{}?prefix={}&limit={limit}{cursor}", part(space), part(prefix));
                lines.flo(&flo(target))
            })?,
            Look::SynapScan { prefix, count } => {
                let mut cursor = "null".to_owned();
                let mut found = Vec::new();
                loop {
                    let prefix = quoted(prefix);
                    let payload = format!(r#"{{"prefix":{prefix},"count":{count},"cursor":{cursor}}}"#);
                    let page = command(lines, "kv.scan", &payload)?;
                    found.extend(texts(&page, "keys"));
                    cursor = member(&page, "cursor");
                    if cursor == "null" {
                        break Answer { body: format!(r#"{{"keys":[{}]}}"#, found.join(",")), ..page };
                    }
                }
            }
            Look::SynapKey(name) => {
                let payload = format!(r#"{{"key":{}}}"#, quoted(&name.name));
                let commands = KEY_COMMANDS.map(|name| format!(r#"{{"command":"{name}","payload":{payload}}}"#));
                let batch = format!(r#"{{"type":"batch","commands":[{}]}}"#, commands.join(","));
                let answer = lines.synap(&Request::post("/api/v1/command", batch).key(None))?;
                let results = texts(&answer, "results");
                let read = |(name, result): (&str, &String)| sorted(name, synap::read_result(None, result));
                return Ok(KEY_COMMANDS.into_iter().zip(&results).map(read).collect());
            }
            Look::QueueStats(queue) => lines.flo(&flo(queue_target(queue, "stats")))?,
            Look::QueueReady(queue) => lines.flo(&flo(queue_target(queue, &format!("peek?count={ALL}"))))?,
            Look::QueueDead(queue) => {
                // In the order they died; the model does not know which died first.
                sorted("messages", lines.flo(&flo(queue_target(queue, &format!("dlq?count={ALL}"))))?)
            }
            Look::SynapQueue { queue, letters } => {
                let name = format!("{}{}", queue.name, if *letters { ".dlq" } else { "" });
                command(lines, "queue.stats", &format!(r#"{{"queue":{}}}"#, quoted(&name)))?
            }
            Look::StreamInfo(stream) => lines.flo(&flo(stream_target(stream, "/info")))?,
            Look::StreamRecords(stream) => lines.flo(&flo(stream_target(stream, &format!("?count={ALL}"))))?,
            Look::Group { stream, group } => {
                lines.flo(&flo(stream_target(stream, &format!("/groups/{}", part(group)))))?
            }
            Look::SynapRoom(room) => {
                let room = quoted(&room.name);
                let history = command(lines, "stream.history", &format!(r#"{{"room":{room},"limit":{ALL}}}"#))?;
                return Ok(vec![history, command(lines, "stream.stats", &format!(r#"{{"room":{room}}}"#))?]);
            }
        };
        Ok(vec![answer])
    }

    /// Why the answers are not what the world says.
    pub fn check(&self, world: &World, answers: &[Answer], now: Span) -> std::result::Result<(), String> {
        let wants = self.wants(world, now);
        let mut pairs = wants.iter().zip(answers);
        pairs.try_for_each(|(want, answer)| want.check(answer)).map_err(|why| format!("{self:?}\n  {why}"))
    }

    fn wants(&self, world: &World, now: Span) -> Vec<Want> {
        let want = match self {
            Look::UnisonList { space, prefix, .. } => {
                let entries = live(world, space, prefix).map(|(name, slot)| unison_entry(name, slot));
                Want::new(200).member("items", Pattern::array(entries))
            }
            Look::FloScan { space, prefix, .. } => {
                let entries = live(world, space, prefix).map(|(name, slot)| flo_entry(name, slot, now));
                Want::new(200).member("entries", Pattern::array(entries))
            }
            Look::UnisonMany(names) => {
                let entry = |name: &Name| match world.slot(name) {
                    slot if slot.value().is_some() => unison_entry(name, &slot),
                    _ => Pattern::from("null"),
                };
                Want::new(200).member("items", Pattern::array(names.iter().map(entry)))
            }
            Look::FloHistory(name) => history(world, name, now),
            Look::SynapScan { prefix, .. } => {
                let here = |(name, slot): &(&Name, &Slot)| {
                    name.space == synap::SPACE && name.name.starts_with(prefix) && slot.held.is_some()
                };
                let keys = world.keys.iter().filter(here).map(|(name, _)| Pattern::from(quoted(&name.name)));
                Want::new(200).member("keys", Pattern::array(keys))
            }
            Look::SynapKey(name) => return synap_key(name, &world.slot(name), now),
            Look::QueueStats(queue) => with_queue(world, queue, queue_stats),
            Look::QueueReady(queue) => with_queue(world, queue, |queue| {
                let ready = queue.in_order(|place| place == Place::Ready);
                let shown = ready.iter().map(|sequence| flo::message(queue, *sequence).text("}"));
                Want::new(200).member("messages", Pattern::array(shown))
            }),
            Look::QueueDead(queue) => with_queue(world, queue, |queue| {
                let letter = |(sequence, message): (&u64, &super::model::Message)| match message.place {
                    Place::Dead { reason, .. } => {
                        let pattern = flo::message(queue, *sequence).text(r#","dead_at":"#).number(1..=now.to);
                        Some((sequence.to_string(), pattern.text(format!(r#","reason":"{reason}"}}"#))))
                    }
                    _ => None,
                };
                let mut letters: Vec<(String, Pattern)> = queue.messages.iter().filter_map(letter).collect();
                // As texts are sorted: 10 before 9.
                letters.sort_by_key(|(sequence, _)| format!(r#"{{"sequence":{sequence},"#));
                Want::new(200).member("messages", Pattern::array(letters.into_iter().map(|(_, pattern)| pattern)))
            }),
            Look::SynapQueue { queue, letters } => synap_queue(world.queues.get(queue), *letters),
            Look::StreamInfo(stream) => match world.streams.get(stream) {
                None => Want::new(404),
                Some(stream) => {
                    let groups = stream.groups.keys().map(|group| Pattern::from(quoted(group)));
                    let want = Want::new(200).member("record_count", stream.records.len() as u64);
                    flo::bounds(want, stream).member("consumer_groups", Pattern::array(groups))
                }
            },
            Look::StreamRecords(stream) => match world.streams.get(stream) {
                None => Want::new(404),
                Some(stream) => {
                    let records = (stream.first..stream.end()).map(|offset| flo::record(stream, offset).text("}"));
                    Want::new(200).member("records", Pattern::array(records)).member("next_offset", stream.end())
                }
            },
            Look::Group { stream, group } => {
                let stream = world.streams.get(stream);
                match stream.and_then(|stream| stream.groups.get(*group).map(|group| (stream, group))) {
                    None => Want::new(404),
                    Some((stream, group)) => {
                        let consumers = group.consumers.iter().map(|consumer| Pattern::from(quoted(consumer)));
                        Want::new(200)
                            .member("position", group.position.max(stream.first))
                            .member("pending", group.pending.len() as u64)
                            .member("consumers", Pattern::array(consumers))
                            .member("dead", group.dead)
                    }
                }
            }
            Look::SynapRoom(room) => match world.streams.get(room) {
                None => return vec![synap::error(404, "ROOM_NOT_FOUND"), synap::error(404, "ROOM_NOT_FOUND")],
                Some(stream) => {
                    let (oldest, newest) = oldest_and_newest(stream);
                    let history = Want::new(200).member("events", events(stream, 0, ALL));
                    let stats = Want::new(200).member("message_count", stream.records.len() as u64);
                    return vec![
                        history.member("oldest_offset", oldest).member("newest_offset", newest),
                        stats.member("min_offset", oldest).member("max_offset", newest).member("dropped", stream.first),
                    ];
                }
            },
        };
        vec![want]
    }
}

/// The live values of a namespace.
fn live<'w>(world: &'w World, space: &str, prefix: &str) -> impl Iterator<Item = (&'w Name, &'w Slot)> {
    let keys = world.keys.iter().filter(move |(name, _)| name.space == space && name.name.starts_with(prefix));
    keys.filter(|(_, slot)| slot.value().is_some()).collect::<Vec<_>>().into_iter()
}

fn unison_entry(name: &Name, slot: &Slot) -> Pattern {
    let Some(Held::Value { value, actor, at }) = &slot.held else { return Pattern::default() };
    let (space, key, value, version) = (quoted(name.space), quoted(&name.name), value.json(), slot.version);
    let text = format!(r#"{{"namespace":{space},"key":{key},"value":{value},"version":{version}"#);
    let pattern = Pattern::from(text).text(format!(r#","updatedBy":{},"updatedAt":"#, quoted(actor)));
    let pattern = pattern.number(at.range()).text(r#","expiresAt":"#);
    pattern.then(slot.deadline.map_or("null".into(), |deadline| deadline.range().into())).text("}")
}

fn flo_entry(name: &Name, slot: &Slot, now: Span) -> Pattern {
    let (key, value, version) = (quoted(&name.name), flo::value(slot.value()), slot.version);
    let pattern = Pattern::from(format!(r#"{{"key":{key},"value":{value},"version":{version},"ttl_remaining":"#));
    pattern.then(flo::ttl(slot, now)).text("}")
}

/// The newest values first; a removal shows as a version that is not there.
fn history(world: &World, name: &Name, now: Span) -> Want {
    if world.slot(name).value().is_none() {
        return Want::new(404).member("error", r#""not_found""#);
    }
    let version = |change: &Change| match &change.op {
        Op::Set(value) if change.name == *name => {
            let (version, value) = (change.version, flo::value(Some(value)));
            let text = format!(r#"{{"version":{version},"value":{value},"updated_at":"#);
            Some(Pattern::from(text).number(1..=now.to).text("}"))
        }
        _ => None,
    };
    let versions = world.changes.iter().rev().filter_map(version).take(DEPTH);
    Want::new(200).member("versions", Pattern::array(versions))
}

/// In the order of [`KEY_COMMANDS`].
fn synap_key(name: &Name, slot: &Slot, now: Span) -> Vec<Want> {
    let kind = slot.held.as_ref().map_or("none", Held::kind);
    let ok = || Want::new(200);
    let ttl = slot.deadline.map_or(Pattern::from("null"), |deadline| deadline.seconds_left(now).into());
    let of = |expected: &str, want: Want| {
        if kind == expected || kind == "none" { want } else { synap::wrong_type(name, kind, expected) }
    };
    let there = |want: Want| if kind == "none" { synap::key_not_found() } else { want };
    let mut shown = (Pattern::from("{}"), "[]".to_owned(), "[]".to_owned(), "[]".to_owned());
    match &slot.held {
        Some(Held::Hash(fields)) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
            shown.0 = format!("{{{}}}", fields.join(",")).into();
        }
        Some(Held::List(elements)) => shown.1 = synap::list(elements),
        Some(Held::Set(members)) => {
            let mut members: Vec<String> = members.iter().map(|member| quoted(member)).collect();
            members.sort_unstable();
            shown.2 = synap::list(&members);
        }
        Some(Held::Scores(scores)) => {
            let mut ranked: Vec<(i64, &String)> = scores.iter().map(|(member, score)| (*score, member)).collect();
            ranked.sort_unstable();
            let ranked = ranked.iter().map(|(score, m)| format!(r#"{{"member":{},"score":{score}.0}}"#, quoted(m)));
            shown.3 = synap::list(&ranked.collect::<Vec<_>>());
        }
        Some(Held::Value { .. }) | None => {}
    }
    vec![
        ok().member("type", quoted(kind)),
        ok().member("exists", kind != "none"),
        there(ok().member("ttl", ttl)),
        of("string", ok().member("found", kind != "none").member("value", synap::nothing_or(slot.value()))),
        of("hash", ok().member("fields", shown.0)),
        of("list", there(ok().member("values", shown.1))),
        of("set", there(ok().member("members", shown.2))),
        of("zset", ok().member("members", shown.3)),
    ]
}

fn with_queue(world: &World, queue: &Name, shown: impl FnOnce(&Queue) -> Want) -> Want {
    match world.queues.get(queue).filter(|queue| queue.exists) {
        Some(queue) => shown(queue),
        None => Want::new(404).member("message", r#""Queue not found""#),
    }
}

fn queue_stats(queue: &Queue) -> Want {
    let waiting = queue.count(|place| matches!(place, Place::Ready | Place::Delayed(_)));
    let leased = queue.count(|place| matches!(place, Place::Leased(_)));
    let dead = queue.count(|place| matches!(place, Place::Dead { .. }));
    Want::new(200)
        .member("ready_count", waiting)
        .member("leased_count", leased)
        .member("dlq_count", dead)
        .member("delayed_count", queue.count(|place| matches!(place, Place::Delayed(_))))
        .member("total_enqueued", queue.enqueued)
        .member("total_acked", queue.acked)
        .member("total_purged", queue.purged)
        // What the contract says of all of them at every instant.
        .member("total_enqueued", waiting + leased + dead + queue.acked + queue.purged)
}

fn synap_queue(queue: Option<&Queue>, letters: bool) -> Want {
    let there = |queue: &&Queue| if letters { queue.has_letter_view() } else { queue.exists };
    let Some(queue) = queue.filter(there) else { return synap::error(404, "QUEUE_NOT_FOUND") };
    let (depth, totals) = if letters {
        let depth = queue.count(|place| matches!(place, Place::Dead { held: None, .. }));
        let of = queue.letters;
        (depth, [of.arrived, of.delivered, of.acked, of.returned, 0])
    } else {
        let depth = queue.count(|place| matches!(place, Place::Ready | Place::Delayed(_)));
        (depth, [queue.enqueued, queue.delivered, queue.acked, queue.returned, queue.died])
    };
    let names = ["published_total", "consumed_total", "acked_total", "nacked_total", "dead_lettered_total"];
    let want = Want::new(200).member("depth", depth);
    names.into_iter().zip(totals).fold(want, |want, (name, total)| want.member(name, total))
}

fn queue_target(queue: &Name, verb: &str) -> String {
    format!("/api/v1/queue/{}/{}/{verb}", part(queue.space), part(&queue.name))
}

fn stream_target(stream: &Name, verb: &str) -> String {
    format!("/api/v1/stream/{}/{}{verb}", part(stream.space), part(&stream.name))
}

/// All pages as one.
fn walk(array: &str, cursor: &str, mut page: impl FnMut(&str) -> Result<Answer>) -> Result<Answer> {
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let answer = page(&next)?;
        if !answer.success {
            return Ok(answer);
        }
        found.extend(texts(&answer, array));
        let cursor = member(&answer, cursor);
        if cursor == "null" {
            return Ok(Answer { body: format!(r#"{{"{array}":[{}]}}"#, found.join(",")), ..answer });
        }
        next = format!("&cursor={}", part(cursor.trim_matches('"')));
    }
}

fn command(lines: &mut Lines, command: &str, payload: &str) -> Result<Answer> {
    let body = format!(r#"{{"command":"{command}","payload":{payload}}}"#);
    let answer = lines.synap(&Request::post("/api/v1/command", body).key(None))?;
    Ok(synap::read_result(answer.status, &answer.body))
}

fn member(answer: &Answer, name: &str) -> String {
    let members = members(&answer.body).expect("an answer is an object");
    members.get(name).unwrap_or_else(|| panic!("no {name:?} in {answer:?}")).get().to_owned()
}

fn texts(answer: &Answer, array: &str) -> Vec<String> {
    elements(&member(answer, array)).expect("an array").iter().map(|raw| raw.get().to_owned()).collect()
}

/// Brings what has no order of its own into one.
fn sorted(what: &str, answer: Answer) -> Answer {
    if !answer.success {
        return answer;
    }
    let body = match what {
        "hash.getall" => {
            let mut fields: Vec<(String, String)> = members(&member(&answer, "fields"))
                .expect("an object")
                .into_iter()
                .map(|(name, value)| (name, value.get().to_owned()))
                .collect();
            fields.sort_unstable();
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
            format!(r#"{{"fields":{{{}}}}}"#, fields.join(","))
        }
        "set.members" | "messages" => {
            let name = if what == "messages" { what } else { "members" };
            let mut members = texts(&answer, name);
            members.sort_unstable();
            format!(r#"{{"{name}":[{}]}}"#, members.join(","))
        }
        _ => return answer,
    };
    Answer { body, ..answer }
}

/// What is counted of all there is, where all of it is in one world.
pub fn counts(server: &Server, world: &World) -> std::result::Result<(), String> {
    let ask = |address, request: Request| Connection::open(address).send(&request).map_err(|error| error.to_string());
    let values = |space: &str| {
        world.keys.iter().filter(|(name, slot)| name.space == space && slot.value().is_some()).count() as u64
    };
    let held = |name: &Name| world.slot(name).held.is_some();
    let keys = world.keys.keys().filter(|name| name.space == synap::SPACE && held(name)).count() as u64;
    let all_keys = world.keys.keys().filter(|name| held(name)).count();
    let namespaces = ask(server.flo(), Request::get("/api/v1/namespaces").key(None))?.json();
    for namespace in namespaces["namespaces"].as_array().expect("namespaces") {
        let space = namespace["name"].as_str().expect("a name");
        let queues = world.queues.iter().filter(|(name, queue)| name.space == space && queue.exists).count();
        let streams = world.streams.keys().filter(|name| name.space == space).count();
        let told = (&namespace["kv_count"], &namespace["queue_count"], &namespace["stream_count"]);
        // A collection is no key to Flo.
        let values = values(space);
        if told != (&values.into(), &queues.into(), &streams.into()) {
            return Err(format!("{namespace} where there are {values} values, {queues} queues, {streams} streams"));
        }
    }
    let size = Request::post("/api/v1/command", r#"{"command":"kv.dbsize"}"#).key(None);
    let size = ask(server.synap(), size)?.json()["payload"]["size"].clone();
    if size != keys {
        return Err(format!("Synap counts {size} keys of {keys}"));
    }
    let metrics = server.metrics_text();
    let line = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    for (name, queue) in world.queues.iter().filter(|(_, queue)| queue.exists) {
        let of = |place: fn(Place) -> bool| queue.count(place);
        let (ready, delayed) = (of(|place| place == Place::Ready), of(|place| matches!(place, Place::Delayed(_))));
        let dead = of(|place| matches!(place, Place::Dead { .. }));
        let labels = format!(r#"{{namespace="{}",queue="{}"}}"#, name.space, name.name);
        let flo = [
            ("flo_queue_available_current", ready),
            ("flo_queue_delayed_messages_current", delayed),
            ("flo_queue_leases_active", of(|place| matches!(place, Place::Leased(_)))),
            ("flo_queue_dlq_messages_current", dead),
            ("flo_queue_dlq_messages_total", queue.died),
            ("flo_queue_last_seq", queue.last),
        ];
        // Those that Flo was asked for since the start.
        for (metric, there) in flo {
            same(&format!("{metric}{labels}"), there, line(&format!("{metric}{labels}")), true)?;
        }
        if name.space == synap::SPACE {
            let labels = format!(r#"{{queue="{}"}}"#, name.name);
            for (metric, there) in [("synap_queue_depth", ready + delayed), ("synap_queue_dlq_messages", dead)] {
                same(&format!("{metric}{labels}"), there, line(&format!("{metric}{labels}")), false)?;
            }
        }
    }
    for (name, stream) in world.streams.iter().filter(|(name, _)| name.space == synap::SPACE) {
        let labels = format!(r#"{{room="{}"}}"#, name.name);
        let kept = stream.records.len() as u64;
        for (metric, there) in [("synap_stream_last_offset", stream.end()), ("synap_stream_buffer_size", kept)] {
            same(&format!("{metric}{labels}"), there, line(&format!("{metric}{labels}")), false)?;
        }
    }
    match line("unison_kv_entries") {
        Some(entries) if entries == all_keys.to_string() => Ok(()),
        other => Err(format!("the metrics tell of {other:?} keys, there are {all_keys}")),
    }
}

/// Why a metric does not tell of what is there.
fn same(metric: &str, there: u64, told: Option<&str>, may_lack: bool) -> std::result::Result<(), String> {
    match told {
        None if may_lack => Ok(()),
        Some(told) if told == there.to_string() => Ok(()),
        told => Err(format!("{metric} is {told:?}, there are {there}")),
    }
}
