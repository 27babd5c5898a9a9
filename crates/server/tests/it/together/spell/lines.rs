//! The connections of one client: one for each way to ask.

use std::{
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    time::Duration,
};

use crate::{
    harness::{Connection, Frame, Request, Server, Socket, SocketOptions},
    together::want::Answer,
};

/// Longest time for an answer on a socket.
const ANSWER: Duration = Duration::from_secs(30);

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    pub unison: SocketAddr,
    pub flo: SocketAddr,
    pub synap: SocketAddr,
}

pub struct Lines {
    unison: Connection,
    flo: Connection,
    synap: Connection,
    unison_socket: Socket,
    synap_socket: Socket,
}

impl Addresses {
    pub fn of(server: &Server) -> Addresses {
        Addresses { unison: server.unison(), flo: server.flo(), synap: server.synap() }
    }
}

impl Lines {
    /// Connects every way.
    pub fn open(to: Addresses) -> Result<Lines> {
        let socket = |address, options| {
            Socket::open(address, &options).map_err(|why| Error::new(ErrorKind::NotConnected, format!("{why:?}")))
        };
        Ok(Lines {
            unison: Connection::try_open(to.unison)?,
            flo: Connection::try_open(to.flo)?,
            synap: Connection::try_open(to.synap)?,
            unison_socket: socket(to.unison, SocketOptions::default())?,
            synap_socket: socket(to.synap, SocketOptions::to("/api/v1/ws"))?,
        })
    }

    pub fn unison(&mut self, request: &Request) -> Result<Answer> {
        answer(&mut self.unison, request)
    }

    pub fn flo(&mut self, request: &Request) -> Result<Answer> {
        answer(&mut self.flo, request)
    }

    pub fn synap(&mut self, request: &Request) -> Result<Answer> {
        answer(&mut self.synap, request)
    }

    /// The frame that answers this one.
    pub fn unison_socket(&mut self, text: &str) -> Result<String> {
        frame(&mut self.unison_socket, text)
    }

    /// The frame that answers this one.
    pub fn synap_socket(&mut self, text: &str) -> Result<String> {
        frame(&mut self.synap_socket, text)
    }
}

fn answer(connection: &mut Connection, request: &Request) -> Result<Answer> {
    let response = connection.send(request)?;
    Ok(Answer { status: Some(response.status), success: response.status < 300, body: response.text() })
}

fn frame(socket: &mut Socket, text: &str) -> Result<String> {
    if socket.try_send(text)
        && let Frame::Text(text) = socket.receive(ANSWER)
    {
        return Ok(text);
    }
    Err(Error::new(ErrorKind::ConnectionReset, "the socket is gone"))
}
