//! A connection without a socket: for fuzz targets, which go through all that a listener's connection goes through.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::{
    io::{DuplexStream, duplex},
    sync::watch,
};

use super::{
    AnyService, Budget, Connections, Hosts,
    connection::{self, Below, Shared},
    pulse::Patience,
    socket::Stream,
};

/// Bytes that are on their way in each direction.
const BUFFER: usize = 1 << 20;
const PATIENCE: Patience = Patience { head: Duration::from_secs(10), idle: Duration::from_secs(75) };

impl Stream for DuplexStream {}

/// The client's end of a new connection to `service`.
pub(crate) fn connect(
    service: Arc<dyn AnyService>,
    head_bytes: Option<usize>,
    shutdown: watch::Receiver<bool>,
) -> DuplexStream {
    let (client, server) = duplex(BUFFER);
    let connections = Connections::new(1, Budget::unbounded());
    let permit = connections.admit().expect("it is the first one");
    let (patience, hosts) = (PATIENCE, Hosts::Any);
    let shared = Arc::new(Shared { service, connections, patience, head_bytes, hosts, tls: None, shutdown });
    tokio::spawn(connection::serve(server, Below::Plain, Ipv4Addr::LOCALHOST.into(), permit, shared));
    client
}

/// The count of a listener that there is none of.
pub(crate) fn no_listener() -> Arc<Connections> {
    Connections::new(0, Budget::unbounded())
}
