//! Rendering: what a page looks like when its scripts have run.

use hyper::header::{CONTENT_TYPE, HeaderValue};
use tokio::time::Instant;
use url::Url;

use super::{
    fetched::{Failure, Fetched},
    plan::Plan,
};
use crate::{
    dialects::edgecomet::config::{Config, Refused, WorkerMode},
    outbound::{
        Guard,
        chromium::{self, Bounds, Chromium, Failed, Visit},
    },
};

/// Pages after which the browser is replaced by a fresh one.
const PAGES_PER_PROCESS: u32 = 500;
/// What a page may load besides itself, in longest bodies.
const LOADED_BODIES: u64 = 8;
/// Connections of one page; a browser makes no more through a proxy.
const CONNECTIONS: usize = 32;

/// Renders pages that were fetched.
#[derive(Debug)]
pub(super) struct Renderer(Chromium);

impl Renderer {
    /// One within the bounds of the configuration, where pages are to be rendered; without a browser nothing starts. It
    /// connects to what `guard` lets pass.
    pub(super) fn new(config: &Config, guard: Guard) -> Result<Option<Renderer>, Refused> {
        let worker = &config.worker;
        if !worker.render && worker.mode != WorkerMode::Chrome {
            return Ok(None);
        }
        let program = chromium::find(&worker.chromium).map_err(Refused::Value)?;
        let bounds = Bounds {
            tabs: worker.concurrency,
            pages_per_process: PAGES_PER_PROCESS,
            document_bytes: usize::try_from(worker.max_body).unwrap_or(usize::MAX),
            page_bytes: worker.max_body.saturating_mul(LOADED_BODIES),
            page_connections: CONNECTIONS,
            connect: worker.connect_timeout.0,
        };
        tracing::info!(program = %program.display(), "edgecomet: pages are rendered");
        Ok(Some(Renderer(Chromium::new(program, guard, bounds))))
    }

    /// The page that was found at an address, as it is when its scripts have run and its network is quiet.
    pub(super) async fn render(
        &self,
        page: Fetched,
        found_at: &str,
        plan: &Plan,
        until: Instant,
    ) -> Result<Fetched, Failure> {
        let url = Url::parse(found_at).map_err(|_| Failure::Permanent("failed to parse recache URL".to_owned()))?;
        let Fetched { status, mut headers, body } = page;
        let (width, height) = plan.viewport;
        let user_agent = plan.user_agent.clone();
        let visit = Visit { url, status, headers: headers.clone(), body, user_agent, width, height };
        let body = self.0.render(&visit, until).await.map_err(|failed| Failure::from(&failed))?;
        headers.insert(CONTENT_TYPE, in_utf_8(visit.headers.get(CONTENT_TYPE)));
        Ok(Fetched { status, headers, body })
    }

    /// Ends the browser.
    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

/// The type of a document that was written anew, whatever it was encoded in before.
fn in_utf_8(given: Option<&HeaderValue>) -> HeaderValue {
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = given.split(';').next().unwrap_or_default().trim();
    let rewritten = HeaderValue::try_from(format!("{media}; charset=utf-8"));
    rewritten.ok().filter(|_| !media.is_empty()).unwrap_or(HeaderValue::from_static("text/html; charset=utf-8"))
}

impl From<&Failed> for Failure {
    fn from(failed: &Failed) -> Self {
        match failed {
            Failed::TooLarge => Failure::too_large(),
            Failed::TimedOut | Failed::Crashed(_) | Failed::Refused(_) | Failed::NotStarted(_) => {
                Failure::Temporary(failed.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests;
