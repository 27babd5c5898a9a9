//! Namespaces, keys, queues and streams as paths spell them.

use std::borrow::Cow;

use bytes::Bytes;
use manifold_engine::{Actor, Key, Name, NameError, Namespace, queue::QueueName};

use super::{call::Call, error::Error};
use crate::http::path;

/// Who writes through this dialect, as the change feed says it.
pub(super) const ACTOR: Actor = Actor::fixed("flo");
/// The namespace that other dialects share their queues and streams in.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

/// The namespace of a route that has nothing behind it.
pub(super) fn namespace(call: &Call<'_>) -> Result<Namespace, Error> {
    of_namespace(path::decode(call.parameters[0])?)
}

/// A namespace that is not part of a path.
pub(super) fn namespace_named(text: &str) -> Result<Namespace, Error> {
    of_namespace(Cow::Borrowed(text))
}

/// The namespace and the key of a route. Both are decoded before either is judged.
pub(super) fn key(call: &Call<'_>) -> Result<(Namespace, Key), Error> {
    named(call, Key::new, "Key must be 1 to 4096 bytes without NUL")
}

/// The namespace and the queue of a route.
pub(super) fn queue(call: &Call<'_>) -> Result<(Namespace, QueueName), Error> {
    let (namespace, queue) = named(call, QueueName::new, "Queue name must be 1 to 255 bytes without NUL")?;
    // Such a name is the view of another queue's dead letters there; a queue of its own could never be told from it.
    if namespace.as_bytes() == DEFAULT_NAMESPACE.as_bytes() && queue.as_bytes().ends_with(b".dlq") {
        return Err(Error::invalid("Queue names ending in .dlq are reserved"));
    }
    Ok((namespace, queue))
}

/// The namespace and the stream of a route.
pub(super) fn stream(call: &Call<'_>) -> Result<(Namespace, Name), Error> {
    named(call, Name::new, "Stream name must be 1 to 255 bytes without NUL")
}

/// The namespace, the stream and the group of a route.
pub(super) fn group(call: &Call<'_>) -> Result<(Namespace, Name, Name), Error> {
    let group = path::decode(call.parameters[2])?;
    let (namespace, stream) = stream(call)?;
    let rule = "Group name must be 1 to 255 bytes without NUL";
    Ok((namespace, stream, Name::new(bytes(group)).map_err(|_| Error::invalid(rule))?))
}

/// The bytes of a text that may already be our own.
pub(super) fn bytes(text: Cow<'_, str>) -> Bytes {
    match text {
        Cow::Borrowed(text) => Bytes::copy_from_slice(text.as_bytes()),
        Cow::Owned(text) => Bytes::from(text),
    }
}

fn named<T>(
    call: &Call<'_>,
    check: impl FnOnce(Bytes) -> Result<T, NameError>,
    rule: &'static str,
) -> Result<(Namespace, T), Error> {
    let [namespace, name, _] = call.parameters;
    let (namespace, name) = (path::decode(namespace)?, path::decode(name)?);
    let namespace = of_namespace(namespace)?;
    Ok((namespace, check(bytes(name)).map_err(|_| Error::invalid(rule))?))
}

fn of_namespace(text: Cow<'_, str>) -> Result<Namespace, Error> {
    Namespace::new(bytes(text)).map_err(|_| Error::invalid("Namespace must be 1 to 1024 bytes without NUL"))
}
