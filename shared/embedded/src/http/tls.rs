//! TLS for the server: a certificate chain and its key from PEM files.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
    },
};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read as PEM.
    #[error("{} is no PEM file of what it must hold", .0.display())]
    File(PathBuf, #[source] pem::Error),
    /// The chain is empty.
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// Key and certificate cannot be used.
    #[error("certificate and key cannot be used together")]
    Unusable(#[source] rustls::Error),
}

/// What accepts TLS connections, HTTP/2 and HTTP/1.1 on offer.
///
/// # Errors
/// Files that cannot be read, or do not belong together.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Error> {
    let file = |path: &Path| {
        let path = path.to_path_buf();
        move |error| Error::File(path, error)
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(file(certificate))?;
    if chain.is_empty() {
        return Err(Error::NoCertificate(certificate.into()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(file(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(Error::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}
