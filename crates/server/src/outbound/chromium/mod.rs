//! A headless Chromium that makes of a document what its scripts make of it. The document itself is fetched elsewhere and
//! given to the browser, so that what holds for fetching holds here without being said twice; only what the page loads
//! besides is asked for by the browser, through a proxy of ours that decides where connections go.
//!
//! One process for all pages, each page in a context of its own: no cookie, cache or storage outlives it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use hyper::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use url::Url;

mod browser;
mod connection;
mod page;
mod process;
mod program;
mod protocol;
mod socks;
mod tab;
mod wire;

pub use program::find;

use browser::Browser;
use tab::Tab;

use super::Guard;

/// What rendering may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Pages at a time.
    pub tabs: usize,
    /// Pages of one process; the next page begins in a fresh one, so that what leaks does not pile up.
    pub pages_per_process: u32,
    /// Longest document that comes out, in bytes.
    pub document_bytes: usize,
    /// What one page may load and send besides its document, in bytes.
    pub page_bytes: u64,
    /// Connections of one page at a time.
    pub page_connections: usize,
    /// Time until a connection of a page stands.
    pub connect: Duration,
}

/// A document that was fetched, and who looks at it.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Where it came from.
    pub url: Url,
    /// What it was answered with.
    pub status: StatusCode,
    /// Those of its answer.
    pub headers: HeaderMap,
    /// Without any coding.
    pub body: Bytes,
    /// What the browser says it is.
    pub user_agent: String,
    /// Of the window, in pixels.
    pub width: u32,
    /// Of the window, in pixels.
    pub height: u32,
}

/// Why a page was not rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It took longer than allowed.
    #[error("timed out")]
    TimedOut,
    /// The rendered document is longer than allowed.
    #[error("the rendered document is too large")]
    TooLarge,
    /// The page brought its tab down, or another the whole browser.
    #[error("{0}")]
    Crashed(&'static str),
    /// The browser does not do what it is told.
    #[error("the browser refused {0}")]
    Refused(&'static str),
    /// There is no browser; what it said last.
    #[error("the browser does not start: {0}")]
    NotStarted(String),
}

/// The browser. Clones are the same one. It starts with the first page and ends with [`Chromium::close`], with its last
/// clone, or with this process.
#[derive(Debug, Clone)]
pub struct Chromium(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    guard: Guard,
    bounds: Bounds,
    tabs: Arc<Semaphore>,
    current: Mutex<Option<Generation>>,
}

/// One process, perhaps still starting. Whoever needs it drives the start; it does not begin anew when one of them gives up.
#[derive(Debug, Clone)]
struct Generation {
    browser: Shared<BoxFuture<'static, Result<Arc<Browser>, String>>>,
    pages: Arc<AtomicU32>,
}

impl Chromium {
    /// A browser that runs `program` and connects to what `guard` lets pass.
    pub fn new(program: PathBuf, guard: Guard, bounds: Bounds) -> Chromium {
        let tabs = Arc::new(Semaphore::new(bounds.tabs.max(1)));
        Chromium(Arc::new(Inner { program, guard, bounds, tabs, current: Mutex::default() }))
    }

    /// The program it runs.
    pub fn program(&self) -> &Path {
        &self.0.program
    }

    /// What the document looks like when its scripts have run and its network is quiet, or at the end of its time: the
    /// doctype and the outer HTML of its root, in UTF-8. Scripts do not lead away from the document.
    pub async fn render(&self, visit: &Visit, until: Instant) -> Result<Bytes, Failed> {
        timeout_at(until, self.visit(visit, until)).await.unwrap_or(Err(Failed::TimedOut))
    }

    async fn visit(&self, visit: &Visit, until: Instant) -> Result<Bytes, Failed> {
        let Inner { guard, bounds, tabs, .. } = &*self.0;
        let place =
            Arc::clone(tabs).acquire_owned().await.map_err(|_closed| Failed::Crashed("the browser was closed"))?;
        let browser = self.browser().await?;
        let mut tab = Tab::open(browser, guard.clone(), bounds, place).await?;
        page::render(&mut tab, visit, bounds, until).await
    }

    /// The process that takes the next page.
    async fn browser(&self) -> Result<Arc<Browser>, Failed> {
        let Generation { browser, .. } = self.generation();
        browser.await.map_err(Failed::NotStarted)
    }

    fn generation(&self) -> Generation {
        let mut current = self.0.current.lock();
        let usable = current.as_ref().is_some_and(|generation| generation.takes_a_page(&self.0.bounds));
        if !usable {
            *current = None;
        }
        let generation = current.get_or_insert_with(|| {
            let (program, bounds) = (self.0.program.clone(), self.0.bounds.clone());
            let starting = async move { Browser::start(&program, &bounds).await.map(Arc::new) };
            Generation { browser: starting.boxed().shared(), pages: Arc::default() }
        });
        generation.pages.fetch_add(1, Ordering::Relaxed);
        generation.clone()
    }

    /// Waits until the pages that are open are closed, then ends the process. Nothing is rendered afterwards.
    pub async fn close(&self) {
        let all = u32::try_from(self.0.bounds.tabs.max(1)).unwrap_or(u32::MAX);
        let closed = self.0.tabs.acquire_many(all).await;
        self.0.tabs.close();
        drop(closed);
        let last = self.0.current.lock().take();
        if let Some(Ok(browser)) = last.as_ref().and_then(|generation| generation.browser.peek()) {
            browser.end().await;
        }
    }
}

impl Generation {
    fn takes_a_page(&self, bounds: &Bounds) -> bool {
        let young = self.pages.load(Ordering::Relaxed) < bounds.pages_per_process;
        let well = match self.browser.peek() {
            None => true,
            Some(Ok(browser)) => browser.is_running(),
            Some(Err(_)) => false,
        };
        young && well
    }
}

#[cfg(test)]
mod tests;
