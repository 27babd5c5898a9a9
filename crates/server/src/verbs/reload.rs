//! What a SIGHUP changes while the process serves: certificates, and the hosts of EdgeComet. Each is read whether the other
//! can be or not.

use std::convert::Infallible;

use manifold_server::{
    config::{self, Config, Loaded},
    dialects::edgecomet::EdgeComet,
};
use tokio::signal::unix::Signal;

use super::{settings::load, tls::Serving};

/// Reads the configuration again at each SIGHUP, for what can change while the process runs.
pub async fn reload(
    hangups: &mut Signal,
    flags: &config::Flags,
    tls: &mut Serving,
    edgecomet: Option<&EdgeComet>,
) -> Infallible {
    loop {
        if hangups.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        let read = load(flags).map(|Loaded { config, notes }| {
            notes.iter().for_each(|note| tracing::warn!("{note}"));
            config
        });
        let read = read.map_err(|failure| failure.sentence);
        if let Err(error) = &read {
            tracing::error!(%error, "the configuration cannot be used as it is now");
        }
        tls.reload(read.as_ref().ok());
        match edgecomet {
            Some(edgecomet) => match read.and_then(|config| hosts(edgecomet, &config)) {
                Ok(hosts) => tracing::info!(hosts, "edgecomet: the hosts were read again"),
                Err(error) => tracing::error!(%error, "edgecomet: the hosts stay as they were"),
            },
            None => tracing::info!(signal = "SIGHUP", "there are no hosts to read again"),
        }
    }
}

fn hosts(edgecomet: &EdgeComet, config: &Config) -> Result<usize, String> {
    if !config.edgecomet.enabled {
        return Err("edgecomet.enabled is false now, which only a start can change".to_owned());
    }
    edgecomet.reload(&config.edgecomet).map_err(|refused| refused.to_string())
}
