//! Deletion of points: the source of a query, without stages, says which. Without a range it is all of them.

use super::{
    asked::{self, Asked, MEMBERS},
    floql,
};
use crate::{
    dialects::flo::{Reply, call::Call, error::Error, names},
    http::{json, reply},
    net::Incoming,
};

/// POST /delete.
pub(in crate::dialects::flo) async fn post(call: Call<'_>, incoming: Incoming) -> Reply {
    let namespace = names::namespace(&call)?;
    call.query()?;
    let body = call.body(incoming).await?;
    let [query, members @ ..] = body.members(&MEMBERS)?;
    let text = asked::query(query)?;
    let script = asked::script(&text, floql::parse_source).await?;
    let Asked { frame, limit } = Asked::in_members(call.engine(), members)?;
    if limit.is_some() {
        return Err(Error::invalid("limit has no meaning for a deletion"));
    }
    let delete = script.deletion(&frame)?;
    let nothing = delete.range.is_some_and(|(first, last)| first > last);
    let deleted = if nothing { 0 } else { call.engine().delete_points(&namespace, delete).await? };
    let mut out = b"{\"deleted\":".to_vec();
    json::write_u64(&mut out, deleted);
    out.push(b'}');
    Ok(reply::json(out))
}
