//! A server with connectors.

use std::{collections::HashMap, sync::Arc, time::Duration};

use manifold_server::{
    dialects::dunena::proxy::{
        Kind,
        native::{Files, Limits, Native},
    },
    outbound::{self, Guard},
};
use serde_json::value::RawValue;

pub struct Proxied {
    runtime: tokio::runtime::Runtime,
    natives: std::sync::Mutex<HashMap<String, Arc<Native>>>,
    limits: Limits,
}

impl Proxied {
    pub fn start() -> Proxied {
        Proxied::with(Duration::from_secs(30), 16 << 20)
    }

    pub fn with(whole: Duration, response_bytes: usize) -> Proxied {
        let outbound = outbound::Limits { connect: Duration::from_secs(5), whole, response_bytes };
        Proxied {
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
            natives: Default::default(),
            limits: Limits { outbound, files: Arc::new(Files::default()) },
        }
    }

    pub fn register(&self, name: &str, kind: &str, dsn: &str, read_only: bool) {
        let kind = Kind::named(kind).unwrap();
        let native = Native::open(kind, dsn, read_only, Guard::new(None), self.limits.clone()).unwrap();
        self.natives.lock().unwrap().insert(name.into(), Arc::new(native));
    }

    pub fn ask(&self, name: &str, query: &str, params: &str) -> Result<String, String> {
        let native = Arc::clone(&self.natives.lock().unwrap()[name]);
        let params: Vec<&RawValue> = serde_json::from_str(params).unwrap();
        let answer = self.runtime.block_on(native.query(query, &params));
        answer.map(|data| String::from_utf8(data).unwrap()).map_err(|failure| failure.to_string())
    }
}
