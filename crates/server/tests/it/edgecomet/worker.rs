//! What the worker fetches, and what it refuses.

use std::time::Duration;

use serde_json::json;

use super::{
    daemon::{Daemon, MOBILE, SOON, USER_AGENT},
    origin::{Answer, Origin, encode},
};
use crate::harness::eventually;

#[test]
fn a_page_is_fetched_with_one_plain_get() {
    let origin = Origin::start(|_| Answer::html("<title>A page</title>"));
    let odd = origin.url("/it's/%41/a%2Fb?q='x';y=\"<é> &z=%zz");
    let daemon = Daemon::start(
        Daemon::settings().set("edgecomet.recache.strip_tracking_params", false).set("edgecomet.daemon_id", "here"),
    );
    let page = origin.url("/page?b=1&a=2#top");
    daemon.recache(&[page.clone(), odd]);
    daemon.recache_in(std::slice::from_ref(&page), &[MOBILE]);
    assert_eq!(daemon.stored(&page).text(), "<title>A page</title>");
    eventually("the other dimension", SOON, || {
        (daemon.content_with(&page, "&dimension=mobile").status == 200).then_some(())
    });
    daemon.wait_idle();

    let asked = origin.received_for("/page?a=2&b=1");
    let agent = |agent: &str| asked.iter().filter(|request| request.header("user-agent") == Some(agent)).count();
    assert_eq!((asked.len(), agent(USER_AGENT), agent("Mozilla/5.0 (compatible; Manifold/1.0)")), (2, 1, 1));
    for request in origin.received() {
        let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(request.method, "GET");
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent", "x-edge-render"]);
        assert_eq!(request.header("accept-encoding"), Some("gzip, identity"));
        assert_eq!(request.header("x-edge-render"), Some("here"));
        assert_eq!(request.header("host"), Some(origin.address().to_string().as_str()));
    }
    // In normal form the query stays as it is; what no request line can hold is escaped.
    assert_eq!(origin.count_of("/it's/%41/a%2Fb?q='x';y=%22%3C%C3%A9%3E%20&z=%zz"), 1, "{:?}", origin.received());
}

#[test]
fn bodies_are_stored_without_their_encoding_and_within_their_limit() {
    const PAGE: &str = "<title>Fish &amp; chips</title><meta name=robots content=noindex>";
    let bomb = vec![b'a'; 2_000_000];
    let bombs = ["gzip", "zstd"].map(|coding| (format!("/bomb/{coding}"), coding, encode(coding, &bomb)));
    let origin = Origin::start(move |request| {
        if let Some((_, coding, body)) = bombs.iter().find(|(path, ..)| path == request.path()) {
            return Answer::html(body.clone()).header("Content-Encoding", coding);
        }
        match request.path() {
            "/gzip" | "/br" | "/zstd" => Answer::html(PAGE).encoded(&request.path()[1..]),
            "/twice" => Answer::html(encode("br", PAGE.as_bytes())).encoded("gzip").header("Content-Encoding", "br"),
            "/exact" => Answer::html(vec![b'x'; 1_000_000]),
            "/long" => Answer::html(vec![b'x'; 1_000_001]),
            "/odd" => Answer::html("x").header("Content-Encoding", "compress"),
            "/endless" => {
                let mut raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
                for _ in 0..1100 {
                    raw.extend_from_slice(b"400\r\n");
                    raw.extend_from_slice(&[b'x'; 1024]);
                    raw.extend_from_slice(b"\r\n");
                }
                Answer::raw(raw)
            }
            _ => Answer::html("cut off").header("Content-Encoding", "gzip"),
        }
    });
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.worker.max_body", 1_000_000));
    let urls = |paths: &[&str]| -> Vec<String> { paths.iter().map(|path| origin.url(path)).collect() };
    let refused = ["/long", "/endless", "/bomb/gzip", "/bomb/zstd"];
    daemon.recache(&urls(&["/gzip", "/br", "/zstd", "/exact", "/odd", "/damaged"]));
    daemon.recache(&urls(&refused));
    for path in ["/gzip", "/br", "/zstd"] {
        assert_eq!(daemon.stored(&origin.url(path)).text(), PAGE, "{path}");
        let known = daemon.known(&origin.url(path));
        assert_eq!(known["title"], "Fish & chips");
        assert_eq!((&known["size"], &known["index_status"]), (&json!(PAGE.len()), &json!(3)));
        assert_eq!(known["headers"], json!({"Content-Type": ["text/html; charset=utf-8"]}));
    }
    assert_eq!(daemon.stored(&origin.url("/exact")).body.len(), 1_000_000);
    for path in refused {
        let letter = daemon.dead_letter(&origin.url(path));
        assert_eq!((&letter["reason"], &letter["attempts"]), (&json!("response too large"), &json!(1)), "{path}");
    }
    let odd = daemon.dead_letter(&origin.url("/odd"));
    assert_eq!(odd["reason"], r#"content encoding "compress" is not supported"#);
    let damaged = daemon.dead_letter(&origin.url("/damaged"));
    assert_eq!((&damaged["reason"], &damaged["attempts"]), (&json!("the content encoding is damaged"), &json!(3)));
}

#[test]
fn an_origin_that_fails_is_asked_three_times_with_growing_pauses() {
    let origin = Origin::start(|request| match request.path() {
        "/500" => Answer::status(500, "no"),
        "/reset" => Answer::reset(),
        "/not-http" => Answer::raw("220 mail ESMTP\r\n\r\n"),
        _ => Answer::status(403, "no"),
    });
    let daemon = Daemon::start(Daemon::settings());
    let urls: Vec<String> = ["/500", "/reset", "/not-http", "/403"].map(|path| origin.url(path)).to_vec();
    daemon.recache(&urls);
    for (path, reason, attempts) in [
        ("/500", "status 500 is not cacheable", 3),
        ("/reset", "cannot reach upstream: connection", 3),
        ("/not-http", "cannot reach upstream: answer is not HTTP", 3),
        ("/403", "status 403 is not cacheable", 1),
    ] {
        let letter = daemon.dead_letter(&origin.url(path));
        assert!(letter["reason"].as_str().expect("a text").starts_with(reason), "{letter}");
        assert_eq!((letter["attempts"].as_u64(), origin.count_of(path)), (Some(attempts), attempts as usize), "{path}");
    }
    let at: Vec<_> = origin.received_for("/500").iter().map(|request| request.at).collect();
    let (first, second) = (at[1] - at[0], at[2] - at[1]);
    assert!(first >= Duration::from_millis(100) && second >= Duration::from_millis(200), "{first:?} {second:?}");
    daemon.wait_idle();
    assert_eq!((daemon.failed().len(), origin.count()), (4, 10));
}

#[test]
fn private_networks_are_not_connected_to_unless_that_is_permitted() {
    let origin = Origin::start(|_| Answer::html("secret"));
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.worker.allow_private", false));
    let by_name = origin.url_at("localhost", "/a");
    daemon.recache(&[origin.url("/a"), by_name.clone()]);
    let letter = daemon.dead_letter(&origin.url("/a"));
    assert_eq!((&letter["reason"], &letter["attempts"]), (&json!("address not allowed: 127.0.0.1"), &json!(1)));
    let reason = daemon.dead_letter(&by_name)["reason"].clone();
    assert!(["address not allowed: 127.0.0.1", "address not allowed: ::1"].iter().any(|named| reason == *named));
    assert_eq!(origin.connections(), 0);
    drop(daemon);

    let excepted = Daemon::settings().set("edgecomet.worker.allow_private", false);
    let daemon = Daemon::start(excepted.set("edgecomet.worker.allow_networks", vec!["127.0.0.1/32"]));
    daemon.recache(&[origin.url("/a")]);
    assert_eq!(daemon.stored(&origin.url("/a")).text(), "secret");
}

#[test]
fn only_pages_of_the_host_are_asked_for() {
    let origin = Origin::start(|_| Answer::html("page"));
    let daemon = Daemon::start(Daemon::settings());
    let port = origin.address().port();
    let elsewhere = format!("http://other.example:{port}/");
    let other_scheme = format!("ftp://127.0.0.1:{port}/");
    let credentials = format!("http://user:pass@127.0.0.1:{port}/in");
    daemon.recache(&[elsewhere.clone(), other_scheme.clone(), credentials.clone()]);
    // The built-in dimension passes pages through, and nothing of that is stored unless it is configured.
    daemon.recache_in(&[origin.url("/skipped")], &[0]);
    let reason = |url: &str| daemon.dead_letter(url)["reason"].clone();
    let why = r#"URL hostname "other.example" does not match any configured domain for host 1"#;
    assert_eq!(reason(&elsewhere), why);
    assert_eq!(reason(&other_scheme), "scheme not allowed: ftp");
    daemon.stored(&credentials);
    daemon.wait_idle();
    assert_eq!((daemon.failed().len(), origin.count_of("/skipped"), origin.count()), (2, 0, 1));
    assert_eq!(origin.received_for("/in")[0].header("authorization"), None);
}

fn moving() -> Origin {
    Origin::start(|request| match request.path() {
        "/a" => Answer::redirect(301, "/b?from=a"),
        "/b" => Answer::redirect(308, "c"),
        "/c" => Answer::html("<title>C</title><link rel=canonical href=/c>"),
        "/off" => Answer::redirect(302, "http://169.254.169.254/latest"),
        "/scheme" => Answer::redirect(302, "file:///etc/passwd"),
        "/script" => Answer::redirect(302, "javascript:alert(1)"),
        "/loop" => Answer::redirect(302, "/loop").header("Content-Type", "text/html"),
        "/nowhere" => Answer::status(302, ""),
        _ => Answer::status(404, "<title>Not here</title>").header("Content-Type", "text/html"),
    })
}

#[test]
fn redirects_and_missing_pages_are_stored_as_what_they_are() {
    let origin = moving();
    let daemon = Daemon::start(Daemon::settings());
    let urls: Vec<String> = ["/a", "/off", "/gone"].map(|path| origin.url(path)).to_vec();
    daemon.recache(&urls);

    let moved = daemon.stored(&urls[0]);
    let shown = |name: &str| moved.header(name).unwrap_or_default().to_owned();
    assert_eq!(
        (moved.text(), shown("x-cache-status-code"), shown("x-cache-location")),
        (String::new(), "301".into(), "/b?from=a".into())
    );
    let known = daemon.known(&urls[0]);
    assert_eq!((&known["size"], &known["disk_size"], &known["status_code"]), (&json!(0), &json!(0), &json!(301)));
    assert_eq!(known["headers"], json!({"Location": ["/b?from=a"]}));
    assert_eq!(daemon.stored(&urls[1]).header("x-cache-location"), Some("http://169.254.169.254/latest"));

    let gone = daemon.stored(&urls[2]);
    assert_eq!((gone.text().as_str(), gone.header("x-cache-status-code")), ("<title>Not here</title>", Some("404")));
    let known = daemon.known(&urls[2]);
    assert_eq!((&known["title"], &known["index_status"]), (&json!("Not here"), &json!(2)));
    assert_eq!(origin.count(), 3);
}

#[test]
fn redirects_are_followed_within_the_host_when_that_is_wanted() {
    let origin = moving();
    let daemon = Daemon::start(Daemon::settings().set("edgecomet.worker.max_redirects", 2));
    let urls: Vec<String> =
        ["/a", "/off", "/scheme", "/loop", "/nowhere", "/script"].map(|path| origin.url(path)).to_vec();
    daemon.recache(&urls);
    assert!(daemon.stored(&urls[0]).text().contains("<title>C</title>"));
    let known = daemon.known(&urls[0]);
    assert_eq!(
        (&known["url"], &known["status_code"], &known["index_status"]),
        (&json!(urls[0]), &json!(200), &json!(4))
    );
    for (url, reason) in [
        (&urls[1], "redirect off host"),
        (&urls[2], "scheme not allowed: file"),
        (&urls[4], "redirect without location"),
        (&urls[5], "scheme not allowed: javascript"),
    ] {
        assert_eq!(daemon.dead_letter(url)["reason"], reason);
    }
    let last = daemon.stored(&urls[3]);
    assert_eq!(last.header("x-cache-location"), Some("/loop"), "the last redirect is a result");
    assert_eq!(origin.count_of("/loop"), 3);
}

#[test]
fn a_page_that_hangs_holds_up_no_other() {
    let origin = Origin::start(|request| match request.path() {
        "/hang" => Answer::silence(),
        _ => Answer::html("page"),
    });
    let daemon = Daemon::start(
        Daemon::settings().set("edgecomet.worker.timeout", "1s").set("edgecomet.internal_queue.max_retries", 1),
    );
    daemon.recache(&[origin.url("/hang")]);
    origin.wait_for("/hang", 1, SOON);
    let others: Vec<String> = (0..20).map(|page| origin.url(&format!("/{page}"))).collect();
    daemon.recache(&others);
    for url in &others {
        daemon.stored(url);
    }
    assert_eq!(daemon.dead_letter(&origin.url("/hang"))["reason"], "timed out");
    assert_eq!(origin.count_of("/hang"), 1);
    assert!(origin.most_at_once() <= 10, "{}", origin.most_at_once());
}

#[test]
fn the_environments_proxy_is_not_used() {
    let origin = Origin::start(|_| Answer::html("page"));
    let proxy = Origin::start(|_| Answer::html("from the proxy"));
    let mut proxied = Daemon::settings();
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        proxied = proxied.env(name, proxy.url(""));
    }
    let daemon = Daemon::start(proxied);
    daemon.recache(&[origin.url("/")]);
    assert_eq!(daemon.stored(&origin.url("/")).text(), "page");
    assert_eq!(proxy.connections(), 0);
}
