//! Limits of requests that name a namespace, counted per client beside the limit of all requests.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use axum::body::Body;
use foldhash::quality::RandomState;
use hyper::{Response, StatusCode};
use manifold_engine::{
    Timestamp,
    documents::{RequestLimit, RequestLimits},
};
use parking_lot::Mutex;
use serde::Serialize;

use super::{
    answer,
    asked::Asked,
    check::{self, Broken},
    error::Error,
    routes::{Endpoint, route},
};
use crate::http::{
    json::{self, RawValue},
    route::{Route, Verb},
    windows::Windows,
};

#[cfg(test)]
mod tests;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Configure,
    List,
    Get,
    Remove,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route(
        "/rate-limits",
        &[(Verb::Get, Endpoint::RateLimits(Call::List)), (Verb::Post, Endpoint::RateLimits(Call::Configure))],
    ),
    route(
        "/rate-limits/{ns}",
        &[(Verb::Get, Endpoint::RateLimits(Call::Get)), (Verb::Delete, Endpoint::RateLimits(Call::Remove))],
    ),
];

/// The limits, and what was counted against them.
#[derive(Debug)]
pub(super) struct NamespaceLimits {
    limits: RequestLimits,
    counted: Mutex<HashMap<String, Counted, RandomState>>,
}

/// The windows of one namespace's clients, under the limit they were opened for.
#[derive(Debug, Clone)]
struct Counted {
    limit: RequestLimit,
    windows: Arc<Windows<IpAddr>>,
}

impl Counted {
    fn new(limit: RequestLimit) -> Self {
        Counted { limit, windows: Arc::new(Windows::new(Duration::from_millis(limit.window_ms))) }
    }
}

impl NamespaceLimits {
    pub(super) fn new(limits: RequestLimits) -> Self {
        NamespaceLimits { limits, counted: Mutex::default() }
    }

    /// Counts a request of a client for a namespace, if that has a limit.
    pub(super) fn admit(
        &self,
        namespace: &str,
        client: impl FnOnce() -> IpAddr,
        now: impl FnOnce() -> Timestamp,
    ) -> Result<(), Error> {
        let Some((limit, windows)) = self.windows(namespace) else { return Ok(()) };
        let count = windows.count(client(), limit.max_requests, now());
        if count.allowed {
            return Ok(());
        }
        Err(Error::NamespaceLimited { namespace: namespace.to_owned(), retry_after: count.retry_after })
    }

    /// The limit of a namespace, and the clients with an open window under it.
    fn active(&self, namespace: &str, now: Timestamp) -> Option<(RequestLimit, usize)> {
        self.windows(namespace).map(|(limit, windows)| (limit, windows.active(now)))
    }

    /// The limit of a namespace and the windows under it; those of a limit before are over.
    fn windows(&self, namespace: &str) -> Option<(RequestLimit, Arc<Windows<IpAddr>>)> {
        // Most namespaces have no limit, and need not wait for each other to find that out.
        self.limits.get(namespace)?;
        let mut counted = self.counted.lock();
        // Asked for with the lock, so that windows are not made for a limit that was just removed.
        let limit = self.limits.get(namespace)?;
        let windows = match counted.get_mut(namespace) {
            Some(counted) => {
                if counted.limit != limit {
                    *counted = Counted::new(limit);
                }
                counted.windows.clone()
            }
            None => counted.entry(namespace.to_owned()).or_insert_with(|| Counted::new(limit)).windows.clone(),
        };
        Some((limit, windows))
    }

    async fn set(&self, namespace: &str, limit: RequestLimit) -> Result<(), Error> {
        self.limits.set(namespace, limit).await?;
        Ok(())
    }

    async fn remove(&self, namespace: &str) -> Result<bool, Error> {
        let removed = self.limits.remove(namespace).await?;
        self.counted.lock().remove(namespace);
        Ok(removed)
    }
}

pub(super) async fn answer(call: Call, asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    match call {
        Call::Configure => configure(asked).await,
        Call::List => Ok(list(asked)),
        Call::Get => get(asked),
        Call::Remove => {
            let removed = asked.dunena.namespace_limits.remove(&asked.parameter(0)?).await?;
            Ok(answer::whether("removed", removed))
        }
    }
}

async fn configure(asked: &mut Asked<'_>) -> Result<Response<Body>, Error> {
    let body = asked.body().await?;
    let [namespace, max_requests, window_ms] = body.members(&["namespace", "maxRequests", "windowMs"])?;
    let namespace = check::string(namespace).filter(|name| !name.is_empty());
    let namespace = namespace.ok_or(Error::invalid("namespace is required"))?;
    let max_requests = positive(max_requests, "maxRequests must be a positive number")?;
    let window_ms = positive(window_ms, "windowMs must be a positive number")?;
    check::namespace(&namespace)?;
    asked.dunena.namespace_limits.set(&namespace, RequestLimit { max_requests, window_ms }).await?;

    let mut body = br#"{"configured":true,"namespace":"#.to_vec();
    json::write_str(&mut body, &namespace);
    body.push(b'}');
    Ok(answer::json(StatusCode::CREATED, body))
}

fn positive(member: Option<&RawValue>, broken: &'static str) -> Result<u64, Broken> {
    member.and_then(check::positive_member).ok_or_else(|| broken.into())
}

/// A limit as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    namespace: String,
    max_requests: u64,
    window_ms: u64,
}

impl Shown {
    fn new(namespace: String, limit: RequestLimit) -> Self {
        let RequestLimit { max_requests, window_ms } = limit;
        Shown { namespace, max_requests, window_ms }
    }
}

#[derive(Serialize)]
struct Listed {
    limits: Vec<Shown>,
}

fn list(asked: &Asked<'_>) -> Response<Body> {
    let limits = asked.dunena.namespace_limits.limits.list();
    let limits = limits.into_iter().map(|(namespace, limit)| Shown::new(namespace, limit));
    answer::value(&Listed { limits: limits.collect() })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    active_clients: usize,
    config: Shown,
}

fn get(asked: &Asked<'_>) -> Result<Response<Body>, Error> {
    let namespace = asked.parameter(0)?;
    let found = asked.dunena.namespace_limits.active(&namespace, asked.dunena.engine.now());
    let (limit, active_clients) = found.ok_or(Error::Absent("No rate limit configured for this namespace"))?;
    Ok(answer::value(&Figures { active_clients, config: Shown::new(namespace.into_owned(), limit) }))
}
