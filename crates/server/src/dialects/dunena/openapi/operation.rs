//! How one operation of the document is put together.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::http::openapi::reference;

/// What can be asked with one method of one path.
#[derive(Debug)]
pub(super) struct Operation {
    id: &'static str,
    tag: Tag,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
    open: bool,
    limited: bool,
}

/// What an operation is listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Health,
    Cache,
    Introspection,
    DurableKv,
    QueryCache,
    DbProxy,
    Locks,
    RateLimits,
    Pages,
}

impl Tag {
    /// In the order of the page, with what is said about each.
    pub(super) const ALL: [(Tag, &'static str); 9] = [
        (Tag::Health, "Whether the server is up. No token needed."),
        (Tag::Cache, "Volatile values: bounded, the least recently used goes first."),
        (Tag::Introspection, "What the server does and did."),
        (Tag::DurableKv, "Values with tags that survive a crash, in SQLite."),
        (Tag::QueryCache, "Results of queries, forgotten by key or tag."),
        (Tag::DbProxy, "Queries to other databases, answered from the query cache where possible."),
        (Tag::Locks, "Locks with an owner and a deadline."),
        (Tag::RateLimits, "Limits on the requests for one namespace."),
        (Tag::Pages, "This page, its document, the dashboard and its socket."),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Tag::Health => "Health",
            Tag::Cache => "Cache",
            Tag::Introspection => "Introspection",
            Tag::DurableKv => "Durable KV",
            Tag::QueryCache => "Query Cache",
            Tag::DbProxy => "DB Proxy",
            Tag::Locks => "Locks",
            Tag::RateLimits => "Namespace Limits",
            Tag::Pages => "Pages",
        }
    }
}

impl Operation {
    pub(super) fn new(tag: Tag, id: &'static str, summary: &'static str) -> Self {
        Operation {
            id,
            tag,
            summary,
            description: "",
            parameters: Vec::new(),
            body: None,
            responses: Map::new(),
            open: false,
            limited: true,
        }
    }

    /// More than fits a line.
    pub(super) fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Needs no token.
    pub(super) fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// Does not count against the limit of requests.
    pub(super) fn unlimited(mut self) -> Self {
        self.limited = false;
        self
    }

    /// May be given in the query.
    pub(super) fn query(mut self, name: &str, description: &str, schema: Value) -> Self {
        self.parameters.push(json!({ "name": name, "in": "query", "description": description, "schema": schema }));
        self
    }

    /// May be given the namespace in the query.
    pub(super) fn namespace(self) -> Self {
        self.query("ns", "Namespace; the default one when absent.", json!({ "type": "string", "maxLength": 512 }))
    }

    /// Takes a body, of which this is an example.
    pub(super) fn body(mut self, schema: &str, example: Value) -> Self {
        let content = json!({ "schema": reference(schema), "example": example });
        self.body = Some(json!({ "required": true, "content": { "application/json": content } }));
        self
    }

    /// Takes a body of several forms, with an example of each by name.
    pub(super) fn body_one_of(mut self, forms: &[(&str, &str, Value)]) -> Self {
        let schemas: BTreeSet<_> = forms.iter().map(|(_, schema, _)| *schema).collect();
        let schemas: Vec<_> = schemas.into_iter().map(reference).collect();
        let examples: Map<_, _> =
            forms.iter().map(|(name, _, example)| ((*name).to_owned(), json!({ "value": example }))).collect();
        let content = json!({ "schema": { "oneOf": schemas }, "examples": examples });
        self.body = Some(json!({ "required": true, "content": { "application/json": content } }));
        self
    }

    /// May be sent without the body.
    pub(super) fn body_is_optional(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body["required"] = false.into();
        }
        self
    }

    /// An answer with JSON, of which this is an example.
    pub(super) fn answers(self, status: u16, description: &str, schema: &str, example: Value) -> Self {
        let content = json!({ "schema": reference(schema), "example": example });
        self.response(status, json!({ "description": description, "content": { "application/json": content } }))
    }

    /// An answer of another type.
    pub(super) fn answers_text(self, description: &str, media: &str) -> Self {
        let content = json!({ media: { "schema": { "type": "string" } } });
        self.response(200, json!({ "description": description, "content": content }))
    }

    /// An answer without a body.
    pub(super) fn answers_nothing(self, status: u16, description: &str) -> Self {
        self.response(status, json!({ "description": description }))
    }

    /// An error with a text of its own.
    pub(super) fn refuses(self, status: u16, when: &str, text: &str) -> Self {
        self.answers(status, when, "Error", json!({ "error": text }))
    }

    fn response(mut self, status: u16, response: Value) -> Self {
        self.responses.insert(status.to_string(), response);
        self
    }

    /// As the document has it; `path` are the names of the parameters in the path.
    pub(super) fn build(mut self, path: impl Iterator<Item = Value>) -> Value {
        if !self.open {
            self = self.with_common_refusals();
        }
        self.responses.entry("500").or_insert_with(|| shared("Internal"));
        let parameters: Vec<_> = path.chain(self.parameters).collect();
        let mut item = json!({ "operationId": self.id, "tags": [self.tag.name()], "summary": self.summary });
        if !self.description.is_empty() {
            item["description"] = self.description.into();
        }
        if !parameters.is_empty() {
            item["parameters"] = parameters.into();
        }
        if let Some(body) = self.body {
            item["requestBody"] = body;
        }
        item["responses"] = self.responses.into();
        if self.open {
            item["security"] = json!([]);
        }
        item
    }

    /// What every route behind the token may answer.
    fn with_common_refusals(mut self) -> Self {
        let limited = self.limited.then_some(("429", "RateLimited"));
        let too_large = self.body.is_some().then_some(("413", "TooLarge"));
        let refusals = [("401", "Unauthorized"), ("503", "Unavailable")];
        for (status, name) in refusals.into_iter().chain(limited).chain(too_large) {
            self.responses.entry(status).or_insert_with(|| shared(name));
        }
        self
    }
}

/// A response that many operations share, by its name among the components.
fn shared(name: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{name}") })
}
