//! The servers compared, each started with an empty directory and ended with its handle.

use std::{fmt::Write as _, path::Path, process::Command, time::Duration};

use bytes::Bytes;

use super::{
    client::Client,
    question::{Answer, Question},
};
use crate::{
    Result,
    load::server::{Dialect, Server, free_port},
};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum System {
    /// Manifold, each write in an fsync before its answer.
    Always,
    /// Manifold, an fsync every so often.
    Interval,
    /// InfluxDB 1, each write in an fsync before its answer, as it comes.
    Influx,
    /// VictoriaMetrics, which writes to disk every few seconds, as it comes.
    Victoria,
}

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The server's own.
    Own,
    /// That of InfluxDB, which all of them have.
    Influx,
}

/// A running server.
pub struct Side {
    /// Which.
    pub system: System,
    /// Its process.
    pub server: Server,
    client: Client,
}

impl System {
    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            System::Always => "Manifold, always",
            System::Interval => "Manifold, interval",
            System::Influx => "InfluxDB",
            System::Victoria => "VictoriaMetrics",
        }
    }
    /// Whether it is what Manifold is compared with.
    pub fn is_peer(self) -> bool {
        matches!(self, System::Influx | System::Victoria)
    }
}

impl Side {
    /// Starts a server and waits until it answers; none where it is not installed.
    pub async fn open(system: System, manifold: &Path, scratch: &Path) -> Result<Option<Side>> {
        let server = match system {
            System::Always => Some(Server::manifold(manifold, Dialect::Flo, "always", scratch)?),
            System::Interval => Some(Server::manifold(manifold, Dialect::Flo, "interval", scratch)?),
            System::Influx => influx(scratch)?,
            System::Victoria => victoria(scratch)?,
        };
        let Some(server) = server else {
            println!("{} is not installed", system.name());
            return Ok(None);
        };
        let mut side = Side { client: Client::new(server.address), system, server };
        side.ready().await?;
        if system == System::Influx {
            side.client.exchange("POST", "/query?q=CREATE%20DATABASE%20bench", Bytes::new()).await?;
        }
        Ok(Some(side))
    }

    async fn ready(&mut self) -> Result<()> {
        const PATIENCE: u32 = 300;
        const PAUSE: Duration = Duration::from_millis(100);
        let probe = match self.system {
            System::Always | System::Interval => "/api/v1/status",
            System::Influx => "/ping",
            System::Victoria => "/health",
        };
        for _ in 0..PATIENCE {
            if self.client.exchange("GET", probe, Bytes::new()).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(format!("{} does not become ready", self.system.name()).into())
    }

    /// Connections of its own for a writer.
    pub fn clients(&self, count: usize) -> Vec<Client> {
        (0..count).map(|_| Client::new(self.server.address)).collect()
    }

    /// Where a writer sends its lines.
    pub fn target(&self, door: Door) -> &'static str {
        match (self.system, door) {
            (System::Always | System::Interval, Door::Own) => "/api/v1/ts/bench/write",
            (System::Victoria, _) => "/write",
            (_, _) => "/write?db=bench",
        }
    }

    /// Asks, and gives the answer as it came.
    pub async fn ask(&mut self, question: &Question) -> Result<Bytes> {
        match self.system {
            System::Always | System::Interval => {
                let body = serde_json::json!({ "query": question.floql() }).to_string();
                self.client.exchange("POST", "/api/v1/ts/bench/query", body.into()).await
            }
            System::Influx => {
                let target = format!("/query?db=bench&epoch=ms&q={}", escaped(&question.influxql()));
                self.client.exchange("GET", &target, Bytes::new()).await
            }
            System::Victoria => {
                let (path, arguments) = question.metricsql();
                let arguments = arguments.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
                let target = format!("{path}?{}", arguments.collect::<Vec<_>>().join("&"));
                self.client.exchange("GET", &target, Bytes::new()).await
            }
        }
    }

    /// What an answer says.
    pub fn read(&self, question: &Question, body: &[u8]) -> Result<Answer> {
        match self.system {
            System::Always | System::Interval => question.read_manifold(body),
            System::Influx => question.read_influx(body),
            System::Victoria => question.read_victoria(body),
        }
    }

    /// The most memory it has had.
    pub fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        line.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() * 1024
    }

    /// A number among the metrics; none where there is no such name.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let body = Client::new(self.server.metrics?).exchange("GET", "/metrics", Bytes::new()).await.ok()?;
        let text = std::str::from_utf8(&body).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

/// The Debian default, but for paths, ports and silence; and once nothing is written any more, it does not wait for
/// minutes and hours before it writes its final files.
fn influx(scratch: &Path) -> Result<Option<Server>> {
    let dir = tempfile::tempdir_in(scratch)?;
    let (port, backup_port) = (free_port()?, free_port()?);
    let data = dir.path().join("influxdb");
    let at = data.display();
    let config = dir.path().join("influxdb.conf");
    let text = format!(
        "reporting-disabled = true\nbind-address = \"127.0.0.1:{backup_port}\"\n[meta]\ndir = \"{at}/meta\"\n\
         [data]\ndir = \"{at}/data\"\nwal-dir = \"{at}/wal\"\nquery-log-enabled = false\n\
         cache-snapshot-write-cold-duration = \"5s\"\ncompact-full-write-cold-duration = \"8s\"\n\
         [monitor]\nstore-enabled = false\n[http]\nbind-address = \"127.0.0.1:{port}\"\nlog-enabled = false\n\
         [logging]\nlevel = \"error\"\nsuppress-logo = true\n"
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new("influxd");
    command.args(["run".as_ref(), "-config".as_ref(), config.as_os_str()]);
    Server::installed(&mut command, port, dir)
}

fn victoria(scratch: &Path) -> Result<Option<Server>> {
    let dir = tempfile::tempdir_in(scratch)?;
    let port = free_port()?;
    let mut command = Command::new("victoria-metrics");
    command
        .arg(format!("-storageDataPath={}", dir.path().join("data").display()))
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        // By default a month, and the load is older.
        .args(["-retentionPeriod=100y", "-loggerLevel=ERROR"]);
    Server::installed(&mut command, port, dir)
}

/// For a query string.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut escaped, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => escaped.push(char::from(byte)),
            other => write!(escaped, "%{other:02X}").expect("a string takes all text"),
        }
        escaped
    })
}
