//! Who says of itself that it is there, in a home that is shared.

/// Render services and gateways that are healthy, and daemons that are alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Registry {
    pub(in super::super) render_services: Vec<RenderService>,
    /// By id.
    pub(in super::super) gateways: Vec<RegisteredGateway>,
    /// Processes that share the home, this one included.
    pub(in super::super) daemons: u64,
}

/// Renders pages for gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct RenderService {
    pub(in super::super) capacity: u64,
    pub(in super::super) load: u64,
}

/// Takes jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct RegisteredGateway {
    pub(in super::super) eg_id: String,
    /// `host:port`.
    pub(in super::super) address: String,
}

impl Registry {
    /// That of a home that is not shared.
    pub(in super::super) fn alone() -> Self {
        Registry { render_services: Vec::new(), gateways: Vec::new(), daemons: 1 }
    }
}
