//! A tab: a context of its own in the browser, with a proxy of its own before it.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::timeout,
};

use super::{
    Bounds, Failed,
    browser::Browser,
    protocol::{
        Attach, Command, Context, CreateContext, CreateTarget, DisposeContext, Event, GetVersion, Session,
        SetDownloads, Target,
    },
    socks::{Limits, Proxy},
};
use crate::outbound::Guard;

/// A browser that does not close a tab in this time hangs.
const CLOSE: Duration = Duration::from_secs(5);
/// What is said of a tab whose events ended.
const FLOODED: Failed = Failed::Crashed("the page does too much at once");

/// A tab. Closes with the value, beside whoever drops it.
pub(super) struct Tab {
    open: Open,
    session: String,
    /// What the tab's main frame is called.
    pub(super) frame: String,
    events: mpsc::Receiver<Event>,
}

/// A context of the browser, or what will be one; disposed of with the value.
struct Open(Option<Held>);

struct Held {
    browser: Arc<Browser>,
    /// None until the browser has told its name.
    context: Option<String>,
    _proxy: Proxy,
    /// There is a place for another tab when this one is closed.
    _place: OwnedSemaphorePermit,
}

impl Tab {
    /// Opens an empty tab.
    pub(super) async fn open(
        browser: Arc<Browser>,
        guard: Guard,
        bounds: &Bounds,
        place: OwnedSemaphorePermit,
    ) -> Result<Tab, Failed> {
        let limits = Limits { connections: bounds.page_connections, bytes: bounds.page_bytes, connect: bounds.connect };
        let proxy = Proxy::open(guard, limits).await.map_err(|_| Failed::Crashed("no port is free for a proxy"))?;
        let connection = browser.connection().clone();
        let create = CreateContext {
            dispose_on_detach: true,
            proxy_server: proxy.url(),
            // Without this, what is on this machine would be connected to directly.
            proxy_bypass_list: "<-loopback>",
        };
        // Held from the beginning: a browser that hangs may do so before there is a context.
        let mut open = Open(Some(Held { browser, context: None, _proxy: proxy, _place: place }));
        let Context { browser_context_id: context } = connection.call(None, &create).await?;
        open.held_mut().context = Some(context.clone());
        let deny = SetDownloads { behavior: "deny", browser_context_id: context.clone() };
        connection.call(None, &deny).await?;
        let create = CreateTarget { url: "about:blank", browser_context_id: context };
        let Target { target_id: frame } = connection.call(None, &create).await?;
        let attach = Attach { target_id: frame.clone(), flatten: true };
        let Session { session_id: session } = connection.call(None, &attach).await?;
        let events = connection.events(&session);
        Ok(Tab { open, session, frame, events })
    }

    /// Does something in the tab and waits for the answer.
    pub(super) fn call<C: Command + 'static>(
        &self,
        command: C,
    ) -> impl Future<Output = Result<C::Answer, Failed>> + Send + use<C> {
        let (connection, session) = (self.open.held().browser.connection().clone(), self.session.clone());
        async move { connection.call(Some(&session), &command).await }
    }

    /// Does something in the tab.
    pub(super) async fn post(&self, command: impl Command) -> Result<(), Failed> {
        self.open.held().browser.connection().post(Some(&self.session), &command).await
    }

    /// What happens next.
    pub(super) async fn event(&mut self) -> Result<Event, Failed> {
        let ended =
            || if self.open.held().browser.is_running() { FLOODED } else { Failed::Crashed("the browser ended") };
        self.events.recv().await.ok_or_else(ended)
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.open.held().browser.connection().forget(&self.session);
    }
}

impl Open {
    fn held(&self) -> &Held {
        self.0.as_ref().expect("taken out when the value is dropped")
    }

    fn held_mut(&mut self) -> &mut Held {
        self.0.as_mut().expect("taken out when the value is dropped")
    }
}

impl Held {
    /// Disposes of the context; where there is none yet, completes when the browser answers at all.
    async fn end(&self) {
        let connection = self.browser.connection();
        match &self.context {
            Some(context) => {
                let dispose = DisposeContext { browser_context_id: context.clone() };
                drop(connection.call(None, &dispose).await);
            }
            None => drop(connection.call(None, &GetVersion {}).await),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(held) = self.0.take() else { return };
        // Not waited for by the page, but by whoever needs the place.
        tokio::spawn(async move {
            if timeout(CLOSE, held.end()).await.is_err() {
                tracing::warn!("the browser hangs and is ended");
                held.browser.end().await;
            }
        });
    }
}
