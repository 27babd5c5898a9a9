//! The built-in worker: fetches pages, or renders them, and stores them.

use std::time::Duration;

use bytes::Bytes;
use manifold_engine::{
    Clock,
    recache::{PageKey, Record},
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

pub(super) mod charset;
mod fetch;
mod fetched;
pub(super) mod html;
mod plan;
mod render;
mod store;
mod target;

use super::{
    config::{Config, Refused},
    home::Home,
    hosts::CurrentHosts,
    job::{Job, Outcome},
    pages::{Hold, Pages, is_redirect},
    url,
};
use crate::outbound::{Guard, PublicOnly};
use fetch::PageFetcher;
use fetched::{Failure, Fetched};
use plan::{Making, Plan};
use render::Renderer;

/// What made a page that was fetched.
const FETCHED: &str = "bypass";
/// What made a page that a browser rendered.
const RENDERED: &str = "render";
/// What pages are served by where no gateway is named.
const DEFAULT_GATEWAY: &str = "default";

/// The worker.
#[derive(Debug)]
pub(super) struct Worker {
    hosts: CurrentHosts,
    home: Home,
    pages: Pages,
    fetcher: PageFetcher,
    /// Where pages are rendered.
    renderer: Option<Renderer>,
    clock: Clock,
    slots: usize,
    timeout: Duration,
    gateway: String,
    replace_rendered: bool,
}

/// A page that was made.
struct Made {
    page: Fetched,
    /// Where it was found: elsewhere than it was asked for if redirects were followed.
    found_at: String,
    source: &'static str,
}

impl Worker {
    /// A worker within the bounds of the configuration.
    pub(super) fn new(config: &Config, hosts: CurrentHosts, home: Home, pages: Pages) -> Result<Self, Refused> {
        Ok(Worker {
            hosts,
            home,
            pages,
            fetcher: PageFetcher::new(config, guard(config)),
            // Look-ups have places that a guard's clones share: what pages load must not take those of fetches.
            renderer: Renderer::new(config, guard(config))?,
            clock: Clock::system(),
            slots: config.worker.concurrency,
            timeout: config.worker.timeout.0.min(config.recache.timeout_per_url.0),
            gateway: config.gateway_file.eg_id.clone().unwrap_or_else(|| DEFAULT_GATEWAY.to_owned()),
            replace_rendered: config.worker.replace_rendered,
        })
    }

    /// Jobs it takes at a time.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Does one job. The caller keeps to the number of slots. Dropping the future ends the job.
    pub(super) async fn run(&self, job: &Job) -> Outcome {
        let until = Instant::now() + self.timeout;
        let done = timeout_at(until, self.work(job, until)).await;
        done.unwrap_or_else(|_| Err(Outcome::Temporary("timed out".to_owned())))
            .map_or_else(|other| other, |()| Outcome::Done)
    }

    /// Ends what it runs beside jobs.
    pub(super) async fn close(&self) {
        if let Some(renderer) = &self.renderer {
            renderer.close().await;
        }
    }

    async fn work(&self, job: &Job, until: Instant) -> Result<(), Outcome> {
        let plan = Plan::of(&self.hosts.get(), job)?;
        let key = PageKey { host: job.host, dimension: job.dimension, hash: url::hash(&job.url) };
        let renderer = self.renderer.as_ref().filter(|_| plan.making == Making::Render);
        if renderer.is_none() {
            self.check_replaceable(key).await?;
        }
        let made = self.make(&plan, job, renderer, until).await?;
        self.store(key, &plan, job, made).await
    }

    /// Pages that were rendered elsewhere are better than what a plain GET brings.
    async fn check_replaceable(&self, key: PageKey) -> Result<(), Outcome> {
        let stored = self.home.record(key).await.map_err(not_stored)?;
        if !self.replace_rendered && stored.is_some_and(|record| record.source == RENDERED) {
            return Err(Outcome::Skipped("a rendered page is not replaced".to_owned()));
        }
        Ok(())
    }

    /// Fetches a page and, where there is something to render with, renders it. What is no HTML stays as it is.
    async fn make(&self, plan: &Plan, job: &Job, renderer: Option<&Renderer>, until: Instant) -> Result<Made, Outcome> {
        let (page, found_at) = self.fetcher.fetch(plan, &job.url).await?;
        let Some(renderer) = renderer else { return Ok(Made { page, found_at, source: FETCHED }) };
        let is_document = !is_redirect(page.status.as_u16()) && html::is_html(&page.headers);
        let page = if is_document { renderer.render(page, &found_at, plan, until).await? } else { page };
        Ok(Made { page, found_at, source: RENDERED })
    }

    async fn store(&self, key: PageKey, plan: &Plan, job: &Job, made: Made) -> Result<(), Outcome> {
        let now = i64::try_from(self.clock.now().0 / 1000).unwrap_or(i64::MAX);
        let mut record = store::record(job, plan, &made.page, made.source, now);
        let is_page = !is_redirect(made.page.status.as_u16());
        let body = made.page.body.clone();
        if html::is_html(&made.page.headers) {
            describe(job, made, &mut record).await?;
        }
        let gone_at = u64::try_from(record.expires_at.unwrap_or(now)).unwrap_or(0);
        let gone_at = gone_at.saturating_add(plan.treatment.stale_ttl.as_secs());
        let mut held = self.pages.hold(key).await;
        if is_page {
            record.eg_ids = self.gateway.clone();
            held = self.write(key, &mut record, body, held).await?;
        }
        let stored = self.home.store_record(key, &record, gone_at).await.map_err(not_stored);
        drop(held);
        stored
    }

    async fn write(&self, key: PageKey, record: &mut Record, body: Bytes, held: Hold) -> Result<Hold, Outcome> {
        let expires_at = record.expires_at.unwrap_or_default();
        let written = self.pages.write(key, expires_at, body, held).await;
        let (file_path, disk_size, held) = written.map_err(|error| {
            tracing::warn!(%error, url = record.url, "edgecomet: cannot write a page");
            Outcome::Temporary(format!("cannot write the page: {error}"))
        })?;
        record.file_path = file_path;
        record.disk_size = Some(disk_size);
        Ok(held)
    }
}

/// Reads what a page says of itself, which takes time for long ones.
async fn describe(job: &Job, made: Made, record: &mut Record) -> Result<(), Outcome> {
    let url = job.url.clone();
    let reading = spawn_blocking(move || {
        let Fetched { status, headers, body } = &made.page;
        html::read(&url, &made.found_at, status.as_u16() == 200, headers, body)
    });
    reading.await.map_err(|error| Outcome::Temporary(error.to_string()))?.fill(record);
    Ok(())
}

/// Where pages may be fetched from.
fn guard(config: &Config) -> Guard {
    let networks = config.worker.allow_networks.iter().map(String::as_str);
    let public = PublicOnly::new(config.worker.allow_private, networks);
    Guard::public_only(public.expect("the configuration was checked"))
}

fn not_stored(error: super::home::HomeError) -> Outcome {
    Outcome::Temporary(format!("cache store unavailable: {error}"))
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Temporary(why) => Outcome::Temporary(why),
            Failure::Permanent(why) => Outcome::Permanent(why),
        }
    }
}

#[cfg(test)]
mod tests;
