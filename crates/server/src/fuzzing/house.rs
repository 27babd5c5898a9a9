//! An engine with the dialects before it, for one input after the other. It is renewed now and then: what inputs left
//! there must not grow without end, nor be far from what a single input finds.

use std::{
    cell::RefCell,
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use manifold_engine::{Engine, Level, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::Runtime,
    sync::watch,
    time::timeout,
};

use super::request::{Request, Response};
use crate::net::{Service, in_memory};

/// Inputs that share an engine.
const INPUTS: usize = 200;
/// What takes longer waits for something that does not come; nobody else is there.
const WAIT: Duration = Duration::from_millis(40);
/// The same of what follows the beginning of an answer.
const PAUSE: Duration = Duration::from_millis(4);
/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

/// Where a thread keeps its house.
pub(crate) type Kept<S> = RefCell<Option<House<S>>>;

/// The engine and what serves it.
pub(crate) struct House<S> {
    runtime: Runtime,
    pub(crate) engine: Engine,
    service: Arc<S>,
    folder: Folder,
    down: watch::Sender<bool>,
    left: usize,
}

/// A directory of its own that goes with the house; in memory where the environment says so.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("manifold-fuzz-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a directory for temporary files");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// What a service is made of.
pub(crate) struct Ground<'a> {
    pub(crate) engine: Engine,
    pub(crate) folder: &'a Folder,
    pub(crate) shutdown: watch::Receiver<bool>,
}

impl<S: Service> House<S> {
    pub(crate) fn new(open: impl AsyncFnOnce(Ground<'_>) -> S) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
        let runtime = runtime.expect("a runtime");
        let folder = Folder::new();
        let (down, shutdown) = watch::channel(false);
        let (engine, service) = runtime.block_on(async {
            let mut options = Options::new(folder.0.join("data"));
            options.level = Level::Os;
            options.limits.value_bytes = 1 << 20;
            let engine = Engine::open(options);
            engine.recovered().await.expect("an empty directory opens");
            let service = open(Ground { engine: engine.clone(), folder: &folder, shutdown }).await;
            (engine, service)
        });
        House { runtime, engine, service: Arc::new(service), folder, down, left: INPUTS }
    }

    /// What a connection answers to these bytes, up to its end; less when it waits for something.
    pub(super) fn exchange(&self, head_bytes: Option<usize>, sent: &[u8]) -> Vec<u8> {
        self.runtime.block_on(async {
            let mut client = in_memory::connect(self.service.clone(), head_bytes, self.down.subscribe());
            // It all fits into the buffer in between.
            client.write_all(sent).await.expect("somebody reads");
            let (mut answer, mut piece) = (Vec::new(), vec![0; PIECE]);
            loop {
                let patience = if answer.is_empty() { WAIT } else { PAUSE };
                match timeout(patience, client.read(&mut piece)).await {
                    Ok(Ok(read)) if read > 0 => answer.extend_from_slice(&piece[..read]),
                    Ok(_) | Err(_) => return answer,
                }
            }
        })
    }

    /// The answer to a request on a connection of its own; none when it waits for something.
    pub(super) fn ask(&self, request: &Request) -> Option<Response> {
        let answer = self.exchange(None, &request.bytes());
        Response::parse(&answer)
    }

    pub(crate) fn block_on<T>(&self, asked: impl Future<Output = T>) -> T {
        self.runtime.block_on(asked)
    }

    fn close(self) {
        let House { runtime, engine, service, folder, down, .. } = self;
        down.send_replace(true);
        drop(service);
        runtime.block_on(engine.close()).expect("the engine closes");
        runtime.shutdown_timeout(Duration::from_millis(100));
        drop(folder);
    }
}

/// Runs one input in the house that this thread keeps in `kept`.
pub(crate) fn within<S: Service>(kept: &Kept<S>, open: impl AsyncFnOnce(Ground<'_>) -> S, run: impl FnOnce(&House<S>)) {
    let mut kept = kept.borrow_mut();
    let house = kept.get_or_insert_with(|| House::new(open));
    run(house);
    house.left -= 1;
    if house.left == 0
        && let Some(old) = kept.take()
    {
        old.close();
    }
}
