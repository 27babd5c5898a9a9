//! What the node says about itself and its cluster of one: status, metrics, nodes, partitions, the probe.

use manifold_engine::State;
use serde::Serialize;

use super::{Reply, call::Call};
use crate::{
    http::reply,
    telemetry::{self, share},
};

/// What the views show, as it was configured.
#[derive(Debug)]
pub(super) struct View {
    pub(super) node_id: u64,
    pub(super) address: String,
    pub(super) shards: u32,
    pub(super) partitions: u32,
}

/// GET /health.
pub(super) fn health() -> Reply {
    Ok(reply::json(r#"{"status":"ok"}"#))
}

/// GET /status.
pub(super) fn status(call: Call<'_>) -> Reply {
    #[derive(Serialize)]
    struct Status {
        status: &'static str,
        version: &'static str,
        uptime_seconds: u64,
        shard_count: u32,
        node_id: u64,
    }
    call.query()?;
    let status = match call.engine().state() {
        State::Ready => "healthy",
        State::Starting | State::DiskFull | State::Failed(_) | State::Stopping => "degraded",
    };
    let View { node_id, shards, .. } = call.flo.view;
    let uptime_seconds = call.flo.metrics.uptime_seconds();
    json(&Status { status, version: env!("CARGO_PKG_VERSION"), uptime_seconds, shard_count: shards, node_id })
}

/// GET /metrics: the totals, and what would be each shard's part of them.
pub(super) fn metrics(call: Call<'_>) -> Reply {
    #[derive(Serialize)]
    struct Shard {
        id: u32,
        partitions: u64,
        connections: u64,
        ops_per_second: u64,
    }
    #[derive(Serialize)]
    struct Metrics {
        ops_total: u64,
        ops_per_second: u64,
        connections_active: u64,
        memory_used_bytes: u64,
        shards: Vec<Shard>,
    }
    call.query()?;
    let View { shards, partitions, .. } = call.flo.view;
    let (ops_total, ops_per_second) = call.flo.metrics.operations();
    let connections = call.flo.metrics.connections();
    let shard = |id| Shard {
        id,
        partitions: share(partitions.into(), id, shards),
        connections: share(connections, id, shards),
        ops_per_second: share(ops_per_second, id, shards),
    };
    json(&Metrics {
        ops_total,
        ops_per_second,
        connections_active: connections,
        memory_used_bytes: telemetry::resident_bytes().unwrap_or_default(),
        shards: (0..shards).map(shard).collect(),
    })
}

/// GET /cluster/status.
pub(super) fn nodes(call: Call<'_>) -> Reply {
    #[derive(Serialize)]
    struct Node<'a> {
        id: u64,
        address: &'a str,
        status: &'static str,
        shards: u32,
    }
    #[derive(Serialize)]
    struct Nodes<'a> {
        nodes: [Node<'a>; 1],
        partition_count: u32,
        replication_factor: u32,
    }
    call.query()?;
    let View { node_id, address, shards, partitions } = &call.flo.view;
    let this = Node { id: *node_id, address, status: "alive", shards: *shards };
    json(&Nodes { nodes: [this], partition_count: *partitions, replication_factor: 1 })
}

/// GET /cluster/partitions.
pub(super) fn partitions(call: Call<'_>) -> Reply {
    #[derive(Serialize)]
    struct Partition {
        id: u32,
        leader: u64,
        replicas: [u64; 1],
        shard: u32,
        epoch: u32,
    }
    #[derive(Serialize)]
    struct Partitions {
        partitions: Vec<Partition>,
        partition_count: u32,
    }
    call.query()?;
    let View { node_id: leader, shards, partitions: count, .. } = call.flo.view;
    let partition = |id| Partition { id, leader, replicas: [leader], shard: id % shards, epoch: 1 };
    json(&Partitions { partitions: (0..count).map(partition).collect(), partition_count: count })
}

fn json(body: &impl Serialize) -> Reply {
    Ok(reply::json(serde_json::to_vec(body).expect("numbers and texts are always JSON")))
}
