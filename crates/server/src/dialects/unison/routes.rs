//! The table of all routes: dispatch, 405 with `Allow` and the OpenAPI document come from it.

use super::access::Access;
use crate::http::route::{Route, Verb};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Health,
    Ready,
    List,
    Get,
    Put,
    Delete,
    Batch,
    Changes,
    ChangeStream,
    ClusterStatus,
    ClusterLeader,
    ClusterMembership,
    OpenApi,
    Stream,
}

/// One method of one path: who may, what it does, and how the document describes it.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) endpoint: Endpoint,
    pub(super) access: Access,
    /// The document's `operationId`.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// Name of the schema of the request body.
    pub(super) body: Option<&'static str>,
    /// Status and name of the schema of each answer.
    pub(super) answers: &'static [(u16, &'static str)],
    /// Not part of the original document.
    pub(super) extension: bool,
}

/// A parameter in the query or the head of a request.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) description: &'static str,
    pub(super) extension: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Query,
    Header,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Integer,
    Flag,
}

const fn query(name: &'static str, kind: Kind, description: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, kind, description, extension: false }
}

const fn extra(name: &'static str, kind: Kind, description: &'static str) -> Parameter {
    Parameter { name, place: Place::Query, kind, description, extension: true }
}

const fn header(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, place: Place::Header, kind: Kind::Text, description, extension: true }
}

const MIN_SEQ: Parameter =
    extra("minSeq", Kind::Integer, "Wait until the feed's head is at least this, at most 5 s, before reading.");
const TENANT: Parameter = query("tenant", Kind::Text, "Only changes whose tenantId is this; empty for all.");
const AFTER: Parameter = query("after", Kind::Integer, "Only changes with a greater seq.");
const TREE: Parameter = extra("namespace", Kind::Text, "Only changes in this namespace or below it.");
const PREFIX: Parameter = extra("prefix", Kind::Text, "Only changes of keys that start with this.");
const NOT_ACTOR: Parameter = extra("notActor", Kind::Text, "Leave out changes of this actor.");
const KEYS_ONLY: Parameter = extra("keysOnly", Kind::Flag, "Leave `value` out.");
const DETAIL: Parameter = extra("detail", Kind::Flag, "Records also have expiresAt, encoding and txn.");
const IF_MATCH: Parameter =
    header("If-Match", "Write only when the version is this, as `\"n\"`; `*`: when the key exists.");

const OK: Operation = Operation {
    endpoint: Endpoint::Health,
    access: Access::Read,
    id: "",
    summary: "",
    parameters: &[],
    body: None,
    answers: &[],
    extension: false,
};

/// Every route. The keys come first because most requests are for them.
pub(super) static ROUTES: &[Route<Operation>] = &[
    Route {
        template: "/api/v1/kv/{namespace}/{key}",
        rest: true,
        operations: &[
            (
                Verb::Get,
                Operation {
                    endpoint: Endpoint::Get,
                    id: "getEntry",
                    summary: "One entry.",
                    parameters: &[header("If-None-Match", "Answer 304 when the version is among these."), MIN_SEQ],
                    answers: &[(200, "Entry"), (304, ""), (400, "Error"), (404, "Error"), (503, "Error")],
                    ..OK
                },
            ),
            (
                Verb::Put,
                Operation {
                    endpoint: Endpoint::Put,
                    access: Access::Write,
                    id: "putEntry",
                    summary: "Write an entry; the answer is its new state.",
                    parameters: &[IF_MATCH, header("If-None-Match", "`*`: write only when the key is absent.")],
                    body: Some("PutRequest"),
                    answers: &[
                        (200, "Entry"),
                        (400, "Error"),
                        (403, "Error"),
                        (408, "Error"),
                        (409, "Error"),
                        (413, "Error"),
                        (503, "Error"),
                    ],
                    ..OK
                },
            ),
            (
                Verb::Delete,
                Operation {
                    endpoint: Endpoint::Delete,
                    access: Access::Write,
                    id: "deleteEntry",
                    summary: "Delete an entry.",
                    parameters: &[
                        query("actor", Kind::Text, "Who deletes; `api` when absent."),
                        extra("cas", Kind::Integer, "Delete only when the version is this; 0: only when absent."),
                        IF_MATCH,
                    ],
                    answers: &[(200, "Deleted"), (400, "Error"), (403, "Error"), (409, "Error"), (503, "Error")],
                    ..OK
                },
            ),
        ],
    },
    Route {
        template: "/api/v1/kv/{namespace}",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::List,
                id: "listEntries",
                summary: "The live entries of a namespace in byte order of their keys, as one consistent state.",
                parameters: &[
                    query("prefix", Kind::Text, "Only keys that start with this."),
                    extra("limit", Kind::Integer, "A page of at most so many entries, up to 10000."),
                    extra("cursor", Kind::Text, "Go on where the page that gave this cursor ended."),
                    KEYS_ONLY,
                    MIN_SEQ,
                ],
                answers: &[(200, "EntryList"), (400, "Error"), (503, "Error")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/batch",
        rest: false,
        operations: &[(
            Verb::Post,
            Operation {
                endpoint: Endpoint::Batch,
                access: Access::Write,
                id: "batch",
                summary: "Several sets and deletes as one change: all of them or none.",
                parameters: &[extra("return", Kind::Text, "`results`: the outcome of each operation too.")],
                body: Some("BatchRequest"),
                answers: &[
                    (200, "BatchResult"),
                    (400, "Error"),
                    (403, "Error"),
                    (408, "Error"),
                    (409, "Error"),
                    (413, "Error"),
                    (503, "Error"),
                ],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/changes",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::Changes,
                id: "listChanges",
                summary: "A page of the change feed.",
                parameters: &[
                    TENANT,
                    AFTER,
                    query("limit", Kind::Integer, "At most so many records, up to 1000; 100 when absent."),
                    extra("wait", Kind::Integer, "Milliseconds to wait for a matching record, up to 60000."),
                    TREE,
                    PREFIX,
                    NOT_ACTOR,
                    KEYS_ONLY,
                    DETAIL,
                    extra("onGap", Kind::Text, "`error`: 410 when records after the cursor are gone; `flag`: say so."),
                    MIN_SEQ,
                ],
                answers: &[(200, "ChangePage"), (400, "Error"), (410, "Error"), (503, "Error")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/changes/stream",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::ChangeStream,
                id: "streamChanges",
                summary: "The change feed as server-sent events.",
                parameters: &[
                    TENANT,
                    AFTER,
                    TREE,
                    PREFIX,
                    NOT_ACTOR,
                    KEYS_ONLY,
                    DETAIL,
                    header("Last-Event-ID", "Go on after this seq; counts more than `after`."),
                ],
                answers: &[(200, "text/event-stream"), (400, "Error"), (503, "Error")],
                extension: true,
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/health",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::Health,
                access: Access::Public,
                id: "health",
                summary: "The process runs.",
                answers: &[(200, "Ok")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/ready",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::Ready,
                access: Access::Public,
                id: "ready",
                summary: "The store has recovered and accepts writes.",
                answers: &[(200, "Ok"), (503, "Ok")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/cluster/status",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::ClusterStatus,
                id: "clusterStatus",
                summary: "Whether the store accepts writes, as clustered clients ask for it.",
                answers: &[(200, "ClusterStatus")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/cluster/leader",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::ClusterLeader,
                id: "clusterLeader",
                summary: "There is no leader: any request is answered where it arrives.",
                answers: &[(200, "ClusterLeader")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/cluster/join",
        rest: false,
        operations: &[(
            Verb::Post,
            Operation {
                endpoint: Endpoint::ClusterMembership,
                id: "clusterJoin",
                summary: "Gone: there is no membership to manage.",
                body: Some("JoinRequest"),
                answers: &[(410, "Error")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/cluster/remove",
        rest: false,
        operations: &[(
            Verb::Post,
            Operation {
                endpoint: Endpoint::ClusterMembership,
                id: "clusterRemove",
                summary: "Gone: there is no membership to manage.",
                body: Some("RemoveRequest"),
                answers: &[(410, "Error")],
                ..OK
            },
        )],
    },
    Route {
        template: "/api/v1/openapi.json",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::OpenApi,
                id: "openapi",
                summary: "This document.",
                answers: &[(200, "object")],
                ..OK
            },
        )],
    },
    Route {
        template: "/stream",
        rest: false,
        operations: &[(
            Verb::Get,
            Operation {
                endpoint: Endpoint::Stream,
                id: "stream",
                summary: "The WebSocket: JSON-RPC 2.0 requests and watches.",
                answers: &[(101, ""), (500, "Error"), (503, "Error")],
                extension: true,
                ..OK
            },
        )],
    },
];
