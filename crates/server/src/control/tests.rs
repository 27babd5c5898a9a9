use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use http_body_util::BodyExt;
use hyper::StatusCode;
use manifold_engine::{Engine, Options};
use tokio::{net::UnixListener, sync::watch, task::JoinHandle};

use super::{Client, Error, SOCKET, serve};

struct Served {
    engine: Engine,
    shutdown: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// An engine in `dir` with its control socket, which is there when this returns.
async fn served(dir: &Path) -> Served {
    let engine = Engine::open(Options::new(dir));
    let (shutdown, down) = watch::channel(false);
    let serving = tokio::spawn(serve(engine.clone(), dir.to_owned(), Vec::new(), down));
    while Client::connect(dir).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    Served { engine, shutdown, serving }
}

impl Served {
    async fn stop(self) {
        self.shutdown.send_replace(true);
        self.serving.await.unwrap();
        self.engine.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_verb_reaches_the_process_and_nothing_is_left_behind() {
    let home = tempfile::tempdir().unwrap();
    assert!(Client::connect(home.path()).await.unwrap().is_none());
    assert!(Client::connect(&home.path().join("absent")).await.unwrap().is_none());
    let served = served(home.path()).await;
    let mode = fs::metadata(home.path().join(SOCKET)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut client = Client::connect(home.path()).await.unwrap().unwrap();
    client.ready().await.unwrap();
    let health = client.get("/health").await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let health: serde_json::Value = serde_json::from_slice(&health).unwrap();
    assert_eq!((&health["state"], &health["pid"]), (&"ready".into(), &std::process::id().into()));
    for (refused, status) in [
        (client.get("/nothing").await, StatusCode::NOT_FOUND),
        (client.post("/health", axum::body::Body::empty()).await, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal.status == status));
    }
    served.stop().await;
    assert!(!home.path().join(SOCKET).exists());
    assert!(Client::connect(home.path()).await.unwrap().is_none());
}

#[tokio::test]
async fn the_socket_of_a_killed_process_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    drop(UnixListener::bind(home.path().join(SOCKET)).unwrap());
    drop(UnixListener::bind(home.path().join("control.sock.new")).unwrap());
    assert!(Client::connect(home.path()).await.unwrap().is_none(), "nobody listens there");
    let served = served(home.path()).await;
    let lines = manifold_engine::verify(home.path(), "documents.db");
    assert!(matches!(lines, Err(manifold_engine::OpenError::Locked(_))));
    served.stop().await;
    manifold_engine::verify(home.path(), "documents.db").unwrap();
}

#[tokio::test]
async fn a_process_without_the_directory_leaves_the_socket_alone() {
    let home = tempfile::tempdir().unwrap();
    let served = served(home.path()).await;
    let second = Engine::open(Options::new(home.path()));
    let (shutdown, down) = watch::channel(false);
    let serving = tokio::spawn(serve(second.clone(), home.path().to_owned(), Vec::new(), down));
    second.recovered().await.unwrap_err();
    shutdown.send_replace(true);
    serving.await.unwrap();
    Client::connect(home.path()).await.unwrap().unwrap().ready().await.unwrap();
    served.stop().await;
}

#[tokio::test]
async fn a_directory_with_a_long_name_has_its_socket_too() {
    let home = tempfile::tempdir().unwrap();
    let long = home.path().join("n".repeat(120)).join("m".repeat(200));
    fs::create_dir_all(&long).unwrap();
    let served = served(&long).await;
    Client::connect(&long).await.unwrap().unwrap().ready().await.unwrap();
    served.stop().await;
    assert!(!long.join(SOCKET).exists());
}
