//! What answers on the control socket.

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use axum::body::Body;
use hyper::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, HeaderValue},
};
use manifold_engine::{Engine, State, backup::Beside};
use serde::Serialize;
use tokio::sync::watch;

use super::{Refusal, SOCKET, backup::Backups, transfer};
use crate::{
    http::{
        reply,
        route::{self, Route, Verb},
    },
    net::{self, Incoming, LocalListener, Options, Service},
};

/// Verbs that run at one time, and some who only look.
const CONNECTIONS: usize = 16;

/// Everything that can be asked.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Health,
    Ready,
    Backup,
    Export,
    Progress,
    Import,
}

const ROUTES: &[Route<Operation>] = &[
    Route { template: "/health", rest: false, operations: &[(Verb::Get, Operation::Health)] },
    Route { template: "/ready", rest: false, operations: &[(Verb::Get, Operation::Ready)] },
    Route { template: "/backup", rest: false, operations: &[(Verb::Get, Operation::Backup)] },
    Route { template: "/export", rest: false, operations: &[(Verb::Get, Operation::Export)] },
    Route {
        template: "/import",
        rest: false,
        operations: &[(Verb::Get, Operation::Progress), (Verb::Post, Operation::Import)],
    },
];

/// The service of the control socket.
#[derive(Debug)]
pub struct Control {
    engine: Engine,
    backups: Backups,
    importing: tokio::sync::Mutex<()>,
}

/// The body of `/health` and `/ready`.
#[derive(Serialize)]
struct Health {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    pid: u32,
    version: &'static str,
}

/// Listens in the data directory as soon as it is the engine's, and until `shutdown` turns true. A directory where no
/// socket can be made is served all the same, without this.
///
/// `beside` is what goes into a backup beside the log.
pub async fn serve(
    engine: Engine,
    data_dir: PathBuf,
    beside: Vec<Arc<dyn Beside>>,
    mut shutdown: watch::Receiver<bool>,
) {
    let claimed = tokio::select! {
        claimed = engine.claimed() => claimed.is_ok(),
        _ = shutdown.wait_for(|down| *down) => false,
    };
    let options = Options { connections: CONNECTIONS, ..Options::default() };
    let bound = claimed.then(|| LocalListener::bind("control", &data_dir.join(SOCKET), options));
    match bound {
        Some(Ok(listener)) => {
            let control = Control { engine, backups: Backups::new(beside), importing: tokio::sync::Mutex::default() };
            listener.serve(Arc::new(control), shutdown).await;
        }
        Some(Err(error)) => {
            tracing::warn!(%error, "no control socket: verbs of the command line cannot reach this process");
            drop(shutdown.wait_for(|down| *down).await);
        }
        // Whoever waits for the engine ends the process.
        None => drop(shutdown.wait_for(|down| *down).await),
    }
}

impl Service for Control {
    async fn call(self: Arc<Self>, request: Request<Incoming>, _: IpAddr) -> Response<Body> {
        let Some(found) = route::find(ROUTES, request.uri().path()) else {
            return Refusal::new(StatusCode::NOT_FOUND, "there is no such operation").into_response();
        };
        let Some(operation) = found.route.operation(request.method()) else {
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "there is no such operation");
            let mut response = refusal.into_response();
            if let Ok(allow) = HeaderValue::from_str(&found.route.allow()) {
                response.headers_mut().insert(ALLOW, allow);
            }
            return response;
        };
        let answer = match operation {
            Operation::Health => Ok(self.health()),
            Operation::Ready => self.ready().await,
            Operation::Backup if request.method() == Method::HEAD => {
                Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "a backup is only made to be read"))
            }
            Operation::Backup => self.backups.make(&self.engine).await,
            Operation::Export => transfer::export(&self.engine, &request),
            Operation::Progress => transfer::progress(&self.engine, &request),
            Operation::Import => {
                // One at a time: two would take turns at being the one that goes on.
                let _turn = self.importing.lock().await;
                Box::pin(transfer::import(&self.engine, request)).await
            }
        };
        answer.unwrap_or_else(Refusal::into_response)
    }

    fn refuse(&self, refusal: net::Refusal) -> Response<Body> {
        let (status, sentence) = match refusal {
            net::Refusal::TargetTooLong => (StatusCode::URI_TOO_LONG, "the request target is too long"),
            net::Refusal::BadHost => (StatusCode::BAD_REQUEST, "the host is not valid"),
            net::Refusal::ForeignHost => (StatusCode::MISDIRECTED_REQUEST, "the host is not served here"),
            net::Refusal::AmbiguousLength => (StatusCode::BAD_REQUEST, "the body has two lengths"),
            net::Refusal::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "too many verbs run at one time"),
            net::Refusal::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "a defect of this program"),
        };
        Refusal::new(status, sentence).into_response()
    }
}

impl Control {
    fn health(&self) -> Response<Body> {
        let (state, reason) = match self.engine.state() {
            State::Starting => ("starting", None),
            State::Ready => ("ready", None),
            State::DiskFull => ("disk_full", None),
            State::Failed(reason) => ("failed", Some(reason)),
            State::Stopping => ("stopping", None),
        };
        let health = Health { state, reason, pid: std::process::id(), version: env!("CARGO_PKG_VERSION") };
        reply::json(serde_json::to_vec(&health).expect("names and numbers are always JSON"))
    }

    /// The same when the log is replayed.
    async fn ready(&self) -> Result<Response<Body>, Refusal> {
        match self.engine.recovered().await {
            Ok(()) => Ok(self.health()),
            Err(error) => Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error)),
        }
    }
}
