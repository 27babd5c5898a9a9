//! Members of queues as other programs write them: any JSON object with an address.

use std::fmt;

use manifold_engine::recache::{DimensionId, Entry};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

#[cfg(test)]
mod tests;

/// Longer members are none: no address in normal form comes near.
const MOST_BYTES: usize = 256 << 10;

/// The entry that a member stands for; none when it is no JSON object with an address.
pub(in crate::dialects::edgecomet) fn read(member: &[u8]) -> Option<Entry> {
    if member.len() > MOST_BYTES {
        return None;
    }
    let Member { url, dimension_id } = serde_json::from_slice(member).ok()?;
    let url = url.filter(|url| !url.is_empty())?;
    Some(Entry { url: url.into(), dimension: DimensionId(dimension_id.unwrap_or(0)) })
}

/// Names fit in any case of letters, the last of equal ones counts, and what else is there does not matter.
struct Member {
    url: Option<String>,
    dimension_id: Option<u64>,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Member, A::Error> {
                let mut read = Member { url: None, dimension_id: None };
                while let Some(name) = members.next_key::<String>()? {
                    if name.eq_ignore_ascii_case("url") {
                        read.url = members.next_value()?;
                    } else if name.eq_ignore_ascii_case("dimension_id") {
                        read.dimension_id = members.next_value()?;
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(read)
            }
        }

        deserializer.deserialize_map(Object)
    }
}
