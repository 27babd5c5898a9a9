//! Consumer groups: consumers that share the records of a stream.

use manifold_engine::{
    Name,
    stream::{GroupInfo, GroupRead, Settled, StreamStart},
};

use super::{
    Reply,
    call::{Body, Call},
    error::Error,
    members::{self, COUNT, Integers, NATURAL, OFFSETS, millis},
    names,
    scan::PAGE_BYTES,
    streams::{STREAM, keep_as_configured, records_bytes, write_name, write_record},
};
use crate::{
    http::{
        json::{self, RawValue},
        reply,
    },
    net::Incoming,
};

const DEFAULT_COUNT: i64 = 10;
const DEFAULT_ACK_TIMEOUT_MS: i64 = 30_000;
/// As long as a lease of a queue may last.
const ACK_TIMEOUT_MS: Integers = Integers::up_to(1, 43_200_000, "an integer from 1");

/// What a group that is not there answers.
const GROUP: &str = "Group";

/// POST /join.
pub(super) async fn join(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, stream, group) = names::group(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [consumer, start] = body.members(&["consumer", "start"])?;
    let (consumer, start) = (consumer_name(consumer)?, start_of(start)?);
    drop(body);
    let joined = call.engine().join_group(&namespace, &stream, &group, &consumer, start).await;
    Ok(info_reply(&joined.map_err(Error::of(STREAM))?))
}

/// POST /read.
pub(super) async fn read(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, stream, group) = names::group(&call)?;
    call.query()?;
    let read = group_read(group, &call.body(incoming).await?)?;
    let wait = read.wait;
    keep_as_configured(&call, &namespace, &stream).await;
    let reading = call.engine().read_group(&namespace, &stream, read);
    let given = if wait.is_none() { Some(reading.await) } else { call.flo.unless_stopping(reading).await };
    let given = given.transpose().map_err(Error::of(STREAM))?.unwrap_or_default();
    call.flo.metrics.stream(namespace.as_bytes(), stream.as_bytes()).group_reads.inc();
    let mut out = Vec::with_capacity(records_bytes(given.iter().map(|delivery| &*delivery.record)));
    out.extend_from_slice(b"{\"records\":");
    json::write_array(&mut out, &given, |out, delivery| {
        write_record(out, &delivery.record);
        out.extend_from_slice(b",\"deliveries\":");
        json::write_u64(out, delivery.deliveries.into());
        out.push(b'}');
    });
    out.extend_from_slice(b",\"count\":");
    json::write_u64(&mut out, given.len() as u64);
    out.push(b'}');
    Ok(reply::json(out))
}

/// POST /ack.
pub(super) async fn ack(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, stream, group) = names::group(&call)?;
    call.query()?;
    let offsets = offsets(&call.body(incoming).await?)?;
    let settled = call.engine().ack_records(&namespace, &stream, &group, &offsets).await.map_err(Error::of(GROUP))?;
    call.flo.metrics.stream(namespace.as_bytes(), stream.as_bytes()).group_acks.add(settled.settled.len() as u64);
    Ok(settled_reply("acked", &settled))
}

/// POST /nack.
pub(super) async fn nack(call: Call<'_>, incoming: Incoming) -> Reply {
    let (namespace, stream, group) = names::group(&call)?;
    call.query()?;
    let offsets = offsets(&call.body(incoming).await?)?;
    let settled = call.engine().nack_records(&namespace, &stream, &group, &offsets).await.map_err(Error::of(GROUP))?;
    Ok(settled_reply("nacked", &settled))
}

/// GET of a group.
pub(super) async fn get(call: Call<'_>) -> Reply {
    let (namespace, stream, group) = names::group(&call)?;
    call.query()?;
    Ok(info_reply(&call.engine().group_info(&namespace, &stream, &group).await.map_err(Error::of(GROUP))?))
}

/// DELETE of a group.
pub(super) async fn delete(call: Call<'_>) -> Reply {
    let (namespace, stream, group) = names::group(&call)?;
    call.query()?;
    if !call.engine().delete_group(&namespace, &stream, &group).await.map_err(Error::of(GROUP))? {
        return Err(Error::Absent(GROUP));
    }
    let mut out = b"{\"name\":".to_vec();
    write_name(&mut out, &group);
    out.extend_from_slice(b",\"deleted\":true}");
    Ok(reply::json(out))
}

/// GET of a stream's groups.
pub(super) async fn list(call: Call<'_>) -> Reply {
    let (namespace, stream) = names::stream(&call)?;
    call.query()?;
    let found = call.engine().groups(&namespace, &stream).await.map_err(Error::of(STREAM))?;
    let mut out = b"{\"groups\":".to_vec();
    json::write_array(&mut out, &found, write_info);
    out.push(b'}');
    Ok(reply::json(out))
}

fn group_read(group: Name, body: &Body) -> Result<GroupRead, Error> {
    let [consumer, count, block_ms, ack_timeout_ms, start] =
        body.members(&["consumer", "count", "block_ms", "ack_timeout_ms", "start"])?;
    Ok(GroupRead {
        group,
        consumer: consumer_name(consumer)?,
        limit: COUNT.member(count, "count")?.unwrap_or(DEFAULT_COUNT) as usize,
        wait: members::block_member(block_ms)?,
        ack_timeout: millis(ACK_TIMEOUT_MS.member(ack_timeout_ms, "ack_timeout_ms")?.unwrap_or(DEFAULT_ACK_TIMEOUT_MS)),
        start: start_of(start)?,
        max_bytes: PAGE_BYTES,
    })
}

fn offsets(body: &Body) -> Result<Vec<u64>, Error> {
    let [offsets] = body.members(&["offsets"])?;
    members::numbers(offsets, "offsets", 0, OFFSETS)
}

fn consumer_name(member: Option<&RawValue>) -> Result<Name, Error> {
    const FIELD: &str = "consumer";
    let name = members::text(member, FIELD)?.ok_or(Error::Missing(FIELD))?;
    Name::new(names::bytes(name)).map_err(|_| Error::Field { field: FIELD, rule: "1 to 255 bytes without NUL" })
}

fn start_of(member: Option<&RawValue>) -> Result<StreamStart, Error> {
    const RULE: &str = "earliest, latest or an offset";
    let Some(raw) = json::given(member) else { return Ok(StreamStart::First) };
    match json::string(raw).as_deref() {
        Ok("earliest") => Ok(StreamStart::First),
        Ok("latest") => Ok(StreamStart::End),
        Ok(_) => Err(Error::Field { field: "start", rule: RULE }),
        Err(_) => {
            let offset = NATURAL.member(member, "start").ok().flatten();
            offset
                .map(|offset| StreamStart::Offset(offset.unsigned_abs()))
                .ok_or(Error::Field { field: "start", rule: RULE })
        }
    }
}

fn info_reply(info: &GroupInfo) -> hyper::Response<axum::body::Body> {
    let mut out = Vec::with_capacity(192);
    write_info(&mut out, info);
    reply::json(out)
}

fn write_info(out: &mut Vec<u8>, info: &GroupInfo) {
    out.extend_from_slice(b"{\"name\":");
    write_name(out, &info.name);
    out.extend_from_slice(b",\"position\":");
    json::write_u64(out, info.position);
    out.extend_from_slice(b",\"pending\":");
    json::write_u64(out, info.pending);
    out.extend_from_slice(b",\"consumers\":");
    json::write_array(out, &info.consumers, write_name);
    out.extend_from_slice(b",\"dead\":");
    json::write_u64(out, info.dead);
    out.push(b'}');
}

fn settled_reply(done: &'static str, settled: &Settled) -> hyper::Response<axum::body::Body> {
    let mut out = Vec::with_capacity(64);
    out.push(b'{');
    json::write_str(&mut out, done);
    out.push(b':');
    json::write_u64(&mut out, settled.settled.len() as u64);
    out.extend_from_slice(b",\"not_found\":");
    json::write_array(&mut out, &settled.not_found, |out, offset| json::write_u64(out, *offset));
    out.push(b'}');
    reply::json(out)
}
