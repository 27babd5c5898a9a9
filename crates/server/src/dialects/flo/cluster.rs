//! What the node says about itself and its cluster of one: status, metrics, nodes, partitions, the probe.

use manifold_engine::State;
use serde_json::json;

use super::{Reply, call::Call};
use crate::{http::reply, telemetry};

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
    call.query()?;
    let status = match call.engine().state() {
        State::Ready => "healthy",
        State::Starting | State::DiskFull | State::Failed(_) | State::Stopping => "degraded",
    };
    let view = &call.flo.view;
    Ok(reply::json(format!(
        r#"{{"status":"{status}","version":"{}","uptime_seconds":{},"shard_count":{},"node_id":{}}}"#,
        env!("CARGO_PKG_VERSION"),
        call.flo.metrics.uptime_seconds(),
        view.shards,
        view.node_id,
    )))
}

/// GET /metrics: the totals, and what would be each shard's part of them.
pub(super) fn metrics(call: Call<'_>) -> Reply {
    call.query()?;
    let view = &call.flo.view;
    let (operations, per_second) = call.flo.metrics.operations();
    let connections = call.flo.metrics.connections();
    let shards: Vec<_> = (0..view.shards)
        .map(|id| {
            json!({
                "id": id,
                "partitions": share(view.partitions.into(), id, view.shards),
                "connections": share(connections, id, view.shards),
                "ops_per_second": share(per_second, id, view.shards),
            })
        })
        .collect();
    Ok(reply::json(
        json!({
            "ops_total": operations,
            "ops_per_second": per_second,
            "connections_active": connections,
            "memory_used_bytes": telemetry::resident_bytes().unwrap_or_default(),
            "shards": shards,
        })
        .to_string(),
    ))
}

/// GET /cluster/status.
pub(super) fn nodes(call: Call<'_>) -> Reply {
    call.query()?;
    let View { node_id, address, shards, partitions } = &call.flo.view;
    Ok(reply::json(
        json!({
            "nodes": [{ "id": node_id, "address": address, "status": "alive", "shards": shards }],
            "partition_count": partitions,
            "replication_factor": 1,
        })
        .to_string(),
    ))
}

/// GET /cluster/partitions.
pub(super) fn partitions(call: Call<'_>) -> Reply {
    call.query()?;
    let view = &call.flo.view;
    let partitions: Vec<_> = (0..view.partitions)
        .map(|id| {
            let (leader, shard) = (view.node_id, id % view.shards);
            json!({ "id": id, "leader": leader, "replicas": [leader], "shard": shard, "epoch": 1 })
        })
        .collect();
    Ok(reply::json(json!({ "partitions": partitions, "partition_count": view.partitions }).to_string()))
}

/// The part of a whole that shard `id` of `shards` has when they are dealt out one by one.
pub(super) fn share(whole: u64, id: u32, shards: u32) -> u64 {
    let (id, shards) = (u64::from(id), u64::from(shards));
    whole / shards + u64::from(id < whole % shards)
}
