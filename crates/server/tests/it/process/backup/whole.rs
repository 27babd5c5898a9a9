//! Everything comes back, in every dialect.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt};

use super::*;
use crate::{
    edgecomet::{
        daemon::Daemon,
        origin::{Answer, Origin},
    },
    harness::{Connection, Response},
};

/// The same request to a server, whichever ports it has.
type Ask = (fn(&Server) -> SocketAddr, Request);

fn ask(server: &Server, (address, request): &Ask) -> Response {
    Connection::open(address(server)).send(request).unwrap_or_else(|error| panic!("{request}: {error}"))
}

fn write(server: &Server, address: fn(&Server) -> SocketAddr, request: Request) {
    let answer = ask(server, &(address, request.clone()));
    assert!((200..300).contains(&answer.status), "{request}: {} {}", answer.status, answer.text());
}

fn synap(command: &str, payload: &str) -> Request {
    Request::post("/api/v1/command", format!(r#"{{"request_id":"r","command":"{command}","payload":{payload}}}"#))
}

/// Something of each kind.
fn fill_all(server: &Server) {
    for n in 0..30 {
        let body = format!(r#"{{"value":{{"n":{n},"text":"{}"}}}}"#, "u".repeat(n * 100));
        write(server, Server::unison, Request::put(format!("/api/v1/kv/tenant/k{n}"), body));
        write(server, Server::flo, Request::post("/api/v1/queue/a/q/enqueue", r#"{"payload":"MQ==","priority":1}"#));
        write(server, Server::flo, Request::post("/api/v1/stream/a/s/append", format!(r#"{{"payload":"{:04}"}}"#, n)));
        write(
            server,
            Server::flo,
            Request::post("/api/v1/ts/default/write", format!("cpu,host=a usage={n} 170000000{n:02}00000000")),
        );
        write(server, Server::synap, synap("hash.set", &format!(r#"{{"key":"h","field":"f{n}","value":{n}}}"#)));
        write(server, Server::synap, synap("kv.set", &format!(r#"{{"key":"s{n}","value":[{n}]}}"#)));
        write(server, Server::dunena, Request::post(format!("/cache/c{n}"), format!(r#"{{"value":"cached {n}"}}"#)));
        write(
            server,
            Server::dunena,
            Request::post(format!("/db/d{n}"), format!(r#"{{"value":"row {n}","tags":["t"]}}"#)),
        );
    }
    write(server, Server::unison, Request::delete("/api/v1/kv/tenant/k7"));
}

/// What shows all of it.
fn questions() -> Vec<Ask> {
    let flo_query = r#"{"query":"cpu[0..1800000000000] | sum(365d)"}"#;
    let mut asked: Vec<Ask> = vec![
        (Server::unison, Request::get("/api/v1/kv/tenant")),
        (Server::unison, Request::get("/api/v1/kv/tenant/k7")),
        (Server::flo, Request::get("/api/v1/queue/a/q/stats")),
        (Server::flo, Request::get("/api/v1/stream/a/s?count=100")),
        (Server::flo, Request::post("/api/v1/ts/default/query", flo_query)),
        (Server::synap, synap("hash.getall", r#"{"key":"h"}"#)),
        (Server::synap, synap("kv.get", r#"{"key":"s29"}"#)),
        (Server::dunena, Request::get("/cache/c29")),
    ];
    asked.extend(
        (0..30).step_by(7).map(|n| (Server::dunena as fn(&Server) -> SocketAddr, Request::get(format!("/db/d{n}")))),
    );
    asked
}

#[test]
fn everything_comes_back_at_each_level_of_durability() {
    for (level, name) in [("always", "backup"), ("interval", "backup.mfb"), ("os", "backup.tar")] {
        let settings = Daemon::settings()
            .set("durability.level", level)
            .set("dunena.rate_max", 0)
            .set("dunena.persist", true)
            .set("dunena.persist_interval", 0)
            .set("edgecomet.scheduler.tick_interval", "100ms");
        let origin =
            Origin::start(|request| Answer::html(format!("<title>t</title>{}{}", request.target, "p".repeat(3000))));
        let daemon = Daemon::start(settings.clone());
        fill_all(&daemon.server);
        let pages: Vec<String> = (0..5).map(|n| origin.url(&format!("/page/{n}"))).collect();
        daemon.recache(&pages);
        let stored: Vec<Vec<u8>> = pages.iter().map(|page| daemon.stored(page).body).collect();
        daemon.wait_idle();
        let before: Vec<String> = questions().iter().map(|question| ask(&daemon.server, question).text()).collect();

        let shelf = Shelf::new();
        let backup = shelf.back_up(name, &daemon.server.data_dir());
        assert_eq!(staged(&daemon.server.data_dir()), 0);
        // What happens later is not in it.
        write(&daemon.server, Server::unison, Request::put("/api/v1/kv/tenant/later", r#"{"value":1}"#));
        let restored = Daemon { server: shelf.serve(&backup, settings.clone()) };
        for (question, before) in questions().iter().zip(&before) {
            assert_eq!(&ask(&restored.server, question).text(), before, "{level}: {}", question.1);
        }
        for (page, body) in pages.iter().zip(&stored) {
            assert_eq!(&restored.stored(page).body, body, "{level}: {page}");
        }
        assert_eq!(restored.server.get("/api/v1/kv/tenant/later").status, 404);
        restored.server.put("/api/v1/kv/tenant/k7", "1").expect(200);
    }
}

#[test]
fn a_directory_can_be_served_where_it_is_and_a_file_be_unpacked_by_tar() {
    let server = Server::with(Settings::fast().set("dunena.rate_max", 0));
    fill_all(&server);
    let before = server.get("/api/v1/kv/tenant").expect(200).text();
    let shelf = Shelf::new();
    fs::create_dir(shelf.path("home")).expect("a directory");
    shelf.back_up("home/data", &server.data_dir());
    let copy = Server::at(&shelf.path("home"), Settings::fast());
    assert_eq!(copy.get("/api/v1/kv/tenant").expect(200).text(), before);

    let file = shelf.back_up("nightly.tar", &server.data_dir());
    fs::create_dir_all(shelf.path("untarred/data")).expect("a directory");
    let untar = Command::new("tar").arg("-xf").arg(&file).arg("-C").arg(shelf.path("untarred/data")).output();
    let untar = untar.expect("tar is there");
    assert!(untar.status.success(), "{}", String::from_utf8_lossy(&untar.stderr));
    let mut sums = Command::new("sha256sum");
    sums.args(["-c", "backup.json.sha256"]).current_dir(shelf.path("untarred/data"));
    assert!(sums.output().expect("sha256sum is there").status.success());
    let copy = Server::at(&shelf.path("untarred"), Settings::fast());
    assert_eq!(copy.get("/api/v1/kv/tenant").expect(200).text(), before);
}

#[test]
fn what_lies_outside_the_data_directory_goes_along() {
    let elsewhere = Shelf::new();
    let db = elsewhere.path("rows.db");
    let settings = Settings::fast().set("dunena.db_path", text(&db)).set("dunena.rate_max", 0);
    let server = Server::with(settings.clone());
    fill_all(&server);
    let shelf = Shelf::new();
    let config = shelf.path("manifold.toml");
    fs::write(&config, settings.file.to_string()).expect("write the configuration");
    let (code, output) = shelf.run("backup", &shelf.path("b.mfb"), &server.data_dir());
    assert_eq!(code, Some(0), "{output}");
    let (code, output) = shelf.run("restore", &shelf.path("b.mfb"), &shelf.path("home/../restored"));
    assert_eq!(code, Some(74), "there is no such directory\n{output}");
    let (code, output) = shelf.run("restore", &shelf.path("b.mfb"), &shelf.path("restored"));
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains(&format!("dunena.db was at {}", db.display())), "{output}");
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!((mode(&shelf.path("restored")), mode(&shelf.path("restored/dunena.db"))), (0o700, 0o600));
    assert_eq!(mode(&shelf.path("b.mfb")), 0o600);
}

#[test]
fn a_directory_that_nobody_serves_is_copied_as_it_is() {
    let mut server = Server::with(Settings::fast().set("dunena.rate_max", 0));
    fill_all(&server);
    let before = server.get("/api/v1/kv/tenant").expect(200).text();
    // Not in order, so that SQLite's log and ours have something to say.
    server.kill();
    let shelf = Shelf::new();
    let segment = server.data_dir().join("log-0000000001.seg");
    let bytes = fs::read(&segment).expect("the log");
    let backup = shelf.back_up("cold", &server.data_dir());
    assert_eq!(fs::read(&segment).expect("the log"), bytes, "nothing was changed");
    assert_eq!((staged(&server.data_dir()), shelf.listed()), (0, vec!["cold".to_owned()]), "nothing is left");
    let copy = shelf.serve(&backup, Settings::fast().set("dunena.rate_max", 0));
    assert_eq!(copy.get("/api/v1/kv/tenant").expect(200).text(), before);
    assert_eq!(ask(&copy, &(Server::dunena, Request::get("/db/d29"))).status, 200);
    server.start_again();
}
