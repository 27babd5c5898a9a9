//! One job given to a gateway over HTTP. Gateways are part of the installation, on networks of its own: wherever they are
//! is where they are called.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use manifold_engine::recache::write_escaped;
use reqwest::redirect;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    roster::{Contact, Gateway},
    verdict,
};
use crate::{
    dialects::edgecomet::{
        KEY_HEADER,
        config::Config,
        job::{Job, Outcome},
    },
    outbound::{self, tls_config},
};

#[cfg(test)]
mod tests;

const PATH: &str = "/internal/cache/recache";
/// Longest time until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// Shorter than what gateways allow a quiet connection, so that hardly a job meets one that is being closed.
const IDLE: Duration = Duration::from_secs(4);
/// How much of an answer is read, and for how long: its status is what counts.
const ANSWER_BYTES: usize = 64 << 10;
const ANSWER_TIME: Duration = Duration::from_secs(1);
const REFUSED: &str = "connection refused";

/// Talks to gateways. Clones share connections.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    key: HeaderValue,
    /// Longest time of a job.
    whole: Duration,
}

impl Client {
    pub(super) fn new(config: &Config) -> Client {
        let whole = config.recache.timeout_per_url.0;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config())
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .user_agent("manifold")
            .connect_timeout(CONNECT.min(whole))
            .pool_idle_timeout(IDLE)
            .build()
            .expect("the TLS configuration is given, and nothing else of a client can fail");
        // A key that no header can hold fits no request, neither ours nor to us.
        let key = HeaderValue::from_bytes(config.internal_auth_key.expose().as_bytes());
        let mut key = key.unwrap_or_else(|_| HeaderValue::from_static(""));
        key.set_sensitive(true);
        Client { http, key, whole }
    }

    /// Gives a gateway a job and waits until it is done.
    pub(super) async fn run(&self, gateway: &Gateway, job: &Job) -> (Outcome, Contact) {
        match self.ask(gateway, job).await {
            Ok((status, body)) => (verdict::of(status, &body), Contact::Answered),
            Err(error) => {
                let reason = format!("gateway {}: {error}", gateway.id);
                match (error, gateway.registered) {
                    (outbound::Error::Unreachable(REFUSED), true) => (Outcome::Temporary(reason), Contact::Refused),
                    (outbound::Error::Unreachable(REFUSED), false) => (Outcome::NotTried(reason), Contact::Refused),
                    _ => (Outcome::Temporary(reason), Contact::Broke),
                }
            }
        }
    }

    /// The status, and the beginning of the body.
    async fn ask(&self, gateway: &Gateway, job: &Job) -> Result<(u16, Bytes), outbound::Error> {
        let request = self
            .http
            .post(format!("http://{}{PATH}", gateway.address))
            .header(KEY_HEADER, self.key.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body(job));
        // The status is what counts, so what else comes of the answer has a time of its own.
        let sent = timeout(self.whole, request.send()).await.map_err(|_| outbound::Error::TimedOut)?;
        let response = sent.map_err(|error| outbound::explain(&error))?;
        Ok((response.status().as_u16(), beginning(response).await))
    }
}

/// What is sent, byte for byte as other programs send it.
fn body(job: &Job) -> Vec<u8> {
    let mut body = br#"{"url":""#.to_vec();
    write_escaped(&mut body, &job.url);
    body.extend_from_slice(format!(r#"","host_id":{},"dimension_id":{}}}"#, job.host, job.dimension).as_bytes());
    body
}

/// What comes of a body in a short time. Read to its end, its connection serves the next job.
async fn beginning(mut response: reqwest::Response) -> Bytes {
    let (mut body, end) = (BytesMut::new(), Instant::now() + ANSWER_TIME);
    while body.len() < ANSWER_BYTES {
        let Ok(Ok(Some(chunk))) = timeout_at(end, response.chunk()).await else { break };
        body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES - body.len())]);
    }
    body.freeze()
}
