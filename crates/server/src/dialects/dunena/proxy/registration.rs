//! What a request to register a connector has to say.

use manifold_engine::documents::Connector;

use super::{
    super::check::{self, Broken},
    Kind, headers,
};
use crate::http::json::RawValue;

/// Longest name, in characters.
const NAME_CHARS: usize = 128;
/// Longest connection string and longest text of headers or of tags, in bytes: a connector stays in memory.
const TEXT_BYTES: usize = 16 << 10;
/// The members of a registration.
pub(super) const MEMBERS: [&str; 7] =
    ["name", "type", "connectionString", "readOnly", "maxCacheTTL", "defaultTags", "headers"];

/// Reads a registration, all but the form of the connection string.
pub(super) fn read(members: [Option<&RawValue>; 7]) -> Result<Connector, Broken> {
    let [name, kind, connection_string, read_only, max_cache_ttl, default_tags, headers] = members;
    let text = |member| check::string(member).filter(|text| !text.is_empty());
    let (name, kind, connection_string) = (text(name), text(kind), text(connection_string));
    let name = name.filter(|name| name.chars().nth(NAME_CHARS).is_none());
    let (Some(name), Some(kind), Some(connection_string)) = (name, kind, connection_string) else {
        return Err("name, type, and connectionString are required".into());
    };
    let is_long = |member: Option<&RawValue>| member.is_some_and(|member| member.get().len() > TEXT_BYTES);
    let kind = Kind::named(&kind).ok_or("type must be http, postgresql, mysql, sqlite, or elasticsearch")?;
    let read_only = check::boolean(read_only, "readOnly must be a boolean")?;
    let max_cache_ttl_ms = check::milliseconds(max_cache_ttl, "maxCacheTTL must be a non-negative integer (ms)")?;
    let tags_are_long = is_long(default_tags);
    let default_tags = check::tags(default_tags).map_err(|_| "defaultTags must be an array of strings")?;
    if connection_string.len() > TEXT_BYTES {
        return Err(format!("connectionString is not valid for type \"{}\"", kind.as_str()).into());
    }
    if tags_are_long || is_long(headers) {
        return Err("defaultTags and headers exceed max length (16384)".into());
    }
    Ok(Connector {
        name: name.into_owned(),
        kind: kind.as_str().to_owned(),
        connection_string: connection_string.into_owned(),
        read_only: read_only.unwrap_or(false),
        max_cache_ttl_ms,
        default_tags: default_tags.unwrap_or_default(),
        headers: headers::read(headers)?,
    })
}
