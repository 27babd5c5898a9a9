//! A kind of request that is measured against the bare server, which reads requests of the same bytes and answers with
//! as many.

use std::rc::Rc;

use super::{
    client::{Connection, Protocol},
    compare::{self, Contestant, Turns, compare},
    script::{Round, Scripts},
    server::Server,
};
use crate::{Result, sheet::Sheet};

/// Requests whose answers say how long answers are.
const SAMPLES: usize = 3;

/// What is measured.
pub struct Case {
    /// What it is called.
    pub title: &'static str,
    /// Whether the durability level matters.
    pub writes: bool,
    /// What connections send.
    pub scripts: Scripts,
}

impl Case {
    /// These requests, round and round.
    pub fn of(title: &'static str, writes: bool, requests: Rc<[Vec<u8>]>) -> Self {
        Case { title, writes, scripts: Round::scripts(requests) }
    }

    /// Says what the columns are.
    pub fn head(sheet: &mut Sheet, first: &str) {
        compare::versus_head(sheet, first, "bare", "Manifold");
    }

    /// A line of both sides; the ratio.
    pub async fn run(&self, turns: Turns, connections: usize, manifold: &Server, sheet: &mut Sheet) -> Result<f64> {
        let (requests, body_bytes) = self.sample(manifold).await?;
        let bare = Server::bare(body_bytes)?;
        let same = Round::scripts(requests);
        let contestants = [Contestant::new("bare", &bare, &same), Contestant::new("Manifold", manifold, &self.scripts)];
        let ratio = compare::versus(sheet, self.title, &compare(turns, connections, &contestants).await?)?;
        sheet.ratio(self.title, ratio);
        Ok(ratio)
    }

    /// Says what the columns of [`Case::beside`] are.
    pub fn beside_head(sheet: &mut Sheet, first: &str) {
        compare::versus_head(sheet, first, "before", "after");
    }

    /// A line of two builds of Manifold.
    pub async fn beside(
        &self,
        turns: Turns,
        connections: usize,
        builds: [&Server; 2],
        sheet: &mut Sheet,
    ) -> Result<()> {
        let [before, after] = builds;
        let contestants =
            [Contestant::new("before", before, &self.scripts), Contestant::new("after", after, &self.scripts)];
        compare::versus(sheet, self.title, &compare(turns, connections, &contestants).await?).map(drop)
    }

    /// The first requests, and the mean length of their answers.
    async fn sample(&self, manifold: &Server) -> Result<(Rc<[Vec<u8>]>, usize)> {
        let mut connection = Connection::open(manifold.address, Protocol::Http).await?;
        let mut script = (self.scripts)(0);
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
