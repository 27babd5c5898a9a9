//! What absent keys mean.

use std::collections::BTreeMap;

use super::{
    BothitRecache, Bypass, Cleanup, Compression, Config, GatewayFile, Headers, HttpApi, InternalQueue, Logging,
    Metrics, Recache, Redis, Render, ResponseFormat, Scheduler, Span, Storage, Switch, TrackingParams, Worker,
    WorkerMode,
};
use crate::{http::auth::Secret, net::TlsOptions};

impl Default for Config {
    fn default() -> Self {
        Config {
            enabled: true,
            host: None,
            port: 10090,
            tls: TlsOptions::default(),
            daemon_id: String::new(),
            internal_auth_key: Secret::default(),
            config_file: None,
            eg_config: None,
            hosts: Vec::new(),
            hosts_include: None,
            included_hosts: Vec::new(),
            dimensions: BTreeMap::new(),
            render: Render::default(),
            bypass: Bypass::default(),
            tracking_params: TrackingParams::default(),
            bothit_recache: BothitRecache::default(),
            headers: Headers::default(),
            redis: Redis::default(),
            scheduler: Scheduler::default(),
            internal_queue: InternalQueue::default(),
            recache: Recache::default(),
            http_api: HttpApi::default(),
            gateways: Vec::new(),
            worker: Worker::default(),
            storage: Storage::default(),
            shutdown_grace: Span::seconds(2),
            metrics: Metrics::default(),
            logging: Logging::default(),
            gateway_file: GatewayFile::default(),
        }
    }
}

impl Default for Scheduler {
    fn default() -> Self {
        Scheduler { tick_interval: Span::seconds(1), normal_check_interval: Span::seconds(60) }
    }
}

impl Default for InternalQueue {
    fn default() -> Self {
        InternalQueue { max_size: 1000, max_retries: 3, retry_base_delay: Span::seconds(5) }
    }
}

impl Default for Recache {
    fn default() -> Self {
        Recache {
            rs_capacity_reserved: 0.30,
            timeout_per_url: Span::seconds(60),
            strip_tracking_params: true,
            max_entries_per_queue: None,
            max_dead_letters: 1000,
            rs_stale_after: Span::seconds(3),
            gateway_concurrency: 4,
        }
    }
}

impl Default for HttpApi {
    fn default() -> Self {
        HttpApi {
            enabled: true,
            listen: None,
            request_timeout: Span::seconds(30),
            max_body_bytes: 32 << 20,
            scheduler_control_api: false,
            response_format: ResponseFormat::Documented,
        }
    }
}

impl Default for Worker {
    fn default() -> Self {
        Worker {
            enabled: Switch::Auto,
            mode: WorkerMode::Fetch,
            render: false,
            concurrency: 10,
            host_concurrency: 0,
            timeout: Span::seconds(30),
            connect_timeout: Span::seconds(5),
            max_body: 20 << 20,
            allow_private: false,
            allow_networks: Vec::new(),
            max_redirects: 0,
            replace_rendered: false,
            chromium: String::new(),
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Storage {
            base_path: None,
            compression: Compression::Snappy,
            cleanup_delay: Span::seconds(30),
            cleanup: Cleanup::default(),
        }
    }
}

impl Default for Cleanup {
    fn default() -> Self {
        Cleanup { enabled: None, interval: Span::seconds(600), safety_margin: Span::seconds(3600) }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            enabled: false,
            listen: "127.0.0.1:10099".to_owned(),
            path: "/metrics".to_owned(),
            namespace: "edgecomet".to_owned(),
            tls: TlsOptions::default(),
        }
    }
}
