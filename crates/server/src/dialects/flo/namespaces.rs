//! Namespaces: list and create.

use hyper::StatusCode;
use manifold_engine::{Kind, Namespace, namespaces::NamespaceInfo};

use super::{Reply, call::Call, error::Error, members, names};
use crate::{
    http::{json, reply},
    net::Incoming,
};

const MAX_NAME: usize = 128;

/// GET /namespaces.
pub(super) async fn list(call: Call<'_>) -> Reply {
    call.query()?;
    let found = call.engine().namespaces().await?;
    let mut out = b"{\"namespaces\":".to_vec();
    json::write_array(&mut out, &found, write_info);
    out.push(b'}');
    Ok(reply::json(out))
}

/// POST /namespaces.
pub(super) async fn create(call: Call<'_>, incoming: Incoming) -> Reply {
    call.query()?;
    let body = call.body(incoming).await?;
    let [name] = body.members(&["name"])?;
    let name = members::text(name, "name")?.ok_or(Error::Missing("name"))?;
    let refused =
        Error::Field { field: "name", rule: "a letter or digit and up to 127 letters, digits, '_', '.' or '-'" };
    if !is_plain(&name) {
        return Err(refused);
    }
    let namespace = Namespace::new(names::bytes(name)).map_err(|_| refused)?;
    let created_at = call.engine().create_namespace(&namespace).await.map_err(|error| match error.kind() {
        Kind::Conflict { .. } => Error::NamespaceExists,
        _ => error.into(),
    })?;
    let mut out = b"{\"name\":".to_vec();
    json::write_bytes_as_str(&mut out, namespace.as_bytes());
    out.extend_from_slice(b",\"created_at\":");
    json::write_u64(&mut out, created_at.0);
    out.push(b'}');
    let mut response = reply::json(out);
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Names that are created by themselves are plain; a write may go to any namespace.
fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(plain)
}

fn write_info(out: &mut Vec<u8>, info: &NamespaceInfo) {
    out.extend_from_slice(b"{\"name\":");
    json::write_bytes_as_str(out, info.name.as_bytes());
    let counts = [
        ("created_at", info.created_at.0),
        ("kv_count", info.keys),
        ("queue_count", info.queues),
        ("stream_count", info.streams),
        ("ts_count", info.measurements),
    ];
    for (name, value) in counts {
        out.push(b',');
        json::write_str(out, name);
        out.push(b':');
        json::write_u64(out, value);
    }
    out.push(b'}');
}
