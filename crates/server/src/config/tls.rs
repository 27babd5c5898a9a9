//! Which listeners speak TLS, and with what.

use super::{Config, Error};
use crate::net::{TlsFiles, TlsOptions};

impl Config {
    /// The listeners that are to be opened and to speak TLS, by their names.
    pub fn tls(&self) -> Result<Vec<(&'static str, TlsFiles)>, Error> {
        let mut speaking = Vec::new();
        for (name, open, section, own) in self.listeners() {
            if open && let Some(files) = own.over(&self.tls, section).map_err(|bad| Error::new(bad.to_string()))? {
                speaking.push((name, files));
            }
        }
        Ok(speaking)
    }

    /// Each listener's name, whether it is to be opened, and its own section of TLS.
    fn listeners(&self) -> [(&'static str, bool, &'static str, &TlsOptions); 7] {
        let Config { unison, flo, synap, dunena, edgecomet, .. } = self;
        let own_metrics = edgecomet.metrics_listener().is_some();
        [
            ("metrics", flo.metrics.enabled, "flo.metrics.tls", &flo.metrics.tls),
            ("unison", unison.enabled, "unison.tls", &unison.tls),
            ("flo", flo.enabled, "flo.tls", &flo.tls),
            ("synap", synap.enabled, "synap.tls", &synap.tls),
            ("dunena", dunena.enabled, "dunena.tls", &dunena.tls),
            ("edgecomet", edgecomet.listener().is_some(), "edgecomet.tls", &edgecomet.tls),
            ("edgecomet-metrics", own_metrics, "edgecomet.metrics.tls", &edgecomet.metrics.tls),
        ]
    }
}
