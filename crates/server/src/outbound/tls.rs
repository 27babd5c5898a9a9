//! How TLS is spoken to others. The cryptography is named here, so that nothing depends on what a library would choose,
//! and nothing is installed for the whole process.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// A client that trusts the public authorities.
pub fn tls_config() -> ClientConfig {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the versions that rustls calls safe")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
