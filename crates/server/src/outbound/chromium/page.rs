//! One page: the document is put into a tab, its scripts run, and what has become of it is taken out.

use std::{pin::pin, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hyper::header::{self, HeaderName};
use tokio::time::{Instant, timeout_at};

use super::{
    Bounds, Failed, Visit,
    protocol::{
        CloseDialog, ContinueRequest, CreateWorld, EnableInspector, EnableLifecycle, EnablePage, Evaluate, Evaluated,
        Event, FailRequest, FulfilRequest, Header, InterceptRequests, Lifecycle, Navigate, Navigated, Pattern, Paused,
        RunFirst, SetUserAgent, SetWindow, World,
    },
    tab::Tab,
};

/// A page that is loaded and still asks for things is taken as it is after this time.
const RESTLESS: Duration = Duration::from_secs(5);
/// Share of the time that is kept for taking the document out.
const KEPT: u32 = 5;
/// What says how a body came over the wire, and what would make a file to be saved of a document.
const LEFT_OUT: [HeaderName; 5] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::CONTENT_DISPOSITION,
];
/// Where scripts of ours run: beside those of the page, which cannot change what things mean there.
const WORLD: &str = "outside";
/// The document is not left. A navigation that was begun would stop the reading of a document even if it led nowhere.
const STAY: &str = "navigation.addEventListener('navigate', event => {
    if (self === top && !event.destination.sameDocument) event.preventDefault();
});";
/// The text of the document, or nothing when it is longer than `most`. Half of a character outside
/// the first plane, which a script may leave, is no text.
const SNAPSHOT: &str = r#"most => {
    const { doctype, documentElement: root } = document;
    const head = doctype ? new XMLSerializer().serializeToString(doctype) : "";
    const text = head + (root ? root.outerHTML : "");
    return text.length > most ? null : text.toWellFormed();
}"#;

/// Puts the document into the tab; what its scripts make of it.
pub(super) async fn render(tab: &mut Tab, visit: &Visit, bounds: &Bounds, until: Instant) -> Result<Bytes, Failed> {
    let left = until.saturating_duration_since(Instant::now());
    let mut page = Page { tab, visit, given: false, loader: None, reached: Reached::default() };
    page.prepare().await?;
    page.navigate().await?;
    page.settle(until - left / KEPT).await?;
    page.snapshot(bounds.document_bytes).await
}

struct Page<'a> {
    tab: &'a mut Tab,
    visit: &'a Visit,
    /// The document was put into the tab. Whatever else wants to take its place is turned away.
    given: bool,
    /// What the browser calls the loading of the document.
    loader: Option<String>,
    reached: Reached,
}

/// How far the document has come.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// It is read to its end.
    parsed: bool,
    /// What it names is there.
    loaded: bool,
    /// Nothing was asked for in the last half second.
    idle: bool,
}

impl Page<'_> {
    async fn prepare(&mut self) -> Result<(), Failed> {
        let Visit { user_agent, width, height, .. } = self.visit;
        let documents = Pattern { url_pattern: "*", resource_type: Some("Document") };
        // The browser would ask for one with every page, and nobody sees it.
        let icons = Pattern { url_pattern: "*/favicon.ico", resource_type: None };
        self.tab.call(EnablePage {}).await?;
        self.tab.call(EnableInspector {}).await?;
        self.tab.call(EnableLifecycle { enabled: true }).await?;
        self.tab.call(RunFirst { source: STAY, world_name: WORLD }).await?;
        self.tab.call(InterceptRequests { patterns: vec![documents, icons] }).await?;
        self.tab.call(SetUserAgent { user_agent: user_agent.clone() }).await?;
        let window = SetWindow { width: *width, height: *height, device_scale_factor: 1.0, mobile: false };
        self.tab.call(window).await?;
        Ok(())
    }

    async fn navigate(&mut self) -> Result<(), Failed> {
        let navigating = self.tab.call(Navigate { url: self.visit.url.to_string() });
        let Navigated { error_text } = self.attend(navigating).await??;
        error_text.map_or(Ok(()), |_| Err(Failed::Refused("the document")))
    }

    /// Waits until the document is loaded and the network is quiet, or as long as it makes sense to.
    async fn settle(&mut self, until: Instant) -> Result<(), Failed> {
        let mut until = until;
        while !(self.reached.loaded && self.reached.idle) {
            let Ok(event) = timeout_at(until, self.tab.event()).await else { break };
            let before = self.reached.loaded;
            self.handle(event?).await?;
            if self.reached.loaded && !before {
                until = until.min(Instant::now() + RESTLESS);
            }
        }
        // What comes at the end of a document may be all that counts.
        if self.reached.parsed { Ok(()) } else { Err(Failed::TimedOut) }
    }

    /// The document as it is now.
    async fn snapshot(&mut self, most: usize) -> Result<Bytes, Failed> {
        let creating = self.tab.call(CreateWorld { frame_id: self.tab.frame.clone(), world_name: WORLD });
        let World { execution_context_id: context_id } = self.attend(creating).await??;
        let expression = format!("({SNAPSHOT})({most})");
        let evaluating = self.tab.call(Evaluate { expression, context_id, return_by_value: true });
        let Evaluated { result, exception_details } = self.attend(evaluating).await??;
        if exception_details.is_some() {
            return Err(Failed::Refused("the document's text"));
        }
        let text = result.value.filter(|text| text.len() <= most).ok_or(Failed::TooLarge)?;
        Ok(Bytes::from(text))
    }

    /// Sees to what happens in the tab until `work` is done, which may not be before that is seen to.
    async fn attend<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failed> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                event = self.tab.event() => self.handle(event?).await?,
            }
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), Failed> {
        match event {
            Event::Paused(paused) => self.decide(paused).await,
            Event::Lifecycle(stage) => {
                self.note(stage);
                Ok(())
            }
            // The page may be left, and gets no other answer.
            Event::Dialog(dialog) => self.tab.post(CloseDialog { accept: dialog.kind == "beforeunload" }).await,
            Event::Crashed => Err(Failed::Crashed("the tab crashed")),
        }
    }

    /// What becomes of a request for a document or an icon.
    async fn decide(&mut self, Paused { request_id, frame_id, resource_type }: Paused) -> Result<(), Failed> {
        if resource_type != "Document" {
            return self.tab.post(FailRequest { request_id, error_reason: "BlockedByClient" }).await;
        }
        if frame_id != self.tab.frame {
            return self.tab.post(ContinueRequest { request_id }).await;
        }
        if self.given {
            // Something leads away all the same. An answer without content leaves the document where it is, also one that is still read.
            let nowhere =
                FulfilRequest { request_id, response_code: 204, response_headers: Vec::new(), body: String::new() };
            return self.tab.post(nowhere).await;
        }
        self.given = true;
        self.tab.call(given(request_id, self.visit)).await.map(|_| ())
    }

    fn note(&mut self, Lifecycle { frame_id, loader_id, name }: Lifecycle) {
        if frame_id != self.tab.frame || !self.given {
            return;
        }
        match name.as_str() {
            // The only document that begins after ours was given is ours; the empty one may still tell of itself.
            "init" => self.loader = Some(loader_id),
            _ if self.loader != Some(loader_id) => {}
            "DOMContentLoaded" => self.reached.parsed = true,
            "load" => self.reached.loaded = true,
            "networkIdle" => self.reached.idle = true,
            _ => {}
        }
    }
}

/// The document as the answer to the request for it.
fn given(request_id: String, visit: &Visit) -> FulfilRequest {
    let response_headers = visit.headers.iter().filter(|(name, _)| !LEFT_OUT.contains(name));
    let response_headers = response_headers.map(|(name, value)| Header {
        name: name.to_string(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    });
    FulfilRequest {
        request_id,
        response_code: visit.status.as_u16(),
        response_headers: response_headers.collect(),
        body: BASE64_STANDARD.encode(&visit.body),
    }
}
