//! Listeners that speak TLS.

mod config;
mod handshakes;
mod listeners;
mod reload;
mod slow;
mod stop;

use std::{io::Read as _, time::Duration};

use crate::harness::{Authority, Connection, Endpoint, Server, Settings, Wire, eventually};

/// For what needs no patience.
const SOON: Duration = Duration::from_secs(10);

/// A server all of whose listeners speak TLS, and who signed what they show.
struct Encrypted {
    authority: Authority,
    server: Server,
}

impl Encrypted {
    fn start() -> Encrypted {
        Encrypted::with(Settings::default())
    }

    fn with(settings: Settings) -> Encrypted {
        let authority = Authority::new();
        let pair = authority.sign("server");
        Encrypted { server: Server::with(settings.over_tls(&authority, &pair)), authority }
    }

    /// Unison, for a client that trusts it.
    fn unison(&self) -> Endpoint {
        self.authority.at(self.server.unison())
    }

    /// The value of a sample of the metrics.
    #[track_caller]
    fn sample(&self, name: &str) -> u64 {
        let page = self.server.metrics_text();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{page}")).parse().expect("a number")
    }

    /// Waits until so many connections to Unison are counted whose handshake ended like this.
    #[track_caller]
    fn wait_for_handshakes(&self, result: &str, count: u64) {
        let name = format!(r#"manifold_tls_handshakes_total{{listener="unison",result="{result}"}}"#);
        eventually(&format!("{name} {count}"), SOON, || (self.sample(&name) == count).then_some(()));
    }
}

/// The certificate that a server showed.
fn shown(connection: &mut Connection) -> Vec<u8> {
    let session = connection.wire().session().expect("TLS is spoken");
    session.peer_certificates().expect("the server shows a certificate")[0].to_vec()
}

/// Fails unless the server says that it meant the end, and nothing before that.
#[track_caller]
fn assert_ends_in_order(wire: &mut Wire) {
    let read = wire.read(&mut [0; 100]);
    assert_eq!(read.expect("an end with a close_notify"), 0);
}
