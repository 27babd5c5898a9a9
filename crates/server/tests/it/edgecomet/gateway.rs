//! A gateway that the tests play: it writes down the jobs it is given, answers as it is told, and can keep its answers
//! back.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use crate::dunena::upstream::{Answer, Received, Upstream};

/// A gateway. It listens until the test's process ends.
pub struct Gateway {
    upstream: Upstream,
    doing: Arc<Doing>,
}

/// What goes on in a gateway.
#[derive(Default)]
struct Doing {
    held: Mutex<bool>,
    released: Condvar,
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A job as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub url: String,
    pub host: u64,
    pub dimension: u64,
}

impl Gateway {
    /// One that does every job.
    pub fn start() -> Gateway {
        Gateway::answering(|_| done())
    }

    /// One that answers with what `answer` makes of a request; a closed connection where it makes nothing.
    pub fn answering(answer: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static) -> Gateway {
        Gateway::start_at(([127, 0, 0, 1], 0).into(), answer)
    }

    /// The same at an address where nobody listened until now.
    pub fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
    ) -> Gateway {
        let doing = Arc::<Doing>::default();
        let inside = doing.clone();
        let upstream = Upstream::start_at(address, move |received| {
            inside.enter();
            let answer = answer(received);
            inside.leave();
            answer
        });
        Gateway { upstream, doing }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.upstream.address().to_string()
    }

    /// Keeps all answers back from now on.
    pub fn hold(&self) {
        *self.doing.held.lock().expect("no panic") = true;
    }

    /// Gives the answers that were kept back, and all later ones at once.
    pub fn release(&self) {
        *self.doing.held.lock().expect("no panic") = false;
        self.doing.released.notify_all();
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.upstream.count()
    }

    /// Requests that wait for their answer now.
    pub fn in_flight(&self) -> usize {
        self.doing.now.load(SeqCst)
    }

    /// Most requests that ever waited at the same time.
    pub fn most_in_flight(&self) -> usize {
        self.doing.most.load(SeqCst)
    }

    /// All requests, in the order in which they came.
    pub fn received(&self) -> Vec<Received> {
        self.upstream.all()
    }

    /// All jobs, in the order in which they came.
    pub fn jobs(&self) -> Vec<Job> {
        self.received().iter().map(job).collect()
    }
}

impl Doing {
    fn enter(&self) {
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        let held = self.held.lock().expect("no panic");
        drop(self.released.wait_while(held, |held| *held).expect("no panic"));
    }

    fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }
}

/// The job is done.
pub fn done() -> Option<Answer> {
    Some(Answer::json(r#"{"success":true}"#))
}

/// The job failed with this status line and message.
pub fn failed(status: &str, message: &str) -> Option<Answer> {
    let body = serde_json::json!({"success": false, "message": message});
    Some(Answer::status(status, &["Content-Type: application/json"], body.to_string()))
}

/// The job that a request brings.
pub fn job(received: &Received) -> Job {
    let body = received.json();
    let number = |name: &str| body[name].as_u64().unwrap_or_else(|| panic!("{name} in {body}"));
    let url = body["url"].as_str().unwrap_or_else(|| panic!("url in {body}")).to_owned();
    Job { url, host: number("host_id"), dimension: number("dimension_id") }
}
