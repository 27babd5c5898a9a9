//! TLS of the tests: authorities and certificates made on the spot, and streams that speak it or not.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};
use tempfile::TempDir;

/// What certificates are for, and clients ask for.
const NAME: &str = "localhost";
/// The year in which certificates end that nobody says anything about.
const LAST_YEAR: i32 = 2090;

/// Where a server is, and how to trust it if it speaks TLS.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub address: SocketAddr,
    pub tls: Option<Arc<ClientConfig>>,
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Endpoint {
        Endpoint { address, tls: None }
    }
}

/// An authority that signs certificates, and the folder that they are in.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    folder: TempDir,
}

/// The files of a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// A new one, whose certificate is `ca.pem`.
    pub fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of tests");
        let certificate = params.self_signed(&key).expect("a certificate");
        let folder = tempfile::Builder::new().prefix("manifold-tls-").tempdir().expect("a temporary directory");
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).expect("write a certificate");
        Authority { issuer: Issuer::new(params, key), certificate: certificate.der().clone(), folder }
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its own certificate, as a file.
    pub fn file(&self) -> PathBuf {
        self.folder().join("ca.pem")
    }

    /// Signs a certificate and writes it as `<name>.pem` with its key as `<name>.key`, over those that are there.
    pub fn sign(&self, name: &str) -> Pair {
        self.sign_until(name, LAST_YEAR)
    }

    /// The same for one that ends with the beginning of this year.
    pub fn sign_until(&self, name: &str, year: i32) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([NAME.to_owned(), "127.0.0.1".to_owned()]).expect("names");
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let pair = self.pair(name);
        std::fs::write(&pair.cert, certificate.pem()).expect("write a certificate");
        std::fs::write(&pair.key, key.serialize_pem()).expect("write a key");
        only_for_owner(&pair.key);
        pair
    }

    /// Where the files of this name are.
    pub fn pair(&self, name: &str) -> Pair {
        let file = |extension| self.folder().join(name).with_extension(extension);
        Pair { cert: file("pem"), key: file("key") }
    }

    /// A client that trusts this authority and speaks these versions; it shows a certificate if it is given one.
    pub fn client_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        shown: Option<&Pair>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        Arc::new(match shown {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = vec![CertificateDer::from_pem_file(&pair.cert).expect("a certificate")];
                let key = PrivateKeyDer::from_pem_file(&pair.key).expect("a key");
                builder.with_client_auth_cert(chain, key).expect("a certificate to show")
            }
        })
    }

    /// A client that trusts this authority.
    pub fn client(&self) -> Arc<ClientConfig> {
        self.client_with(&[&TLS13, &TLS12], None)
    }

    /// A server at this address, for a client that trusts this authority.
    pub fn at(&self, address: SocketAddr) -> Endpoint {
        Endpoint { address, tls: Some(self.client()) }
    }
}

/// Takes a file from others.
fn only_for_owner(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("set the mode of a key");
}

/// A stream to a server, encrypted or not.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// Speaks over a socket as the endpoint wants it; a handshake is complete when this returns.
    pub fn over(mut socket: TcpStream, tls: Option<&Arc<ClientConfig>>) -> io::Result<Wire> {
        let Some(config) = tls else { return Ok(Wire::Plain(socket)) };
        let name = ServerName::try_from(NAME).expect("a name");
        let mut session = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        Ok(Wire::Tls(Box::new(StreamOwned::new(session, socket))))
    }

    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Wire::Plain(socket) => socket,
            Wire::Tls(stream) => &stream.sock,
        }
    }

    /// The longest time that reads wait from now on.
    pub fn read_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.socket().set_read_timeout(Some(timeout))
    }

    /// What the session says about itself, where there is one.
    pub fn session(&self) -> Option<&ClientConnection> {
        match self {
            Wire::Plain(_) => None,
            Wire::Tls(stream) => Some(&stream.conn),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(socket) => socket.read(buf),
            Wire::Tls(stream) => stream.read(buf),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(socket) => socket.write(bytes),
            Wire::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Wire::Plain(socket) => socket.flush(),
            Wire::Tls(stream) => stream.flush(),
        }
    }
}
