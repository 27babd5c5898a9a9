//! The table of all routes.

use super::ts::influx;
use crate::http::route::{Route, Verb};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Health,
    Status,
    Metrics,
    ClusterStatus,
    ClusterPartitions,
    Namespaces,
    NamespaceCreate,
    KvScan,
    KvGet,
    KvPut,
    KvDelete,
    QueueList,
    Enqueue,
    Dequeue,
    Ack,
    Nack,
    Extend,
    Peek,
    QueueStats,
    Purge,
    DeadList,
    DeadPurge,
    DeadRequeue,
    StreamList,
    StreamRead,
    StreamInfo,
    Append,
    Trim,
    GroupList,
    GroupGet,
    GroupDelete,
    GroupJoin,
    GroupRead,
    GroupAck,
    GroupNack,
    SeriesList,
    SeriesWrite,
    SeriesQuery,
    SeriesDelete,
    FloqlQuery,
    InfluxWrite,
    InfluxWriteV2,
    InfluxWriteV3,
    InfluxQuery,
    InfluxPing,
}

impl Endpoint {
    /// Whether it counts as an operation on data.
    pub(super) fn is_operation(self) -> bool {
        use Endpoint::{
            ClusterPartitions, ClusterStatus, Health, InfluxPing, InfluxQuery, Metrics, NamespaceCreate, Namespaces,
            Status,
        };
        !matches!(
            self,
            Health
                | Status
                | Metrics
                | ClusterStatus
                | ClusterPartitions
                | Namespaces
                | NamespaceCreate
                | InfluxQuery
                | InfluxPing
        )
    }
}

const fn route(template: &'static str, operations: &'static [(Verb, Endpoint)]) -> Route<Endpoint> {
    Route { template, rest: false, operations }
}

/// Every route. The keys come first because most requests are for them.
pub(super) static ROUTES: &[Route<Endpoint>] = &[
    Route {
        template: "/api/v1/kv/{namespace}/{key}",
        rest: true,
        operations: &[(Verb::Get, Endpoint::KvGet), (Verb::Put, Endpoint::KvPut), (Verb::Delete, Endpoint::KvDelete)],
    },
    route("/api/v1/kv/{namespace}", &[(Verb::Get, Endpoint::KvScan)]),
    route("/api/v1/queue/{namespace}/{queue}/enqueue", &[(Verb::Post, Endpoint::Enqueue)]),
    route("/api/v1/queue/{namespace}/{queue}/dequeue", &[(Verb::Post, Endpoint::Dequeue)]),
    route("/api/v1/queue/{namespace}/{queue}/ack", &[(Verb::Post, Endpoint::Ack)]),
    route("/api/v1/queue/{namespace}/{queue}/nack", &[(Verb::Post, Endpoint::Nack)]),
    route("/api/v1/queue/{namespace}/{queue}/extend", &[(Verb::Post, Endpoint::Extend)]),
    route("/api/v1/queue/{namespace}/{queue}/touch", &[(Verb::Post, Endpoint::Extend)]),
    route("/api/v1/queue/{namespace}/{queue}/peek", &[(Verb::Get, Endpoint::Peek)]),
    route("/api/v1/queue/{namespace}/{queue}/stats", &[(Verb::Get, Endpoint::QueueStats)]),
    route("/api/v1/queue/{namespace}/{queue}/purge", &[(Verb::Post, Endpoint::Purge)]),
    route(
        "/api/v1/queue/{namespace}/{queue}/dlq",
        &[(Verb::Get, Endpoint::DeadList), (Verb::Delete, Endpoint::DeadPurge)],
    ),
    route("/api/v1/queue/{namespace}/{queue}/dlq/requeue", &[(Verb::Post, Endpoint::DeadRequeue)]),
    route("/api/v1/queue/{namespace}", &[(Verb::Get, Endpoint::QueueList)]),
    route("/api/v1/stream/{namespace}/{stream}/append", &[(Verb::Post, Endpoint::Append)]),
    route("/api/v1/stream/{namespace}/{stream}", &[(Verb::Get, Endpoint::StreamRead)]),
    route("/api/v1/stream/{namespace}/{stream}/info", &[(Verb::Get, Endpoint::StreamInfo)]),
    route("/api/v1/stream/{namespace}/{stream}/trim", &[(Verb::Post, Endpoint::Trim)]),
    route("/api/v1/stream/{namespace}/{stream}/groups", &[(Verb::Get, Endpoint::GroupList)]),
    route(
        "/api/v1/stream/{namespace}/{stream}/groups/{group}",
        &[(Verb::Get, Endpoint::GroupGet), (Verb::Delete, Endpoint::GroupDelete)],
    ),
    route("/api/v1/stream/{namespace}/{stream}/groups/{group}/join", &[(Verb::Post, Endpoint::GroupJoin)]),
    route("/api/v1/stream/{namespace}/{stream}/groups/{group}/read", &[(Verb::Post, Endpoint::GroupRead)]),
    route("/api/v1/stream/{namespace}/{stream}/groups/{group}/ack", &[(Verb::Post, Endpoint::GroupAck)]),
    route("/api/v1/stream/{namespace}/{stream}/groups/{group}/nack", &[(Verb::Post, Endpoint::GroupNack)]),
    route("/api/v1/stream/{namespace}", &[(Verb::Get, Endpoint::StreamList)]),
    route("/api/v1/ts/{namespace}/write", &[(Verb::Post, Endpoint::SeriesWrite)]),
    route("/api/v1/ts/{namespace}/query", &[(Verb::Post, Endpoint::SeriesQuery)]),
    route("/api/v1/ts/{namespace}/delete", &[(Verb::Post, Endpoint::SeriesDelete)]),
    route("/api/v1/ts/{namespace}", &[(Verb::Get, Endpoint::SeriesList)]),
    route("/api/v1/timeseries/floql", &[(Verb::Get, Endpoint::FloqlQuery), (Verb::Post, Endpoint::FloqlQuery)]),
    route("/api/v1/status", &[(Verb::Get, Endpoint::Status)]),
    route("/api/v1/metrics", &[(Verb::Get, Endpoint::Metrics)]),
    route("/api/v1/cluster/status", &[(Verb::Get, Endpoint::ClusterStatus)]),
    route("/api/v1/cluster/partitions", &[(Verb::Get, Endpoint::ClusterPartitions)]),
    route("/api/v1/namespaces", &[(Verb::Get, Endpoint::Namespaces), (Verb::Post, Endpoint::NamespaceCreate)]),
    route(influx::WRITE, &[(Verb::Post, Endpoint::InfluxWrite)]),
    route(influx::WRITE_V2, &[(Verb::Post, Endpoint::InfluxWriteV2)]),
    route(influx::WRITE_V3, &[(Verb::Post, Endpoint::InfluxWriteV3)]),
    route(influx::QUERY, &[(Verb::Get, Endpoint::InfluxQuery), (Verb::Post, Endpoint::InfluxQuery)]),
    route(influx::PING, &[(Verb::Get, Endpoint::InfluxPing)]),
    route("/health", &[(Verb::Get, Endpoint::Health)]),
];
