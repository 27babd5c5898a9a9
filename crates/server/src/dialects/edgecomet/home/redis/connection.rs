//! The connection to Redis. All calls share one; whoever finds it broken makes it anew.
//!
//! The client's own `ConnectionManager` would not do: it gives up for good when a server refuses a new connection in words
//! (too many clients, a password that is being changed), and keeps a connection on which answers stopped coming.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline,
    RedisConnectionInfo, RedisError, RedisResult, Value, aio::MultiplexedConnection,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

use super::super::{HomeError, Result};
use crate::dialects::edgecomet::config;

#[cfg(test)]
mod tests;

/// Longest time until a connection stands, greetings included.
const CONNECT: Duration = Duration::from_millis(900);
/// Longest time for the answer to one pipeline.
const ANSWER: Duration = Duration::from_millis(900);
/// Time that a start gives Redis, which may just be starting too.
const START: Duration = Duration::from_secs(5);
/// Time between attempts of a start.
const START_PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    config: AsyncConnectionConfig,
    address: String,
    current: Mutex<Current>,
    /// Connections made so far.
    number: AtomicU64,
}

#[derive(Debug, Default)]
struct Current {
    link: Option<Link>,
    /// When the last attempt failed, and why; none after one that did not.
    failed: Option<(Instant, RedisError)>,
}

#[derive(Clone)]
struct Link {
    number: u64,
    connection: MultiplexedConnection,
}

impl Connection {
    /// As configured, not yet connected.
    pub(super) fn new(config: &config::Redis) -> std::result::Result<Self, String> {
        let address = config.addr.clone().unwrap_or_default();
        let (host, port) =
            host_and_port(&address).ok_or_else(|| format!("redis.addr must be host:port, and \"{address}\" is not"))?;
        let mut greeting = RedisConnectionInfo::default().set_db(config.db).set_skip_set_lib_name();
        if !config.password.is_empty() {
            greeting = greeting.set_password(config.password.expose());
        }
        let info = ConnectionAddr::Tcp(host, port).into_connection_info().map_err(|error| error.to_string())?;
        let client = Client::open(info.set_redis_settings(greeting)).map_err(|error| error.to_string())?;
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
        Ok(Connection { client, config, address, current: Mutex::default(), number: AtomicU64::new(0) })
    }

    /// Waits until Redis answers, a start's time at most. A refusal in words, such as of a password, is final unless it
    /// says that Redis is still loading, or busy with a script.
    pub(super) async fn wait_for_ping(&self) -> std::result::Result<(), String> {
        let begun = Instant::now();
        loop {
            let error = match self.try_ping().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let text = error.to_string();
            let may_pass = error.is_io_error() || ["LOADING", "BUSY"].iter().any(|word| text.contains(word));
            if !may_pass || begun.elapsed() > START {
                return Err(format!("redis at {} does not answer PING: {error}", self.address));
            }
            sleep(START_PAUSE).await;
        }
    }

    async fn try_ping(&self) -> RedisResult<()> {
        let mut link = self.link().await?;
        redis::cmd("PING").query_async::<Value>(&mut link.connection).await.map(|_| ())
    }

    /// Number of the connection that was made last; 0 = there was none.
    pub(super) fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// The answer to one command.
    pub(super) async fn one<T: FromRedisValue>(&self, command: Cmd) -> Result<T> {
        read(self.command(command).await?)
    }

    /// The same, for callers to whom errors of the command mean something.
    pub(super) async fn command(&self, command: Cmd) -> Result<RedisResult<Value>> {
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.add_command(command);
        Ok(self.all(pipeline).await?.pop().unwrap_or(Ok(Value::Nil)))
    }

    /// The answer to each command of a pipeline that is not marked as ignored. Some may be errors.
    ///
    /// A pipeline is sent a second time when the connection turns out to have been closed, as it is after Redis was
    /// restarted. The first may have been executed even so: what is asked must bear that.
    pub(super) async fn all(&self, mut pipeline: Pipeline) -> Result<Vec<RedisResult<Value>>> {
        pipeline.ignore_errors();
        match self.try_all(&pipeline).await {
            Err(error) if error.is_connection_dropped() => self.try_all(&pipeline).await,
            answers => answers,
        }
        .map_err(said)
    }

    /// The same for what must not be executed twice: it is sent once, and when the connection turns out to have been
    /// closed nobody knows whether it was executed.
    pub(super) async fn all_once(&self, mut pipeline: Pipeline) -> Result<Vec<RedisResult<Value>>> {
        pipeline.ignore_errors();
        self.try_all(&pipeline).await.map_err(said)
    }

    /// The answer to one command that must not be executed twice.
    pub(super) async fn one_once<T: FromRedisValue>(&self, command: Cmd) -> Result<T> {
        let mut pipeline = Pipeline::with_capacity(1);
        pipeline.add_command(command);
        read(self.all_once(pipeline).await?.pop().unwrap_or(Ok(Value::Nil)))
    }

    async fn try_all(&self, pipeline: &Pipeline) -> RedisResult<Vec<RedisResult<Value>>> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let mut link = self.link().await?;
        let answers = pipeline.query_async(&mut link.connection).await;
        if answers.as_ref().is_err_and(is_broken) {
            self.discard(link.number).await;
        }
        answers
    }

    /// The connection; made anew if there is none. Those who waited while somebody else tried share how that ended.
    async fn link(&self) -> RedisResult<Link> {
        let asked = Instant::now();
        let mut current = self.current.lock().await;
        if let Some(link) = &current.link {
            return Ok(link.clone());
        }
        if let Some((at, error)) = &current.failed
            && *at >= asked
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok(connection) => {
                if current.failed.take().is_some() {
                    tracing::info!(redis = self.address, "edgecomet: redis answers again");
                }
                let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
                Ok(current.link.insert(Link { number, connection }).clone())
            }
            Err(error) => {
                if current.failed.is_none() {
                    tracing::warn!(redis = self.address, %error, "edgecomet: redis cannot be reached");
                }
                current.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let connecting = self.client.get_multiplexed_async_connection_with_config(&self.config);
        // The name may have to be resolved before the client's own limit begins.
        timeout(CONNECT, connecting)
            .await
            .unwrap_or_else(|_| Err((ErrorKind::Io, "no connection within the time limit").into()))
    }

    /// Forgets a connection, unless somebody made a new one already.
    async fn discard(&self, number: u64) {
        let mut current = self.current.lock().await;
        if current.link.as_ref().is_some_and(|link| link.number == number) {
            current.link = None;
        }
    }
}

/// What a command answered, as what it should be.
pub(super) fn read<T: FromRedisValue>(answer: RedisResult<Value>) -> Result<T> {
    answer.and_then(|value| Ok(redis::from_redis_value(value)?)).map_err(said)
}

/// The error as the home tells it.
pub(super) fn said(error: RedisError) -> HomeError {
    let text = error.to_string();
    if text.contains("BUSY") { HomeError::Busy } else { HomeError::Unavailable(text) }
}

/// Whether the connection is of no more use: all but what the server said in words.
fn is_broken(error: &RedisError) -> bool {
    !matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// `host:port`, where an IPv6 address is in brackets.
pub(in crate::dialects::edgecomet) fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let fits = !bare.is_empty() && (bare.len() < host.len() || !bare.contains(':'));
    fits.then_some(())?;
    Some((bare.to_owned(), port.parse().ok()?))
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("number", &self.number).finish_non_exhaustive()
    }
}
