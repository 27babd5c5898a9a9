use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// What became of sessions.
#[derive(Default)]
struct Counts {
    connected: AtomicUsize,
    dropped: AtomicUsize,
}

struct Fake(Arc<Counts>);

impl Connect for Fake {
    type Session = FakeSession;

    async fn connect(&self) -> Result<FakeSession, Failure> {
        let number = self.0.connected.fetch_add(1, Ordering::SeqCst);
        Ok(FakeSession { number, broken: false, dirty: false, stalls: false, counts: Arc::clone(&self.0) })
    }
}

struct FakeSession {
    number: usize,
    broken: bool,
    dirty: bool,
    stalls: bool,
    counts: Arc<Counts>,
}

impl Session for FakeSession {
    type Statement = String;

    fn is_open(&self) -> bool {
        true
    }

    async fn prepare(&mut self, query: &str) -> Result<String, Fault> {
        let failure = Failure::Unreachable("the connection broke".into());
        match (self.broken, query) {
            (true, _) | (_, "always broken") => Err(Fault::Broken(failure)),
            _ => Ok(query.to_owned()),
        }
    }

    async fn run(&mut self, statement: String, _: &[Param<'_>]) -> Result<Vec<u8>, Fault> {
        match statement.as_str() {
            "wait" => std::future::pending().await,
            "sleep" => tokio::time::sleep(Duration::from_millis(20)).await,
            "break when idle" => self.broken = true,
            "leave" => self.dirty = true,
            "stall" => self.stalls = true,
            "break" => return Err(Fault::Broken(Failure::TooLarge)),
            "refuse" => return Err(Fault::Refused(Failure::NotAllowed)),
            _ => {}
        }
        Ok(self.number.to_string().into_bytes())
    }

    async fn clean(&mut self) -> bool {
        if self.stalls {
            std::future::pending::<()>().await;
        }
        !self.dirty
    }
}

impl Drop for FakeSession {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

fn pool() -> (Pool<Fake>, Arc<Counts>) {
    let limits = Limits { connect: Duration::from_secs(5), whole: Duration::from_secs(5), response_bytes: 0 };
    let counts = Arc::new(Counts::default());
    (Pool::new(Fake(Arc::clone(&counts)), limits, Errands::default()), counts)
}

async fn ask(pool: &Pool<Fake>, query: &str) -> Result<String, Failure> {
    pool.query(query, &[]).await.map(|number| String::from_utf8(number).unwrap())
}

#[tokio::test]
async fn a_clean_session_is_used_again_and_no_other() {
    let (pool, counts) = pool();
    for (query, expected) in [
        ("fine", Ok("0")),
        ("refuse", Err(Failure::NotAllowed)),
        ("leave", Ok("0")),
        ("fine", Ok("1")),
        ("break", Err(Failure::TooLarge)),
        ("fine", Ok("2")),
    ] {
        assert_eq!(ask(&pool, query).await, expected.map(str::to_owned), "{query}");
    }
    assert_eq!(counts.dropped.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_that_broke_while_idle_is_replaced_and_one_that_is_new_is_not() {
    let (pool, counts) = pool();
    assert_eq!(ask(&pool, "break when idle").await.as_deref(), Ok("0"));
    assert_eq!(ask(&pool, "fine").await.as_deref(), Ok("1"));
    let broken = Err(Failure::Unreachable("the connection broke".into()));
    assert_eq!(ask(&pool, "always broken").await, broken);
    assert_eq!(counts.connected.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_session_whose_caller_goes_ends() {
    let (pool, counts) = pool();
    assert!(timeout(Duration::from_millis(50), ask(&pool, "wait")).await.is_err());
    assert_eq!(counts.dropped.load(Ordering::SeqCst), 1);
    assert_eq!(ask(&pool, "fine").await.as_deref(), Ok("1"));
}

#[tokio::test(start_paused = true)]
async fn a_statement_has_its_time_and_its_result_is_told_whatever_comes_after() {
    let (pool, counts) = pool();
    assert_eq!(ask(&pool, "wait").await, Err(Failure::TimedOut));
    assert_eq!(ask(&pool, "stall").await.as_deref(), Ok("1"));
    assert_eq!(counts.dropped.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn there_are_five_sessions_at_most() {
    let (pool, counts) = pool();
    let pool = Arc::new(pool);
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let pool = Arc::clone(&pool);
        callers.spawn(async move { ask(&pool, "sleep").await.unwrap() });
    }
    while let Some(done) = callers.join_next().await {
        done.unwrap();
    }
    assert_eq!(counts.connected.load(Ordering::SeqCst), MAX_SESSIONS);
}

#[tokio::test]
async fn a_closed_pool_has_no_sessions() {
    let (pool, counts) = pool();
    ask(&pool, "fine").await.unwrap();
    pool.close().await;
    assert_eq!(counts.dropped.load(Ordering::SeqCst), 1);
    assert_eq!(ask(&pool, "fine").await, Err(Failure::Unreachable("the connector is closed".into())));
}
