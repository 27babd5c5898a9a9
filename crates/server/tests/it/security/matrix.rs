//! Every route of every dialect with every kind of credential.
//!
//! Each dialect has a table of what its contract says of each of its routes, written by hand. The routes themselves come
//! from the server's own tables: one that is missing here, or was forgotten here, makes the test fail. Bodies are such
//! that a request that got through would change something.

mod dunena;
mod edgecomet;
mod flo;
mod metrics;
mod synap;
mod unison;

use std::net::SocketAddr;

use base64::{Engine, prelude::BASE64_STANDARD};

use super::Client;
use crate::harness::{Request, Server};

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Anybody.
    Public,
    /// Whoever has a credential.
    Reader,
    /// Whoever has one that is good for changes.
    Writer,
}
use Who::{Public, Reader, Writer};

/// What the contract says of a route: method and template, who may, what else a request's target has, and its body.
type Row = (&'static str, Who, &'static str, &'static str);

/// A dialect under test.
struct Dialect {
    address: SocketAddr,
    rows: &'static [Row],
    way: Way,
    /// The credential that may do everything.
    full: &'static str,
    /// One that only reads, where there are such.
    reads: Option<&'static str>,
    /// Whether a credential that others would refuse has a right here, by its name and the path.
    accepts: fn(&str, &str) -> bool,
    /// What changes when something is changed.
    state: Box<dyn Fn() -> String>,
}

/// Where a dialect looks for its credential.
#[derive(Debug, Clone, Copy)]
struct Way {
    header: &'static str,
    /// What stands before it.
    scheme: &'static str,
}

/// How many of the wrong credentials are tried on every route: none at all, and secrets that are not the right one.
const EVERYWHERE: usize = 5;
/// On how many routes of a dialect the others are tried, at least.
const A_FEW: usize = 12;

const BEARER: Way = Way { header: "Authorization", scheme: "Bearer " };

/// What a request says of who sends it.
#[derive(Debug, Clone)]
struct Credential {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    query: Option<String>,
}

impl Credential {
    fn headers(name: &'static str, headers: impl IntoIterator<Item = (&'static str, String)>) -> Credential {
        Credential { name, headers: headers.into_iter().collect(), query: None }
    }

    fn put_on(&self, mut request: Request) -> Request {
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(query) = &self.query {
            let joint = if request.target.contains('?') { '&' } else { '?' };
            request.target = format!("{}{joint}{query}", request.target);
        }
        request
    }
}

impl Way {
    fn of(self, secret: &str) -> Credential {
        Credential::headers("the right one", [(self.header, format!("{}{secret}", self.scheme))])
    }

    /// What looks like a credential and is none: no secret, another one, or the right one in the wrong place.
    fn wrong(self, secret: &str) -> Vec<Credential> {
        let Way { header, scheme } = self;
        let one = |name, value: String| Credential::headers(name, [(header, value)]);
        let with = |text: &str| format!("{scheme}{text}");
        let mut found = vec![
            Credential::headers("none", []),
            one("an empty header", String::new()),
            one("a scheme without a secret", with("")),
            one("another secret of that length", with(&"x".repeat(secret.len()))),
            one("its beginning", with(&secret[..secret.len() - 1])),
            one("more than it", with(&format!("{secret}x"))),
            one("it in capitals", with(&secret.to_uppercase())),
            one("it with an escape behind it", with(&format!("{secret}%00"))),
            one("a very long one", with(&"x".repeat(8 << 10))),
            one("it behind what is not ASCII", with(&format!("\u{e9}{secret}"))),
            one("nothing but what is not ASCII", with("\u{1f511}")),
            one("a list with it", format!("{scheme}x, {scheme}{secret}")),
            one("quotes around it", with(&format!("\"{secret}\""))),
            one("it in base64", with(&BASE64_STANDARD.encode(secret))),
            Credential::headers("it behind a wrong one", [(header, with("wrong")), (header, with(secret))]),
        ];
        for (name, scheme) in [("Basic", "Basic "), ("Token", "Token "), ("Digest", "Digest "), ("ApiKey", "ApiKey ")] {
            found.push(Credential::headers(name, [("Authorization", format!("{scheme}{secret}"))]));
        }
        for header in ["X-API-Key", "X-Internal-Auth", "X-Auth-Token", "Proxy-Authorization", "X-Unison-Key"] {
            found.push(Credential::headers(header, [(header, secret.to_owned())]));
        }
        found.push(Credential::headers("Cookie", [("Cookie", format!("token={secret}; api_key={secret}"))]));
        let pair = format!("{secret}:{secret}");
        found.push(Credential::headers(
            "Basic pair",
            [("Authorization", format!("Basic {}", BASE64_STANDARD.encode(pair)))],
        ));
        for query in ["token", "api_key", "key", "access_token", "p", "authorization", "internal_auth_key"] {
            let (name, query) = (query, Some(format!("{query}={secret}")));
            found.push(Credential { name, headers: Vec::new(), query });
        }
        if !scheme.is_empty() {
            found.push(one("it without the scheme", secret.to_owned()));
            found.push(one("a tab after the scheme", format!("{}\t{secret}", scheme.trim_end())));
            found.push(Credential::headers("it twice", [(header, with(secret)), (header, with(secret))]));
        }
        found.retain(|credential| !(credential.name == header && scheme.is_empty()));
        found
    }
}

/// The request of a row, without a credential: parameters of its path stand for themselves.
fn request((route, _, query, body): &Row) -> Request {
    let (method, template) = route.split_once(' ').expect("a method and a template");
    let target = format!("{}{query}", template.replace(['{', '}'], ""));
    let request = Request::new(method, target).key(None);
    if body.is_empty() { request } else { request.body(*body) }
}

/// The routes of the table are those of the server.
#[track_caller]
fn compare<'a>(rows: &[Row], routes: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut routes: Vec<String> = routes.into_iter().map(|(method, path)| format!("{method} {path}")).collect();
    let mut listed: Vec<&str> = rows.iter().map(|(route, ..)| *route).collect();
    routes.sort_unstable();
    listed.sort_unstable();
    assert!(!routes.is_empty());
    assert_eq!(listed, routes, "this table (left) and the routes of the server (right)");
}

impl Dialect {
    /// Tries everything.
    #[track_caller]
    fn check(&self) {
        let before = (self.state)();
        self.check_without();
        self.check_methods();
        assert_eq!((self.state)(), before, "something changed for somebody without a credential");
        self.check_reader();
        assert_eq!((self.state)(), before, "something changed for somebody who may only read");
        self.check_full();
        assert_ne!((self.state)(), before, "a change would not be seen");
    }

    /// The plainest ones are tried everywhere; of the others each on some routes, and on each route some of them.
    fn check_without(&self) {
        let mut client = Client::to(self.address);
        let read = self.reads.map_or(Vec::new(), |key| self.way.wrong(key));
        for (turn, credential) in self.way.wrong(self.full).iter().chain(&read).enumerate() {
            for (number, row) in self.rows.iter().enumerate() {
                let request = request(row);
                let path = request.target.split('?').next().unwrap_or_default().to_owned();
                let is_due = turn < EVERYWHERE || self.is_due(turn + number);
                if !is_due || (self.accepts)(credential.name, &path) {
                    continue;
                }
                let answer = client.send(&credential.put_on(request));
                let refused = matches!(answer.status, 401 | 403);
                let said = (row.0, credential.name, answer.status, answer.text());
                match row.1 {
                    Public => assert!(!refused, "{said:?}"),
                    Reader | Writer => assert_eq!(answer.status, 401, "{said:?}"),
                }
            }
        }
    }

    /// Whether it is the turn of something of which a few suffice.
    fn is_due(&self, turn: usize) -> bool {
        turn.is_multiple_of(self.rows.len().div_ceil(A_FEW))
    }

    /// Other methods and other paths tell nothing and do nothing either.
    fn check_methods(&self) {
        let mut client = Client::to(self.address);
        let guarded = self.rows.iter().filter(|(_, who, ..)| *who != Public);
        for (number, row) in guarded.enumerate() {
            let known = request(row);
            let path = known.target.split('?').next().unwrap_or_default().to_owned();
            if self.rows.iter().any(|other| other.1 == Public && request(other).target == path) {
                continue;
            }
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
                let answer = client.send(&Request { method: method.to_owned(), ..known.clone() });
                // A dialect that takes a method and a path for one thing knows no such route.
                assert!(matches!(answer.status, 401 | 404), "{method} {path}: {} {}", answer.status, answer.text());
            }
            let others = [
                format!("/{path}"),
                format!("{path}/"),
                format!("{path}/x"),
                path.replacen('/', "/./", 1),
                path.replacen('/', "/x/../", 1),
                escaped(&path),
            ];
            let due = others.into_iter().enumerate().filter(|(turn, _)| self.is_due(turn + number));
            for (_, path) in due {
                let answer = client.send(&Request { target: path.clone(), ..known.clone() });
                assert!(matches!(answer.status, 401 | 404), "{path}: {} {}", answer.status, answer.text());
            }
        }
    }

    fn check_reader(&self) {
        let Some(reads) = self.reads else { return };
        let mut client = Client::to(self.address);
        for row in self.rows {
            let answer = client.send(&self.way.of(reads).put_on(request(row)));
            let said = (row.0, answer.status, answer.text());
            match row.1 {
                Public | Reader => assert!(!matches!(answer.status, 401 | 403), "{said:?}"),
                Writer => assert_eq!(answer.status, 403, "{said:?}"),
            }
        }
    }

    fn check_full(&self) {
        let mut client = Client::to(self.address);
        for row in self.rows {
            let answer = client.send(&self.way.of(self.full).put_on(request(row)));
            assert!(!matches!(answer.status, 401 | 403 | 405), "{} {} {}", row.0, answer.status, answer.text());
        }
    }
}

/// The same path, its first letter in the long form.
fn escaped(path: &str) -> String {
    let letter = path.bytes().nth(1).unwrap_or(b'x');
    format!("/%{letter:02x}{}", path.get(2..).unwrap_or_default())
}

/// Samples of the metrics listener whose names begin with one of these.
fn samples(server: &Server, names: &[&str]) -> String {
    let page = server.metrics_text();
    let wanted = |line: &&str| names.iter().any(|name| line.starts_with(name));
    page.lines().filter(wanted).collect::<Vec<_>>().join("\n")
}

/// What tells of every change that is logged, and of every change of Dunena's cache.
const CHANGES: [&str; 6] = [
    "manifold_log_commits_total",
    "unison_changes_head_seq",
    "dunena_cache_puts_total",
    "dunena_cache_deletes_total",
    "dunena_cache_entries",
    "dunena_locks_active",
];
