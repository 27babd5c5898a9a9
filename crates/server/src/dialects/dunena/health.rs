//! GET `/health` and the probes below it: for whoever asks whether this server is well, with a token or without.

use std::time::Duration;

use axum::body::Body;
use hyper::{Response, StatusCode};
use manifold_engine::{Timestamp, documents::Documents};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::{
    Dunena, answer,
    asked::Asked,
    routes::{Endpoint, route},
};
use crate::{
    http::{
        json::Number,
        route::{Route, Verb},
    },
    telemetry::resident_bytes,
};

#[cfg(test)]
mod tests;

/// A database that takes longer to answer is as good as gone.
pub(super) const DATABASE_PATIENCE: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// How all parts are.
    Parts,
    /// Whether the process answers.
    Live,
    /// Whether requests can be sent here.
    Ready,
}

pub(super) static ROUTES: &[Route<Endpoint>] = &[
    route("/health", &[(Verb::Get, Endpoint::Health(Call::Parts))]),
    route("/health/live", &[(Verb::Get, Endpoint::Health(Call::Live))]),
    route("/health/ready", &[(Verb::Get, Endpoint::Health(Call::Ready))]),
];

pub(super) async fn answer(call: Call, asked: &Asked<'_>) -> Response<Body> {
    match call {
        Call::Parts => answer::value(&Health::of(asked.dunena).await),
        Call::Live => answer::said(r#"{"status":"alive"}"#),
        Call::Ready => ready(asked.dunena).await,
    }
}

async fn ready(dunena: &Dunena) -> Response<Body> {
    let reason = if dunena.is_starting() {
        "Server starting"
    } else if database(dunena.documents.as_ref(), &dunena.checked).await.status == Status::Down {
        "SQLite unavailable"
    } else {
        return answer::said(r#"{"status":"ready"}"#);
    };
    answer::valued(StatusCode::SERVICE_UNAVAILABLE, &NotReady { status: "not_ready", reason })
}

#[derive(Serialize)]
struct NotReady {
    status: &'static str,
    reason: &'static str,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    uptime: Number,
    version: &'static str,
    timestamp: String,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    core: Check,
    sqlite: Check,
    memory: Memory,
    cache: CacheCheck,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Up,
    Down,
    Disabled,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<Number>,
}

#[derive(Serialize)]
struct Memory {
    status: Status,
    #[serde(rename = "rssMB")]
    resident_mb: Number,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CacheCheck {
    status: Status,
    entries: u64,
    max_entries: u64,
    hit_rate: Number,
    memory_bytes: u64,
}

impl Health {
    async fn of(dunena: &Dunena) -> Self {
        let began = Instant::now();
        let cache = dunena.cache.stats();
        let core = Check { status: Status::Up, latency_ms: Some(millis_since(began)) };
        let sqlite = database(dunena.documents.as_ref(), &dunena.checked).await;
        let status = match sqlite.status {
            _ if dunena.is_starting() => "starting",
            Status::Down => "degraded",
            Status::Up | Status::Disabled => "ok",
        };
        Health {
            status,
            uptime: Number::rounded(dunena.began.elapsed().as_secs_f64(), 2),
            version: env!("CARGO_PKG_VERSION"),
            timestamp: iso_8601(dunena.engine.now()),
            checks: Checks {
                core,
                sqlite,
                memory: Memory {
                    status: Status::Up,
                    resident_mb: Number::rounded(resident_bytes().unwrap_or(0) as f64 / f64::from(1 << 20), 2),
                },
                cache: CacheCheck {
                    status: Status::Up,
                    entries: cache.entries,
                    max_entries: cache.max_entries,
                    hit_rate: Number::rounded(cache.hit_rate(), 4),
                    memory_bytes: cache.bytes,
                },
            },
        }
    }
}

/// The last check of the database, and when it began. There is one at a time, and whoever asked before it began shares
/// it: probes need no token, and each check takes a connection that others wait for.
#[derive(Debug, Default)]
pub(super) struct Checked(tokio::sync::Mutex<Option<(Instant, Check)>>);

/// Asks the database for something that is in its file.
async fn database(documents: Option<&Documents>, checked: &Checked) -> Check {
    let Some(documents) = documents else { return Check { status: Status::Disabled, latency_ms: None } };
    let asked = Instant::now();
    let mut last = checked.0.lock().await;
    if let Some((began, check)) = &*last
        && *began >= asked
    {
        return *check;
    }
    let began = Instant::now();
    let check = look(documents).await;
    if let Err(why) = &check
        && !matches!(&*last, Some((_, Check { status: Status::Down, .. })))
    {
        tracing::warn!(why, "the database does not answer its check");
    }
    let check = check.unwrap_or(Check { status: Status::Down, latency_ms: None });
    *last = Some((began, check));
    check
}

async fn look(documents: &Documents) -> Result<Check, String> {
    let began = Instant::now();
    match timeout(DATABASE_PATIENCE, documents.check()).await {
        Ok(Ok(())) => Ok(Check { status: Status::Up, latency_ms: Some(millis_since(began)) }),
        Ok(Err(error)) => Err(error.to_string()),
        Err(elapsed) => Err(elapsed.to_string()),
    }
}

/// With milliseconds, in UTC. The clock is never beyond what the format can say.
fn iso_8601(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let instant = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    format!("{instant:.3}")
}

fn millis_since(began: Instant) -> Number {
    Number::rounded(began.elapsed().as_secs_f64() * 1000.0, 3)
}
