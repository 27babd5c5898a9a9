//! Which namespace a request means. Verbs about one take the default one when there is no name; those about all of them
//! can tell an empty name from none.

use std::borrow::Cow;

use manifold_engine::documents::{Reserved, Space, Within};

use super::super::{asked::Asked, error::Error};
use crate::http::json::{self, RawValue};

/// [NS] of a request about one namespace.
pub(super) fn of(asked: &Asked<'_>, member: Option<&RawValue>) -> Result<Space, Error> {
    named(asked.namespace(member)?)
}

/// [NS] of a request about all of them, unless it names one: the default one by an empty name, which in a body counts
/// when the query has a name that is empty too.
pub(super) fn within(asked: &Asked<'_>, member: Option<&RawValue>) -> Result<Within, Error> {
    let name = asked.namespace(member)?;
    let given = !name.is_empty() || json::given(member).is_some() || asked.query("ns").is_some();
    let space = named(name)?;
    Ok(if given { Within::Space(space) } else { Within::All })
}

fn named(name: Cow<'_, str>) -> Result<Space, Error> {
    Space::new(name).map_err(|Reserved| Error::invalid("Namespace is reserved"))
}
