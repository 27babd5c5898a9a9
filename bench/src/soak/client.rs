//! One client: a keep-alive connection that is opened anew after a while, and after the server went away.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};

use super::{
    process::Ports,
    world::{Phase, World},
};
use crate::{Result, load::server::API_KEY, measure::now};

/// Requests of a connection: enough to be the usual case, few enough that connections come and go.
const REQUESTS: u32 = 500;
/// No answer takes longer, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(30);

/// A kill took the answer: what was asked for has happened, or it has not.
pub struct Lost;

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A client of one listener.
pub struct Client {
    world: Rc<World>,
    port: fn(&Ports) -> u16,
    connection: Option<(SendRequest<Full<Bytes>>, u32)>,
}

impl Client {
    /// Not connected yet.
    pub fn new(world: &Rc<World>, port: fn(&Ports) -> u16) -> Self {
        Client { world: world.clone(), port, connection: None }
    }

    /// An answer with one of these statuses. Another one is a fault, and so is none while nobody kills the server.
    pub async fn ask(
        &mut self,
        method: &str,
        target: &str,
        body: impl Into<Bytes>,
        expected: &[u16],
    ) -> std::result::Result<Answer, Lost> {
        self.ask_within(true, method, target, body.into(), expected).await
    }

    /// The same for a request that waits for something: how long it takes says nothing.
    pub async fn wait(
        &mut self,
        method: &str,
        target: &str,
        body: impl Into<Bytes>,
        expected: &[u16],
    ) -> std::result::Result<Answer, Lost> {
        self.ask_within(false, method, target, body.into(), expected).await
    }

    /// A command of Synap; its payload.
    pub async fn command(&mut self, name: &str, payload: &str) -> std::result::Result<Value, Lost> {
        let body = format!(r#"{{"command":"{name}","payload":{payload}}}"#);
        let answer = self.ask("POST", "/api/v1/command", body, &[200]).await?;
        Ok(answer.json()["payload"].take())
    }

    async fn ask_within(
        &mut self,
        measured: bool,
        method: &str,
        target: &str,
        body: Bytes,
        expected: &[u16],
    ) -> std::result::Result<Answer, Lost> {
        let (phase, start) = (self.world.phase(), now());
        let asked = timeout(PATIENCE, self.exchange(method, target, body)).await;
        let asked = asked.unwrap_or_else(|_| Err("no answer in time".into()));
        // Whatever an answer says after a kill began, the next life may know better.
        let excused =
            |world: &World| matches!(phase, Phase::Down(_)) || world.phase() != phase && world.phase() != Phase::Over;
        match asked {
            Ok(answer) => {
                if measured {
                    self.world.answered(start.elapsed());
                }
                if !expected.contains(&answer.status) && !excused(&self.world) {
                    let said = String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
                    self.world.fault(format!("{method} {target}: {} {said}", answer.status));
                }
                if expected.contains(&answer.status) { Ok(answer) } else { Err(Lost) }
            }
            Err(error) => {
                self.connection = None;
                if excused(&self.world) {
                    self.world.lost();
                } else {
                    self.world.fault(format!("{method} {target}: {error}"));
                }
                Err(Lost)
            }
        }
    }

    async fn exchange(&mut self, method: &str, target: &str, body: Bytes) -> Result<Answer> {
        let mut connection = match self.connection.take() {
            Some((connection, left)) if left > 0 && !connection.is_closed() => (connection, left),
            _ => (self.connect().await?, REQUESTS),
        };
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {API_KEY}"))
            .header("x-internal-auth", API_KEY)
            .body(Full::new(body))?;
        let answer = connection.0.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await?.to_bytes();
        connection.1 -= 1;
        self.connection = Some(connection);
        Ok(Answer { status, body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.world.ports.address(self.port)).await?;
        stream.set_nodelay(true)?;
        let (requests, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // How it ends shows in the request that is under way.
        tokio::task::spawn_local(async move { connection.await.ok() });
        Ok(requests)
    }
}
