//! Every listener from the side of somebody who means harm: who may do what (`matrix`), what pages of other sites may do
//! (`browsers`), where a server listens without a secret (`doors`), for how long a credential is good (`expiry`), what is
//! never told (`secrets`), bytes that would be more than text elsewhere (`injection`), and whom a server that calls others does not
//! call (`addresses`).

mod addresses;
mod browsers;
mod doors;
mod expiry;
mod injection;
mod matrix;
mod secrets;

use std::net::SocketAddr;

use crate::harness::{Connection, Request, Response};

/// A connection that is opened again when the server has closed it, which it does after some refusals.
struct Client {
    address: SocketAddr,
    connection: Option<Connection>,
}

impl Client {
    fn to(address: SocketAddr) -> Client {
        Client { address, connection: None }
    }

    /// The answer; of a stream of events the head alone.
    #[track_caller]
    fn send(&mut self, request: &Request) -> Response {
        let failed = |error| panic!("{request}: {error}");
        let mut connection = self.connection.take().unwrap_or_else(|| Connection::open(self.address));
        connection.write(request).unwrap_or_else(failed);
        let head = match connection.read_head() {
            Ok(head) => head,
            // It was closed while nobody looked.
            Err(_) => {
                connection = Connection::open(self.address);
                connection.write(request).unwrap_or_else(failed);
                connection.read_head().unwrap_or_else(|error| panic!("{request}: {error}"))
            }
        };
        if head.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return head;
        }
        let response = connection.read_body(&request.method, head).unwrap_or_else(|error| panic!("{request}: {error}"));
        let closes = response.header("connection").is_some_and(|said| said.eq_ignore_ascii_case("close"));
        self.connection = (!closes).then_some(connection);
        response
    }
}
