//! Webdis, which serves Redis over HTTP: the command and its words are the path, the last of them may be the body.

use std::{path::Path, process::Command};

use serde_json::json;

use super::{
    answering, resp,
    server::{Server, free_port},
};
use crate::Result;

/// Redis behind Webdis, if both are installed. What it costs is what both of them do.
pub async fn webdis(level: &str, scratch: &Path) -> Result<Option<Server>> {
    let Some(redis) = Server::redis(level, scratch)? else { return Ok(None) };
    answering(&redis, &resp::command(&["PING"])).await?;
    let dir = tempfile::tempdir_in(scratch)?;
    let (port, config) = (free_port()?, dir.path().join("webdis.json"));
    let settings = json!({
        "redis_host": "127.0.0.1", "redis_port": redis.address.port(), "http_host": "127.0.0.1", "http_port": port,
        // As many as Debian's own configuration has.
        "threads": 2, "daemonize": false, "verbosity": 0, "logfile": dir.path().join("webdis.log"),
        "acl": [{ "disabled": ["DEBUG"] }],
    });
    std::fs::write(&config, settings.to_string())?;
    let front = Server::installed(Command::new("webdis").arg(&config), port, dir)?;
    Ok(front.map(|front| front.before(redis)))
}

/// A command without a body.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET /{path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// A command whose last word is the body.
pub fn put(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("PUT /{path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}
