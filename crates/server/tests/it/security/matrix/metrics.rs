use crate::{
    harness::{Request, Server, Settings, free_port},
    security::Client,
};

/// Listeners for numbers ask nobody, and have nothing but numbers and probes.
#[test]
fn listeners_of_metrics_have_pages_to_read_and_nothing_else() {
    let port = free_port();
    let settings = Settings::fast()
        .set("edgecomet.metrics.enabled", true)
        .set("edgecomet.metrics.listen", format!("127.0.0.1:{port}"));
    let server = Server::with(settings);
    let own = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    for (address, pages) in
        [(server.metrics(), &["/metrics", "/health"][..]), (own, &["/metrics", "/healthz", "/readyz"])]
    {
        let mut client = Client::to(address);
        for page in pages {
            for (method, expected) in [
                ("GET", &[200][..]),
                ("HEAD", &[200]),
                ("POST", &[404, 405]),
                ("PUT", &[404, 405]),
                ("DELETE", &[404, 405]),
                ("OPTIONS", &[404, 405]),
            ] {
                let answer = client.send(&Request::new(method, *page).key(None));
                assert!(expected.contains(&answer.status), "{address} {method} {page}: {}", answer.status);
                for (name, _) in &answer.headers {
                    assert!(
                        !name.to_lowercase().starts_with("access-control-"),
                        "pages of other sites may read {page}"
                    );
                }
            }
        }
        for other in [
            "/",
            "/api/v1/status",
            "/internal/cache/urls",
            "/config",
            "/debug/pprof",
            "//metrics",
            "/metrics/",
            "/%6detrics",
        ] {
            assert_eq!(client.send(&Request::get(other).key(None)).status, 404, "{address} {other}");
        }
    }
}
