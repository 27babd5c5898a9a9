//! A keep-alive connection to any of the servers: they differ in how they end an answer's body, so hyper reads it.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1::SendRequest, header::HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Result;

/// Longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection, opened again when the server has closed it.
pub struct Client {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// Not connected yet.
    pub fn new(address: SocketAddr) -> Self {
        Client { address, sender: None }
    }

    /// Sends a request and gives the body of the answer. Any status but 2xx is an error.
    pub async fn exchange(&mut self, method: &str, target: &str, body: Bytes) -> Result<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, "127.0.0.1")
            .body(Full::new(body))
            .map_err(|error| format!("{target}: {error}"))?;
        let sender = self.sender().await?;
        let answer = tokio::time::timeout(PATIENCE, async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            Result::Ok((status, answer.into_body().collect().await?.to_bytes()))
        });
        let (status, body) = answer.await.map_err(|_| format!("{target}: no answer in {PATIENCE:?}"))??;
        if !status.is_success() {
            return Err(format!("{target}: {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(body)
    }

    async fn sender(&mut self) -> Result<&mut SendRequest<Full<Bytes>>> {
        let usable = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            // Ends with the sender; what breaks it is told to whoever waits for an answer.
            tokio::spawn(async move { connection.await.ok() });
            self.sender = Some(sender);
        }
        self.sender.as_mut().ok_or_else(|| "not connected".into())
    }
}
