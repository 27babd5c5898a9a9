//! What connections send.

use std::{cell::Cell, rc::Rc};

use crate::Result;

/// What a connection sends, one request after the other.
pub trait Script {
    /// The next request; `answer` is the body of the answer to the one before, empty at first.
    fn next(&mut self, answer: &[u8]) -> Result<&[u8]>;
}

/// The script of the connection with a number.
pub type Scripts = Box<dyn Fn(usize) -> Box<dyn Script>>;

/// The same requests, round and round.
pub struct Round {
    requests: Rc<[Vec<u8>]>,
    next: usize,
}

impl Round {
    /// For the connection with this number: each begins at another request.
    pub fn script(requests: &Rc<[Vec<u8>]>, connection: usize) -> Box<dyn Script> {
        Box::new(Round { requests: requests.clone(), next: connection * 17 })
    }

    /// For all connections.
    pub fn scripts(requests: Rc<[Vec<u8>]>) -> Scripts {
        Box::new(move |connection| Round::script(&requests, connection))
    }
}

impl Script for Round {
    fn next(&mut self, _: &[u8]) -> Result<&[u8]> {
        let request = &self.requests[self.next % self.requests.len()];
        self.next += 1;
        Ok(request)
    }
}

/// A request made of a number that no other request of any connection has.
pub struct Numbered<F> {
    next: Rc<Cell<u64>>,
    make: Rc<F>,
    request: Vec<u8>,
}

impl<F: Fn(u64) -> Vec<u8> + 'static> Numbered<F> {
    /// For all connections; numbers begin with what `next` holds.
    pub fn scripts(next: Rc<Cell<u64>>, make: F) -> Scripts {
        let make = Rc::new(make);
        Box::new(move |_| Box::new(Numbered { next: next.clone(), make: make.clone(), request: Vec::new() }))
    }
}

impl<F: Fn(u64) -> Vec<u8>> Script for Numbered<F> {
    fn next(&mut self, _: &[u8]) -> Result<&[u8]> {
        self.request = (self.make)(self.next.replace(self.next.get() + 1));
        Ok(&self.request)
    }
}

/// One request after the other, of which each may be made of the answer to the one before; and again from the first on.
pub struct Steps {
    steps: Vec<Step>,
    next: usize,
    request: Vec<u8>,
}

/// Makes a request of the answer to the one before.
pub type Step = Rc<dyn Fn(&[u8]) -> Result<Vec<u8>>>;

impl Steps {
    /// For all connections.
    pub fn scripts(steps: Vec<Step>) -> Scripts {
        Box::new(move |_| Box::new(Steps { steps: steps.clone(), next: 0, request: Vec::new() }))
    }
}

impl Script for Steps {
    fn next(&mut self, answer: &[u8]) -> Result<&[u8]> {
        self.request = self.steps[self.next](answer)?;
        self.next = (self.next + 1) % self.steps.len();
        Ok(&self.request)
    }
}
