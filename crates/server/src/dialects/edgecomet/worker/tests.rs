use manifold_engine::{Engine, Options, recache::HostId};

use super::*;
use crate::dialects::edgecomet::{config::WorkerMode, home::Embedded, hosts::Hosts};

const URL: &str = "http://127.0.0.1:1/";

/// A worker, with a record of a page that was made by `source`; nobody answers where the page is.
async fn worker(directory: &std::path::Path, source: &str, replace_rendered: bool) -> (Worker, Job) {
    let host = "hosts = [{ id = 1, domain = \"127.0.0.1\" }]\n[worker]\nallow_private = true";
    let mut config: Config = toml::from_str(host).expect("a configuration");
    config.worker.replace_rendered = replace_rendered;
    assert_eq!(config.worker.mode, WorkerMode::Fetch);
    let engine = Engine::open(Options::new(directory.join("data")));
    engine.recovered().await.expect("recovers");
    let home = Home::Embedded(Embedded::new(engine));
    let hosts = CurrentHosts::new(Hosts::build(&config).expect("hosts"));
    let job = Job { host: HostId(1), url: URL.into(), dimension: manifold_engine::recache::DimensionId(1) };
    let key = PageKey { host: job.host, dimension: job.dimension, hash: url::hash(URL) };
    let record = Record { url: URL.to_owned(), source: source.to_owned(), ..Record::default() };
    home.store_record(key, &record, u64::from(u32::MAX)).await.expect("stored");
    let pages = Pages::new(&config, directory);
    (Worker::new(&config, hosts, home, pages).expect("a worker"), job)
}

#[tokio::test]
async fn a_page_that_was_rendered_elsewhere_is_replaced_only_when_that_is_wanted() {
    let unreachable = Outcome::Temporary("cannot reach upstream: connection refused".to_owned());
    for (source, replace_rendered, expected) in [
        ("render", false, Outcome::Skipped("a rendered page is not replaced".to_owned())),
        ("render", true, unreachable.clone()),
        ("bypass", false, unreachable),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let (worker, job) = worker(directory.path(), source, replace_rendered).await;
        assert_eq!(worker.run(&job).await, expected, "{source} {replace_rendered}");
    }
}
