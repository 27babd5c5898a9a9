//! What a listener shows to its clients, read from files.

use std::{fmt, fs::File, io::Read as _, os::unix::fs::PermissionsExt, sync::Arc};

use manifold_engine::Timestamp;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use x509_cert::{Certificate, der::Decode};

use super::options::{TlsFile, TlsFiles, TlsVersion, Unusable};

/// No chain of certificates is longer; a file that is, is something else.
const FILE_BYTES: u64 = 1 << 20;
/// Bits of a file's mode that others than its owner and group have.
const OTHERS: u32 = 0o007;

/// A certificate with its key, and whose certificates are asked for. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    pub(super) config: Arc<ServerConfig>,
    /// When the certificate ends; none = that is spelled in a way that only clients understand.
    pub expires: Option<Timestamp>,
    /// What the operator should be told about the files.
    pub notes: Vec<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl TlsFiles {
    /// Reads the files. The error names one of them, and says nothing of what is in it.
    pub fn load(&self) -> Result<Identity, Unusable> {
        let chain = certificates(&self.cert)?;
        let (key, readable_by_others) = private_key(&self.key)?;
        let expires = expiry(&chain[0]);
        let provider = Arc::new(ring::default_provider());
        let versions = match self.min_version {
            TlsVersion::V1_2 => &[&TLS13, &TLS12][..],
            TlsVersion::V1_3 => &[&TLS13][..],
        };
        let clients: Arc<dyn ClientCertVerifier> = match &self.client_ca {
            None => Arc::new(NoClientAuth),
            Some(file) => {
                let roots = Arc::new(authorities(file)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
                verifier.build().map_err(|error| file.unusable(error))?
            }
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("ring speaks both versions")
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .map_err(|error| self.refused(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Sessions are resumed by what their clients bring, so that they cost no memory here.
        config.ticketer = ring::Ticketer::new().map_err(|error| self.key.unusable(error))?;
        let notes = readable_by_others.map(|mode| {
            self.key
                .unusable(format_args!("others than its owner and group may use the private key (mode {mode:03o})"))
                .0
        });
        Ok(Identity { config: Arc::new(config), expires, notes: notes.into_iter().collect() })
    }

    fn refused(&self, error: &rustls::Error) -> Unusable {
        match error {
            rustls::Error::InvalidCertificate(_) => self.cert.unusable(error),
            rustls::Error::InconsistentKeys(_) => {
                let cert = self.cert.path.display();
                self.key.unusable(format_args!("this is not the private key of the certificate in {cert}"))
            }
            _ => self.key.unusable("this private key cannot be used"),
        }
    }
}

fn certificates(file: &TlsFile) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let (pem, _) = read(file)?;
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|_| file.unusable("this is no PEM file"))?;
    if chain.is_empty() {
        return Err(file.unusable("there is no certificate in it"));
    }
    Ok(chain)
}

fn authorities(file: &TlsFile) -> Result<RootCertStore, Unusable> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| file.unusable(error))?;
    }
    Ok(roots)
}

/// The key, and the mode of its file if that lets in others.
fn private_key(file: &TlsFile) -> Result<(PrivateKeyDer<'static>, Option<u32>), Unusable> {
    let (pem, mode) = read(file)?;
    // Both forms of an encrypted key have the word in a line of their own.
    if memchr::memmem::find(&pem, b"ENCRYPTED").is_some() {
        return Err(file.unusable("the private key is encrypted; it is needed without a passphrase"));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| file.unusable("there is no private key in it"))?;
    Ok((key, Some(mode & 0o777).filter(|mode| mode & OTHERS != 0)))
}

/// The bytes of a file and its mode.
fn read(file: &TlsFile) -> Result<(Vec<u8>, u32), Unusable> {
    let mut bytes = Vec::new();
    let opened = File::open(&file.path).map_err(|error| file.unusable(error))?;
    let mode = opened.metadata().map_err(|error| file.unusable(error))?.permissions().mode();
    opened.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| file.unusable(error))?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(file.unusable(format_args!("it is longer than {FILE_BYTES} bytes")));
    }
    Ok((bytes, mode))
}

fn expiry(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate.validity.not_after.to_unix_duration();
    u64::try_from(end.as_millis()).ok().map(Timestamp)
}
