//! What a body is about: a host and some of its dimensions.

use std::sync::Arc;

use manifold_engine::recache::{DimensionId, HostId};

use super::{
    super::{
        error::Error,
        hosts::{Host, Hosts},
    },
    fields::List,
};

/// Longest list of dimensions.
const DIMENSIONS_LISTED: usize = 1000;

/// The dimensions that a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Dimensions {
    /// As many as were listed, repeated ones too.
    pub(in super::super) count: usize,
    /// Each once.
    pub(in super::super) ids: Vec<DimensionId>,
}

/// Refuses a body without a host.
pub(in super::super) fn require_host(host_id: i64) -> Result<(), Error> {
    if host_id == 0 { Err(Error::invalid("host_id is required")) } else { Ok(()) }
}

/// The host of a body.
pub(in super::super) fn host(hosts: &Hosts, host_id: i64) -> Result<Arc<Host>, Error> {
    let found = u64::try_from(host_id).ok().and_then(|id| hosts.get(HostId(id)));
    found.cloned().ok_or_else(|| Error::invalid(format!("host_id {host_id} not found")))
}

/// The dimensions of a host that a body lists; without a list all that pages may be asked for in.
pub(in super::super) fn dimensions(host: &Host, listed: List<'_>) -> Result<Dimensions, Error> {
    if listed.is_empty() {
        let ids: Vec<_> = host.dimension_set().map(|dimension| dimension.id).collect();
        return Ok(Dimensions { count: ids.len(), ids });
    }
    if listed.len() > DIMENSIONS_LISTED {
        return Err(Error::invalid(format!("dimension_ids array cannot exceed {DIMENSIONS_LISTED} entries")));
    }
    let mut ids = listed.integers().map(|id| dimension(host, id)).collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(Dimensions { count: listed.len(), ids })
}

/// The dimensions whose records a body selects: without a list those of every dimension, known or not. With how many
/// that are, as `dimensions` counts them.
pub(in super::super) fn selected(host: &Host, listed: List<'_>) -> Result<(Option<Vec<DimensionId>>, usize), Error> {
    let Dimensions { count, ids } = dimensions(host, listed)?;
    Ok(((!listed.is_empty()).then_some(ids), count))
}

/// The dimension of a host that has this id, unless it blocks.
pub(in super::super) fn dimension(host: &Host, id: i64) -> Result<DimensionId, Error> {
    let found = u64::try_from(id).ok().and_then(|id| host.servable(DimensionId(id)));
    found.map(|dimension| dimension.id).ok_or_else(|| {
        let domain = host.primary_domain();
        Error::invalid(format!("dimension_id {id} not configured for host '{domain}'"))
    })
}
