//! Which records of a host the endpoint `urls` lists.

use manifold_engine::recache::{DimensionId, PageKey, Record};

use super::{
    super::{asked::parameters::Parameters, error::Error, hosts::Host},
    item::Freshness,
};

#[cfg(test)]
mod tests;

/// Longest part of an address that can be looked for.
const CONTAINED_BYTES: usize = 200;

/// What a record must be. An empty list asks for nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    freshness: Vec<Freshness>,
    dimensions: Vec<DimensionId>,
    /// In lower case.
    contained: String,
    sizes: Bounds,
    ages: Bounds,
    status_codes: Vec<i64>,
    source: Option<String>,
    index_status: Vec<u8>,
}

/// Both inclusive; 0 is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bounds {
    least: u64,
    most: u64,
}

impl Filter {
    /// What the parameters say, checked in the contract's order.
    pub(super) fn of(parameters: &Parameters<'_>, host: &Host) -> Result<Self, Error> {
        let freshness = parameters.list("status").map(freshness).collect::<Result<_, _>>()?;
        let dimensions = parameters.list("dimension").map(|name| dimension(host, name)).collect::<Result<_, _>>()?;
        let contained = parameters.text("url_contains").unwrap_or_default();
        if contained.len() > CONTAINED_BYTES {
            return Err(Error::invalid(format!("url_contains must be at most {CONTAINED_BYTES} characters")));
        }
        let [sizes, ages] = bounds(parameters)?;
        let status_codes = parameters.list("status_code").map(status_code).collect::<Result<_, _>>()?;
        let source = parameters.text("source").map(source).transpose()?;
        let index_status = parameters.list("index_status").map(index_status).collect::<Result<_, _>>()?;
        let contained = contained.to_lowercase();
        Ok(Filter { freshness, dimensions, contained, sizes, ages, status_codes, source, index_status })
    }

    /// Whether a record is what was asked for.
    pub(super) fn fits(&self, key: PageKey, record: &Record, freshness: Freshness, cache_age: i64) -> bool {
        fits(&self.freshness, &freshness)
            && fits(&self.dimensions, &key.dimension)
            && fits(&self.status_codes, &record.status_code.map_or(0, i64::from))
            && fits(&self.index_status, &record.index_status.unwrap_or(0))
            && self.source.as_ref().is_none_or(|source| *source == record.source)
            && self.sizes.have(record.size.unwrap_or(0))
            && self.ages.have(u64::try_from(cache_age).unwrap_or(0))
            && (self.contained.is_empty() || record.url.to_lowercase().contains(&self.contained))
    }
}

fn fits<T: PartialEq>(wanted: &[T], found: &T) -> bool {
    wanted.is_empty() || wanted.contains(found)
}

impl Bounds {
    fn have(self, found: u64) -> bool {
        found >= self.least && (self.most == 0 || found <= self.most)
    }
}

fn freshness(name: &str) -> Result<Freshness, Error> {
    let known = [Freshness::Active, Freshness::Stale, Freshness::Expired];
    let named = known.into_iter().find(|freshness| freshness.as_str() == name);
    named.ok_or_else(|| Error::invalid(format!("invalid status filter: {name}")))
}

fn dimension(host: &Host, name: &str) -> Result<DimensionId, Error> {
    let named = host.named(name).map(|dimension| dimension.id);
    named.ok_or_else(|| Error::invalid(format!("dimension '{name}' not configured for host")))
}

/// Sizes and ages: each number by itself, then each pair.
fn bounds(parameters: &Parameters<'_>) -> Result<[Bounds; 2], Error> {
    let bound = |name: &str| {
        let number = parameters.integer(name)?.unwrap_or(0);
        u64::try_from(number).map_err(|_| Error::invalid(format!("{name} must be >= 0")))
    };
    let sizes = Bounds { least: bound("size_min")?, most: bound("size_max")? };
    let ages = Bounds { least: bound("cache_age_min")?, most: bound("cache_age_max")? };
    for (name, Bounds { least, most }) in [("size", sizes), ("cache_age", ages)] {
        if most > 0 && most < least {
            return Err(Error::invalid(format!("{name}_max must be >= {name}_min")));
        }
    }
    Ok([sizes, ages])
}

fn status_code(code: &str) -> Result<i64, Error> {
    code.parse().map_err(|_| Error::invalid(format!("invalid status_code filter: {code} (must be numeric)")))
}

fn source(name: &str) -> Result<String, Error> {
    match name {
        "render" | "bypass" => Ok(name.to_owned()),
        _ => Err(Error::invalid("source must be 'render' or 'bypass'")),
    }
}

fn index_status(text: &str) -> Result<u8, Error> {
    let status = text.parse().ok().filter(|status| (1..=4).contains(status));
    status.ok_or_else(|| Error::invalid(format!("invalid index_status filter: {text}")))
}
