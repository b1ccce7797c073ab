//! Whose certificates are believed, where not the well-known authorities'.

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// TLS that believes the authorities in a PEM text alone; none: it holds no certificate.
pub(crate) fn only(pem: &[u8]) -> Option<TlsConfig> {
    let roots: Vec<Certificate<'static>> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    (!roots.is_empty()).then(|| TlsConfig::builder().root_certs(RootCerts::from(roots)).build())
}
