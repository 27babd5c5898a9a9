use serde_json::{Value, json};
use tokio::io::{DuplexStream, ReadHalf, WriteHalf, split};

use super::*;
use crate::outbound::chromium::protocol::{CloseDialog, GetVersion};

/// The browser's end.
struct Browser {
    commands: BufReader<ReadHalf<DuplexStream>>,
    answers: WriteHalf<DuplexStream>,
}

impl Browser {
    async fn hears(&mut self) -> Value {
        let message = wire::read(&mut self.commands, 1000).await.expect("reads").expect("a command");
        serde_json::from_slice(&message).expect("JSON")
    }

    async fn says(&mut self, message: &Value) {
        wire::write(&mut self.answers, message.to_string().into_bytes()).await.expect("writes");
    }
}

fn connect() -> (Connection, Browser) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let (from, to) = split(ours);
    let (commands, answers) = split(theirs);
    (Connection::over(to, BufReader::new(from), 1000), Browser { commands: BufReader::new(commands), answers })
}

#[tokio::test]
async fn answers_find_who_asked_in_any_order() {
    let (connection, mut browser) = connect();
    let answering = async {
        let first = browser.hears().await;
        assert_eq!(first, json!({ "id": 1, "method": "Browser.getVersion", "params": {} }));
        let second = browser.hears().await;
        let command =
            json!({ "id": 2, "method": "Page.handleJavaScriptDialog", "params": { "accept": true }, "sessionId": "S" });
        assert_eq!(second, command);
        browser.says(&json!({ "method": "Target.targetCreated", "params": { "any": 1 } })).await;
        browser.says(&json!({ "id": 2, "result": {}, "sessionId": "S" })).await;
        browser.says(&json!({ "id": 1, "result": { "product": "Chrome/1", "more": [] } })).await;
    };
    let dialog = CloseDialog { accept: true };
    let (version, closed, ()) =
        tokio::join!(connection.call(None, &GetVersion {}), connection.call(Some("S"), &dialog), answering);
    assert_eq!(version.expect("an answer").product, "Chrome/1");
    assert!(closed.is_ok());
}

#[tokio::test]
async fn a_refusal_and_an_answer_of_another_form_are_told() {
    let (connection, mut browser) = connect();
    for answer in [json!({ "id": 1, "error": { "code": -32000, "message": "no" } }), json!({ "id": 2, "result": {} })] {
        let (version, ()) = tokio::join!(connection.call(None, &GetVersion {}), async {
            browser.hears().await;
            browser.says(&answer).await;
        });
        assert_eq!(version.expect_err("a refusal"), Failed::Refused("Browser.getVersion"));
    }
}

#[tokio::test]
async fn events_go_to_their_tab() {
    let (connection, mut browser) = connect();
    let (mut first, mut second) = (connection.events("A"), connection.events("B"));
    for (session, name) in [("B", "init"), ("C", "load"), ("A", "load")] {
        let params = json!({ "frameId": "F", "loaderId": "L", "name": name, "timestamp": 1.5 });
        browser.says(&json!({ "method": "Page.lifecycleEvent", "params": params, "sessionId": session })).await;
    }
    browser.says(&json!({ "method": "Page.frameResized", "params": {}, "sessionId": "A" })).await;
    browser.says(&json!({ "method": "Inspector.targetCrashed", "params": {}, "sessionId": "A" })).await;
    assert!(matches!(first.recv().await, Some(Event::Lifecycle(stage)) if stage.name == "load"));
    assert!(matches!(first.recv().await, Some(Event::Crashed)));
    assert!(matches!(second.recv().await, Some(Event::Lifecycle(stage)) if stage.name == "init"));
}

#[tokio::test]
async fn a_tab_that_is_flooded_ends_and_others_go_on() {
    let (connection, mut browser) = connect();
    let (mut flooded, mut other) = (connection.events("A"), connection.events("B"));
    for session in std::iter::repeat_n("A", EVENTS + 1).chain(["B"]) {
        browser.says(&json!({ "method": "Inspector.detached", "sessionId": session })).await;
    }
    assert!(other.recv().await.is_some());
    let mut before = 0;
    while flooded.recv().await.is_some() {
        before += 1;
    }
    assert_eq!(before, EVENTS);
}

#[tokio::test]
async fn when_the_browser_is_gone_nobody_waits() {
    let (connection, mut browser) = connect();
    let mut events = connection.events("A");
    let (version, ()) = tokio::join!(connection.call(None, &GetVersion {}), async {
        browser.hears().await;
        drop(browser);
    });
    assert_eq!(version.expect_err("no answer"), ENDED);
    assert!(events.recv().await.is_none());
    connection.ended().await;
    assert!(connection.has_ended());
    assert_eq!(connection.call(None, &GetVersion {}).await.expect_err("no answer"), ENDED);
    assert!(connection.events("B").recv().await.is_none());
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection() {
    let (connection, mut browser) = connect();
    browser.says(&json!({ "method": "x".repeat(1000) })).await;
    connection.ended().await;
}
