//! The dashboard as a person uses it: in a browser.

use crate::harness::{Connection, Page, Request, Server, Settings};

fn post(connection: &mut Connection, target: &str, body: &str, token: Option<&str>) {
    let response = connection.send(&Request::post(target, body).key(token)).expect("an answer");
    assert!(response.status < 300, "{target}: {}", response.text());
}

#[test]
fn figures_keys_and_events_are_shown_and_the_cache_is_flushed() {
    let server = Server::start();
    let own = format!("http://{}/", server.dunena());
    let mut connection = Connection::open(server.dunena());
    // What users store is shown as it is, whatever a browser could make of it.
    post(&mut connection, "/cache/%3Cimg%20src=x%3E", r#"{"value":"<b onload=alert(1)>&amp;"}"#, None);
    post(&mut connection, "/cache/b%2Fc?ns=n", r#"{"value":"named","ttl":60000}"#, None);
    let Some(mut page) = Page::open(&format!("{own}dashboard")) else { return };

    page.wait_for("#cache");
    page.wait_until("document.querySelector('#cache').innerText.includes('Entries\\n2')");
    page.wait_until("document.querySelector('#latency').children.length === 8");
    page.wait_until("document.querySelector('#live').innerText === 'open'");
    assert!(page.text("#about").contains("database on"), "{}", page.text("#about"));

    page.click("#search button.main");
    page.wait_until("document.querySelector('#keys').innerText === '<img src=x>'");
    page.click("#keys button");
    page.wait_until("document.querySelector('#entry-value').innerText === '<b onload=alert(1)>&amp;'");
    assert!(page.text("#entry-note").contains("does not expire"), "{}", page.text("#entry-note"));
    page.wait_until("document.querySelector('#namespace').options.length === 2");
    page.evaluate("document.querySelector('#namespace').value = 'n'");
    page.click("#search button.main");
    page.wait_until("document.querySelector('#keys').innerText === 'b/c'");
    page.click("#keys button");
    page.wait_until("document.querySelector('#entry-value').innerText === 'named'");
    page.wait_until("document.querySelector('#entry-note').innerText.includes('expires in')");
    page.screenshot("dashboard");

    page.click("#delete");
    page.wait_until("document.querySelector('#events').innerText.includes('delete')");
    post(&mut connection, "/cache/live", r#"{"value":"12345"}"#, None);
    page.wait_until("document.querySelector('#events').innerText.includes('live (size 5)')");
    page.click("#flush");
    page.click("#sure button[value=no]");
    page.click("#flush");
    page.click("#sure button[value=yes]");
    page.wait_until("document.querySelector('#cache').innerText.includes('Entries\\n0')");
    page.wait_until("document.querySelector('#events').innerText.includes('clear')");

    assert_eq!(page.complaints, Vec::<String>::new());
    let elsewhere: Vec<_> =
        page.requests.iter().filter(|url| !url.starts_with(&own) && !url.starts_with("data:")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

#[test]
fn a_token_is_asked_for_and_used_everywhere() {
    // One that can be a subprotocol, and one that cannot.
    for token in ["plain-token", "with spaces, slash/ and +"] {
        let server = Server::with(Settings::default().set("dunena.auth_token", token));
        let Some(mut page) = Page::open(&format!("http://{}/dashboard", server.dunena())) else { return };
        page.wait_for("#problem");
        page.wait_until("document.querySelector('#problem').innerText.includes('wants a token')");
        page.fill("#token", token);
        page.click("#access button");
        page.wait_until("document.querySelector('#cache').innerText.includes('Entries\\n0')");
        page.wait_until("document.querySelector('#problem').innerText === ''");
        page.wait_until("document.querySelector('#live').innerText === 'open'");
        let kept = page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length");
        assert_eq!(kept, 0);
    }
}
