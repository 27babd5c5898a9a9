//! What a page was when it was fetched or rendered, or why there is none.

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};

/// A page as it came.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    /// Any; a redirect is a page like others.
    pub(super) status: StatusCode,
    /// Those of the page's own answer.
    pub(super) headers: HeaderMap,
    /// Without any coding.
    pub(super) body: Bytes,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It may work later; why.
    Temporary(String),
    /// It would fail again; why.
    Permanent(String),
}
