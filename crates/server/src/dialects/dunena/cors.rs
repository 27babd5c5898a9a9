//! What browsers are told about pages of other sites, with every answer.

use hyper::{
    HeaderMap,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
    },
    http::request::Parts,
};

use crate::http::browser::Trust;

/// Origins whose pages may use the API.
#[derive(Debug)]
pub(super) enum Cors {
    /// All.
    Any,
    /// These; never empty.
    Listed(Vec<HeaderValue>),
}

impl Cors {
    /// Without any origin, and with one that no header can hold, nobody's pages are meant.
    pub(super) fn new(origins: &[String]) -> Self {
        let origins: Vec<_> = origins.iter().map(|origin| origin.trim()).filter(|origin| !origin.is_empty()).collect();
        if origins.is_empty() || origins == ["*"] {
            return Cors::Any;
        }
        let listed: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
        Cors::Listed(if listed.is_empty() { vec![HeaderValue::from_static("null")] } else { listed })
    }

    /// Whether pages of all sites may use the API.
    pub(super) fn is_any(&self) -> bool {
        match self {
            Cors::Any => true,
            Cors::Listed(listed) => listed.iter().any(|listed| listed.as_bytes() == b"*"),
        }
    }

    /// Whether a page of the origin that the request names may ask for a change: one that is listed, or of this server.
    pub(super) fn lets_write(&self, request: &Parts) -> bool {
        self.admits(&request.headers) || Trust::default().origin_allowed(&request.method, request)
    }

    /// Whether a page of the origin that the request names may open a socket; one without an origin is no page's.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        match (self, headers.get(ORIGIN)) {
            (_, None) => true,
            (Cors::Listed(listed), Some(origin)) if !self.is_any() => listed.contains(origin),
            _ => true,
        }
    }

    /// The origin that an answer to a request with these headers names.
    pub(super) fn origin(&self, headers: &HeaderMap) -> HeaderValue {
        match self {
            Cors::Any => HeaderValue::from_static("*"),
            Cors::Listed(listed) => {
                let named = headers.get(ORIGIN).filter(|origin| listed.contains(origin));
                named.or(listed.first()).cloned().unwrap_or(HeaderValue::from_static("null"))
            }
        }
    }

    /// Adds to an answer what all have.
    pub(super) fn add_headers(&self, origin: HeaderValue, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type, Authorization"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        if let Cors::Listed(_) = self {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;

    #[test]
    fn an_answer_names_the_origin_that_asked_if_it_is_listed() {
        for (configured, asked, expected) in [
            (&["*"][..], Some("http://a"), "*"),
            (&["http://a"], None, "http://a"),
            (&["http://a"], Some("http://b"), "http://a"),
            (&[" http://a", "http://b "], Some("http://b"), "http://b"),
            (&["http://a", "http://b"], Some("http://c"), "http://a"),
            (&["http://a", "http://b"], None, "http://a"),
        ] {
            let cors = Cors::new(&configured.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>());
            let headers = asked.map(|asked| (ORIGIN, HeaderValue::from_static(asked))).into_iter().collect();
            assert_eq!(cors.origin(&headers), expected, "{configured:?} {asked:?}");
        }
    }

    #[test]
    fn where_origins_are_listed_a_page_of_another_changes_nothing() {
        let may = |configured: &[&str], method: Method, origin: Option<&str>| {
            let cors = Cors::new(&configured.iter().map(|origin| (*origin).to_owned()).collect::<Vec<_>>());
            let origin = origin.map(|origin| (ORIGIN, HeaderValue::from_str(origin).expect("a value")));
            let host = (hyper::header::HOST, HeaderValue::from_static("localhost:3000"));
            let mut request = hyper::Request::new(()).into_parts().0;
            (request.method, request.headers) = (method, origin.into_iter().chain([host]).collect());
            cors.lets_write(&request)
        };
        for open in [&["*"][..], &[], &["http://a", "*"]] {
            assert!(may(open, Method::POST, Some("http://evil")), "{open:?}");
        }
        assert!(!may(&["http://a"], Method::POST, Some("http://evil")));
        assert!(!may(&["http://a"], Method::DELETE, Some("null")));
        assert!(may(&["http://a"], Method::GET, Some("http://evil")), "the browser keeps the answer from the page");
        assert!(may(&["http://a"], Method::POST, Some("http://a")));
        assert!(may(&["http://a"], Method::POST, Some("http://localhost:3000")), "a page of this server");
        assert!(may(&["http://a"], Method::POST, None), "no browser");
    }
}
