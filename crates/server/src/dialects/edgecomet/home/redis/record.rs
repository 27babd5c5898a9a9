//! Records of pages as hashes of texts. Others write them too, so any field may be missing or odd; what cannot be read
//! counts as missing.

use std::{fmt, str::FromStr};

use manifold_engine::recache::{PageKey, Record};
use serde::{
    Deserialize, Deserializer, Serializer,
    de::{MapAccess, Visitor},
};

use crate::dialects::edgecomet::url::cache_key;

#[cfg(test)]
mod tests;

/// The fields that are read, in the order [`from_values`] expects their values.
pub(in crate::dialects::edgecomet) const FIELDS: [&str; 16] = [
    "url",
    "file_path",
    "dimension",
    "request_id",
    "created_at",
    "expires_at",
    "last_access",
    "size",
    "disk_size",
    "source",
    "status_code",
    "headers",
    "eg_ids",
    "last_bot_hit",
    "index_status",
    "title",
];

/// The record with these values.
pub(in crate::dialects::edgecomet) fn from_values(values: [Option<Vec<u8>>; FIELDS.len()]) -> Record {
    let values = values.map(|value| value.map(|value| String::from_utf8_lossy(&value).into_owned()));
    let [
        url,
        file_path,
        dimension,
        request_id,
        created_at,
        expires_at,
        last_access,
        size,
        disk_size,
        source,
        status_code,
        headers,
        eg_ids,
        last_bot_hit,
        index_status,
        title,
    ] = values;
    Record {
        url: url.unwrap_or_default(),
        file_path: file_path.unwrap_or_default(),
        dimension: dimension.unwrap_or_default(),
        request_id: request_id.unwrap_or_default(),
        created_at: number(created_at),
        expires_at: number(expires_at),
        last_access: number(last_access),
        size: number(size),
        disk_size: number(disk_size),
        source: source.unwrap_or_default(),
        status_code: number(status_code),
        headers: headers.and_then(|headers| read_headers(&headers)).unwrap_or_default(),
        eg_ids: eg_ids.unwrap_or_default(),
        last_bot_hit: number(last_bot_hit),
        index_status: number(index_status).filter(|status| (1..=4).contains(status)),
        title: title.unwrap_or_default(),
    }
}

/// The fields of a record with their values; those without one are left out.
pub(in crate::dialects::edgecomet) fn fields(key: PageKey, record: &Record) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("key", cache_key(key)),
        ("url", record.url.clone()),
        ("file_path", record.file_path.clone()),
        ("host_id", key.host.to_string()),
        ("dimension", record.dimension.clone()),
        ("request_id", record.request_id.clone()),
        ("source", record.source.clone()),
    ];
    let mut numbers = |name, value: Option<String>| fields.extend(value.map(|value| (name, value)));
    numbers("created_at", record.created_at.map(|at| at.to_string()));
    numbers("expires_at", record.expires_at.map(|at| at.to_string()));
    numbers("last_access", record.last_access.map(|at| at.to_string()));
    numbers("size", record.size.map(|bytes| bytes.to_string()));
    numbers("disk_size", record.disk_size.map(|bytes| bytes.to_string()));
    numbers("status_code", record.status_code.map(|status| status.to_string()));
    numbers("last_bot_hit", record.last_bot_hit.map(|at| at.to_string()));
    numbers("index_status", record.index_status.map(|status| status.to_string()));
    if !record.headers.is_empty() {
        fields.push(("headers", write_headers(&record.headers)));
    }
    if !record.eg_ids.is_empty() {
        fields.push(("eg_ids", record.eg_ids.clone()));
    }
    if !record.title.is_empty() {
        fields.push(("title", record.title.clone()));
    }
    fields
}

fn number<N: FromStr>(value: Option<String>) -> Option<N> {
    value?.trim().parse().ok()
}

/// `{"Content-Type":["text/html"]}`.
fn write_headers(headers: &[(String, Vec<String>)]) -> String {
    let mut json = Vec::new();
    let headers = headers.iter().map(|(name, values)| (name, values));
    serde_json::Serializer::new(&mut json).collect_map(headers).expect("lists of texts can be written");
    String::from_utf8(json).expect("JSON is text")
}

/// In the order they stand there.
fn read_headers(json: &str) -> Option<Vec<(String, Vec<String>)>> {
    struct Headers(Vec<(String, Vec<String>)>);

    impl<'de> Deserialize<'de> for Headers {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Object;

            impl<'de> Visitor<'de> for Object {
                type Value = Headers;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object of lists")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Headers, A::Error> {
                    let mut headers = Vec::new();
                    while let Some(header) = members.next_entry()? {
                        headers.push(header);
                    }
                    Ok(Headers(headers))
                }
            }

            deserializer.deserialize_map(Object)
        }
    }

    serde_json::from_str(json).ok().map(|Headers(headers)| headers)
}
