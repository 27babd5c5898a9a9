//! What an operator says about TLS, for all listeners and for one.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// `[tls]`, for all listeners, and the `tls` section of one, which goes before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsOptions {
    /// Speak TLS; absent = where there is a certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// PEM file: the certificate, then those that lead to its authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// PEM file: the private key of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// PEM file: authorities, one of which must have signed the certificate that a client then has to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Oldest version that is spoken; 1.2 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<TlsVersion>,
}

/// The versions that can be spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2 and later.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

/// The files of a listener that speaks TLS. Equal ones come to the same identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TlsFiles {
    /// The chain of certificates.
    pub cert: TlsFile,
    /// The private key.
    pub key: TlsFile,
    /// Authorities of clients.
    pub client_ca: Option<TlsFile>,
    /// Oldest version.
    pub min_version: TlsVersion,
}

/// A file, and the key of the configuration that names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TlsFile {
    /// `tls.cert`, or what it is in the section of a listener.
    pub key: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Why TLS cannot be spoken: one sentence with the key and the file in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub(super) String);

impl TlsFile {
    pub(super) fn unusable(&self, why: impl fmt::Display) -> Unusable {
        Unusable(format!("{}: {}: {why}", self.key, self.path.display()))
    }
}

impl TlsOptions {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == TlsOptions::default()
    }

    /// What these options, said in the section `own`, come to over those of `[tls]`; none = plain HTTP.
    pub fn over(&self, general: &TlsOptions, own: &str) -> Result<Option<TlsFiles>, Unusable> {
        // A certificate without its key is of no use, so a section that names one of both names both.
        let (pair, section) = match (said(&self.cert), said(&self.key)) {
            (None, None) => (general, "tls"),
            _ => (self, own),
        };
        let missing = |which: &str, because: &str| Unusable(format!("{section}.{which} is missing: {because}"));
        let of = |key: &str, path: &Path| TlsFile { key: format!("{section}.{key}"), path: path.to_owned() };
        let wanted = self.enabled.map(|on| (on, own)).or(general.enabled.map(|on| (on, "tls")));
        let (cert, key) = match (wanted, said(&pair.cert), said(&pair.key)) {
            (Some((false, _)), _, _) | (None, None, None) => return Ok(None),
            (_, Some(cert), Some(key)) => (of("cert", cert), of("key", key)),
            (_, Some(_), None) => return Err(missing("key", &format!("{section}.cert is set"))),
            (_, None, Some(_)) => return Err(missing("cert", &format!("{section}.key is set"))),
            (Some((true, by)), None, None) => return Err(missing("cert", &format!("{by}.enabled is true"))),
        };
        let client_ca = match (&self.client_ca, said(&general.client_ca)) {
            (Some(_), _) => said(&self.client_ca).map(|path| (own, path)),
            (None, path) => path.map(|path| ("tls", path)),
        };
        let client_ca =
            client_ca.map(|(section, path)| TlsFile { key: format!("{section}.client_ca"), path: path.to_owned() });
        let min_version = self.min_version.or(general.min_version).unwrap_or_default();
        Ok(Some(TlsFiles { cert, key, client_ca, min_version }))
    }
}

/// An empty path stands for none.
fn said(path: &Option<PathBuf>) -> Option<&Path> {
    path.as_deref().filter(|path| !path.as_os_str().is_empty())
}
