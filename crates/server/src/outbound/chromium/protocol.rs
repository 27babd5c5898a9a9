//! The few words of the DevTools protocol that are spoken here
//! (<https://chromedevtools.github.io/devtools-protocol/>). Members nobody reads are left out.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Something to be done, by the browser or in a tab.
pub(super) trait Command: Serialize + Send + Sync {
    const METHOD: &'static str;
    type Answer: DeserializeOwned + Send;
}

/// How a command is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent<'a, C> {
    pub(super) id: u64,
    pub(super) method: &'static str,
    pub(super) params: &'a C,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<&'a str>,
}

/// What comes back: the answer to a command, which has its `id`, or an event, which has a `method`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Received<'a> {
    pub(super) id: Option<u64>,
    #[serde(borrow)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) method: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) params: Option<&'a RawValue>,
    pub(super) session_id: Option<String>,
}

/// An answer that says nothing more than that it was done.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

macro_rules! command {
    ($method:literal, $name:ident { $($field:ident: $type:ty),* $(,)? } -> $answer:ty) => {
        #[derive(Debug, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct $name { $(pub(super) $field: $type,)* }

        impl Command for $name {
            const METHOD: &'static str = $method;
            type Answer = $answer;
        }
    };
}

macro_rules! answer {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct $name { $(pub(super) $field: $type,)* }
    };
}

command! { "Browser.getVersion", GetVersion {} -> Version }
answer! { Version { product: String } }

command! { "Target.createBrowserContext", CreateContext {
    dispose_on_detach: bool,
    proxy_server: String,
    proxy_bypass_list: &'static str,
} -> Context }
answer! { Context { browser_context_id: String } }

command! { "Target.disposeBrowserContext", DisposeContext { browser_context_id: String } -> Nothing }

command! { "Browser.setDownloadBehavior", SetDownloads {
    behavior: &'static str,
    browser_context_id: String,
} -> Nothing }

command! { "Target.createTarget", CreateTarget { url: &'static str, browser_context_id: String } -> Target }
answer! { Target { target_id: String } }

command! { "Target.attachToTarget", Attach { target_id: String, flatten: bool } -> Session }
answer! { Session { session_id: String } }

command! { "Page.enable", EnablePage {} -> Nothing }
command! { "Page.setLifecycleEventsEnabled", EnableLifecycle { enabled: bool } -> Nothing }
command! { "Inspector.enable", EnableInspector {} -> Nothing }

command! { "Fetch.enable", InterceptRequests { patterns: Vec<Pattern> } -> Nothing }

/// Which requests wait for a word from here.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pattern {
    pub(super) url_pattern: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resource_type: Option<&'static str>,
}

command! { "Fetch.continueRequest", ContinueRequest { request_id: String } -> Nothing }
command! { "Fetch.failRequest", FailRequest { request_id: String, error_reason: &'static str } -> Nothing }
command! { "Fetch.fulfillRequest", FulfilRequest {
    request_id: String,
    response_code: u16,
    response_headers: Vec<Header>,
    body: String,
} -> Nothing }

/// A header of an answer.
#[derive(Debug, Serialize)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
}

command! { "Emulation.setUserAgentOverride", SetUserAgent { user_agent: String } -> Nothing }
command! { "Emulation.setDeviceMetricsOverride", SetWindow {
    width: u32,
    height: u32,
    device_scale_factor: f32,
    mobile: bool,
} -> Nothing }

command! { "Page.navigate", Navigate { url: String } -> Navigated }
answer! { Navigated { error_text: Option<String> } }

command! { "Page.handleJavaScriptDialog", CloseDialog { accept: bool } -> Nothing }

command! { "Page.addScriptToEvaluateOnNewDocument", RunFirst {
    source: &'static str,
    world_name: &'static str,
} -> Nothing }
command! { "Page.createIsolatedWorld", CreateWorld { frame_id: String, world_name: &'static str } -> World }
answer! { World { execution_context_id: i64 } }

command! { "Runtime.evaluate", Evaluate {
    expression: String,
    context_id: i64,
    return_by_value: bool,
} -> Evaluated }
answer! { Evaluated { result: Value, exception_details: Option<serde::de::IgnoredAny> } }
answer! { Value { value: Option<String> } }

/// What happens in a tab, as far as anybody cares.
#[derive(Debug)]
pub(super) enum Event {
    /// A request waits for a word.
    Paused(Paused),
    /// A document has come so far.
    Lifecycle(Lifecycle),
    /// The page waits for somebody to read a message.
    Dialog(Dialog),
    /// The process of the page is gone.
    Crashed,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paused {
    pub(super) request_id: String,
    pub(super) frame_id: String,
    pub(super) resource_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lifecycle {
    pub(super) frame_id: String,
    pub(super) loader_id: String,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dialog {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

impl Event {
    /// An event, if it is one of those.
    pub(super) fn read(method: &str, params: Option<&RawValue>) -> Option<Event> {
        let params = params.map_or("{}", RawValue::get);
        match method {
            "Fetch.requestPaused" => serde_json::from_str(params).ok().map(Event::Paused),
            "Page.lifecycleEvent" => serde_json::from_str(params).ok().map(Event::Lifecycle),
            "Page.javascriptDialogOpening" => serde_json::from_str(params).ok().map(Event::Dialog),
            "Inspector.targetCrashed" | "Inspector.detached" => Some(Event::Crashed),
            _ => None,
        }
    }
}
