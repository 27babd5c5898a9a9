use super::*;

#[test]
fn an_address_is_asked_for_byte_by_byte() {
    for (url, asked) in [
        ("https://example.com/page?a=1&b=2", "https://example.com/page?a=1&b=2"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("https://example.com:/", "https://example.com/"),
        ("https://example.com/%41/it's/a%2Fb/[x]", "https://example.com/%41/it's/a%2Fb/[x]"),
        ("https://example.com/?", "https://example.com/?"),
        ("https://example.com/?a='x';b=%zz&c={|}^`\\", "https://example.com/?a='x';b=%zz&c={|}^`\\"),
        // What no request line can carry.
        ("https://example.com/?a=b c;\"<é>", "https://example.com/?a=b%20c;%22%3C%C3%A9%3E"),
        ("https://example.com?a=1#b", "https://example.com/?a=1"),
        ("HTTPS://user:pass@word@example.com/", "https://example.com/"),
        ("https://b%C3%BCcher.example/", "https://xn--bcher-kva.example/"),
        ("https://127.0.0.1:81/", "https://127.0.0.1:81/"),
    ] {
        let uri = Target::parse(url).uri().unwrap_or_else(|| panic!("{url}"));
        assert_eq!(uri.to_string(), asked);
    }
}

#[test]
fn what_it_is_called_by_is_decoded() {
    for (url, scheme, name) in [
        ("https://Example.com:8443/", "https", "Example.com"),
        ("ftp://example.com/", "ftp", "example.com"),
        ("//example.com/x", "", "example.com"),
        ("//example.com/?u=http://evil.test/", "", "example.com"),
        ("javascript:alert(1)", "javascript", "alert(1)"),
        ("Data:text/html,x", "data", "text"),
        ("https://b%C3%BCcher.example/", "https", "bücher.example"),
        ("https://example.com@evil.test/", "https", "evil.test"),
        ("https://evil.test?@example.com/", "https", "evil.test"),
        ("https://evil.test#@example.com/", "https", "evil.test"),
        ("https://evil.test/@example.com/", "https", "evil.test"),
        ("https://example.com.:80/", "https", "example.com."),
        ("https://[::1]:80/", "https", "[::1]"),
        ("https://[::1]/", "https", "[::1]"),
    ] {
        let target = Target::parse(url);
        assert_eq!((target.scheme.as_str(), target.name.as_str()), (scheme, name), "{url}");
    }
}

#[test]
fn a_host_or_port_that_cannot_be_is_not_asked() {
    for url in ["https://example.com:99999/", "https:///x", "https://exa mple.com/", "https://a%2Fb.com/"] {
        assert_eq!(Target::parse(url).uri(), None, "{url}");
    }
    // A number is an address in disguise, and is shown as that.
    assert_eq!(Target::parse("http://2130706433/").uri().expect("an address").host(), Some("127.0.0.1"));
}
