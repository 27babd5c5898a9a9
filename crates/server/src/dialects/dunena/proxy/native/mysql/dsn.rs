//! `mysql://user:password@host:port/database?ssl-mode=...`, over TCP only.

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::dialects::dunena::proxy::{
    native::roots::{Roots, Trust},
    secrets::Secrets,
};

const DEFAULT_PORT: u16 = 3306;

/// A connection string.
#[derive(Clone)]
pub(in super::super) struct Dsn {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    pub(super) tls: Tls,
    pub(super) secrets: Secrets,
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tls {
    Never,
    /// Where the server can.
    Preferred,
    Always(Trust),
}

impl Dsn {
    pub(in super::super) fn parse(dsn: &str) -> Option<Dsn> {
        let url = Url::parse(dsn).ok().filter(|url| url.scheme() == "mysql")?;
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let host = decoded(host.trim_matches(['[', ']']))?;
        let user = decoded(url.username())?;
        let password = url.password().map(decoded);
        let password = match password {
            Some(password) => Some(password?),
            None => None,
        };
        let database = decoded(url.path().trim_start_matches('/'))?;
        let secrets = Secrets::new([dsn].into_iter().chain(password.as_deref()).chain(url.password()));
        Some(Dsn {
            host,
            port: url.port().unwrap_or(DEFAULT_PORT),
            user: Some(user).filter(|user| !user.is_empty()),
            password,
            database: Some(database).filter(|database| !database.is_empty()),
            tls: tls(&url)?,
            secrets,
        })
    }
}

impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dsn").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

/// The modes of MySQL's own clients; those of libpq are understood too. Options about other things are left alone.
fn tls(url: &Url) -> Option<Tls> {
    let (mut mode, mut roots) = (String::new(), Roots::Public);
    for (name, value) in url.query_pairs() {
        match name.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
            "sslmode" => mode = value.to_ascii_lowercase().replace('_', "-"),
            "sslca" => roots = Roots::File(PathBuf::from(value.as_ref())),
            _ => {}
        }
    }
    Some(match mode.as_str() {
        "disabled" | "disable" => Tls::Never,
        "" | "preferred" | "prefer" => Tls::Preferred,
        "required" | "require" => Tls::Always(Trust::Anyone),
        "verify-ca" => Tls::Always(Trust::Authority(roots)),
        "verify-identity" | "verify-full" => Tls::Always(Trust::Name(roots)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
