//! The explorer as a person uses it: in a browser.

use crate::harness::{Connection, Page, Request, Server, Settings};

const TOKEN: &str = "a token for the explorer";
const GET_A_VALUE: &str = "#operations-Cache-getValue";

#[test]
fn a_value_is_read_from_the_page() {
    let server = Server::with(Settings::default().set("dunena.auth_token", TOKEN));
    let set = Request::post("/cache/greeting?ns=a+b", r#"{"value":"hello from the page"}"#).key(Some(TOKEN));
    Connection::open(server.dunena()).send(&set).expect("an answer").expect(201);
    let own = format!("http://{}/", server.dunena());
    let Some(mut page) = Page::open(&format!("{own}docs")) else { return };

    // All that the document has is listed, each operation once.
    page.wait_until("document.querySelector('.opblock') !== null");
    let described = page.evaluate(
        "fetch('/docs/openapi.json').then(answer => answer.json())
            .then(api => Object.values(api.paths).flatMap(Object.values).length)",
    );
    page.wait_until(&format!("document.querySelectorAll('.opblock').length === {described}"));
    assert_eq!(page.text(&format!("{GET_A_VALUE} .opblock-summary-description")), "Get a Value");
    page.screenshot("explorer");

    page.click(".btn.authorize");
    page.fill(".auth-container input", TOKEN);
    page.click(".auth-btn-wrapper .btn.authorize");
    page.click(".auth-btn-wrapper .btn-done");

    page.click(&format!("{GET_A_VALUE} .opblock-summary-control"));
    page.click(&format!("{GET_A_VALUE} .try-out__btn"));
    page.fill(&format!("{GET_A_VALUE} tr[data-param-name=key] input"), "greeting");
    page.fill(&format!("{GET_A_VALUE} tr[data-param-name=ns] input"), "a b");
    page.click(&format!("{GET_A_VALUE} .execute"));
    let answer = format!("{GET_A_VALUE} .live-responses-table .response");
    let status = page.text(&format!("{answer} .response-col_status"));
    let body = page.text(&format!("{answer} .highlight-code code"));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}"));
    assert_eq!(status.lines().next(), Some("200"), "{body}");
    assert_eq!(body, serde_json::json!({ "key": "greeting", "value": "hello from the page" }));
    page.evaluate(&format!("document.querySelector('{GET_A_VALUE}').scrollIntoView()"));
    page.screenshot("explorer-get-a-value");

    assert_eq!(page.complaints, Vec::<String>::new());
    let elsewhere: Vec<_> =
        page.requests.iter().filter(|url| !url.starts_with(&own) && !url.starts_with("data:")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    let files = ["docs/swagger-ui-bundle.js", "docs/swagger-ui.css", "docs/openapi.json"];
    assert!(files.iter().all(|file| page.requests.contains(&format!("{own}{file}"))), "{:?}", page.requests);
}
