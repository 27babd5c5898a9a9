//! The pages, this document and the socket.

use serde_json::json;

use super::operation::{Operation, Tag};

fn page(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(Tag::Pages, id, summary).open()
}

pub(super) fn explorer() -> Operation {
    page("explorer", "API Explorer").answers_text("This page.", "text/html")
}

pub(super) fn json() -> Operation {
    page("openapiJson", "OpenAPI Document").answers(
        200,
        "This document.",
        "Document",
        json!({ "openapi": "3.0.3", "info": { "title": "Dunena" } }),
    )
}

pub(super) fn yaml() -> Operation {
    page("openapiYaml", "OpenAPI Document as YAML").answers_text("This document.", "application/yaml")
}

pub(super) fn dashboard() -> Operation {
    page("dashboard", "Dashboard").answers_text("A page with figures, live events and keys.", "text/html").refuses(
        404,
        "The dashboard is off.",
        "Not found",
    )
}

pub(super) fn socket() -> Operation {
    let token = json!({ "type": "string" });
    Operation::new(Tag::Pages, "socket", "WebSocket")
        .about("Frames are JSON: `ping`, `get`, `set`, `del`, `mget`, `mset`, `subscribe`. Events of the cache are pushed.")
        .unlimited()
        .query("token", "The token, for clients that cannot send it in a header.", token)
        .answers_nothing(101, "The protocol changes to WebSocket.")
        .refuses(403, "The page's origin is not a configured one.", "Origin not allowed")
        .refuses(404, "The socket is off, or no upgrade was asked for.", "Not found")
}
