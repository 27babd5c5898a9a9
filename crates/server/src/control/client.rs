//! Asking the process that has a data directory open.

use std::{io, path::Path};

use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;

use super::{Refusal, SOCKET};
use crate::net;

/// The longest sentence of a refusal that is read.
const REFUSAL_MAX_BYTES: usize = 64 << 10;

/// A connection to the process that has a data directory open.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Body>,
}

/// Why there is no answer to use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket is there and cannot be used.
    #[error("{SOCKET}: {0}")]
    Socket(#[from] io::Error),
    /// The process went away, or does not speak as it should.
    #[error("the process that has the data directory open went away: {0}")]
    Gone(#[from] hyper::Error),
    /// It refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Client {
    /// Connects to the process that has `data_dir` open. `None` when there is none with a socket there: who wants the
    /// directory may try its lock. Needs a tokio runtime, which drives the connection.
    ///
    /// # Errors
    /// [`Error::Socket`] when there is one that this user may not use; [`Error::Gone`].
    pub async fn connect(data_dir: &Path) -> Result<Option<Client>, Error> {
        let Some(stream) = net::connect(&data_dir.join(SOCKET)).await? else { return Ok(None) };
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // Whoever waits for an answer is told of the failure too.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to the process ended");
            }
        });
        Ok(Some(Client { sender }))
    }

    /// Waits until the process has replayed its log.
    ///
    /// # Errors
    /// [`Error::Refused`] when it cannot be; [`Error::Gone`].
    pub async fn ready(&mut self) -> Result<(), Error> {
        let response = self.get("/ready").await?;
        response.into_body().collect().await?;
        Ok(())
    }

    /// `GET target`; the answer is a success, its body still to be read.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is none; [`Error::Gone`].
    pub async fn get(&mut self, target: &str) -> Result<Response<Incoming>, Error> {
        self.send(Method::GET, target, Body::empty()).await
    }

    /// `POST target` with a body; the answer as of [`Client::get`].
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post(&mut self, target: &str, body: Body) -> Result<Response<Incoming>, Error> {
        self.send(Method::POST, target, body).await
    }

    async fn send(&mut self, method: Method, target: &str, body: Body) -> Result<Response<Incoming>, Error> {
        let uri = target.parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        // A sentence that cannot be read leaves the status to tell.
        let body = Limited::new(response.into_body(), REFUSAL_MAX_BYTES).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Err(Refusal::parse(status, &body).into())
    }
}
