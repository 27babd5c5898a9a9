//! Jobs that gateways take.
