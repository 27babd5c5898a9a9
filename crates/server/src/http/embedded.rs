//! Files that are part of the binary: packed where a client takes that, with a tag, so that a browser asks again and is
//! told that nothing changed.

use std::sync::OnceLock;

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, VARY},
};

use super::{etag, gzip};

#[cfg(test)]
mod tests;

/// Longest file once unpacked. What is embedded is ours; the limit is there because unpacking always has one.
const MAX_BYTES: usize = 16 << 20;

/// One file. Both its forms are made at their first use and kept.
#[derive(Debug)]
pub struct Embedded {
    media: HeaderValue,
    source: Source,
    plain: OnceLock<Form>,
    packed: OnceLock<Form>,
}

#[derive(Debug)]
enum Source {
    Text(fn() -> Bytes),
    Gzip(&'static [u8]),
}

/// A file as it is sent, under a tag of its own: tags tell bytes apart, and packed ones are other bytes.
#[derive(Debug)]
struct Form {
    body: Bytes,
    tag: u64,
}

impl Embedded {
    /// A file of this media type whose content is made at its first use.
    pub const fn text(media: &'static str, content: fn() -> Bytes) -> Self {
        Embedded::of(media, Source::Text(content))
    }

    /// A file of this media type from a gzip stream.
    pub const fn gzip(media: &'static str, packed: &'static [u8]) -> Self {
        Embedded::of(media, Source::Gzip(packed))
    }

    const fn of(media: &'static str, source: Source) -> Self {
        let media = HeaderValue::from_static(media);
        Embedded { media, source, plain: OnceLock::new(), packed: OnceLock::new() }
    }

    /// The answer to a GET with these headers: the file, or 304 where the client has it.
    pub fn answer(&self, headers: &HeaderMap) -> Response<Body> {
        let packed = gzip::accepted(headers);
        let form = if packed { self.packed() } else { self.plain() };
        let mut response = if etag::has_version(headers, form.tag) {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        } else {
            let mut file = Response::new(Body::from(form.body.clone()));
            file.headers_mut().insert(CONTENT_TYPE, self.media.clone());
            if packed {
                file.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            file
        };
        let answered = response.headers_mut();
        answered.insert(ETAG, etag::etag(form.tag));
        // A new version of the program has other files under the same names.
        answered.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answered.insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
        response
    }

    fn plain(&self) -> &Form {
        self.plain.get_or_init(|| match self.source {
            Source::Text(content) => Form::new(content()),
            Source::Gzip(packed) => {
                Form::new(gzip::decode(packed, MAX_BYTES).expect("an embedded file was packed when this was built"))
            }
        })
    }

    fn packed(&self) -> &Form {
        self.packed.get_or_init(|| match self.source {
            Source::Text(_) => Form::new(gzip::encode(&self.plain().body).into()),
            Source::Gzip(packed) => Form::new(Bytes::from_static(packed)),
        })
    }
}

impl Form {
    fn new(body: Bytes) -> Self {
        let tag = u64::from(crc32c::crc32c(&body));
        Form { body, tag }
    }
}
