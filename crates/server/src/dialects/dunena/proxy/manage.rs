//! Connectors come and go; results of all of them are invalidated.

use axum::body::Body;
use hyper::{Response, StatusCode};

use super::{
    super::{answer, asked::Asked, check, error::Error},
    Failure,
    connector::Unusable,
    registration,
    registry::Refused,
};
use crate::http::json::{self, Malformed};

pub(super) async fn connectors(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let connectors = asked.dunena.proxy()?.registry.list().await?;
    let mut body = br#"{"connectors":"#.to_vec();
    json::write_array(&mut body, connectors, |out, connector| {
        out.extend_from_slice(br#"{"name":"#);
        json::write_str(out, &connector.name);
        out.extend_from_slice(br#","type":"#);
        json::write_str(out, connector.kind.as_str());
        out.extend_from_slice(br#","readOnly":"#);
        out.extend_from_slice(if connector.read_only { b"true}" } else { b"false}" });
    });
    body.push(b'}');
    Ok(answer::ok(body))
}

pub(super) async fn register(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let row = registration::read(body.members(&registration::MEMBERS)?)?;
    let (name, kind) = (row.name.clone(), row.kind.clone());
    let registry = asked.dunena.proxy()?.registry.clone();
    // In a task of its own: a client that goes away in the middle must not leave a row without its connector.
    let registering = tokio::spawn(async move { registry.register(row).await });
    match registering.await.map_err(|_| Error::Internal)? {
        Ok(()) => {
            let mut body = br#"{"registered":true,"name":"#.to_vec();
            json::write_str(&mut body, &name);
            body.push(b'}');
            Ok(answer::json(StatusCode::CREATED, body))
        }
        Err(Refused::Unusable(Unusable::Kind | Unusable::ConnectionString)) => {
            Err(Error::invalid(format!("connectionString is not valid for type \"{kind}\"")))
        }
        Err(Refused::Taken) => Err(Error::Conflict(format!("Connector \"{name}\" is already registered").into())),
        Err(Refused::Full) => Err(Error::Conflict("Too many connectors".into())),
        Err(Refused::Engine(error)) => Err(error.into()),
    }
}

pub(super) async fn unregister(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [name] = body.members(&["name"])?;
    let name = check::string(name).filter(|name| !name.is_empty()).ok_or(Error::invalid("name is required"))?;
    let (name, registry) = (name.into_owned(), asked.dunena.proxy()?.registry.clone());
    let unregistering = tokio::spawn(async move { registry.unregister(&name).await });
    let unregistered = unregistering.await.map_err(|_| Error::Internal)??;
    Ok(answer::whether("unregistered", unregistered))
}

pub(super) async fn invalidate(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [tags] = body.members(&["tags"])?;
    let required = || Error::invalid("tags (non-empty array) is required");
    let tags = json::given(tags).ok_or_else(required)?;
    match json::elements(tags.get(), 0) {
        Ok(elements) if elements.total > 0 => {}
        Ok(_) | Err(Malformed::Syntax | Malformed::OtherType) => return Err(required()),
    }
    let tags = check::tags(Some(tags))?.unwrap_or_default();
    let proxy = asked.dunena.proxy()?;
    proxy.forget(&tags, None);
    Ok(answer::count("invalidated", proxy.cache.invalidate(&tags, None).await?))
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Upstream(failure.to_string())
    }
}
