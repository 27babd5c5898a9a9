//! What one request asks for: parameters, query, body, namespace.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Duration};

use hyper::http::request::Parts;
use url::form_urlencoded;

use super::{Dunena, check, client, error::Error};
use crate::{
    http::{
        body::{self, BodyTime},
        json::{self, RawValue},
        lossy, path,
        route::MAX_PARAMETERS,
    },
    net::Incoming,
};

/// Longest body, in bytes.
pub(super) const BODY_BYTES: usize = 5 << 20;
/// Time for all of a body.
const BODY_TIME: BodyTime = BodyTime::Whole(Duration::from_secs(60));
/// Deepest nesting of a body.
const NESTING: usize = 128;

/// A request whose route is known.
pub(super) struct Asked<'r> {
    pub(super) dunena: &'r Arc<Dunena>,
    pub(super) parts: &'r mut Parts,
    /// Raw texts of the path's parameters.
    pub(super) parameters: [&'r str; MAX_PARAMETERS],
    pub(super) peer: IpAddr,
    /// Taken when it is read.
    pub(super) incoming: Option<Incoming>,
}

impl Asked<'_> {
    /// [KEY] of the path's first parameter.
    pub(super) fn key(&self) -> Result<Cow<'_, str>, Error> {
        let key = path::decode(self.parameters[0]).map_err(|_| Error::invalid("Key contains invalid characters"))?;
        check::key(&key)?;
        Ok(key)
    }

    /// A parameter of the path that is no key of an entry.
    pub(super) fn parameter(&self, at: usize) -> Result<Cow<'_, str>, Error> {
        path::decode(self.parameters[at]).map_err(|_| Error::NoRoute)
    }

    /// The first parameter of this name in the query. What is no text in it is U+FFFD.
    pub(super) fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        parameter(self.parts, name)
    }

    /// The same, unless it is empty.
    pub(super) fn given(&self, name: &str) -> Option<Cow<'_, str>> {
        self.query(name).filter(|value| !value.is_empty())
    }

    /// The namespace: of the query, else of the body's member; empty for the default one.
    /// This request counts against its limit, if it has one.
    pub(super) fn namespace<'a>(&'a self, member: Option<&'a RawValue>) -> Result<Cow<'a, str>, Error> {
        let name = self.named(member)?;
        self.count_for(&name)?;
        Ok(name)
    }

    /// The namespaces of several members. However often one of them is named, this is one request for it.
    pub(super) fn namespaces<'a>(
        &'a self,
        members: impl IntoIterator<Item = Option<&'a RawValue>>,
    ) -> Result<Vec<Cow<'a, str>>, Error> {
        let names = members.into_iter().map(|member| self.named(member)).collect::<Result<Vec<_>, _>>()?;
        let mut distinct: Vec<&str> = names.iter().map(Cow::as_ref).collect();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.into_iter().try_for_each(|name| self.count_for(name))?;
        Ok(names)
    }

    fn named<'a>(&'a self, member: Option<&'a RawValue>) -> Result<Cow<'a, str>, Error> {
        match self.given("ns") {
            Some(name) => {
                check::namespace(&name)?;
                Ok(name)
            }
            None => Ok(check::namespace_member(member)?),
        }
    }

    fn count_for(&self, namespace: &str) -> Result<(), Error> {
        let dunena = self.dunena;
        dunena.namespace_limits.admit(namespace, || self.client(), || dunena.engine.now())
    }

    /// The address that limits count by.
    pub(super) fn client(&self) -> IpAddr {
        client::address(self.peer, &self.parts.headers, &self.dunena.trusted)
    }

    /// The body, whatever is in it.
    pub(super) async fn body(&mut self) -> Result<Text, Error> {
        let Some(incoming) = self.incoming.take() else { return Ok(Text::default()) };
        Ok(Text::of(&body::collect(incoming, BODY_BYTES, BODY_TIME).await?))
    }
}

/// The first parameter of this name in the query. What is no text in it is U+FFFD.
pub(super) fn parameter<'p>(parts: &'p Parts, name: &str) -> Option<Cow<'p, str>> {
    let query = parts.uri.query()?;
    form_urlencoded::parse(query.as_bytes()).find_map(|(found, value)| (found == name).then_some(value))
}

/// The text of a body.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Of the bytes that came.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Text(lossy::text(bytes).into_owned())
    }

    /// Whether nothing came.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members of the object that it is; [JSON] when it is none.
    pub(super) fn members<const N: usize>(&self, names: &[&str; N]) -> Result<[Option<&RawValue>; N], Error> {
        let members = json::members(&self.0, names).map_err(|_| Error::NOT_JSON)?;
        if json::nested_deeper_than(NESTING, &self.0) { Err(Error::NOT_JSON) } else { Ok(members) }
    }
}
