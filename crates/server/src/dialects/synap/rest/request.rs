//! From a request to the payload of its command: the members of the body, then those of the query, then those of the
//! path. Of a member that comes twice the last one counts.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::call::{Body, Call, Renamed};
use crate::{
    dialects::synap::{envelope, error::Error, object::Object, payload::Member, routes::Endpoint},
    http::{
        json::{self, RawValue},
        path,
        query::Query,
        route::{Found, MAX_PARAMETERS},
    },
};

/// What the target of a request says.
#[derive(Debug)]
pub(in crate::dialects::synap) struct Target<'a> {
    path: SmallVec<[(&'static str, Cow<'a, str>); MAX_PARAMETERS]>,
    query: Query<'a>,
}

impl<'a> Target<'a> {
    /// Decodes the parameters of a route, called as its template calls them, and the query.
    pub(in crate::dialects::synap) fn read(found: &Found<'a, Endpoint>, query: Option<&'a str>) -> Result<Self, Error> {
        let names = found.route.template.split('{').skip(1).filter_map(|after| after.split('}').next());
        let path = names.zip(found.parameters).map(|(name, raw)| Ok((name, path::decode(raw)?)));
        let path = path.collect::<Result<_, Error>>()?;
        Ok(Target { path, query: self::query(query)? })
    }

    /// The parameter of the path that has this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.path.iter().find_map(|(found, value)| (*found == name).then_some(value.as_ref()))
    }

    /// The payload as JSON text.
    pub(super) fn payload(&self, call: &Call, body: Member<'_>) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(body.map_or(0, |body| body.get().len()) + 128);
        let mut object = of_body(&mut out, call, body)?;
        for name in call.texts {
            if let Some(text) = self.query.text(name) {
                object = object.text(name, text);
            }
        }
        for name in call.numbers {
            if let Some(text) = self.query.text(name) {
                object = number(object, name, text);
            }
        }
        for (name, value) in &self.path {
            object = match call.numbers.contains(name) {
                true => number(object, name, value),
                false => object.text(name, value),
            };
        }
        object.close();
        Ok(out)
    }
}

/// The parameters of a query, which must be readable even where nothing is asked of it.
pub(in crate::dialects::synap) fn query(raw: Option<&str>) -> Result<Query<'_>, Error> {
    Query::parse(raw).map_err(|_| Error::Request("Invalid query encoding".into()))
}

/// The JSON of a body; none where it does not matter, or where it is empty and may be.
pub(super) fn json_of(kind: Body, body: &[u8]) -> Result<Member<'_>, Error> {
    match kind {
        Body::Ignored => Ok(None),
        Body::Optional if body.trim_ascii().is_empty() => Ok(None),
        _ => envelope::document(body).map(Some),
    }
}

/// The members that the body brings.
fn of_body<'o>(out: &'o mut Vec<u8>, call: &Call, body: Member<'_>) -> Result<Object<'o>, Error> {
    let Some(raw) = body else { return Ok(Object::new(out)) };
    match (call.body, raw.get().as_bytes()[0]) {
        (_, b'{') => {
            check_containers(call.forms.unwrap_or_default(), raw)?;
            let object = Object::continuing(out, raw.get());
            match call.renamed {
                Some(renamed) => rename(object, call, renamed, raw),
                None => Ok(object),
            }
        }
        (Body::OrArray(member), b'[') => Ok(Object::new(out).raw(member, raw)),
        (Body::OrPairs(member), b'[') if is_one_pair(raw) => {
            Ok(Object::new(out).with(member, |out| json::write_array(out, [raw], write_raw)))
        }
        (Body::OrPairs(member), b'[') => Ok(Object::new(out).raw(member, raw)),
        _ => Err(Error::no_form()),
    }
}

/// Members that hold several things hold them in an object or an array.
fn check_containers(names: &[&str], raw: &RawValue) -> Result<(), Error> {
    for name in names {
        let [member] = json::members(raw.get(), &[name]).map_err(|_| Error::no_form())?;
        if json::given(member).is_some_and(|member| !member.get().starts_with(['{', '['])) {
            return Err(Error::no_form());
        }
    }
    Ok(())
}

fn rename<'o>(object: Object<'o>, call: &Call, renamed: Renamed, raw: &RawValue) -> Result<Object<'o>, Error> {
    let found = json::members(raw.get(), &renamed.from).map_err(|_| Error::no_form())?;
    match found.into_iter().flatten().next() {
        Some(value) => Ok(object.raw(renamed.to, value)),
        None if call.forms.is_some() => Err(Error::no_form()),
        None => Ok(object),
    }
}

/// Whether an array is a key and its value, and no array of such pairs.
fn is_one_pair(array: &RawValue) -> bool {
    array.get()[1..].trim_start().starts_with('"')
}

/// Adds a number; what is none goes on as a text, for the command to refuse.
fn number<'o>(object: Object<'o>, name: &str, text: &str) -> Object<'o> {
    // In a query a plus means a blank, which no number has: it was a plus that nobody encoded.
    let text = text.replace(' ', "+");
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    match serde_json::from_str::<&RawValue>(&text) {
        Ok(raw) if is_number && raw.get() == text => object.raw(name, raw),
        _ => object.text(name, &text),
    }
}

fn write_raw(out: &mut Vec<u8>, raw: &RawValue) {
    out.extend_from_slice(raw.get().as_bytes());
}
