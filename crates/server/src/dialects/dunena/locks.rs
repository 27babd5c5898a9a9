//! Locks that clients hold among each other, by owner and for a time.

use std::borrow::Cow;

use axum::body::Body;
use hyper::{Response, StatusCode};
use manifold_engine::documents::Lock;
use serde::Serialize;

use super::{
    answer,
    asked::{Asked, Text},
    check::{self, Broken},
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::{
    json::{self, RawValue},
    route::{Route, Verb},
};

#[cfg(test)]
mod tests;

/// Longest owner.
const OWNER_BYTES: usize = 1024;
/// How long a lock is held whose owner does not say, in milliseconds.
const DEFAULT_TTL_MS: u64 = 30_000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Acquire,
    Release,
    Extend,
    Get,
    Break,
    List,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route("/locks", &[(Verb::Get, Endpoint::Locks(Call::List))]),
    route("/locks/{key}", &[(Verb::Get, Endpoint::Locks(Call::Get)), (Verb::Delete, Endpoint::Locks(Call::Break))]),
    route("/locks/{key}/acquire", &[(Verb::Post, Endpoint::Locks(Call::Acquire))]),
    route("/locks/{key}/release", &[(Verb::Post, Endpoint::Locks(Call::Release))]),
    route("/locks/{key}/extend", &[(Verb::Post, Endpoint::Locks(Call::Extend))]),
];

/// A lock as clients see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    key: String,
    owner: String,
    acquired_at: u64,
    expires_at: u64,
    ttl: u64,
    token: u64,
}

impl From<Lock> for Shown {
    fn from(lock: Lock) -> Self {
        let Lock { key, owner, acquired_at, expires_at, ttl_ms, token } = lock;
        Shown { key, owner, acquired_at: acquired_at.0, expires_at: expires_at.0, ttl: ttl_ms, token }
    }
}

pub(super) async fn answer(call: Call, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Acquire => acquire(asked).await,
        Call::Release => release(asked).await,
        Call::Extend => extend(asked).await,
        Call::Get => get(asked).await,
        Call::Break => {
            let broken = asked.dunena.locks.break_lock(&name(asked)?).await?;
            Ok(answer::whether("forceReleased", broken))
        }
        Call::List => list(asked).await,
    }
}

#[derive(Serialize)]
struct Acquired {
    acquired: bool,
    lock: Shown,
}

async fn acquire(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    name(asked)?;
    let body = asked.body().await?;
    let body = if body.is_empty() { Text::of(b"{}") } else { body };
    let [owner, ttl] = body.members(&["owner", "ttl"])?;
    let (owner, ttl_ms) = (owner_member(owner)?, time(ttl, Some(DEFAULT_TTL_MS))?);
    match asked.dunena.locks.acquire(&name(asked)?, &owner, ttl_ms).await? {
        Some(lock) => Ok(answer::valued(StatusCode::CREATED, &Acquired { acquired: true, lock: lock.into() })),
        None => Ok(answer::json(StatusCode::CONFLICT, r#"{"acquired":false,"error":"Lock is already held"}"#)),
    }
}

async fn release(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    name(asked)?;
    let body = asked.body().await?;
    let [owner] = body.members(&["owner"])?;
    let owner = owner_member(owner)?;
    Ok(answer::whether("released", asked.dunena.locks.release(&name(asked)?, &owner).await?))
}

#[derive(Serialize)]
struct Extended {
    extended: bool,
    lock: Shown,
}

async fn extend(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    name(asked)?;
    let body = asked.body().await?;
    let [owner, ttl] = body.members(&["owner", "ttl"])?;
    let (owner, ttl_ms) = (owner_member(owner)?, time(ttl, None)?);
    match asked.dunena.locks.extend(&name(asked)?, &owner, ttl_ms).await? {
        Some(lock) => Ok(answer::value(&Extended { extended: true, lock: lock.into() })),
        None => {
            let refused = r#"{"extended":false,"error":"Lock not found or owner mismatch"}"#;
            Ok(answer::json(StatusCode::NOT_FOUND, refused))
        }
    }
}

#[derive(Serialize)]
struct Held {
    locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<Shown>,
}

async fn get(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let lock = asked.dunena.locks.get(&name(asked)?).await?.map(Shown::from);
    Ok(answer::value(&Held { locked: lock.is_some(), lock }))
}

#[derive(Serialize)]
struct Listed {
    locks: Vec<Shown>,
    count: usize,
}

async fn list(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let locks: Vec<_> = asked.dunena.locks.list().await?.into_iter().map(Shown::from).collect();
    Ok(answer::value(&Listed { count: locks.len(), locks }))
}

fn owner_member(member: Option<&RawValue>) -> Result<Cow<'_, str>, Broken> {
    let owner = check::string(member).filter(|owner| !owner.is_empty()).ok_or("owner is required")?;
    if owner.len() > OWNER_BYTES { Err("owner exceeds max length (1024)".into()) } else { Ok(owner) }
}

/// Milliseconds, at least one; where none are given, so many.
fn time(member: Option<&RawValue>, absent: Option<u64>) -> Result<u64, Broken> {
    json::given(member).map_or(absent, check::positive_member).ok_or_else(|| "ttl must be a positive number".into())
}

/// [KEY] of the path; one that is no text is no route.
fn name<'a>(asked: &'a Asked<'_>) -> Result<Cow<'a, str>, Error> {
    let name = asked.parameter(0)?;
    check::key(&name)?;
    Ok(name)
}
