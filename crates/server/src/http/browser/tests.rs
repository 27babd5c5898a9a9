use super::*;

fn request(pairs: &[(HeaderName, &str)]) -> Parts {
    let mut parts = hyper::Request::new(()).into_parts().0;
    parts.headers = headers(pairs);
    parts
}

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn trust() -> Trust {
    Trust { origins: vec!["https://console.example.com".to_owned()], hosts: vec!["data.example.com".to_owned()] }
}

#[test]
fn a_listed_or_a_loopback_host_is_allowed_whatever_the_port() {
    for host in ["data.example.com", "DATA.example.com:9002", "localhost:1", "127.0.0.1", "[::1]", "[::1]:9002"] {
        assert!(trust().host_allowed(&headers(&[(HOST, host)])), "{host}");
    }
    for host in ["example.com", "data.example.com.evil.com", "localhost.evil.com:9002", "[::2]:9002", ""] {
        assert!(!trust().host_allowed(&headers(&[(HOST, host)])), "{host}");
    }
    assert!(Trust::default().host_allowed(&headers(&[(HOST, "anything")])));
}

#[test]
fn a_page_of_another_site_may_not_write() {
    let may = |method: Method, origin: &str, host: &str| {
        trust().origin_allowed(&method, &request(&[(ORIGIN, origin), (HOST, host)]))
    };
    assert!(may(Method::PUT, "http://localhost:9002", "localhost:9002"));
    assert!(may(Method::PUT, "https://data.example.com", "data.example.com:443"));
    assert!(may(Method::PUT, "https://console.example.com", "localhost:9002"), "it is listed");
    assert!(may(Method::GET, "https://evil.com", "localhost:9002"), "the browser keeps the answer from the page");
    for origin in
        ["https://evil.com", "http://localhost:3000", "null", "http://localhost", "https://localhost:9002.evil.com"]
    {
        assert!(!may(Method::POST, origin, "localhost:9002"), "{origin}");
    }
    assert!(trust().origin_allowed(&Method::DELETE, &request(&[(HOST, "localhost:9002")])), "no browser");
}

#[test]
fn a_page_that_came_in_plain_is_none_of_a_server_that_speaks_tls() {
    let trusts = |origin: &str, scheme: Option<Scheme>| {
        let mut parts = request(&[(ORIGIN, origin), (HOST, "data.example.com:9002")]);
        scheme.map(|scheme| parts.extensions.insert(scheme));
        trust().origin_trusted(&parts)
    };
    assert!(trusts("https://data.example.com:9002", Some(Scheme::HTTPS)));
    assert!(!trusts("http://data.example.com:9002", Some(Scheme::HTTPS)));
    assert!(trusts("http://data.example.com:9002", None));
    assert!(trusts("https://data.example.com:9002", None), "TLS may end before the server");
    assert!(trusts("https://console.example.com", Some(Scheme::HTTPS)), "it is listed");
}

#[test]
fn a_request_without_an_origin_may_still_be_of_another_sites_page() {
    let site = |site: &str| request(&[(HOST, "localhost:9002"), (FETCH_SITE, site)]);
    for other in ["cross-site", "same-site"] {
        assert!(!trust().origin_trusted(&site(other)), "{other}");
        assert!(!trust().origin_allowed(&Method::POST, &site(other)), "{other}");
        assert!(
            trust().origin_allowed(&Method::GET, &site(other)),
            "{other}: the browser keeps the answer from the page"
        );
    }
    for own in ["same-origin", "none", ""] {
        assert!(trust().origin_trusted(&site(own)), "{own}");
    }
    let listed =
        request(&[(HOST, "localhost:9002"), (FETCH_SITE, "cross-site"), (ORIGIN, "https://console.example.com")]);
    assert!(trust().origin_trusted(&listed), "an origin that is listed goes before");
}
