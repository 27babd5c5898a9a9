//! A kind of request that is measured against the bare server, which reads requests of the same bytes and answers with
//! as many.

use std::rc::Rc;

use super::{
    client::{Connection, Round, Script},
    compare::{self, Contestant, Turns, compare},
    server::Server,
};
use crate::Result;

/// Requests whose answers say how long answers are.
const SAMPLES: usize = 3;

/// What is measured.
pub struct Case {
    /// What it is called.
    pub title: &'static str,
    /// Whether the durability level matters.
    pub writes: bool,
    /// What the connection with a number sends.
    pub script: Box<dyn Fn(usize) -> Box<dyn Script>>,
}

impl Case {
    /// These requests, round and round.
    pub fn of(title: &'static str, writes: bool, requests: Rc<[Vec<u8>]>) -> Self {
        Case { title, writes, script: Box::new(move |connection| Round::script(&requests, connection)) }
    }

    /// Prints a line for each side.
    pub async fn print(&self, turns: Turns, connections: usize, manifold: &Server) -> Result<()> {
        let (requests, body_bytes) = self.sample(manifold).await?;
        let bare = Server::bare(body_bytes)?;
        let same = |connection| Round::script(&requests, connection);
        let contestants = [
            Contestant { name: "bare hyper", server: &bare, script: &same },
            Contestant { name: "manifold", server: manifold, script: &self.script },
        ];
        compare::print(self.title, &compare(turns, connections, &contestants).await?);
        Ok(())
    }

    /// The first requests, and the mean length of their answers.
    async fn sample(&self, manifold: &Server) -> Result<(Rc<[Vec<u8>]>, usize)> {
        let mut connection = Connection::open(manifold.address).await?;
        let mut script = (self.script)(0);
        let (mut requests, mut answer, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..SAMPLES {
            let request = script.next(&answer)?.to_vec();
            answer = connection.exchange(&request).await?.to_vec();
            bytes += answer.len();
            requests.push(request);
        }
        Ok((requests.into(), bytes / SAMPLES))
    }
}
